//! Transform of cells to the factors at each position.

use super::pointers;
use crate::conv::strided::cells::{CellPlanes, Cells};
use crate::conv::strided::filter::CellTransform;
use crate::simd::{Lanes, WIDEST};

/// Transforms tiles that begin at `starts` into `planes`.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
pub(super) unsafe fn read<S: Lanes, F: CellTransform<M, N>, const M: usize, const N: usize>(
    cells: Cells,
    row_len: usize,
    from: &[f32],
    starts: &[usize],
    planes: &CellPlanes,
    to: &mut [f32],
) {
    let [reach, reach_len] = cells.reach();
    let last = starts.iter().max().map_or(0, |&start| start);
    // Whole vectors are read beyond the last row.
    assert!(last + (reach - 1) * row_len + reach_len + WIDEST <= from.len());
    assert!(planes.lens == cells.lens());
    planes.check(starts.len(), to.len());
    let mut to = pointers::<N, _>(planes, to.as_mut_ptr());
    let joined = joined_rows(cells, S::WIDTH);
    for &start in starts {
        // SAFETY: the images and the planes have the tile, as asserted.
        unsafe {
            let from = from.as_ptr().add(start);
            match &joined {
                None => read_tile::<S, F, M, N>(cells, from, row_len, &mut to),
                Some(vectors) => {
                    read_joined::<S, F, M, N>(cells, vectors, from, row_len, &mut to);
                }
            }
        }
    }
}

/// Vector of a cell's values that ends one row and begins the next.
struct Joined {
    /// Row of the cell in which it begins.
    row: usize,
    /// Index in that row at which it begins.
    at: usize,
    /// Values in that row; the others are the first ones of the next row.
    first: usize,
}

/// Returns the vectors of a cell, if its rows are narrow and all of it has a second tap, else
/// `None`. Four rows of twelve values make three vectors, where one for each row would be written
/// across cache lines.
fn joined_rows(cells: Cells, width: usize) -> Option<Vec<Joined>> {
    let Cells { rows, run, .. } = cells;
    let is_whole = cells.second_rows == rows && cells.second_run == run;
    if !is_whole || run.is_multiple_of(width) {
        return None;
    }
    let vectors = (0..rows * run).step_by(width).map(|begin| {
        let (row, at) = (begin / run, begin % run);
        let first = width.min(run - at);
        // The last row is read beyond its end; the surplus is overwritten later.
        let first = if row + 1 < rows { first } else { width };
        (width - first <= run).then_some(Joined { row, at, first })
    });
    vectors.collect()
}

/// Transforms one tile as [`read_tile`] does, by vectors of two rows.
///
/// # Safety
/// As for [`read_tile`].
#[inline(always)]
unsafe fn read_joined<S: Lanes, F: CellTransform<M, N>, const M: usize, const N: usize>(
    cells: Cells,
    vectors: &[Joined],
    from: *const f32,
    row_len: usize,
    to: &mut [[*mut f32; N]; N],
) {
    let (below, right) = (cells.rows * row_len, cells.run);
    for (place, &Joined { row, at, first }) in vectors.iter().enumerate() {
        // SAFETY: as the caller promises; the second part of a vector lies in the next row, or is
        // empty.
        unsafe {
            let from = from.add(row * row_len + at);
            let next = from.add(row_len - at).wrapping_sub(first);
            let load = |offset: usize| {
                if first < S::WIDTH {
                    S::load_joined(from.add(offset), next.wrapping_add(offset), first)
                } else {
                    S::load(from.add(offset))
                }
            };
            let load = |row: usize, column: usize| load(row * below + column * right);
            read_vector::<S, F, true, true, M, N>(load, place * S::WIDTH, to);
        }
    }
    let len = cells.rows * cells.run;
    for to in to.as_flattened_mut() {
        *to = to.wrapping_add(len);
    }
}

/// Transforms one tile. Each position is written where `to` points, and that pointer moves behind
/// it. Whole vectors are written in order: what they write beyond a row is overwritten by the next.
///
/// # Safety
/// `from` is readable for the rows that a tile reaches, and a vector behind them; the positions are
/// writable, and a vector behind them; the processor has the instruction set of `S`.
#[inline(always)]
unsafe fn read_tile<S: Lanes, F: CellTransform<M, N>, const M: usize, const N: usize>(
    cells: Cells,
    from: *const f32,
    row_len: usize,
    to: &mut [[*mut f32; N]; N],
) {
    let Cells {
        rows,
        second_rows,
        run,
        second_run,
        ..
    } = cells;
    for row in 0..rows {
        // SAFETY: as the caller promises; the last cells and positions are used where the second
        // taps have the row and the values.
        unsafe {
            let from = from.add(row * row_len);
            let (below, right) = (rows * row_len, run);
            let split = second_run.min(run);
            for at in (0..run).step_by(S::WIDTH) {
                let from = from.add(at);
                let load =
                    |row: usize, column: usize| S::load(from.add(row * below + column * right));
                // Called by name: through a pointer they would be compiled for no instruction set.
                match (row < second_rows, at < split) {
                    (true, true) => read_vector::<S, F, true, true, M, N>(load, at, to),
                    (true, false) => read_vector::<S, F, true, false, M, N>(load, at, to),
                    (false, true) => read_vector::<S, F, false, true, M, N>(load, at, to),
                    (false, false) => read_vector::<S, F, false, false, M, N>(load, at, to),
                }
            }
        }
        for (position, to) in to.iter_mut().enumerate() {
            if position < N - 1 || row < second_rows {
                for (position, to) in to.iter_mut().enumerate() {
                    *to = to.wrapping_add(if position < N - 1 { run } else { second_run });
                }
            }
        }
    }
}

/// Transforms one vector of a cell's values. `load(row, column)` loads it from each cell of the
/// tile. `LAST_ROW` and `LAST_COLUMN` say whether the last cells and positions take part.
///
/// # Safety
/// As for [`read_tile`].
#[inline(always)]
unsafe fn read_vector<
    S: Lanes,
    F: CellTransform<M, N>,
    const LAST_ROW: bool,
    const LAST_COLUMN: bool,
    const M: usize,
    const N: usize,
>(
    load: impl Fn(usize, usize) -> S::Vector,
    at: usize,
    to: &[[*mut f32; N]; N],
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut columns = [[S::zero(); N]; N];
        for (column, to) in columns.iter_mut().enumerate() {
            if LAST_COLUMN || column < M {
                let mut line = [S::zero(); N];
                for (row, to) in line.iter_mut().enumerate() {
                    if LAST_ROW || row < M {
                        *to = load(row, column);
                    }
                }
                *to = F::inputs::<S>(line);
            }
        }
        for (row, to) in to.iter().enumerate() {
            if LAST_ROW || row < M {
                let mut line = [S::zero(); N];
                for (to, column) in line.iter_mut().zip(&columns) {
                    *to = column[row];
                }
                let line = F::inputs::<S>(line);
                for (column, to) in to.iter().enumerate() {
                    if LAST_COLUMN || column < M {
                        S::store(to.add(at), line[column]);
                    }
                }
            }
        }
    }
}
