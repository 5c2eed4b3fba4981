//! The product of a matrix with its transpose.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Columns that meet each other one while it is in the cache.
const TOGETHER: usize = 8;

/// Computes `M^T M`, `[columns, columns]`, on the threads of the current rayon pool. Its bits are
/// those of `matrix.tr_mul(matrix)`, which is several times as slow.
pub(crate) fn scatter(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let columns: Vec<usize> = (0..matrix.ncols()).collect();
    let products: Vec<Vec<f64>> = columns
        .par_chunks(TOGETHER)
        .map(|some| {
            let product = |(i, j)| matrix.column(i).dot(&matrix.column(j));
            pairs(some).map(product).collect()
        })
        .collect();
    let mut scatter = DMatrix::zeros(columns.len(), columns.len());
    for (some, products) in columns.chunks(TOGETHER).zip(products) {
        for ((i, j), product) in pairs(some).zip(products) {
            scatter[(i, j)] = product;
            scatter[(j, i)] = product;
        }
    }
    scatter
}

/// Returns the pairs of some columns with each column up to themselves, by the latter.
fn pairs(some: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let end = some.last().map_or(0, |last| last + 1);
    (0..end).flat_map(|j| some.iter().filter(move |&&i| j <= i).map(move |&i| (i, j)))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn its_bits_are_those_of_the_plain_product() {
        for seed in 0..60 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (rows, columns) = (random.random_range(1..70), random.random_range(1..40));
            let any = |_, _| random.random_range(-1.0..1.0);
            let matrix = DMatrix::<f64>::from_fn(rows, columns, any);
            let (found, expected) = (scatter(&matrix), matrix.tr_mul(&matrix));
            let mut pairs = found.iter().zip(&expected);
            assert!(
                pairs.all(|(a, b)| a.to_bits() == b.to_bits()),
                "seed {seed}"
            );
        }
    }
}
