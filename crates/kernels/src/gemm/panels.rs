//! Packing of matrices into the panels that the loop of `implicit_gemm` reads in order.

use std::borrow::Cow;

use crate::conv::padded::Source;
use crate::gemm::element::{Element, ElementBuffer};
use crate::parallel::over_ranges;
use crate::simd::Isa;

/// Packs a matrix of `depth` elements x `columns` into panels of `isa.columns()` columns, each
/// `[depth][isa.columns()]`; columns beyond the last are zero.
pub(crate) fn pack_panels<I: Element>(
    isa: Isa,
    depth: usize,
    columns: usize,
    at: impl Fn(usize, usize) -> I + Sync,
) -> ElementBuffer<I> {
    let width = isa.columns();
    each_panel(isa, depth, columns, |panel, elements: &mut [I]| {
        for (row, elements) in elements.chunks_exact_mut(width).enumerate() {
            let used = width.min(columns - panel * width);
            for (column, element) in elements[..used].iter_mut().enumerate() {
                *element = at(row, panel * width + column);
            }
        }
    })
}

/// Packs a matrix `[depth][columns]` of values, given row by row, as [`pack_panels`] does.
pub(crate) fn pack_rows<I: Element>(
    isa: Isa,
    depth: usize,
    columns: usize,
    matrix: &[f32],
) -> ElementBuffer<I> {
    each_panel(
        isa,
        depth.div_ceil(I::VALUES),
        columns,
        |panel, elements| {
            pack_panel_of_rows(isa, columns, matrix, panel, elements);
        },
    )
}

/// Packs one panel of a matrix `[depth][columns]`; elements of columns beyond the last are left
/// unchanged.
pub(crate) fn pack_panel_of_rows<I: Element>(
    isa: Isa,
    columns: usize,
    matrix: &[f32],
    panel: usize,
    elements: &mut [I],
) {
    let width = isa.columns();
    let used = width.min(columns - panel * width);
    for (row, elements) in elements.chunks_exact_mut(width).enumerate() {
        let part = |row: usize| {
            let from = matrix.get(row * columns + panel * width..)?;
            from.get(..used)
        };
        if let Some(first) = part(row * I::VALUES) {
            I::interleave(isa, first, part(row * I::VALUES + 1), &mut elements[..used]);
        }
    }
}

/// Packs one panel of the transpose of `matrix`, `[columns][depth]`, in blocks that stay in the
/// second-level cache. Elements of columns beyond the last are left unchanged. Long pieces of a
/// column are read at once, because the processor does not prefetch addresses far apart.
pub(crate) fn pack_transposed_panel<I: Element>(
    isa: Isa,
    depth: usize,
    matrix: &[I],
    panel: usize,
    elements: &mut [I],
) {
    const BLOCK: usize = 1024;
    let width = isa.columns();
    let columns = matrix.chunks_exact(depth).skip(panel * width).take(width);
    for (block, elements) in elements.chunks_mut(BLOCK * width).enumerate() {
        for (column, from) in columns.clone().enumerate() {
            let from = &from[block * BLOCK..];
            for (to, element) in elements.chunks_exact_mut(width).zip(from) {
                to[column] = *element;
            }
        }
    }
}

/// Makes the panels that `pack(panel, elements)` writes; columns beyond the last are zero.
fn each_panel<I: Element>(
    isa: Isa,
    depth: usize,
    columns: usize,
    pack: impl Fn(usize, &mut [I]) + Sync,
) -> ElementBuffer<I> {
    /// Operations for an element, roughly; decides whether a second thread pays.
    const OPERATIONS: usize = 8;
    let panel_len = depth * isa.columns();
    let panels = columns.div_ceil(isa.columns());
    let mut packed = ElementBuffer::unspecified(panels * panel_len);
    let operations = packed.len() * OPERATIONS;
    over_ranges(panels, operations, packed.words_mut(), |range, words| {
        let elements = I::of_words_mut(words).chunks_exact_mut(panel_len);
        for (panel, elements) in range.zip(elements) {
            if (panel + 1) * isa.columns() > columns {
                elements.fill(I::default());
            }
            pack(panel, elements);
        }
    });
    packed
}

/// Converts rows of `width` values to rows of elements; neighboring values share an element.
pub(crate) fn grouped_columns<I: Element>(isa: Isa, rows: &[f32], width: usize) -> Cow<'_, [I]> {
    I::as_elements(rows).map_or_else(
        || {
            let elements = rows.len() / width * width.div_ceil(I::VALUES);
            let mut elements = vec![I::default(); elements];
            let from = Source::values(rows);
            I::channels(isa, from, width, &mut Vec::new(), &mut elements);
            Cow::Owned(elements)
        },
        Cow::Borrowed,
    )
}

/// Returns `values`, if any, followed by zeros up to whole panels of `columns` columns.
pub(crate) fn padded_start(isa: Isa, columns: usize, values: Option<&[f32]>) -> Vec<f32> {
    let mut start = values.map_or_else(Vec::new, <[f32]>::to_vec);
    start.resize(columns.next_multiple_of(isa.columns()), 0.0);
    start
}
