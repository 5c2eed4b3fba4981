//! Usual diagnostics of embeddings: ranks, spectrum, distances.

use nalgebra::{DMatrix, SymmetricEigen};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_data::Trajectories;

use super::neighbors::sample;
use super::schema::Diagnostics;
use crate::{AuditError, Embeddings, Spectrum};

/// Largest number of rows whose spectrum is computed; beyond it, a sample is.
const MOST_ROWS: usize = 4096;
const SAMPLED_PAIRS: usize = 20_000;
/// Ridge added to the within-group scatter, relative to its mean eigenvalue, as in the paper's
/// code.
const LIDAR_RIDGE: f64 = 1e-4;

/// Measures all diagnostics. Costs `O(rows * width^2)` for at most 4096 rows.
pub(super) fn measure(
    trajectories: &Trajectories,
    embeddings: &Embeddings<'_>,
    seed: u64,
) -> Result<Diagnostics, AuditError> {
    let rows = sample(embeddings.rows(), MOST_ROWS, seed);
    let values: Vec<f32> = rows
        .iter()
        .flat_map(|&row| embeddings.row(row as usize))
        .copied()
        .collect();
    let some = Embeddings::new(&values, rows.len(), embeddings.width())?;
    let spectrum = Spectrum::measure(&some)?;
    let (lidar, lidar_groups) = lidar(trajectories, embeddings);
    let mean_distance = mean_distance(embeddings, seed);
    let norm = embeddings.mean_norm();
    Ok(Diagnostics {
        rankme: spectrum.rankme,
        effective_rank: spectrum.effective_rank,
        lidar,
        lidar_groups,
        rows: rows.len(),
        singular_values: spectrum.singular_values,
        mean_distance,
        relative_spread: (norm > 0.0).then(|| mean_distance / norm),
        contradicts: None,
    })
}

/// Returns the mean distance of two different rows: of all pairs if they are few, else of a sample.
fn mean_distance(embeddings: &Embeddings<'_>, seed: u64) -> f64 {
    let rows = embeddings.rows();
    if rows < 2 {
        return 0.0;
    }
    if rows * (rows - 1) / 2 <= SAMPLED_PAIRS {
        let pairs = (0..rows).flat_map(|i| (0..i).map(move |j| (i, j)));
        let sum: f64 = pairs.map(|(i, j)| embeddings.distance(i, j)).sum();
        return sum / (rows * (rows - 1) / 2) as f64;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let sum: f64 = (0..SAMPLED_PAIRS)
        .map(|_| {
            let i = random.random_range(0..rows);
            let j = random.random_range(0..rows - 1);
            embeddings.distance(i, if j >= i { j + 1 } else { j })
        })
        .sum();
    sum / SAMPLED_PAIRS as f64
}

/// Computes `LiDAR` (Thilak et al. 2023): the exponential of the entropy of the eigenvalues of
/// `W^(-1/2) B W^(-1/2)`. `B` and `W` are the scatter between and within groups. The paper groups
/// augmented views of one clip; here the rows of one episode are a group.
fn lidar(
    trajectories: &Trajectories,
    embeddings: &Embeddings<'_>,
) -> (Option<f64>, Option<String>) {
    let episodes = trajectories.episodes().filter(|rows| rows.len() > 1);
    let groups: Vec<_> = episodes.take(MOST_ROWS / 4).collect();
    if groups.len() < 2 {
        return (None, None);
    }
    let width = embeddings.width();
    let mut means = DMatrix::<f64>::zeros(groups.len(), width);
    let rows: usize = groups.iter().map(ExactSizeIterator::len).sum();
    let mut within = DMatrix::<f64>::zeros(rows.min(4 * MOST_ROWS), width);
    let mut next = 0;
    for (group, range) in groups.iter().enumerate() {
        for row in range.clone() {
            for (column, &value) in embeddings.row(row).iter().enumerate() {
                means[(group, column)] += f64::from(value) / range.len() as f64;
            }
        }
        for row in range.clone().take(within.nrows() - next) {
            for (column, &value) in embeddings.row(row).iter().enumerate() {
                within[(next, column)] = f64::from(value) - means[(group, column)];
            }
            next += 1;
        }
    }
    let of_groups = "episodes".to_owned();
    let mut within = within.tr_mul(&within) / rows as f64;
    let center = means.row_mean();
    for mut row in means.row_iter_mut() {
        row -= &center;
    }
    let between = means.tr_mul(&means) / groups.len() as f64;
    let ridge = LIDAR_RIDGE * within.trace() / width as f64;
    if ridge <= 0.0 || !ridge.is_finite() {
        return (None, None);
    }
    for column in 0..width {
        within[(column, column)] += ridge;
    }
    let eigen = SymmetricEigen::new(within);
    let roots = eigen
        .eigenvalues
        .map(|value| value.max(ridge).sqrt().recip());
    let whiten = &eigen.eigenvectors * DMatrix::from_diagonal(&roots);
    let whitened = whiten.tr_mul(&(between * &whiten));
    let values = SymmetricEigen::new(whitened).eigenvalues;
    let total: f64 = values.iter().map(|value| value.max(0.0)).sum();
    let entropy = |value: &f64| {
        let share = value.max(0.0) / total;
        if share > 0.0 {
            -share * share.ln()
        } else {
            0.0
        }
    };
    let rank = (total > 0.0).then(|| values.iter().map(entropy).sum::<f64>().exp());
    (rank, Some(of_groups))
}
