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

/// `values`, or zeros, followed by zeros up to whole panels of `columns` columns.
pub(crate) fn padded_start(isa: Isa, columns: usize, values: Option<&[f32]>) -> Vec<f32> {
    let mut start = values.map_or_else(Vec::new, <[f32]>::to_vec);
    start.resize(columns.next_multiple_of(isa.columns()), 0.0);
    start
}
