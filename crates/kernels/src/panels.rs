//! Weights packed into the panels that the gathering loop reads in order.

use std::borrow::Cow;

use crate::item::{Item, Items};
use crate::lanes::Isa;
use crate::padded::Source;
use crate::split::over_items;

/// Packs a matrix of `depth` items x `columns` into panels of `isa.columns()` columns, each
/// `[depth][isa.columns()]`; columns beyond the last are zero.
pub(crate) fn pack_panels<I: Item>(
    isa: Isa,
    depth: usize,
    columns: usize,
    at: impl Fn(usize, usize) -> I + Sync,
) -> Items<I> {
    let width = isa.columns();
    each_panel(isa, depth, columns, |panel, items: &mut [I]| {
        for (row, items) in items.chunks_exact_mut(width).enumerate() {
            let used = width.min(columns - panel * width);
            for (column, item) in items[..used].iter_mut().enumerate() {
                *item = at(row, panel * width + column);
            }
        }
    })
}

/// [`pack_panels`] of a matrix `[depth][columns]`, row by row.
pub(crate) fn pack_rows<I: Item>(
    isa: Isa,
    depth: usize,
    columns: usize,
    matrix: &[f32],
) -> Items<I> {
    each_panel(isa, depth.div_ceil(I::NUMBERS), columns, |panel, items| {
        pack_panel_of_rows(isa, columns, matrix, panel, items);
    })
}

/// One panel of a matrix `[depth][columns]`; items of columns beyond the last are left as they are.
pub(crate) fn pack_panel_of_rows<I: Item>(
    isa: Isa,
    columns: usize,
    matrix: &[f32],
    panel: usize,
    items: &mut [I],
) {
    let width = isa.columns();
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

/// One panel of the transpose of `matrix`, `[columns][depth]`, in blocks that stay in the second-level cache; items of
/// columns beyond the last are left as they are. Long pieces of a column are read at once, because what is far apart
/// is not foreseen.
pub(crate) fn pack_transposed_panel<I: Item>(
    isa: Isa,
    depth: usize,
    matrix: &[I],
    panel: usize,
    items: &mut [I],
) {
    const BLOCK: usize = 1024;
    let width = isa.columns();
    let columns = matrix.chunks_exact(depth).skip(panel * width).take(width);
    for (block, items) in items.chunks_mut(BLOCK * width).enumerate() {
        for (column, from) in columns.clone().enumerate() {
            let from = &from[block * BLOCK..];
            for (to, item) in items.chunks_exact_mut(width).zip(from) {
                to[column] = *item;
            }
        }
    }
}

/// Panels that `pack(panel, items)` writes to, but for columns beyond the last, which are zero.
fn each_panel<I: Item>(
    isa: Isa,
    depth: usize,
    columns: usize,
    pack: impl Fn(usize, &mut [I]) + Sync,
) -> Items<I> {
    /// Of an item, about: what decides whether a second thread pays.
    const OPERATIONS: usize = 8;
    let panel_len = depth * isa.columns();
    let panels = columns.div_ceil(isa.columns());
    let mut packed = Items::unspecified(panels * panel_len);
    let operations = packed.len() * OPERATIONS;
    over_items(panels, operations, packed.words_mut(), |range, words| {
        let items = I::of_words_mut(words).chunks_exact_mut(panel_len);
        for (panel, items) in range.zip(items) {
            if (panel + 1) * isa.columns() > columns {
                items.fill(I::default());
            }
            pack(panel, items);
        }
    });
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
