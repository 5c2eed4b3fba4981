//! To and from the positions where a convolution is so many matrix products: weighted sums of cells, number by
//! number, along both axes.

use super::cells::{Cells, Images, Planes, Written};
use super::filter::{Filter, Four, Transform, Two};
use crate::each_isa::on_each_isa;
use crate::lanes::{Isa, Lanes, WIDEST};

/// What of tiles, that begin at `starts` of images with zeros around them, is multiplied at each position.
pub(super) fn transform_cells(
    isa: Isa,
    cells: Cells,
    row_len: usize,
    from: &[f32],
    starts: &[usize],
    planes: &Planes,
    to: &mut [f32],
) {
    let transform = match cells.filter {
        Filter::Two => read_two,
        Filter::Four => read_four,
    };
    transform(isa, cells, row_len, from, starts, planes, to);
}

/// What of the gradient of outputs, in tiles at `places`, arrives at each position.
pub(super) fn transform_gradients(
    isa: Isa,
    filter: Filter,
    images: Images,
    from: &[f32],
    places: &[[usize; 3]],
    planes: &Planes,
    to: &mut [f32],
) {
    let transform = match filter {
        Filter::Two => gradients_two,
        Filter::Four => gradients_four,
    };
    transform(isa, images, from, places, planes, to);
}

/// Cells of an image, tiles at `places`, of the products. What lies beyond its edges is dropped, and what would
/// meet a number of `seen`, if there is one, that is not above zero.
pub(super) fn transform_back(
    isa: Isa,
    cells: Written,
    planes: &Planes,
    from: &[f32],
    places: &[[usize; 3]],
    seen: Option<&[f32]>,
    to: &mut [f32],
) {
    let transform = match cells.filter {
        Filter::Two => written_two,
        Filter::Four => written_four,
    };
    transform(isa, cells, planes, from, places, seen, to);
}

on_each_isa!(
    read_two = read of lanes [Two, 2, 3] (
        cells: Cells, row_len: usize, from: &[f32], starts: &[usize], planes: &Planes, to: &mut [f32]
    )
);
on_each_isa!(
    read_four = read of lanes [Four, 4, 5] (
        cells: Cells, row_len: usize, from: &[f32], starts: &[usize], planes: &Planes, to: &mut [f32]
    )
);
on_each_isa!(
    gradients_two = gradients of lanes [Two, 2, 3] (
        images: Images, from: &[f32], places: &[[usize; 3]], planes: &Planes, to: &mut [f32]
    )
);
on_each_isa!(
    gradients_four = gradients of lanes [Four, 4, 5] (
        images: Images, from: &[f32], places: &[[usize; 3]], planes: &Planes, to: &mut [f32]
    )
);
on_each_isa!(
    written_two = written of lanes [Two, 2, 3] (
        cells: Written, planes: &Planes, from: &[f32], places: &[[usize; 3]],
        seen: Option<&[f32]>, to: &mut [f32]
    )
);
on_each_isa!(
    written_four = written of lanes [Four, 4, 5] (
        cells: Written, planes: &Planes, from: &[f32], places: &[[usize; 3]],
        seen: Option<&[f32]>, to: &mut [f32]
    )
);

/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn read<S: Lanes, F: Transform<M, N>, const M: usize, const N: usize>(
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

/// Those beyond the edges are zero.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn gradients<S: Lanes, F: Transform<M, N>, const M: usize, const N: usize>(
    images: Images,
    from: &[f32],
    places: &[[usize; 3]],
    planes: &Planes,
    to: &mut [f32],
) {
    let Images {
        rows,
        columns,
        channels,
        ..
    } = images;
    let width = planes.lens[0];
    assert!(width >= channels && channels >= S::WIDTH);
    assert!(planes.lens.iter().all(|&len| len == width));
    planes.check(places.len(), to.len());
    let to = pointers::<N, _>(planes, to.as_mut_ptr());
    for (tile, &[image, row, column]) in places.iter().enumerate() {
        let (row, column) = (M * row, M * column);
        assert!(row < rows && column < columns && (image + 1) * images.len() <= from.len());
        let first = (image * rows + row) * columns + column;
        for at in (0..channels).step_by(S::WIDTH) {
            let at = at.min(channels - S::WIDTH);
            // SAFETY: the pixels are of the image, and the planes have the tile, as asserted.
            unsafe {
                let mut sums = [[S::zero(); N]; M];
                for (below, to) in sums.iter_mut().enumerate() {
                    let mut line = [S::zero(); M];
                    for (right, to) in line.iter_mut().enumerate() {
                        if row + below < rows && column + right < columns {
                            let pixel = first + below * columns + right;
                            *to = S::load(from.as_ptr().add(pixel * channels + at));
                        }
                    }
                    *to = F::gradients::<S>(line);
                }
                for column in 0..N {
                    let mut line = [S::zero(); M];
                    for (to, sums) in line.iter_mut().zip(&sums) {
                        *to = sums[column];
                    }
                    let line = F::gradients::<S>(line);
                    for (to, values) in to.iter().zip(line) {
                        S::store(to[column].add(tile * width + at), values);
                    }
                }
            }
        }
    }
}

/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn written<S: Lanes, F: Transform<M, N>, const M: usize, const N: usize>(
    cells: Written,
    planes: &Planes,
    from: &[f32],
    places: &[[usize; 3]],
    seen: Option<&[f32]>,
    to: &mut [f32],
) {
    let Written {
        images, rows, run, ..
    } = cells;
    assert!(planes.lens == cells.lens() && run >= S::WIDTH);
    // Vectors are of one kind.
    let [first, last] = [cells.first[1], cells.last[1]];
    assert!(first == run || first.is_multiple_of(WIDEST));
    assert!(last == 0 || last.is_multiple_of(WIDEST) && run.is_multiple_of(WIDEST));
    planes.check(places.len(), from.len());
    let size = [M * rows, M * run / images.channels];
    let (row_len, before) = (images.row_len(), images.before);
    let mut edge = vec![0.0; M * rows * M * run];
    let mut from = pointers::<N, _>(planes, from.as_ptr().cast_mut());
    for &[image, row, column] in places {
        let corner = [row * size[0], column * size[1]];
        let begin = image * images.len();
        let image = &mut to[begin..begin + images.len()];
        let seen = seen.map(|seen| &seen[begin..begin + images.len()]);
        // SAFETY: the planes have the tile, as asserted; the cells lie in the image, or in a buffer of
        // their size.
        unsafe {
            if images.contain(corner, size) {
                let at = (corner[0] - before) * row_len + (corner[1] - before) * images.channels;
                let seen = seen.map(|seen| seen[at..].as_ptr());
                let to = image[at..].as_mut_ptr();
                written_tile::<S, F, M, N>(cells, &mut from, to, row_len, seen);
                continue;
            }
            written_tile::<S, F, M, N>(cells, &mut from, edge.as_mut_ptr(), M * run, None);
        }
        images.each_row(corner, size, |at, within| {
            let at = at[0] * M * run + at[1] * images.channels;
            let to = &mut image[within.clone()];
            to.copy_from_slice(&edge[at..at + within.len()]);
            if let Some(seen) = seen {
                let passed = to.iter_mut().zip(&seen[within]);
                passed.for_each(|(to, &seen)| *to = if seen > 0.0 { *to } else { 0.0 });
            }
        });
    }
}

/// One tile, whose rows are `row_len` apart; each position is read where `from` points, and that moved behind it.
///
/// # Safety
/// The positions are readable; `to` is writable, and `seen` readable, for its rows; the processor has the
/// instruction set of `S`.
#[inline(always)]
unsafe fn written_tile<S: Lanes, F: Transform<M, N>, const M: usize, const N: usize>(
    cells: Written,
    from: &mut [[*mut f32; N]; N],
    to: *mut f32,
    row_len: usize,
    seen: Option<*const f32>,
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
            // SAFETY: as the caller promises; the first and last positions are read where they have the
            // row and the numbers.
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
                    for (right, mut values) in line.into_iter().enumerate() {
                        let offset = offset + right * run;
                        if let Some(seen) = seen {
                            values = S::where_positive(S::load(seen.add(offset)), values);
                        }
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

/// Where planes begin, by rows and columns of positions.
#[inline(always)]
fn pointers<const N: usize, T>(planes: &Planes, to: *mut T) -> [[*mut T; N]; N] {
    let mut all = [[to; N]; N];
    for (to, start) in all.as_flattened_mut().iter_mut().zip(&planes.starts) {
        *to = to.wrapping_add(*start);
    }
    all
}
