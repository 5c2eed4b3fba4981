//! Cells to what is multiplied at each position.

use super::pointers;
use crate::lanes::{Lanes, WIDEST};
use crate::strided::cells::{Cells, Planes};
use crate::strided::filter::Transform;

/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
pub(super) unsafe fn read<S: Lanes, F: Transform<M, N>, const M: usize, const N: usize>(
    cells: Cells,
    row_len: usize,
    from: &[f32],
    starts: &[usize],
    planes: &Planes,
    to: &mut [f32],
) {
    let [reach, reach_len] = cells.reach();
    let last = starts.iter().max().map_or(0, |&start| start);
    // Whole vectors are read beyond the last row.
    assert!(last + (reach - 1) * row_len + reach_len + WIDEST <= from.len());
    assert!(planes.lens == cells.lens());
    planes.check(starts.len(), to.len());
    let mut to = pointers::<N, _>(planes, to.as_mut_ptr());
    for &start in starts {
        // SAFETY: the images and the planes have the tile, as asserted.
        unsafe { read_tile::<S, F, M, N>(cells, from.as_ptr().add(start), row_len, &mut to) }
    }
}

/// One tile, of which each position is written to where `to` points, and that moved behind it. Whole vectors are
/// written in order: what they write beyond a row is written again by the next.
///
/// # Safety
/// `from` is readable for the rows that a tile reaches, and a vector behind them; the positions are writable,
/// and a vector behind them; the processor has the instruction set of `S`.
#[inline(always)]
unsafe fn read_tile<S: Lanes, F: Transform<M, N>, const M: usize, const N: usize>(
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
        // SAFETY: as the caller promises; the last cells and positions are used where the second taps have the
        // row and the numbers.
        unsafe {
            let from = from.add(row * row_len);
            let (below, right) = (rows * row_len, run);
            let split = second_run.min(run);
            for at in (0..run).step_by(S::WIDTH) {
                let from = from.add(at);
                // Called by name: through a pointer they would be compiled for no instruction set.
                match (row < second_rows, at < split) {
                    (true, true) => {
                        read_vector::<S, F, true, true, M, N>(from, below, right, at, to)
                    }
                    (true, false) => {
                        read_vector::<S, F, true, false, M, N>(from, below, right, at, to)
                    }
                    (false, true) => {
                        read_vector::<S, F, false, true, M, N>(from, below, right, at, to)
                    }
                    (false, false) => {
                        read_vector::<S, F, false, false, M, N>(from, below, right, at, to)
                    }
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

/// One vector of numbers of a cell, with the last cells and positions or without.
///
/// # Safety
/// As for a tile.
#[inline(always)]
unsafe fn read_vector<
    S: Lanes,
    F: Transform<M, N>,
    const LAST_ROW: bool,
    const LAST_COLUMN: bool,
    const M: usize,
    const N: usize,
>(
    from: *const f32,
    below: usize,
    right: usize,
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
                        *to = S::load(from.add(row * below + column * right));
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
