//! Spectrum and principal components of latents.

use nalgebra::{DMatrix, SVD};
use serde::{Deserialize, Serialize};

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
    /// Measures the spectrum by two singular value decompositions: O(n d^2 + d^3) for n >= d.
    ///
    /// # Errors
    /// [`AuditError::NoConvergence`] if a decomposition fails.
    pub fn measure(embeddings: &Embeddings<'_>) -> Result<Self, AuditError> {
        let singular_values = decompose(matrix(embeddings), false)?.0;
        let (centered, _) = centered(embeddings);
        let of_centered = decompose(centered, false)?.0;
        Ok(Self {
            rankme: entropy_rank(&singular_values, RANKME_EPSILON),
            effective_rank: entropy_rank(&of_centered, 0.0),
            explained_share: explained_share(&of_centered),
            singular_values,
        })
    }
}

/// Principal components of the latents, and the latents in their coordinates.
///
/// Signs are fixed so that the entry of largest size in each component is positive (the first of
/// them on a tie). Equal latents always give an equal picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pca {
    /// Mean latent, `[d]`.
    pub mean: Vec<f64>,
    /// Unit directions, `[k][d]`, by descending variance.
    pub components: Vec<Vec<f64>>,
    /// Share of the total variance along each component, `[k]`; all 0 if the latents are equal.
    pub explained_share: Vec<f64>,
    /// Coordinates of every latent, `[n][k]`.
    pub projection: Vec<Vec<f64>>,
}

impl Pca {
    /// Fits the first `min(k, n, d)` components. O(n d^2 + d^3) for n >= d.
    ///
    /// # Errors
    /// [`AuditError::NoConvergence`] if the decomposition fails.
    pub fn fit(embeddings: &Embeddings<'_>, k: usize) -> Result<Self, AuditError> {
        let (centered, mean) = centered(embeddings);
        let (values, directions) = decompose(centered.clone(), true)?;
        let k = k.min(values.len());
        let mut components: Vec<Vec<f64>> = directions
            .row_iter()
            .take(k)
            .map(|row| row.iter().copied().collect())
            .collect();
        components
            .iter_mut()
            .for_each(|component| fix_sign(component));
        let projection = centered
            .row_iter()
            .map(|row| {
                components
                    .iter()
                    .map(|c| row.iter().zip(c).map(|(x, y)| x * y).sum())
                    .collect()
            })
            .collect();
        let mut explained_share = explained_share(&values);
        explained_share.resize(k, 0.0);
        Ok(Self {
            mean,
            components,
            explained_share,
            projection,
        })
    }
}

fn fix_sign(component: &mut [f64]) {
    let largest = component.iter().fold(
        0.0f64,
        |best, v| if v.abs() > best.abs() { *v } else { best },
    );
    if largest < 0.0 {
        component.iter_mut().for_each(|v| *v = -*v);
    }
}

fn matrix(embeddings: &Embeddings<'_>) -> DMatrix<f64> {
    DMatrix::from_fn(embeddings.rows(), embeddings.width(), |row, column| {
        f64::from(embeddings.row(row)[column])
    })
}

fn centered(embeddings: &Embeddings<'_>) -> (DMatrix<f64>, Vec<f64>) {
    let mut matrix = matrix(embeddings);
    let rows = embeddings.rows() as f64;
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
fn decompose(matrix: DMatrix<f64>, vectors: bool) -> Result<(Vec<f64>, DMatrix<f64>), AuditError> {
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

fn explained_share(singular_values: &[f64]) -> Vec<f64> {
    let total: f64 = singular_values.iter().map(|v| v * v).sum();
    if total > 0.0 {
        singular_values.iter().map(|v| v * v / total).collect()
    } else {
        Vec::new()
    }
}
