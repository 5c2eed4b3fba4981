//! Units of latent distances and of `p`, which make required Lipschitz constants free of scale.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_data::Auxiliary;

use super::schema::DominantDimension;
use crate::embeddings::LARGEST;
use crate::{AuditError, Embeddings};

/// Largest number of different values of `p` that are compared pair by pair; beyond it, a sample
/// is.
const MOST_VALUES: usize = 512;
const SAMPLED_PAIRS: usize = 1 << 16;

/// Number of rows for each one that may lie far outside.
const OUTLYING_ROWS: usize = 100;
/// Share of the squared spread that far rows may make up and still be included.
const MOST_OF_OUTLYING: f64 = 0.5;
/// Share of the squared spread from which one dimension hides the others.
const DOMINANT: f64 = 0.99;

/// Unit of latent distances.
pub(super) struct Spread {
    /// Mean latent.
    pub(super) mean: Vec<f64>,
    /// Root mean squared distance of two different rows, far rows left out.
    pub(super) spread: f64,
    /// Share of the squared spread that at most one row in a hundred makes up, if that is most of
    /// it.
    pub(super) trimmed_share: Option<f64>,
    /// Dimension that makes up nearly all of it, if there is one beside others.
    pub(super) dominant: Option<DominantDimension>,
}

impl Spread {
    /// Measures the spread in two passes in f64, and a selection.
    ///
    /// # Errors
    /// If a value is so large that distances cannot be measured.
    pub(super) fn of(embeddings: &Embeddings<'_>) -> Result<Self, AuditError> {
        let width = embeddings.width();
        let values = embeddings.values();
        if let Some(place) = values.iter().position(|value| value.abs() > LARGEST) {
            return Err(AuditError::TooLarge {
                row: place / width,
                column: place % width,
                value: format!("{:e}", values[place]),
            });
        }
        let mean = mean_of(embeddings, |_| true);
        let mut squares = squares_from(embeddings, &mean);
        let total: f64 = squares.iter().sum();
        let others = (embeddings.rows() as f64 - 1.0).max(1.0);
        let spread = (2.0 * total / others).sqrt();
        let usual = Self {
            dominant: dominant_dimension(embeddings, &mean, |_| true),
            mean,
            spread,
            trimmed_share: None,
        };
        let trimmed_share = embeddings.rows() / OUTLYING_ROWS;
        if trimmed_share == 0 {
            return Ok(usual);
        }
        let last = embeddings.rows() - trimmed_share;
        let &mut limit = squares.select_nth_unstable_by(last, f64::total_cmp).1;
        let far: f64 = squares[last..].iter().sum();
        if far <= MOST_OF_OUTLYING * total {
            return Ok(usual);
        }
        // The far rows are left out: mean and spread are those of the others.
        let is_inside = squares_from(embeddings, &usual.mean)
            .into_iter()
            .map(|square| square < limit)
            .collect::<Vec<_>>();
        let inside = is_inside.iter().filter(|inside| **inside).count() as f64;
        let mean = mean_of(embeddings, |row| is_inside[row]);
        let squares = squares_from(embeddings, &mean).into_iter().zip(&is_inside);
        let rest: f64 = squares
            .filter_map(|(square, inside)| inside.then_some(square))
            .sum();
        let spread = (2.0 * rest / (inside - 1.0).max(1.0)).sqrt();
        // If all others are equal, they are no unit for anything.
        Ok(if spread > 0.0 {
            Self {
                dominant: dominant_dimension(embeddings, &mean, |row| is_inside[row]),
                mean,
                spread,
                trimmed_share: Some(far / total),
            }
        } else {
            usual
        })
    }
}

fn mean_of(embeddings: &Embeddings<'_>, counts: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut mean = vec![0.0; embeddings.width()];
    let mut rows = 0.0;
    for row in (0..embeddings.rows()).filter(|&row| counts(row)) {
        rows += 1.0;
        for (sum, &value) in mean.iter_mut().zip(embeddings.row(row)) {
            *sum += f64::from(value);
        }
    }
    mean.iter_mut().for_each(|sum| *sum /= f64::max(rows, 1.0));
    mean
}

/// Returns the dimension that makes up nearly all of the squared spread of these rows, if there are
/// others.
fn dominant_dimension(
    embeddings: &Embeddings<'_>,
    mean: &[f64],
    counts: impl Fn(usize) -> bool,
) -> Option<DominantDimension> {
    let mut squares = vec![0.0; mean.len()];
    for row in (0..embeddings.rows()).filter(|&row| counts(row)) {
        for ((sum, mean), &value) in squares.iter_mut().zip(mean).zip(embeddings.row(row)) {
            *sum += (f64::from(value) - mean).powi(2);
        }
    }
    let total: f64 = squares.iter().sum();
    let greatest = squares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let (dimension, share) = greatest.map(|(dimension, square)| (dimension, square / total))?;
    (mean.len() > 1 && share >= DOMINANT).then_some(DominantDimension { dimension, share })
}

/// Returns the squared distance of each row from `mean`.
fn squares_from(embeddings: &Embeddings<'_>, mean: &[f64]) -> Vec<f64> {
    (0..embeddings.rows())
        .map(|row| {
            let centered = embeddings.row(row).iter().zip(mean);
            centered
                .map(|(&value, mean)| (f64::from(value) - mean).powi(2))
                .sum::<f64>()
        })
        .collect()
}

/// Returns the smallest difference of two recorded values that differ, if there are at most 512
/// different ones, so that they are classes rather than measurements.
pub(super) fn smallest_difference(values: &Auxiliary, tolerance: f64) -> Option<f64> {
    let distinct = values.distinct();
    let pairs = (0..distinct).flat_map(|a| (0..a).map(move |b| (a, b)));
    let differences = pairs.map(|(a, b)| values.distance(a, b));
    let is_few = distinct as usize <= MOST_VALUES;
    let smallest = differences.filter(|&difference| difference > tolerance);
    is_few.then(|| smallest.reduce(f64::min)).flatten()
}

/// Returns the unit of differences of `p`: the median difference of two recorded values that
/// differ. 0 if no two differ.
///
/// The range would let one outlier hide everything else. The standard deviation of a rare reward is
/// close to zero. For a reward of 0 and 1 this unit is 1, however rare the reward is.
pub(super) fn unit_of_p(values: &Auxiliary, tolerance: f64, seed: u64) -> f64 {
    let distinct = values.distinct();
    let ids = values.ids().iter().copied();
    let known: Vec<u32> = ids.filter(|&id| id != Auxiliary::UNKNOWN).collect();
    let mut differences: Vec<(f64, f64)> = Vec::new();
    if distinct as usize <= MOST_VALUES {
        let mut counts = vec![0.0; distinct as usize];
        for id in known {
            counts[id as usize] += 1.0;
        }
        for a in 0..distinct {
            for b in 0..a {
                let difference = values.distance(a, b);
                differences.push((difference, counts[a as usize] * counts[b as usize]));
            }
        }
    } else {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..SAMPLED_PAIRS {
            let mut any = || known[random.random_range(0..known.len())];
            differences.push((values.distance(any(), any()), 1.0));
        }
        if differences
            .iter()
            .all(|&(difference, _)| difference <= tolerance)
        {
            // Values that differ are rare: take those that differ from the first.
            differences = (0..distinct)
                .map(|id| (values.distance(0, id), 1.0))
                .collect();
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

/// Returns the Euclidean distance of two values of `p`.
pub(super) fn p_distance(a: &[f64], b: &[f64]) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| a - b);
    differences.fold(0.0, f64::hypot).min(f64::MAX)
}

#[cfg(test)]
mod tests {
    use tellapart_data::{Actions, BelongsTo, Frames, Trajectories, TrajectoryParts};
    use tellapart_files::Values;

    use super::*;

    /// Holds for every sample that the seed draws.
    #[test]
    fn values_that_differ_rarely_have_a_unit() {
        let mut values: Vec<f32> = (0..20_000).map(|row| (row % 1000) as f32 * 1e-5).collect();
        values[777] = 1.0;
        let recording = Trajectories::new(TrajectoryParts {
            observations: Frames::U8 {
                shape: vec![1],
                values: vec![0; 20_000],
            },
            actions: Actions::Discrete {
                count: 1,
                ids: vec![0; 20_000],
            },
            rewards: Some(Values::F32(values)),
            terminals: vec![false; 20_000],
            timeouts: vec![false; 20_000],
            ..TrajectoryParts::default()
        });
        let values = recording
            .unwrap()
            .auxiliary("rewards", BelongsTo::Observation)
            .unwrap();
        for seed in 0..20 {
            let unit = unit_of_p(&values, 0.1, seed);
            assert!((0.98..=1.0).contains(&unit), "seed {seed}: {unit}");
        }
        assert_eq!(unit_of_p(&values, 2.0, 0), 0.0);
    }

    #[test]
    fn the_spread_is_that_of_all_pairs_unless_a_few_make_up_most_of_it() {
        let latents: Vec<f32> = (0..600).map(|at| (at * 37 % 101) as f32).collect();
        let of = |latents: &[f32]| {
            let embeddings = Embeddings::new(latents, 300, 2).unwrap();
            let spread = Spread::of(&embeddings).unwrap();
            (spread.spread, spread.trimmed_share)
        };
        let embeddings = Embeddings::new(&latents, 300, 2).unwrap();
        let pairs = (0..300).flat_map(|i| (0..i).map(move |j| (i, j)));
        let squares: f64 = pairs.map(|(i, j)| embeddings.distance(i, j).powi(2)).sum();
        let plain = (squares / (300.0 * 299.0 / 2.0)).sqrt();
        let (spread, trimmed_share) = of(&latents);
        assert!((spread / plain - 1.0).abs() < 1e-9 && trimmed_share.is_none());

        let mut diverged = latents.clone();
        diverged[100] = 1e5;
        let (spread, trimmed_share) = of(&diverged);
        assert!((spread / plain - 1.0).abs() < 0.02, "{spread} {plain}");
        assert!(trimmed_share.is_some_and(|share| share > 0.99));
        // If all others are equal, the spread is that of what differs.
        let mut alone = vec![0.5; 600];
        alone[100] = 2.0;
        assert!(of(&alone).0 > 0.0 && of(&alone).1.is_none());
    }
}
