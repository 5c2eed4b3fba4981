//! Rows of one width, padded by zeros to whole panels, and their products with square matrices.

use std::borrow::Cow;

use crate::gemm::epilogue::Out;
use crate::gemm::microkernel::{ImplicitGemm, WeightGradGemm, implicit_gemm, weight_grad_gemm};
use crate::gemm::panels::pack_rows;
use crate::gemm::pixels::Pixels;
use crate::simd::Isa;

/// Layout of padded rows.
pub(crate) struct PaddedRows {
    pub(crate) isa: Isa,
    pub(crate) width: usize,
    /// Values of a padded row.
    pub(crate) columns: usize,
    rows: Pixels,
    taps: Vec<usize>,
}

impl PaddedRows {
    /// Lays out `count` rows of `width` values.
    pub(crate) fn new(isa: Isa, width: usize, count: usize) -> Self {
        let columns = width.next_multiple_of(isa.columns());
        Self {
            isa,
            width,
            columns,
            rows: Pixels::of_rows(count, columns, columns),
            taps: (0..width).collect(),
        }
    }

    pub(crate) fn zeros(&self) -> Vec<f32> {
        vec![0.0; self.rows.len() * self.columns]
    }

    /// Copies the given rows of `from`, padded.
    pub(crate) fn gather(&self, from: &[f32], rows: impl IntoIterator<Item = usize>) -> Vec<f32> {
        let mut to = self.zeros();
        for (to, row) in to.chunks_exact_mut(self.columns).zip(rows) {
            to[..self.width].copy_from_slice(&from[row * self.width..][..self.width]);
        }
        to
    }

    /// Copies padded rows to the given rows of `to`.
    pub(crate) fn scatter(
        &self,
        from: &[f32],
        rows: impl IntoIterator<Item = usize>,
        to: &mut [f32],
    ) {
        for (from, row) in from.chunks_exact(self.columns).zip(rows) {
            to[row * self.width..][..self.width].copy_from_slice(&from[..self.width]);
        }
    }

    /// Packs a padded matrix of `width` rows. A single panel needs no packing.
    pub(crate) fn packed<'a>(&self, matrix: &'a [f32]) -> Cow<'a, [f32]> {
        if self.columns == self.isa.columns() {
            return Cow::Borrowed(matrix);
        }
        let panels = pack_rows::<f32>(self.isa, self.width, self.columns, matrix);
        Cow::Owned(panels.to_vec())
    }

    /// Computes `out = start + rows matrix`, with a packed matrix and a padded `start`.
    pub(crate) fn product(&self, rows: &[f32], panels: &[f32], start: &[f32], out: &mut [f32]) {
        let product = ImplicitGemm {
            input: rows,
            pixels: self.rows.first(self.rows.len()),
            runs: &[0],
            run_len: self.width,
            panels,
            start,
            columns: self.columns,
        };
        implicit_gemm(self.isa, &product, Out::plain(out));
    }

    /// Computes `sums += a^T b`, `[width][columns]`, or `sums = a^T b` if it is the first.
    pub(crate) fn transposed_product(
        &self,
        a: &[f32],
        b: &[f32],
        is_first: bool,
        sums: &mut [f32],
    ) {
        let product = WeightGradGemm {
            input: a,
            taps: &self.taps,
            pixels: self.rows.first(self.rows.len()),
            gradient: b,
            columns: self.columns,
            is_first,
        };
        weight_grad_gemm(self.isa, &product, sums);
    }
}
