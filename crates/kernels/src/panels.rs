//! Weights packed into the panels that the gathering loop reads in order.

use std::borrow::Cow;

use crate::item::{Item, Items};
use crate::lanes::Isa;
use crate::padded::Source;

/// Packs a matrix of `depth` items x `columns` into panels of `isa.columns()` columns, each
/// `[depth][isa.columns()]`; columns beyond the last are zero.
pub(crate) fn pack_panels<I: Item>(
    isa: Isa,
    depth: usize,
    columns: usize,
    at: impl Fn(usize, usize) -> I,
) -> Items<I> {
    let width = isa.columns();
    let mut packed = Items::zeros(columns.div_ceil(width) * depth * width);
    for (panel, items) in packed.chunks_exact_mut(depth * width).enumerate() {
        for (row, items) in items.chunks_exact_mut(width).enumerate() {
            let used = width.min(columns - panel * width);
            for (column, item) in items[..used].iter_mut().enumerate() {
                *item = at(row, panel * width + column);
            }
        }
    }
    packed
}

/// [`pack_panels`] of a matrix `[depth][columns]`, row by row.
pub(crate) fn pack_rows<I: Item>(
    isa: Isa,
    depth: usize,
    columns: usize,
    matrix: &[f32],
) -> Items<I> {
    let (width, depth) = (isa.columns(), depth.div_ceil(I::NUMBERS));
    let mut packed = Items::zeros(columns.div_ceil(width) * depth * width);
    for (panel, items) in packed.chunks_exact_mut(depth * width).enumerate() {
        let used = width.min(columns - panel * width);
        for (row, items) in items.chunks_exact_mut(width).enumerate() {
            let part = |row: usize| {
                let from = matrix.get(row * columns + panel * width..)?;
                from.get(..used)
            };
            if let Some(first) = part(row * I::NUMBERS) {
                I::interleave(isa, first, part(row * I::NUMBERS + 1), &mut items[..used]);
            }
        }
    }
    packed
}

/// [`pack_panels`] of the transpose of a matrix `[columns][depth]`, in blocks that stay in the
/// first-level cache.
pub(crate) fn pack_transposed<I: Item>(
    isa: Isa,
    depth: usize,
    columns: usize,
    matrix: &[f32],
) -> Items<I> {
    const BLOCK: usize = 16;
    let (width, items_deep) = (isa.columns(), depth.div_ceil(I::NUMBERS));
    let matrix = grouped_columns(isa, matrix, depth);
    let mut packed: Items<I> = Items::zeros(columns.div_ceil(width) * items_deep * width);
    for (panel, items) in packed.chunks_exact_mut(items_deep * width).enumerate() {
        let used = width.min(columns - panel * width);
        for (block, items) in items.chunks_mut(BLOCK * width).enumerate() {
            for column in 0..used {
                let from = &matrix[(panel * width + column) * items_deep + block * BLOCK..];
                for (to, item) in items.chunks_exact_mut(width).zip(from) {
                    to[column] = *item;
                }
            }
        }
    }
    packed
}

/// Rows of `width` numbers as items of neighbouring numbers.
pub(crate) fn grouped_columns<I: Item>(isa: Isa, rows: &[f32], width: usize) -> Cow<'_, [I]> {
    I::as_items(rows).map_or_else(
        || {
            let items = rows.len() / width * width.div_ceil(I::NUMBERS);
            let mut items = vec![I::default(); items];
            let from = Source::values(rows);
            I::channels(isa, from, width, &mut Vec::new(), &mut items);
            Cow::Owned(items)
        },
        Cow::Borrowed,
    )
}

/// `values`, or zeros, followed by zeros up to whole panels of `columns` columns.
pub(crate) fn padded_start(isa: Isa, columns: usize, values: Option<&[f32]>) -> Vec<f32> {
    let mut start = values.map_or_else(Vec::new, <[f32]>::to_vec);
    start.resize(columns.next_multiple_of(isa.columns()), 0.0);
    start
}
