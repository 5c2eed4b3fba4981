//! Transform of products back to cells.

use super::pointers;
use crate::conv::strided::cells::{CellPlanes, Written};
use crate::conv::strided::filter::CellTransform;
use crate::gemm::epilogue::Epilogue;
use crate::simd::{Lanes, WIDEST};

/// Transforms products in `planes` to the cells of tiles at `places`.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
pub(super) unsafe fn written<S: Lanes, F: CellTransform<M, N>, const M: usize, const N: usize>(
    cells: Written,
    planes: &CellPlanes,
    from: &[f32],
    places: &[[usize; 3]],
    epilogue: Epilogue<'_, f32>,
    to: &mut [f32],
) {
    let Written {
        images, rows, run, ..
    } = cells;
    assert!(planes.lens == cells.lens() && run >= S::WIDTH);
    // Along a row, all lanes of a vector contain the first and last position, or none do.
    let [first, last] = [cells.first[1], cells.last[1]];
    let whole = |len: usize| len.is_multiple_of(WIDEST) && run.is_multiple_of(WIDEST);
    assert!((first == run || whole(first)) && (last == 0 || whole(last)));
    planes.check(places.len(), from.len());
    let size = [M * rows, M * run / images.channels];
    let (row_len, before) = (images.row_len(), images.before);
    let mut edge = Vec::new();
    let mut from = pointers::<N, _>(planes, from.as_ptr().cast_mut());
    for &[image, row, column] in places {
        let corner = [row * size[0], column * size[1]];
        let begin = image * images.len();
        let image = &mut to[begin..begin + images.len()];
        let epilogue = epilogue.part(begin..begin + images.len());
        // SAFETY: the planes have the tile, as asserted; the cells lie in the image, or in a buffer
        // of their size.
        unsafe {
            if images.contain(corner, size) {
                let at = (corner[0] - before) * row_len + (corner[1] - before) * images.channels;
                let to = image[at..].as_mut_ptr();
                written_tile::<S, F, M, N>(cells, &mut from, to, row_len, epilogue.from(at));
                continue;
            }
            edge.resize(M * rows * M * run, 0.0);
            let to = edge.as_mut_ptr();
            written_tile::<S, F, M, N>(cells, &mut from, to, M * run, Epilogue::Nothing);
        }
        images.each_row(corner, size, |at, within| {
            let at = at[0] * M * run + at[1] * images.channels;
            let to = &mut image[within.clone()];
            epilogue.copy(within.start, &edge[at..at + within.len()], to);
        });
    }
}

/// Transforms one tile, whose rows are `row_len` apart. Each position is read where `from` points,
/// and that pointer moves behind it.
///
/// # Safety
/// The positions are readable; `to` is writable, and the values that `epilogue` compares with
/// readable, for its rows; the processor has the instruction set of `S`.
#[inline(always)]
unsafe fn written_tile<S: Lanes, F: CellTransform<M, N>, const M: usize, const N: usize>(
    cells: Written,
    from: &mut [[*mut f32; N]; N],
    to: *mut f32,
    row_len: usize,
    epilogue: Epilogue<'_, f32>,
) {
    let Written {
        rows,
        run,
        first,
        last,
        ..
    } = cells;
    let has = |position: usize, at: usize, axis: usize| {
        (position > 0 || at < first[axis]) && (position < N - 1 || at >= last[axis])
    };
    for row in 0..rows {
        for at in (0..run).step_by(S::WIDTH) {
            let at = at.min(run - S::WIDTH);
            // SAFETY: as the caller promises; the first and last positions are read where they have
            // the row and the values.
            unsafe {
                let mut columns = [[S::zero(); M]; N];
                for (column, to) in columns.iter_mut().enumerate() {
                    if has(column, at, 1) {
                        let skipped = if column == N - 1 { last[1] } else { 0 };
                        let mut line = [S::zero(); N];
                        for (position, to) in line.iter_mut().enumerate() {
                            if has(position, row, 0) {
                                *to = S::load(from[position][column].add(at - skipped));
                            }
                        }
                        *to = F::outputs::<S>(line);
                    }
                }
                for below in 0..M {
                    let mut line = [S::zero(); N];
                    for (to, column) in line.iter_mut().zip(&columns) {
                        *to = column[below];
                    }
                    let line = F::outputs::<S>(line);
                    let offset = (below * rows + row) * row_len + at;
                    for (right, values) in line.into_iter().enumerate() {
                        let offset = offset + right * run;
                        let values = epilogue.vector::<S>(offset, values);
                        S::store(to.add(offset), values);
                    }
                }
            }
        }
        let runs = |position: usize| match position {
            0 => first[1],
            _ if position == N - 1 => run - last[1],
            _ => run,
        };
        for (position, from) in from.iter_mut().enumerate() {
            if has(position, row, 0) {
                for (position, from) in from.iter_mut().enumerate() {
                    *from = from.wrapping_add(runs(position));
                }
            }
        }
    }
}
