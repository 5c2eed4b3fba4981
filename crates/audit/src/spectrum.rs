//! Spectrum of latents: how many directions they use.

use nalgebra::{DMatrix, SVD};
use serde::{Deserialize, Serialize};

use crate::row_space::RowSpace;
use crate::{AuditError, Embeddings};

/// Added to every normalized singular value, as in the definition of `RankMe`.
const RANKME_EPSILON: f64 = 1e-7;
const MAX_ITERATIONS: usize = 100_000;

/// Number of directions that the latents use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spectrum {
    /// Singular values of the `[n, d]` matrix of latents, not centered, descending, `min(n, d)`.
    pub singular_values: Vec<f64>,
    /// `RankMe` (Garrido, Balestriero, Najman & `LeCun`, ICML 2023): the exponential of the entropy
    /// of the normalized singular values. `None` if every latent is zero.
    pub rankme: Option<f64>,
    /// Effective rank (Roy & Vetterli 2007) of the CENTERED latents: the exponential of the entropy
    /// of their normalized singular values, without an epsilon. The mean is left out, since it says
    /// nothing about what is kept apart. `None` if all latents are equal.
    pub effective_rank: Option<f64>,
    /// Share of the variance along each principal direction, descending; sums to 1. Empty if all
    /// latents are equal.
    pub explained_share: Vec<f64>,
}

impl Spectrum {
    /// Measures the spectrum by two singular value decompositions: O(n d^2) time and O(n d) memory
    /// for n >= d. For n < d they are O(n^3), after O(n^2 d) for the inner products of the latents;
    /// singular values below about 1e-7 of the largest deviation from the mean are then 0.
    ///
    /// # Errors
    /// [`AuditError::NoConvergence`] if a decomposition fails.
    pub fn measure(embeddings: &Embeddings<'_>) -> Result<Self, AuditError> {
        let rows: Vec<usize> = (0..embeddings.rows()).collect();
        Self::of_rows(embeddings, &rows)
    }

    /// Measures the spectrum of some rows.
    pub(crate) fn of_rows(embeddings: &Embeddings<'_>, rows: &[usize]) -> Result<Self, AuditError> {
        let (plain, centered) = if rows.len() < embeddings.width() {
            let space = RowSpace::of(embeddings, rows);
            (space.with_mean(), space.centered)
        } else {
            let matrix = matrix(embeddings, rows);
            let (centered, _) = centered(matrix.clone());
            (matrix, centered)
        };
        let singular_values = |matrix| -> Result<Vec<f64>, AuditError> {
            let mut values = decompose(matrix, false)?.0;
            // Coordinates may be fewer.
            values.resize(rows.len().min(embeddings.width()), 0.0);
            Ok(values)
        };
        let (singular_values, mut of_centered) =
            (singular_values(plain)?, singular_values(centered)?);
        if rows
            .iter()
            .all(|&row| embeddings.distance(rows[0], row) == 0.0)
        {
            // What is left of them is the rounding of their mean.
            of_centered.fill(0.0);
        }
        Ok(Self {
            rankme: entropy_rank(&singular_values, RANKME_EPSILON),
            effective_rank: entropy_rank(&of_centered, 0.0),
            explained_share: explained_share(&of_centered),
            singular_values,
        })
    }
}

pub(crate) fn matrix(embeddings: &Embeddings<'_>, rows: &[usize]) -> DMatrix<f64> {
    DMatrix::from_fn(rows.len(), embeddings.width(), |row, column| {
        embeddings.number(rows[row], column)
    })
}

/// Subtracts the mean row, and returns it, too.
pub(crate) fn centered(mut matrix: DMatrix<f64>) -> (DMatrix<f64>, Vec<f64>) {
    let rows = matrix.nrows() as f64;
    let mean = matrix
        .column_iter_mut()
        .map(|mut column| {
            let mean = column.sum() / rows;
            column.add_scalar_mut(-mean);
            mean
        })
        .collect();
    (matrix, mean)
}

/// Returns descending singular values and, if asked, the right singular vectors as rows.
pub(crate) fn decompose(
    matrix: DMatrix<f64>,
    vectors: bool,
) -> Result<(Vec<f64>, DMatrix<f64>), AuditError> {
    let (rows, columns) = matrix.shape();
    // A tall matrix is first reduced to its triangular factor, which has equal singular values and
    // right vectors.
    let square = if rows > columns {
        matrix.qr().r()
    } else {
        matrix
    };
    let svd = SVD::try_new(square, false, vectors, f64::EPSILON, MAX_ITERATIONS).ok_or(
        AuditError::NoConvergence {
            what: "the singular value decomposition",
            rows,
            columns,
        },
    )?;
    let values = svd.singular_values.iter().copied().collect();
    Ok((
        values,
        svd.v_t.unwrap_or_else(|| DMatrix::zeros(0, columns)),
    ))
}

fn entropy_rank(singular_values: &[f64], epsilon: f64) -> Option<f64> {
    let sum: f64 = singular_values.iter().sum();
    (sum > 0.0).then(|| {
        let entropy: f64 = singular_values
            .iter()
            .map(|value| value / sum + epsilon)
            .filter(|share| *share > 0.0)
            .map(|share| -share * share.ln())
            .sum();
        entropy.exp()
    })
}

pub(crate) fn explained_share(singular_values: &[f64]) -> Vec<f64> {
    let total: f64 = singular_values.iter().map(|v| v * v).sum();
    if total > 0.0 {
        singular_values.iter().map(|v| v * v / total).collect()
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::PreciseLatents;

    /// Eigenvalues of the scatter as wide as the latents, as singular values, descending.
    fn plain(matrix: &DMatrix<f64>, count: usize) -> Vec<f64> {
        let scatter = matrix.transpose() * matrix;
        let eigenvalues = scatter.symmetric_eigenvalues();
        let mut values: Vec<f64> = eigenvalues.iter().map(|it| it.max(0.0).sqrt()).collect();
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        values.resize(count, 0.0);
        values
    }

    #[test]
    fn it_is_that_of_the_scatter_with_more_rows_and_with_more_dimensions() {
        for seed in 0..80 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let rows = random.random_range(2..40);
            let width = [1, 5, rows, rows + 1, 90][random.random_range(0..5)];
            let offset = [0.0, 3.0][random.random_range(0..2)];
            let rank = [2, width][random.random_range(0..2)].min(width);
            let mut any = |_, _| random.random_range(-1.0..1.0);
            let weights = DMatrix::<f64>::from_fn(rows, rank, &mut any);
            let basis = DMatrix::<f64>::from_fn(rank, width, &mut any);
            let exact = (weights * basis).add_scalar(offset);
            let values = exact.transpose().as_slice().to_vec();
            let latents = PreciseLatents::new(values, rows, width).unwrap();
            let found = Spectrum::measure(&latents.embeddings()).unwrap();
            let count = rows.min(width);
            let expected = plain(&exact, count);
            assert_eq!(found.singular_values.len(), count, "seed {seed}");
            for (found, value) in found.singular_values.iter().zip(&expected) {
                assert!(
                    (found - value).abs() < 1e-6 * expected[0],
                    "seed {seed}: {found} {value}"
                );
            }
            let near = |found: Option<f64>, expected: Option<f64>| {
                let both = found.unwrap() / expected.unwrap();
                assert!(
                    (both - 1.0).abs() < 1e-4,
                    "seed {seed}: {found:?} {expected:?}"
                );
            };
            near(found.rankme, entropy_rank(&expected, RANKME_EPSILON));
            let expected = plain(&centered(exact).0, count);
            near(found.effective_rank, entropy_rank(&expected, 0.0));
            assert_eq!(found.explained_share.len(), count);
        }
    }

    /// Squared, a spread of 1e-3 at 1e6 would be lost.
    #[test]
    fn wide_latents_far_from_the_origin_keep_their_spectrum() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let (rows, width) = (20, 300);
        let deviations: Vec<f64> = (0..rows * width)
            .map(|_| 1e-3 * random.random_range(-1.0..1.0))
            .collect();
        let values = deviations.iter().map(|it| 1e6 + it).collect();
        let far = PreciseLatents::new(values, rows, width).unwrap();
        let near = PreciseLatents::new(deviations, rows, width).unwrap();
        let [far, near] = [far, near].map(|it| Spectrum::measure(&it.embeddings()).unwrap());
        let [a, b] = [&far, &near].map(|it| it.effective_rank.unwrap());
        assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
        assert!(far.rankme.unwrap() < 1.001 && near.rankme.unwrap() > 10.0);
        assert!((far.singular_values[0] / (1e6 * 6000_f64.sqrt()) - 1.0).abs() < 1e-9);
        // All other directions are those of the deviations, less the one of the mean.
        let (a, b) = (far.singular_values[1], near.singular_values[1]);
        assert!((a / b - 1.0).abs() < 0.1, "{a} {b}");
    }

    #[test]
    fn equal_latents_have_no_direction_however_they_are_rounded() {
        for (rows, width) in [(3, 2), (3, 7)] {
            let latents = PreciseLatents::new(vec![0.1; rows * width], rows, width).unwrap();
            let found = Spectrum::measure(&latents.embeddings()).unwrap();
            assert_eq!(found.effective_rank, None);
            assert!(found.explained_share.is_empty() && found.rankme.is_some());
        }
    }
}
