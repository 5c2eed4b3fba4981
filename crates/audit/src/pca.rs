//! Principal components of latents.

use serde::{Deserialize, Serialize};

use crate::row_space::RowSpace;
use crate::spectrum::{centered, decompose, explained_share, matrix};
use crate::{AuditError, Embeddings};

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
    /// Fits the first `min(k, n, d)` components: O(n d^2) for n >= d, otherwise O(n^2 d), with
    /// O(n d) memory.
    ///
    /// # Errors
    /// [`AuditError::NoConvergence`] if the decomposition fails.
    pub fn fit(embeddings: &Embeddings<'_>, k: usize) -> Result<Self, AuditError> {
        if embeddings.rows() < embeddings.width() {
            return Self::of_wide(embeddings, k);
        }
        let rows: Vec<usize> = (0..embeddings.rows()).collect();
        let (centered, mean) = centered(matrix(embeddings, &rows));
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
        Ok(Self {
            mean,
            components,
            explained_share: shares_of(&values, k),
            projection,
        })
    }

    /// Fits components of latents of more dimensions than rows, by their coordinates.
    fn of_wide(embeddings: &Embeddings<'_>, k: usize) -> Result<Self, AuditError> {
        let (rows, width) = (embeddings.rows(), embeddings.width());
        let all: Vec<usize> = (0..rows).collect();
        let RowSpace { centered, mean } = RowSpace::of(embeddings, &all);
        let (mut values, directions) = decompose(centered.clone(), true)?;
        values.resize(rows, 0.0);
        let k = k.min(rows);
        let without_mean = |row: usize| -> Vec<f64> {
            let mut latent = Vec::with_capacity(width);
            embeddings.append(row, 0..width, &mut latent);
            let both = latent.iter_mut().zip(&mean);
            both.for_each(|(value, mean)| *value -= mean);
            latent
        };
        // A component is the sum of the latents, each times its coordinate along it.
        let along = &centered * directions.transpose();
        let mut components = vec![vec![0.0; width]; k];
        for row in 0..rows {
            let latent = without_mean(row);
            for (component, coordinates) in components.iter_mut().zip(along.column_iter()) {
                for (sum, value) in component.iter_mut().zip(&latent) {
                    *sum += coordinates[row] * value;
                }
            }
        }
        make_orthonormal(&mut components);
        for component in &mut components {
            fix_sign(component);
        }
        let projected = |row: usize| {
            let latent = without_mean(row);
            components
                .iter()
                .map(|component| dot(component, &latent))
                .collect()
        };
        let projection = (0..rows).map(projected).collect();
        Ok(Self {
            mean,
            components,
            explained_share: shares_of(&values, k),
            projection,
        })
    }
}

/// Returns the shares that the first `k` components explain; 0 beyond the rank.
fn shares_of(singular_values: &[f64], k: usize) -> Vec<f64> {
    let mut shares = explained_share(singular_values);
    shares.resize(k, 0.0);
    shares
}

/// Makes vectors orthonormal, in their order. One that depends on those before it, up to rounding,
/// becomes another that does not.
fn make_orthonormal(vectors: &mut [Vec<f64>]) {
    for place in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(place);
        let vector = &mut rest[0];
        let mut axes = 0..vector.len();
        while !is_made_orthonormal(vector, before) {
            let Some(axis) = axes.next() else {
                break;
            };
            vector.fill(0.0);
            vector[axis] = 1.0;
        }
    }
}

fn is_made_orthonormal(vector: &mut [f64], others: &[Vec<f64>]) -> bool {
    // Once leaves the rounding of what was subtracted, a thousand times larger at most.
    for _ in 0..3 {
        let size = dot(vector, vector).sqrt();
        if size == 0.0 {
            return false;
        }
        vector.iter_mut().for_each(|value| *value /= size);
        for other in others {
            let shared = dot(vector, other);
            for (value, other) in vector.iter_mut().zip(other) {
                *value -= shared * other;
            }
        }
        if dot(vector, vector).sqrt() < 1e-3 {
            return false;
        }
    }
    let size = dot(vector, vector).sqrt();
    vector.iter_mut().for_each(|value| *value /= size);
    true
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
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
