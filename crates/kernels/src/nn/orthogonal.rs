//! Orthogonal matrices by Björck's iteration (Björck & Bowie 1971), and the gradient through it.
//!
//! `W <- 1.5 W - 0.5 W (W^T W)` brings every singular value in (0, 1] to 1 and never beyond. Before
//! the first step `W` is divided by `sqrt(max_i sum_j |W^T W|_ij)`. No singular value exceeds this
//! bound. It is close to the largest one where `W` is close to a multiple of an orthogonal matrix,
//! as trained ones are; these take about five steps.

use std::ops::Range;

use crate::gemm::panels::padded_start;
use crate::nn::adam::sum_of_squares;
use crate::nn::padded_rows::PaddedRows;
use crate::parallel::over_ranges;
use crate::shape::{KernelError, check_length};
use crate::simd::Isa;
use crate::simd::each_isa::on_each_isa;

/// Orthogonalization of some square matrices of one width, checked by [`Orthogonal::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orthogonal {
    count: usize,
    width: usize,
    isa: Isa,
}

/// Most steps: a singular value grows by at most 1.5 in each, and 15 bring 0.05 to 1 within 1e-6.
const STEPS: usize = 15;

/// Distance of `W^T W` from the identity, in the Frobenius norm, below which a step is the last
/// one. The step leaves at most three quarters of its square, which is less than rounding.
const CLOSE: f32 = 2e-4;

impl Orthogonal {
    /// Prepares the orthogonalization of `count` matrices of `width` x `width`.
    ///
    /// # Errors
    /// [`KernelError`] says that `width` is zero.
    pub fn new(count: usize, width: usize) -> Result<Self, KernelError> {
        match width {
            0 => Err(KernelError::Zero {
                name: "the width of orthogonal matrices",
            }),
            _ => Ok(Self {
                count,
                width,
                isa: Isa::detect(),
            }),
        }
    }

    #[cfg(test)]
    pub(crate) fn on(self, isa: Isa) -> Self {
        Self { isa, ..self }
    }

    /// Writes `weight` with every singular value brought to 1 to `out`; both are
    /// `[count][width][width]`. Singular values below a twentieth of the bound only approach 1. A
    /// matrix of zeros stays zero.
    ///
    /// The values of a matrix must be such that their squares are representable: between 1e-15 and
    /// 1e15 all is well.
    ///
    /// Cost: `4 width^3` operations for each matrix and step, and `2 width^3` for the bound.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn forward(&self, weight: &[f32], out: &mut [f32]) -> Result<(), KernelError> {
        self.check("the matrices to make orthogonal", weight.len())?;
        self.check("the orthogonal matrices", out.len())?;
        self.each(out, |at, square, out| {
            let (matrix, _) = square.scaled(&weight[at]);
            square.unpad(&square.iterate(matrix, |_, _| ()), out);
        });
        Ok(())
    }

    /// Writes the gradient with respect to `weight` to `to_weight`, from the `gradient` with
    /// respect to the orthogonal matrices. The steps are computed once more, which costs less than
    /// saving them.
    ///
    /// Cost: `12 width^3` operations for each matrix and step, and memory for all steps of a matrix
    /// on each thread.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn backward(
        &self,
        weight: &[f32],
        gradient: &[f32],
        to_weight: &mut [f32],
    ) -> Result<(), KernelError> {
        self.check("the matrices to make orthogonal", weight.len())?;
        self.check("the gradient of orthogonal matrices", gradient.len())?;
        self.check(
            "the gradient of the matrices to make orthogonal",
            to_weight.len(),
        )?;
        self.each(to_weight, |at, square, to_weight| {
            let gradient = square.gradient(&weight[at.clone()], &gradient[at]);
            square.unpad(&gradient, to_weight);
        });
        Ok(())
    }

    /// Calls `work(range of the matrix, square, its part of out)` for every matrix.
    fn each(&self, out: &mut [f32], work: impl Fn(Range<usize>, &Square, &mut [f32]) + Sync) {
        let len = self.width * self.width;
        let operations = self.count * STEPS * len * self.width;
        over_ranges(self.count, operations, out, |range, out| {
            let square = Square::new(self.isa, self.width);
            for (matrix, out) in range.zip(out.chunks_exact_mut(len)) {
                work(matrix * len..(matrix + 1) * len, &square, out);
            }
        });
    }

    fn check(&self, name: &'static str, found: usize) -> Result<(), KernelError> {
        check_length(name, self.count * self.width * self.width, found)
    }
}

/// Arithmetic with square matrices of one width, padded.
struct Square {
    rows: PaddedRows,
    zeros: Vec<f32>,
}

impl Square {
    fn new(isa: Isa, width: usize) -> Self {
        Self {
            rows: PaddedRows::new(isa, width, width),
            zeros: padded_start(isa, width, None),
        }
    }

    /// Returns the matrix divided by a bound of its singular values, and the bound.
    fn scaled(&self, matrix: &[f32]) -> (Vec<f32>, Bound) {
        let mut matrix = self.pad(matrix);
        let mut gram = self.rows.zeros();
        self.rows
            .transposed_product(&matrix, &matrix, true, &mut gram);
        let bound = Bound::of(&gram, self.rows.columns);
        matrix.iter_mut().for_each(|x| *x /= bound.value);
        (matrix, bound)
    }

    /// Returns the last `W`; calls `before(W, W^T W)` before every step.
    fn iterate(&self, mut matrix: Vec<f32>, mut before: impl FnMut(&[f32], &[f32])) -> Vec<f32> {
        let (mut gram, mut next) = (self.rows.zeros(), self.rows.zeros());
        for _ in 0..STEPS {
            self.rows
                .transposed_product(&matrix, &matrix, true, &mut gram);
            before(&matrix, &gram);
            self.product(&matrix, &gram, &mut next);
            extrapolate(self.rows.isa, &matrix, &mut next);
            std::mem::swap(&mut matrix, &mut next);
            self.subtract_identity(&mut gram);
            if sum_of_squares(&gram) < CLOSE * CLOSE {
                break;
            }
        }
        matrix
    }

    /// Returns the gradient with respect to a matrix, padded.
    fn gradient(&self, matrix: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (scaled, bound) = self.scaled(matrix);
        let mut steps = Vec::with_capacity(STEPS);
        self.iterate(scaled.clone(), |matrix, gram| {
            steps.push((matrix.to_vec(), gram.to_vec()));
        });
        let mut gradient = self.pad(gradient);
        let (mut to_gram, mut through_gram, mut next) =
            (self.rows.zeros(), self.rows.zeros(), self.rows.zeros());
        for (matrix, gram) in steps.iter().rev() {
            // The gradient of a step is 1.5 G - 0.5 (G C + W (D + D^T)), where C = W^T W. D = W^T G
            // is the gradient with respect to C, up to a factor.
            self.rows
                .transposed_product(matrix, &gradient, true, &mut to_gram);
            self.rows
                .transposed_product(&gradient, matrix, false, &mut to_gram);
            self.product(matrix, &to_gram, &mut through_gram);
            self.product(&gradient, gram, &mut next);
            next.iter_mut()
                .zip(&through_gram)
                .for_each(|(a, b)| *a += b);
            extrapolate(self.rows.isa, &gradient, &mut next);
            std::mem::swap(&mut gradient, &mut next);
        }
        bound.unscale(&scaled, &mut gradient);
        gradient
    }

    /// Computes `out = a b`.
    fn product(&self, a: &[f32], b: &[f32], out: &mut [f32]) {
        self.rows.product(a, &self.rows.packed(b), &self.zeros, out);
    }

    fn subtract_identity(&self, matrix: &mut [f32]) {
        let diagonal = matrix.iter_mut().step_by(self.rows.columns + 1);
        diagonal.take(self.rows.width).for_each(|x| *x -= 1.0);
    }

    fn pad(&self, matrix: &[f32]) -> Vec<f32> {
        self.rows.gather(matrix, 0..self.rows.width)
    }

    fn unpad(&self, padded: &[f32], matrix: &mut [f32]) {
        self.rows.scatter(padded, 0..self.rows.width, matrix);
    }
}

/// Upper bound `sqrt(max_i sum_j |C_ij|)` of the singular values of `W`, with `C = W^T W`.
struct Bound {
    value: f32,
    /// Row `i` of the maximum.
    row: usize,
    /// Sign of `C_ij`, for each `j`.
    signs: Vec<f32>,
}

impl Bound {
    fn of(gram: &[f32], columns: usize) -> Self {
        let sums = gram
            .chunks_exact(columns)
            .map(|row| row.iter().map(|x| x.abs()).sum::<f32>());
        let largest = sums.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let (row, sum) = largest.unwrap_or_default();
        let signs = gram[row * columns..][..columns].iter();
        Self {
            value: if sum > 0.0 { sum.sqrt() } else { 1.0 },
            row,
            signs: signs
                .map(|x| if *x == 0.0 { 0.0 } else { x.signum() })
                .collect(),
        }
    }

    /// Turns the `gradient` with respect to `scaled`, which is `W / value`, into that with respect
    /// to `W`.
    fn unscale(&self, scaled: &[f32], gradient: &mut [f32]) {
        let along: f32 = gradient.iter().zip(scaled).map(|(g, w)| g * w).sum();
        let columns = self.signs.len();
        let rows = scaled.chunks_exact(columns);
        for (row, gradient) in rows.zip(gradient.chunks_exact_mut(columns)) {
            let signed = row.iter().zip(&self.signs).map(|(w, sign)| w * sign);
            gradient[self.row] -= 0.5 * along * signed.sum::<f32>();
            for (gradient, sign) in gradient.iter_mut().zip(&self.signs) {
                *gradient = (*gradient - 0.5 * along * row[self.row] * sign) / self.value;
            }
        }
    }
}

on_each_isa!(extrapolate = extrapolate_each(from: &[f32], product: &mut [f32]));

/// Computes `product = 1.5 from - 0.5 product`.
#[inline(always)]
fn extrapolate_each(from: &[f32], product: &mut [f32]) {
    for (product, from) in product.iter_mut().zip(from) {
        *product = 1.5 * from - 0.5 * *product;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn few_steps_are_taken_where_few_are_needed() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(9500);
        let square = Square::new(Isa::detect(), 32);
        let identity = (0..32 * 32).map(|at| f32::from(at / 32 == at % 32));
        // Within a fifth of a multiple of an orthogonal matrix, as trained ones are.
        let near = identity.map(|one| 2.0 * (one + rng.random_range(-0.03..0.03)));
        let (scaled, _) = square.scaled(&near.collect::<Vec<_>>());
        let mut steps = 0;
        square.iterate(scaled, |_, _| steps += 1);
        assert!((3..=6).contains(&steps), "{steps} steps");
    }
}
