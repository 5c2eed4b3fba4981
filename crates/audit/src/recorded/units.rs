//! The units that make strain free of scale.

use std::collections::HashMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_data::{Columns, Distinct};

use crate::Embeddings;
use crate::embeddings::squared_distance;

/// So many different values of `p` are compared pair by pair; of more, a sample is.
const MOST_VALUES: usize = 512;
const SAMPLED_PAIRS: usize = 1 << 16;

/// The mean latent, and the root mean squared distance of two different rows. One pass in f64.
pub(super) fn mean_and_spread(embeddings: &Embeddings<'_>) -> (Vec<f64>, f64) {
    let rows = embeddings.rows() as f64;
    let mut mean = vec![0.0; embeddings.width()];
    for row in 0..embeddings.rows() {
        for (sum, &value) in mean.iter_mut().zip(embeddings.row(row)) {
            *sum += f64::from(value);
        }
    }
    mean.iter_mut().for_each(|sum| *sum /= rows);
    let squares: f64 = (0..embeddings.rows())
        .map(|row| {
            let centred = embeddings.row(row).iter().zip(&mean);
            centred
                .map(|(&value, mean)| (f64::from(value) - mean).powi(2))
                .sum::<f64>()
        })
        .sum();
    let others = (rows - 1.0).max(1.0);
    (mean, (2.0 * squares / others).sqrt())
}

/// The unit of differences of `p`: the median difference of two recorded values that differ. 0 where
/// none do.
///
/// The range would let one outlier hide all else, and the standard deviation of a rare reward is next
/// to nothing; for a reward of 0 and 1 this is 1, however rare it is.
pub(super) fn unit_of_p(values: &Columns, tolerance: f64, seed: u64) -> f64 {
    let Distinct { ids, first_rows } = values.distinct();
    let value = |row: usize| values.rows(row..row + 1);
    let mut differences: Vec<(f64, f64)> = Vec::new();
    if first_rows.len() <= MOST_VALUES {
        let mut counts: HashMap<u32, f64> = HashMap::new();
        for id in ids {
            *counts.entry(id).or_default() += 1.0;
        }
        let count = |id: usize| counts.get(&(id as u32)).copied().unwrap_or_default();
        for (a, &row) in first_rows.iter().enumerate() {
            for (b, &other) in first_rows[..a].iter().enumerate() {
                let difference = squared_distance(value(row), value(other)).sqrt();
                differences.push((difference, count(a) * count(b)));
            }
        }
    } else {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..SAMPLED_PAIRS {
            let mut any = || value(random.random_range(0..ids.len()));
            differences.push((squared_distance(any(), any()).sqrt(), 1.0));
        }
    }
    differences.retain(|&(difference, _)| difference > tolerance);
    differences.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = differences.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (difference, weight) in differences {
        below += weight;
        if 2.0 * below >= total {
            return difference;
        }
    }
    0.0
}
