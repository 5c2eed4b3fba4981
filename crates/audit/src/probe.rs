//! Linear probes: what can be read off the latents.

use nalgebra::{Cholesky, DMatrix};
use serde::{Deserialize, Serialize};

use crate::embeddings::{check_length, check_matrix};
use crate::row_space::inner_products;
use crate::scatter::scatter;
use crate::{AuditError, Classes, Embeddings};

/// Default weight of the ridge penalty, relative to standardized latents.
pub const DEFAULT_RIDGE: f64 = 1e-3;

/// Linear probe: how well a linear map reads something off the latents, on rows it was not fitted
/// to.
///
/// The even rows fit, the odd rows are scored. Rows should be independent observations: if
/// neighboring rows are frames of one episode, the halves share what the frames share, and the
/// score flatters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Probe {
    /// Name of what is read off.
    pub target: String,
    /// Score of the probe.
    pub score: ProbeScore,
    /// Number of rows fitted to.
    pub fitted_rows: usize,
    /// Number of rows scored.
    pub scored_rows: usize,
}

/// Score of a probe, and the best score without looking at the latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProbeScore {
    /// Continuous targets.
    Continuous {
        /// Coefficient of determination, per component and then averaged; at most 1. Components
        /// that do not vary on the scored half are left out. `None` if none varies.
        r_squared: Option<f64>,
        /// Coefficient of determination of the mean of the fitted half (0 or slightly below).
        mean_baseline: Option<f64>,
    },
    /// Classes.
    Classes {
        /// Share of scored rows whose class has the largest regressed indicator.
        accuracy: f64,
        /// Share of scored rows that have the commonest class of the fitted half.
        majority_baseline: f64,
    },
}

impl Probe {
    /// Fits a ridge regression to continuous targets, `[rows, width]`, in f64. Costs O(n d min(n,
    /// d)) products.
    ///
    /// # Errors
    /// If targets have the wrong length or are not finite, there are fewer than two rows, or
    /// `ridge` is not above zero.
    pub fn continuous(
        target: impl Into<String>,
        embeddings: &Embeddings<'_>,
        values: &[f32],
        width: usize,
        ridge: f64,
    ) -> Result<Self, AuditError> {
        let target = target.into();
        check_matrix(
            &format!("the probe target {target}"),
            values,
            embeddings.rows(),
            width,
        )?;
        let at = |row: usize, column: usize| f64::from(values[row * width + column]);
        let fit = Fit::new(embeddings, width, at, ridge)?;
        let odd: Vec<usize> = (1..embeddings.rows()).step_by(2).collect();
        let (mut r_squared, mut baseline) = (Vec::new(), Vec::new());
        let predicted: Vec<Vec<f64>> = odd
            .iter()
            .map(|&row| fit.predict(embeddings, row))
            .collect();
        for (column, &fitted_mean) in fit.target_mean.iter().enumerate() {
            let mean = odd.iter().map(|&row| at(row, column)).sum::<f64>() / odd.len() as f64;
            let squared_error = |guess: &dyn Fn(usize) -> f64| -> f64 {
                odd.iter()
                    .enumerate()
                    .map(|(i, &row)| (at(row, column) - guess(i)).powi(2))
                    .sum()
            };
            let total = squared_error(&|_| mean);
            if total > 0.0 {
                r_squared.push(1.0 - squared_error(&|i| predicted[i][column]) / total);
                baseline.push(1.0 - squared_error(&|_| fitted_mean) / total);
            }
        }
        let mean = |of: &[f64]| (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64);
        let score = ProbeScore::Continuous {
            r_squared: mean(&r_squared),
            mean_baseline: mean(&baseline),
        };
        Ok(Self::new(target, score, embeddings))
    }

    /// Fits a ridge regression to one indicator per class. The largest indicator answers, the
    /// lowest class on a tie, in f64. Costs O(n d min(n, d)) products.
    ///
    /// # Errors
    /// If labels have the wrong length, there are fewer than two rows, or `ridge` is not above
    /// zero.
    pub fn classes(
        target: impl Into<String>,
        embeddings: &Embeddings<'_>,
        classes: &Classes<'_>,
        ridge: f64,
    ) -> Result<Self, AuditError> {
        let target = target.into();
        check_length(
            &format!("the probe target {target}"),
            classes.labels().len(),
            embeddings.rows(),
        )?;
        let indicator = |row: usize, class: usize| f64::from(u8::from(classes.of(row) == class));
        let fit = Fit::new(embeddings, classes.count(), indicator, ridge)?;
        let odd = || (1..embeddings.rows()).step_by(2);
        let majority = first_largest(&fit.target_mean);
        let share = |hits: usize| hits as f64 / odd().count() as f64;
        let score = ProbeScore::Classes {
            accuracy: share(
                odd()
                    .filter(|&row| first_largest(&fit.predict(embeddings, row)) == classes.of(row))
                    .count(),
            ),
            majority_baseline: share(odd().filter(|&row| classes.of(row) == majority).count()),
        };
        Ok(Self::new(target, score, embeddings))
    }

    fn new(target: String, score: ProbeScore, embeddings: &Embeddings<'_>) -> Self {
        let fitted_rows = embeddings.rows().div_ceil(2);
        Self {
            target,
            score,
            fitted_rows,
            scored_rows: embeddings.rows() - fitted_rows,
        }
    }
}

/// A ridge regression fitted to the even rows.
struct Fit {
    mean: Vec<f64>,
    /// One over the standard deviation; 0 for a latent that does not vary, which drops it.
    scale: Vec<f64>,
    /// `[width of the latents, width of the target]`.
    weights: DMatrix<f64>,
    target_mean: Vec<f64>,
}

impl Fit {
    fn new(
        embeddings: &Embeddings<'_>,
        width: usize,
        target: impl Fn(usize, usize) -> f64,
        ridge: f64,
    ) -> Result<Self, AuditError> {
        if !(ridge > 0.0 && ridge.is_finite()) {
            return Err(AuditError::Setting {
                name: "ridge".to_owned(),
                value: ridge,
                expected: "finite and above zero",
            });
        }
        if embeddings.rows() < 2 {
            return Err(AuditError::Setting {
                name: "the number of rows of a probe".to_owned(),
                value: embeddings.rows() as f64,
                expected: "at least 2: one half fits, the other is scored",
            });
        }
        let even: Vec<usize> = (0..embeddings.rows()).step_by(2).collect();
        let count = even.len() as f64;
        let average =
            |of: &dyn Fn(usize) -> f64| even.iter().map(|&row| of(row)).sum::<f64>() / count;
        let latent = |row: usize, d: usize| embeddings.number(row, d);
        let mean: Vec<f64> = (0..embeddings.width())
            .map(|d| average(&|row| latent(row, d)))
            .collect();
        let scale: Vec<f64> = (0..embeddings.width())
            .map(|d| average(&|row| (latent(row, d) - mean[d]).powi(2)).sqrt())
            .map(|deviation| {
                if deviation > 0.0 {
                    1.0 / deviation
                } else {
                    0.0
                }
            })
            .collect();
        let target_mean: Vec<f64> = (0..width)
            .map(|column| average(&|row| target(row, column)))
            .collect();

        let y = DMatrix::from_fn(even.len(), width, |i, column| {
            target(even[i], column) - target_mean[column]
        });
        let standard = |i: usize, d: usize| (latent(even[i], d) - mean[d]) * scale[d];
        let weights = if embeddings.width() > even.len() {
            // The weights are a sum of the fitted latents, X^T (X X^T / n + ridge)^-1 y / n.
            let products = inner_products(embeddings, &even, &mean, &scale) / count;
            let shares = solve(products, ridge, &(y / count))?;
            let mut weights = DMatrix::zeros(embeddings.width(), width);
            for (column, shares) in shares.column_iter().enumerate() {
                for (i, share) in shares.iter().enumerate() {
                    for (d, weight) in weights.column_mut(column).iter_mut().enumerate() {
                        *weight += share * standard(i, d);
                    }
                }
            }
            weights
        } else {
            let x = DMatrix::from_fn(even.len(), embeddings.width(), standard);
            let normal = scatter(&x) / count;
            solve(normal, ridge, &(x.tr_mul(&y) / count))?
        };
        Ok(Self {
            mean,
            scale,
            weights,
            target_mean,
        })
    }

    fn predict(&self, embeddings: &Embeddings<'_>, row: usize) -> Vec<f64> {
        let mut out = self.target_mean.clone();
        for d in 0..embeddings.width() {
            let standard = (embeddings.number(row, d) - self.mean[d]) * self.scale[d];
            for (sum, weight) in out.iter_mut().zip(self.weights.row(d).iter()) {
                *sum += standard * weight;
            }
        }
        out
    }
}

/// Solves `(matrix + ridge) x = right`.
fn solve(
    mut matrix: DMatrix<f64>,
    ridge: f64,
    right: &DMatrix<f64>,
) -> Result<DMatrix<f64>, AuditError> {
    let (rows, columns) = matrix.shape();
    for d in 0..rows {
        matrix[(d, d)] += ridge;
    }
    // Positive definite thanks to the ridge, so this fails only on overflow.
    let factors = Cholesky::new(matrix).ok_or(AuditError::NoConvergence {
        what: "the Cholesky factorization",
        rows,
        columns,
    })?;
    Ok(factors.solve(right))
}

fn first_largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The normal equations, as wide as the latents.
    fn plain(x: &DMatrix<f64>, y: &DMatrix<f64>, ridge: f64) -> DMatrix<f64> {
        let count = x.nrows() as f64;
        let identity = DMatrix::identity(x.ncols(), x.ncols());
        let normal = x.transpose() * x / count + identity * ridge;
        normal.lu().solve(&(x.transpose() * y / count)).unwrap()
    }

    #[test]
    fn weights_are_those_of_the_normal_equations_with_more_rows_and_with_more_dimensions() {
        for seed in 0..40 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let rows = random.random_range(4..40);
            let width = [1, 3, rows / 2, rows, 60][random.random_range(0..5)];
            let targets = random.random_range(1..4);
            let latents: Vec<f32> = (0..rows * width)
                .map(|_| 2.0 + random.random_range(-1.0..1.0_f32))
                .collect();
            let embeddings = Embeddings::new(&latents, rows, width).unwrap();
            let target = |row: usize, column: usize| ((row * 37 + column * 11) % 17) as f64;
            let ridge = [1e-3, 0.5][random.random_range(0..2)];
            let fit = Fit::new(&embeddings, targets, target, ridge).unwrap();
            let even = rows.div_ceil(2);
            let x = DMatrix::from_fn(even, width, |i, d| {
                (embeddings.number(2 * i, d) - fit.mean[d]) * fit.scale[d]
            });
            let y = DMatrix::from_fn(even, targets, |i, column| {
                target(2 * i, column) - fit.target_mean[column]
            });
            let difference = (&fit.weights - plain(&x, &y, ridge)).amax();
            assert!(
                difference < 1e-9,
                "seed {seed}, {rows} rows of {width}: {difference}"
            );
        }
    }
}
