//! Latents of more dimensions than rows, in coordinates of the space that the rows span.
//!
//! `n` rows span at most `n` dimensions, whatever the width `d` of the latents. In an orthonormal
//! basis of that space they have the same distances, singular values and scatter, in `[n, n + 1]`
//! numbers. So no matrix of `d x d` is needed. The coordinates follow from the inner products of
//! the rows, which cost `n^2 d / 2` products.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::Embeddings;

/// Rows whose inner products are computed together.
const BLOCK_ROWS: usize = 128;
/// Columns of a block that are in the cache at a time.
const BLOCK_COLUMNS: usize = 1024;

/// Some rows in an orthonormal basis of the space that they span. Its first axis is the direction
/// of their mean.
pub(crate) struct RowSpace {
    /// Coordinates of the rows without their mean, `[rows, dimensions]`, with at most one dimension
    /// more than rows.
    pub(crate) centered: DMatrix<f64>,
    /// Mean latent, `[width]`.
    pub(crate) mean: Vec<f64>,
}

impl RowSpace {
    /// Finds the coordinates. The result does not depend on the number of threads.
    ///
    /// Inner products are squares: where the rows deviate from their mean by less than about 1e-7
    /// of the largest deviation, the coordinates are 0.
    pub(crate) fn of(embeddings: &Embeddings<'_>, rows: &[usize]) -> Self {
        let mean = mean_of(embeddings, rows);
        let along = along(embeddings, rows, &mean);
        let mut beside = inner_products(embeddings, rows, &mean, &vec![1.0; mean.len()]);
        beside.ger(-1.0, &along, &along, 1.0);
        let beside = square_root(&beside);
        let mut centered = DMatrix::zeros(rows.len(), beside.ncols() + 1);
        centered.set_column(0, &along);
        centered.columns_mut(1, beside.ncols()).copy_from(&beside);
        Self { centered, mean }
    }

    /// Returns the coordinates of the rows as they are, with their mean.
    pub(crate) fn with_mean(&self) -> DMatrix<f64> {
        let mut coordinates = self.centered.clone();
        coordinates.column_mut(0).add_scalar_mut(norm(&self.mean));
        coordinates
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn mean_of(embeddings: &Embeddings<'_>, rows: &[usize]) -> Vec<f64> {
    let mut mean = vec![0.0; embeddings.width()];
    let mut latent = Vec::new();
    for &row in rows {
        latent.clear();
        embeddings.append(row, 0..embeddings.width(), &mut latent);
        for (sum, value) in mean.iter_mut().zip(&latent) {
            *sum += value;
        }
    }
    mean.iter_mut().for_each(|sum| *sum /= rows.len() as f64);
    mean
}

/// Returns how far each row lies beyond the mean, in the direction of the mean.
fn along(embeddings: &Embeddings<'_>, rows: &[usize], mean: &[f64]) -> DVector<f64> {
    let size = norm(mean).max(f64::MIN_POSITIVE);
    let products: Vec<f64> = rows
        .par_iter()
        .map(|&row| {
            let mut latent = Vec::with_capacity(mean.len());
            embeddings.append(row, 0..mean.len(), &mut latent);
            let terms = latent.iter().zip(mean);
            terms
                .map(|(value, mean)| (value - mean) * (mean / size))
                .sum()
        })
        .collect();
    DVector::from_vec(products)
}

/// Computes the inner products of the rows without `mean` and times `scale`, `[rows, rows]`, block
/// by block.
pub(crate) fn inner_products(
    embeddings: &Embeddings<'_>,
    rows: &[usize],
    mean: &[f64],
    scale: &[f64],
) -> DMatrix<f64> {
    let blocks: Vec<&[usize]> = rows.chunks(BLOCK_ROWS).collect();
    let pairs: Vec<(usize, usize)> = (0..blocks.len())
        .flat_map(|a| (0..=a).map(move |b| (a, b)))
        .collect();
    let products: Vec<DMatrix<f64>> = pairs
        .par_iter()
        .map(|&(a, b)| block_products(embeddings, blocks[a], blocks[b], [mean, scale]))
        .collect();
    let mut all = DMatrix::zeros(rows.len(), rows.len());
    for (&(a, b), products) in pairs.iter().zip(&products) {
        let (a, b) = (a * BLOCK_ROWS, b * BLOCK_ROWS);
        for (column, values) in products.column_iter().enumerate() {
            for (row, &value) in values.iter().enumerate() {
                all[(a + row, b + column)] = value;
                all[(b + column, a + row)] = value;
            }
        }
    }
    all
}

fn block_products(
    embeddings: &Embeddings<'_>,
    left: &[usize],
    right: &[usize],
    [mean, scale]: [&[f64]; 2],
) -> DMatrix<f64> {
    let mut products = DMatrix::zeros(left.len(), right.len());
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for start in (0..mean.len()).step_by(BLOCK_COLUMNS) {
        let columns = start..mean.len().min(start + BLOCK_COLUMNS);
        let width = columns.len();
        for (rows, numbers) in [(left, &mut a), (right, &mut b)] {
            numbers.clear();
            for &row in rows {
                embeddings.append(row, columns.clone(), numbers);
            }
            for latent in numbers.chunks_exact_mut(width) {
                let of_column = mean[columns.clone()].iter().zip(&scale[columns.clone()]);
                for (number, (mean, scale)) in latent.iter_mut().zip(of_column) {
                    *number = (*number - mean) * scale;
                }
            }
        }
        // Copied, since nalgebra 0.35 reads beyond the end of small views with strides.
        let a = DMatrix::from_row_slice(left.len(), width, &a);
        let b = DMatrix::from_column_slice(width, right.len(), &b);
        products.gemm(1.0, &a, &b, 1.0);
    }
    products
}

/// Returns a matrix `[n, rank]` whose product with its own transpose is the given one, which must
/// be positive semidefinite: the Cholesky factorization with pivots (Higham 1990). It ends where
/// what is left is rounding.
fn square_root(products: &DMatrix<f64>) -> DMatrix<f64> {
    let n = products.nrows();
    let mut left: Vec<f64> = products.diagonal().iter().copied().collect();
    let rounding = left.iter().copied().fold(0.0, f64::max) * n as f64 * f64::EPSILON;
    let mut root = DMatrix::<f64>::zeros(n, n);
    for rank in 0..n {
        let most = left.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let Some((pivot, &most)) = most.filter(|(_, most)| **most > rounding) else {
            return root.columns(0, rank).into_owned();
        };
        let of_pivot = DVector::from_iterator(rank, root.row(pivot).iter().take(rank).copied());
        let mut column = products.column(pivot) - root.columns(0, rank) * of_pivot;
        column /= most.sqrt();
        for (left, value) in left.iter_mut().zip(column.iter()) {
            *left -= value * value;
        }
        left[pivot] = 0.0;
        root.set_column(rank, &column);
    }
    root
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Inner products of the coordinates are those of the latents, number by number.
    #[test]
    fn coordinates_keep_inner_products() {
        for seed in 0..40 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let rows = [1, 2, 7, 40, 129, 257][seed as usize % 6];
            let width = [1, 5, 300, 1025, 2100][random.random_range(0..5)];
            let offset = [0.0, 1.0, 1e3][random.random_range(0..3)];
            // Some latents lie in a few dimensions, or in one point.
            let rank = [0, 1, 3, 10_000][random.random_range(0..4)].min(width);
            let latents: Vec<f32> = (0..rows * width)
                .map(|at| {
                    let value = random.random_range(-1.0..1.0_f32);
                    offset + if at % width < rank { value } else { 0.0 }
                })
                .collect();
            let embeddings = Embeddings::new(&latents, rows, width).unwrap();
            let all: Vec<usize> = (0..rows).collect();
            let space = RowSpace::of(&embeddings, &all);
            assert!(space.centered.ncols() <= rows + 1, "seed {seed}");
            assert!(
                rank >= width || space.centered.ncols() <= rank + 1,
                "seed {seed}"
            );
            let centered =
                |row: usize, column: usize| embeddings.number(row, column) - space.mean[column];
            let with_mean = space.with_mean();
            let square = |row| {
                (0..width)
                    .map(|column| centered(row, column).powi(2))
                    .sum::<f64>()
            };
            let largest = (0..rows).map(square).fold(0.0, f64::max);
            for i in (0..rows).step_by(1 + rows / 20) {
                for j in (0..rows).step_by(1 + rows / 23) {
                    let plain =
                        |column: usize| embeddings.number(i, column) * embeddings.number(j, column);
                    let expected: f64 = (0..width).map(plain).sum();
                    let found = with_mean.row(i).dot(&with_mean.row(j));
                    let rounding = 1e-12 * (1.0 + expected.abs());
                    assert!(
                        (found - expected).abs() < rounding,
                        "seed {seed}: {found} {expected}"
                    );
                    let of_column = |column: usize| centered(i, column) * centered(j, column);
                    let expected: f64 = (0..width).map(of_column).sum();
                    let found = space.centered.row(i).dot(&space.centered.row(j));
                    let rounding = 1e-12 * largest;
                    assert!(
                        (found - expected).abs() <= rounding,
                        "seed {seed}: {found} {expected}"
                    );
                }
            }
        }
    }
}
