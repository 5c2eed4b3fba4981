//! Usual diagnostics of embeddings: ranks, spectrum, distances.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_data::Trajectories;

use super::budget::Budget;
use super::lidar::{Groups, effective_rank};
use super::neighbors::sample;
use super::schema::Diagnostics;
use crate::{AuditError, Embeddings, Spectrum};

/// Largest number of rows whose spectrum is computed; beyond it, a sample is.
const MOST_ROWS: usize = 4096;
const SAMPLED_PAIRS: usize = 20_000;

/// Measures all diagnostics that the [`Budget`] allows.
pub(super) fn measure(
    trajectories: &Trajectories,
    embeddings: &Embeddings<'_>,
    seed: u64,
) -> Result<Diagnostics, AuditError> {
    let rows = sample(embeddings.rows(), MOST_ROWS, seed);
    let rows: Vec<usize> = rows.into_iter().map(|row| row as usize).collect();
    let budget = Budget::of(embeddings.rows(), embeddings.width());
    let spectrum = budget
        .allows_spectrum(rows.len())
        .then(|| Spectrum::of_rows(embeddings, &rows))
        .transpose()?;
    let (groups, costly) = match Groups::of(trajectories) {
        Some(all) if !budget.allows_lidar(all.rows(), all.scattered_rows()) => (None, true),
        groups => (groups, false),
    };
    let discriminant = groups.and_then(|groups| groups.discriminant(embeddings));
    let left_out = budget.left_out(spectrum.is_none(), costly);
    let mean_distance = mean_distance(embeddings, seed);
    let norm = embeddings.mean_norm();
    Ok(Diagnostics {
        rankme: spectrum.as_ref().and_then(|spectrum| spectrum.rankme),
        effective_rank: spectrum.as_ref().and_then(|it| it.effective_rank),
        lidar_groups: discriminant.is_some().then(|| "episodes".to_owned()),
        lidar: discriminant.and_then(|values| effective_rank(&values)),
        rows: rows.len(),
        singular_values: spectrum.map_or_else(Vec::new, |spectrum| spectrum.singular_values),
        mean_distance,
        relative_spread: (norm > 0.0).then(|| mean_distance / norm),
        left_out,
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
