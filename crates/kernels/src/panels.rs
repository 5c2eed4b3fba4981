//! Weights packed into the panels that the gathering loop reads in order.

use crate::lanes::Isa;

/// Packs a matrix of `depth` x `columns` into panels of `isa.columns()` columns, each
/// `[depth][isa.columns()]`; columns beyond the last are zero.
pub(crate) fn pack_panels(
    isa: Isa,
    depth: usize,
    columns: usize,
    at: impl Fn(usize, usize) -> f32,
) -> Vec<f32> {
    let width = isa.columns();
    let mut packed = vec![0.0; columns.div_ceil(width) * depth * width];
    for (panel, values) in packed.chunks_exact_mut(depth * width).enumerate() {
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let used = width.min(columns - panel * width);
            for (column, value) in values[..used].iter_mut().enumerate() {
                *value = at(row, panel * width + column);
            }
        }
    }
    packed
}

/// [`pack_panels`] of a matrix `[depth][columns]`, row by row.
pub(crate) fn pack_rows(isa: Isa, depth: usize, columns: usize, matrix: &[f32]) -> Vec<f32> {
    let width = isa.columns();
    let mut packed = vec![0.0; columns.div_ceil(width) * depth * width];
    for (panel, values) in packed.chunks_exact_mut(depth * width).enumerate() {
        let used = width.min(columns - panel * width);
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let from = &matrix[row * columns + panel * width..][..used];
            values[..used].copy_from_slice(from);
        }
    }
    packed
}

/// [`pack_panels`] of the transpose of a matrix `[columns][depth]`, in blocks that stay in the
/// first-level cache.
pub(crate) fn pack_transposed(isa: Isa, depth: usize, columns: usize, matrix: &[f32]) -> Vec<f32> {
    const BLOCK: usize = 16;
    let width = isa.columns();
    let mut packed = vec![0.0; columns.div_ceil(width) * depth * width];
    for (panel, values) in packed.chunks_exact_mut(depth * width).enumerate() {
        let used = width.min(columns - panel * width);
        for (block, values) in values.chunks_mut(BLOCK * width).enumerate() {
            for column in 0..used {
                let from = &matrix[(panel * width + column) * depth + block * BLOCK..];
                for (to, value) in values.chunks_exact_mut(width).zip(from) {
                    to[column] = *value;
                }
            }
        }
    }
    packed
}

/// `values`, or zeros, followed by zeros up to whole panels of `columns` columns.
pub(crate) fn padded_start(isa: Isa, columns: usize, values: Option<&[f32]>) -> Vec<f32> {
    let mut start = values.map_or_else(Vec::new, <[f32]>::to_vec);
    start.resize(columns.next_multiple_of(isa.columns()), 0.0);
    start
}
