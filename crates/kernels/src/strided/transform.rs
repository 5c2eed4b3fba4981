//! To and from the positions where a convolution is nine matrix products: sums and differences of cells,
//! number by number.

use std::ops::Range;

use super::POSITIONS;
use super::cells::Planes;
use crate::each_isa::on_each_isa;
use crate::lanes::{Lanes, WIDEST};
use crate::shape::ConvShape;

/// Rows of numbers that make a cell, and those that the second taps have.
#[derive(Clone, Copy)]
pub(super) struct Cells {
    pub(super) rows: usize,
    pub(super) second_rows: usize,
    /// Numbers of a row: columns and channels.
    pub(super) run: usize,
    pub(super) second_run: usize,
}

impl Cells {
    /// What the convolution reads.
    pub(super) fn of(shape: &ConvShape) -> Self {
        let (stride, channels) = (shape.stride, shape.in_channels);
        Self {
            rows: stride,
            second_rows: shape.kernel[0] - stride,
            run: stride * channels,
            second_run: (shape.kernel[1] - stride) * channels,
        }
    }

    /// Single pixels.
    pub(super) fn pixels(channels: usize) -> Self {
        Self {
            rows: 1,
            second_rows: 1,
            run: channels,
            second_run: channels,
        }
    }

    /// Rows that a tile reaches, and numbers of a row.
    pub(super) fn reach(self) -> [usize; 2] {
        [
            2 * self.rows + self.second_rows,
            2 * self.run + self.second_run,
        ]
    }

    /// Of a transformed tile that was read, at each position.
    pub(super) fn read_lens(self) -> [usize; POSITIONS] {
        let rows = [self.rows, self.rows, self.second_rows];
        let runs = [self.run, self.run, self.second_run];
        std::array::from_fn(|position| rows[position / 3] * runs[position % 3])
    }
}

/// Cells that are written, whose rows and columns not all contain what the first and the last position have.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) rows: usize,
    /// Numbers of a row: columns and channels.
    pub(super) run: usize,
    /// Rows, and numbers of a row, that contain the first: so many.
    pub(super) first: [usize; 2],
    /// That contain the last: all from these on.
    pub(super) last: [usize; 2],
}

impl Written {
    /// Single pixels.
    pub(super) fn pixels(channels: usize) -> Self {
        Self {
            rows: 1,
            run: channels,
            first: [1, channels],
            last: [0, 0],
        }
    }

    /// Of a transformed tile at each position.
    pub(super) fn lens(self) -> [usize; POSITIONS] {
        let [rows, runs] = [self.rows, self.run];
        let rows = [self.first[0], rows, rows - self.last[0]];
        let runs = [self.first[1], runs, runs - self.last[1]];
        std::array::from_fn(|position| rows[position / 3] * runs[position % 3])
    }
}

/// Images that tiles of cells are read from or written to.
#[derive(Clone, Copy)]
pub(super) struct Images {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) channels: usize,
    /// Rows and columns of the first cell that lie before the image.
    pub(super) before: usize,
}

impl Images {
    /// The output of a convolution.
    pub(super) fn out_of(shape: &ConvShape) -> Self {
        Self {
            rows: shape.out_height(),
            columns: shape.out_width(),
            channels: shape.out_channels,
            before: 0,
        }
    }

    /// Its input, in cells of which `before` rows and columns lie before it.
    pub(super) fn into(shape: &ConvShape, before: usize) -> Self {
        Self {
            rows: shape.height,
            columns: shape.width,
            channels: shape.in_channels,
            before,
        }
    }

    /// Numbers of one.
    pub(super) fn len(self) -> usize {
        self.rows * self.row_len()
    }

    fn row_len(self) -> usize {
        self.columns * self.channels
    }

    /// Whether all of `size` rows and columns from `corner` on, counted from the first cell, lie in an image.
    #[inline(always)]
    fn contain(self, corner: [usize; 2], size: [usize; 2]) -> bool {
        let sizes = [self.rows, self.columns];
        (0..2).all(|axis| {
            corner[axis] >= self.before && corner[axis] + size[axis] <= sizes[axis] + self.before
        })
    }

    /// Calls `visit(row and column among them, where in an image)` for those rows of numbers that do.
    #[inline(always)]
    fn each_row(
        self,
        corner: [usize; 2],
        size: [usize; 2],
        mut visit: impl FnMut([usize; 2], Range<usize>),
    ) {
        let skipped = corner.map(|corner| self.before.saturating_sub(corner));
        let first = [0, 1].map(|axis| corner[axis] + skipped[axis] - self.before);
        let sizes = [self.rows, self.columns];
        let [rows, columns] = [0, 1].map(|axis| {
            let most = size[axis].saturating_sub(skipped[axis]);
            most.min(sizes[axis].saturating_sub(first[axis]))
        });
        for row in 0..rows {
            let at = (first[0] + row) * self.row_len() + first[1] * self.channels;
            if columns > 0 {
                visit(
                    [skipped[0] + row, skipped[1]],
                    at..at + columns * self.channels,
                );
            }
        }
    }
}

on_each_isa!(
    transform_cells = read of lanes(
        cells: Cells, row_len: usize, from: &[f32], starts: &[usize], planes: &Planes, to: &mut [f32]
    )
);
on_each_isa!(
    transform_gradients = gradients of lanes(
        images: Images, from: &[f32], places: &[[usize; 3]], planes: &Planes, to: &mut [f32]
    )
);
on_each_isa!(
    transform_back = written of lanes(
        cells: Written, images: Images, planes: &Planes, from: &[f32], places: &[[usize; 3]],
        seen: Option<&[f32]>, to: &mut [f32]
    )
);

/// `a - b`, `b` and `c - b` of three cells, along both axes.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn read<S: Lanes>(
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
    assert!(planes.lens == cells.read_lens());
    planes.check(starts.len(), to.len());
    let mut to = planes
        .starts
        .map(|start| to.as_mut_ptr().wrapping_add(start));
    for &start in starts {
        // SAFETY: the images and the planes have the tile, as asserted.
        unsafe { read_tile::<S>(cells, from.as_ptr().add(start), row_len, &mut to) }
    }
}

/// One tile, of which each position is written to where `to` points, and that moved behind it. Whole vectors are
/// written in order: what they write beyond a row is written again by the next.
///
/// # Safety
/// `from` is readable for the rows that a tile reaches, and a vector behind them; the positions are writable,
/// and a vector behind them; the processor has the instruction set of `S`.
#[inline(always)]
unsafe fn read_tile<S: Lanes>(
    cells: Cells,
    from: *const f32,
    row_len: usize,
    to: &mut [*mut f32; POSITIONS],
) {
    let Cells {
        rows,
        second_rows,
        run,
        second_run,
    } = cells;
    let runs = [run, run, second_run];
    for row in 0..rows {
        // SAFETY: as the caller promises.
        unsafe {
            let first = from.add(row * row_len);
            let both = first.add(rows * row_len);
            // Only read where there is one.
            let second = both.wrapping_add(rows * row_len);
            let rows_at = *to;
            let store = |position: usize, at, values| S::store(rows_at[position].add(at), values);
            for at in (0..run).step_by(S::WIDTH) {
                let pair = |row: *const f32| {
                    let b = S::load(row.add(run + at));
                    (S::subtract(S::load(row.add(at)), b), b)
                };
                let (b, ab) = (pair(both), pair(first));
                store(0, at, S::subtract(ab.0, b.0));
                store(1, at, S::subtract(ab.1, b.1));
                store(3, at, b.0);
                store(4, at, b.1);
                if row < second_rows {
                    let bc = pair(second);
                    store(6, at, S::subtract(bc.0, b.0));
                    store(7, at, S::subtract(bc.1, b.1));
                }
            }
            for at in (0..second_run).step_by(S::WIDTH) {
                let last = |row: *const f32| {
                    let b = S::load(row.add(run + at));
                    S::subtract(S::load(row.add(2 * run + at)), b)
                };
                let b = last(both);
                store(2, at, S::subtract(last(first), b));
                store(5, at, b);
                if row < second_rows {
                    store(8, at, S::subtract(last(second), b));
                }
            }
            let has = [true, true, row < second_rows];
            for (position, to) in to.iter_mut().enumerate() {
                if has[position / 3] {
                    *to = to.wrapping_add(runs[position % 3]);
                }
            }
        }
    }
}

/// The transpose of what makes outputs of positions: `y`, `y + z` and `z` of two pixels, along both axes;
/// those beyond the edges are zero.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn gradients<S: Lanes>(
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
    assert!(planes.lens == [width; POSITIONS] && width >= channels && channels >= S::WIDTH);
    planes.check(places.len(), to.len());
    for (tile, &[image, row, column]) in places.iter().enumerate() {
        let (row, column) = (2 * row, 2 * column);
        assert!(row < rows && column < columns && (image + 1) * images.len() <= from.len());
        for at in (0..channels).step_by(S::WIDTH) {
            let at = at.min(channels - S::WIDTH);
            // SAFETY: the pixel is one of the images, and the plane has the tile, as asserted.
            unsafe {
                let pixel = |below: usize, right: usize| {
                    if row + below < rows && column + right < columns {
                        let pixel = (image * rows + row + below) * columns + column + right;
                        S::load(from.as_ptr().add(pixel * channels + at))
                    } else {
                        S::zero()
                    }
                };
                let line = |below| {
                    let (y, z) = (pixel(below, 0), pixel(below, 1));
                    [y, S::add(y, z), z]
                };
                let (above, below) = (line(0), line(1));
                for column in 0..3 {
                    let (y, z) = (above[column], below[column]);
                    for (row, values) in [y, S::add(y, z), z].into_iter().enumerate() {
                        let position = 3 * row + column;
                        let plane = to.as_mut_ptr().add(planes.starts[position]);
                        S::store(plane.add(tile * width + at), values);
                    }
                }
            }
        }
    }
}

/// `a + b` and `b + c` of three positions, along both axes: 2x2 cells of an image. What lies beyond its
/// edges is dropped, and what would meet a number of `seen`, if there is one, that is not above zero.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn written<S: Lanes>(
    cells: Written,
    images: Images,
    planes: &Planes,
    from: &[f32],
    places: &[[usize; 3]],
    seen: Option<&[f32]>,
    to: &mut [f32],
) {
    let (rows, run) = (cells.rows, cells.run);
    assert!(planes.lens == cells.lens() && run >= S::WIDTH);
    // Vectors are of one kind.
    let [first, last] = [cells.first[1], cells.last[1]];
    assert!(first == run || first.is_multiple_of(WIDEST));
    assert!(last == 0 || last.is_multiple_of(WIDEST) && run.is_multiple_of(WIDEST));
    planes.check(places.len(), from.len());
    let stride = run / images.channels;
    let (row_len, before) = (images.row_len(), images.before);
    let mut edge = vec![0.0; 4 * rows * run];
    let mut at_planes = planes.starts.map(|start| from.as_ptr().wrapping_add(start));
    for &[image, row, column] in places {
        let corner = [2 * rows * row, 2 * stride * column];
        let size = [2 * rows, 2 * stride];
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
                written_tile::<S>(cells, &mut at_planes, to, row_len, seen);
                continue;
            }
            written_tile::<S>(cells, &mut at_planes, edge.as_mut_ptr(), 2 * run, None);
        }
        images.each_row(corner, size, |at, within| {
            let at = at[0] * 2 * run + at[1] * images.channels;
            let to = &mut image[within.clone()];
            to.copy_from_slice(&edge[at..at + within.len()]);
            if let Some(seen) = seen {
                let passed = to.iter_mut().zip(&seen[within]);
                passed.for_each(|(to, &seen)| *to = if seen > 0.0 { *to } else { 0.0 });
            }
        });
    }
}

/// One tile: 2x2 cells, whose rows are `row_len` apart; each position is read where `from` points, and that moved
/// behind it.
///
/// # Safety
/// The positions are readable; `to` is writable, and `seen` readable, for its rows; the processor has the instruction set of `S`.
#[inline(always)]
unsafe fn written_tile<S: Lanes>(
    cells: Written,
    from: &mut [*const f32; POSITIONS],
    to: *mut f32,
    row_len: usize,
    seen: Option<*const f32>,
) {
    let Written {
        rows,
        run,
        first,
        last,
    } = cells;
    // Numbers of a row at the first, middle and last position, and those of a cell before them.
    let runs = [first[1], run, run - last[1]];
    let before = [0, 0, last[1]];
    for row in 0..rows {
        let has = [row < first[0], true, row >= last[0]];
        let rows_at = *from;
        for at in (0..run).step_by(S::WIDTH) {
            let at = at.min(run - S::WIDTH);
            // SAFETY: as the caller promises; the first and last positions are read where they have the
            // row and the numbers.
            unsafe {
                let load = |position: usize| {
                    S::load(
                        rows_at[position]
                            .wrapping_add(at)
                            .wrapping_sub(before[position % 3]),
                    )
                };
                let column = |column: usize| {
                    let b = load(3 + column);
                    let above = if has[0] { S::add(load(column), b) } else { b };
                    let below = if has[2] {
                        S::add(b, load(6 + column))
                    } else {
                        b
                    };
                    [above, below]
                };
                let both = column(1);
                let sums = |others: [S::Sums; 2]| [0, 1].map(|at| S::add(others[at], both[at]));
                let left = if at < first[1] { sums(column(0)) } else { both };
                let right = if at >= last[1] { sums(column(2)) } else { both };
                let store = |offset: usize, values| {
                    let values = match seen {
                        Some(seen) => S::where_positive(S::load(seen.add(offset)), values),
                        None => values,
                    };
                    S::store(to.add(offset), values);
                };
                let [above, below] = [row, rows + row].map(|row| row * row_len + at);
                store(above, left[0]);
                store(above + run, right[0]);
                store(below, left[1]);
                store(below + run, right[1]);
            }
        }
        for (position, from) in from.iter_mut().enumerate() {
            if has[position / 3] {
                *from = from.wrapping_add(runs[position % 3]);
            }
        }
    }
}
