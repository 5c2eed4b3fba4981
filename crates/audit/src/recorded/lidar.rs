//! `LiDAR`: how many directions tell groups of rows apart, against what varies within them.

use std::ops::Range;

use nalgebra::{DMatrix, SymmetricEigen};
use tellapart_data::Trajectories;

use crate::Embeddings;
use crate::row_space::RowSpace;
use crate::scatter::scatter;

/// Largest number of groups.
const MOST_GROUPS: usize = 1024;
/// Largest number of rows of which the scatter within groups is made.
const MOST_ROWS: usize = 16_384;
/// Ridge added to the within-group scatter, relative to its mean eigenvalue, as in the paper's
/// code.
const RIDGE: f64 = 1e-4;

/// Groups of rows, as ranges: one for each episode of at least two rows.
pub(super) struct Groups(Vec<Range<usize>>);

impl Groups {
    /// Takes the first episodes. `None` if they are fewer than two.
    pub(super) fn of(trajectories: &Trajectories) -> Option<Self> {
        let episodes = trajectories.episodes().filter(|rows| rows.len() > 1);
        let groups: Vec<_> = episodes.take(MOST_GROUPS).collect();
        (groups.len() > 1).then_some(Self(groups))
    }

    pub(super) fn rows(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    /// Number of rows of which the scatter within groups is made.
    pub(super) fn scattered_rows(&self) -> usize {
        self.rows().min(MOST_ROWS)
    }

    /// Computes the eigenvalues of `W^(-1/2) B W^(-1/2)`, where `B` and `W` are the scatter between
    /// and within groups. `LiDAR` (Thilak et al. 2023) is their effective rank. The paper groups
    /// augmented views of one clip; here the rows of one episode are a group.
    ///
    /// `None` if the latents do not vary within groups. Of latents of more dimensions than rows,
    /// zeros are left out: outside of the space that the rows span, `W` is the ridge, and `B` zero.
    pub(super) fn discriminant(&self, embeddings: &Embeddings<'_>) -> Option<Vec<f64>> {
        let count = self.rows();
        let width = embeddings.width();
        let coordinates = (width > count).then(|| {
            let rows: Vec<usize> = self.0.iter().cloned().flatten().collect();
            RowSpace::of(embeddings, &rows).centered
        });
        let dimensions = coordinates.as_ref().map_or(width, DMatrix::ncols);
        let read = |row: usize, place: usize, latent: &mut Vec<f64>| {
            latent.clear();
            match &coordinates {
                Some(coordinates) => latent.extend(coordinates.row(place).iter()),
                None => embeddings.append(row, 0..width, latent),
            }
        };
        let mut latent = Vec::with_capacity(dimensions);
        let mut means = DMatrix::<f64>::zeros(self.0.len(), dimensions);
        let mut within = DMatrix::<f64>::zeros(self.scattered_rows(), dimensions);
        let (mut first, mut next) = (0, 0);
        for (group, rows) in self.0.iter().enumerate() {
            for (place, row) in rows.clone().enumerate() {
                read(row, first + place, &mut latent);
                for (column, value) in latent.iter().enumerate() {
                    means[(group, column)] += value / rows.len() as f64;
                }
            }
            for (place, row) in rows.clone().enumerate().take(within.nrows() - next) {
                read(row, first + place, &mut latent);
                for (column, value) in latent.iter().enumerate() {
                    within[(next, column)] = value - means[(group, column)];
                }
                next += 1;
            }
            first += rows.len();
        }
        let mut within = scatter(&within) / count as f64;
        let center = means.row_mean();
        for mut row in means.row_iter_mut() {
            row -= &center;
        }
        let between = scatter(&means) / self.0.len() as f64;
        let ridge = RIDGE * within.trace() / width as f64;
        if ridge <= 0.0 || !ridge.is_finite() {
            return None;
        }
        for column in 0..dimensions {
            within[(column, column)] += ridge;
        }
        let eigen = SymmetricEigen::new(within);
        let roots = eigen
            .eigenvalues
            .map(|value| value.max(ridge).sqrt().recip());
        let whiten = &eigen.eigenvectors * DMatrix::from_diagonal(&roots);
        let whitened = whiten.tr_mul(&(between * &whiten));
        Some(whitened.symmetric_eigenvalues().as_slice().to_vec())
    }
}

/// Returns the exponential of the entropy of eigenvalues. `None` if none is above zero.
pub(super) fn effective_rank(eigenvalues: &[f64]) -> Option<f64> {
    let total: f64 = eigenvalues.iter().map(|value| value.max(0.0)).sum();
    let entropy = |value: &f64| {
        let share = value.max(0.0) / total;
        if share > 0.0 {
            -share * share.ln()
        } else {
            0.0
        }
    };
    (total > 0.0).then(|| eigenvalues.iter().map(entropy).sum::<f64>().exp())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// `LiDAR` by its definition, with matrices as wide as the latents.
    fn plain(latents: &[f32], width: usize, groups: &[Range<usize>]) -> f64 {
        let row = |row: usize| {
            let latent = latents[row * width..][..width].iter();
            DMatrix::from_iterator(width, 1, latent.map(|&value| f64::from(value)))
        };
        let zeros = DMatrix::<f64>::zeros(width, width);
        let (mut within, mut between, mut rows) = (zeros.clone(), zeros, 0.0);
        let mean = |rows: Range<usize>| {
            let count = rows.len() as f64;
            rows.map(row)
                .fold(DMatrix::zeros(width, 1), |sum, row| sum + row)
                / count
        };
        let means: Vec<_> = groups.iter().map(|group| mean(group.clone())).collect();
        let center = means
            .iter()
            .fold(DMatrix::zeros(width, 1), |sum, mean| sum + mean);
        let center = center / groups.len() as f64;
        for (group, mean) in groups.iter().zip(&means) {
            for deviation in group.clone().map(|at| row(at) - mean) {
                within += &deviation * deviation.transpose();
                rows += 1.0;
            }
            let deviation = mean - &center;
            between += &deviation * deviation.transpose() / groups.len() as f64;
        }
        within /= rows;
        let ridge = RIDGE * within.trace() / width as f64;
        within += DMatrix::identity(width, width) * ridge;
        // Similar to the symmetric form, so the eigenvalues are equal.
        let root = within.cholesky().unwrap().l();
        let half = root.clone().solve_lower_triangular(&between).unwrap();
        let whole = root.solve_lower_triangular(&half.transpose()).unwrap();
        effective_rank(whole.symmetric_eigenvalues().as_slice()).unwrap()
    }

    #[test]
    fn it_is_that_of_the_definition_with_more_rows_and_with_more_dimensions() {
        for seed in 0..60 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let count = random.random_range(2..12);
            let (mut groups, mut rows) = (Vec::new(), 0);
            for _ in 0..count {
                let length = random.random_range(2..6);
                groups.push(rows..rows + length);
                rows += length;
            }
            let width = [1, 3, 20, rows - 1, rows, rows + 1, 200][random.random_range(0..7)];
            let offset = [0.0, 100.0][random.random_range(0..2)];
            let apart = [0.0, 1.0, 30.0][random.random_range(0..3)];
            let mut latents = vec![0.0; rows * width];
            for group in &groups {
                let center: Vec<f32> = (0..width)
                    .map(|_| offset + apart * random.random_range(-1.0..1.0))
                    .collect();
                for row in group.clone() {
                    for (axis, center) in center.iter().enumerate() {
                        latents[row * width + axis] = center + random.random_range(-1.0..1.0_f32);
                    }
                }
            }
            let embeddings = Embeddings::new(&latents, rows, width).unwrap();
            let expected = plain(&latents, width, &groups);
            let found = Groups(groups).discriminant(&embeddings).unwrap();
            let found = effective_rank(&found).unwrap();
            assert!(
                (found / expected - 1.0).abs() < 1e-6,
                "seed {seed}, {rows} rows of {width}: {found} {expected}"
            );
        }
    }

    #[test]
    fn latents_that_do_not_vary_within_groups_have_none() {
        for (width, varies) in [(2, false), (40, false), (2, true), (40, true)] {
            let of_row = |row: usize| row / 2 + if varies { row * row } else { 0 };
            let latents: Vec<f32> = (0..6 * width).map(|at| of_row(at / width) as f32).collect();
            let embeddings = Embeddings::new(&latents, 6, width).unwrap();
            let groups = Groups(vec![0..2, 2..4, 4..6]);
            assert_eq!(groups.discriminant(&embeddings).is_some(), varies);
        }
    }
}
