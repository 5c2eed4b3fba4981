//! Sizes of the cells that tiles read and write, and the layout of transformed tiles.

use std::ops::Range;

use super::filter::Filter;
use crate::memory::workspace::apart;
use crate::shape::ConvShape;
use crate::simd::WIDEST;

/// Size of a cell as rows of values, and of the part of it that the second taps reach.
#[derive(Clone, Copy)]
pub(super) struct Cells {
    pub(super) filter: Filter,
    pub(super) rows: usize,
    pub(super) second_rows: usize,
    /// Values of a row: columns times channels.
    pub(super) run: usize,
    pub(super) second_run: usize,
}

impl Cells {
    /// Returns the cells that the convolution reads.
    pub(super) fn of(filter: Filter, shape: &ConvShape) -> Self {
        let (stride, channels) = (shape.stride, shape.in_channels);
        Self {
            filter,
            rows: stride,
            second_rows: shape.kernel[0] - stride,
            run: stride * channels,
            second_run: (shape.kernel[1] - stride) * channels,
        }
    }

    /// Returns cells of single pixels.
    pub(super) fn pixels(filter: Filter, channels: usize) -> Self {
        Self {
            filter,
            rows: 1,
            second_rows: 1,
            run: channels,
            second_run: channels,
        }
    }

    /// Rows, and values of a row, from a tile to the next.
    pub(super) fn step(self) -> [usize; 2] {
        [self.rows, self.run].map(|size| self.filter.outputs() * size)
    }

    /// Rows that a tile reaches, and values of a row.
    pub(super) fn reach(self) -> [usize; 2] {
        let [rows, run] = self.step();
        [rows + self.second_rows, run + self.second_run]
    }

    /// Values of a transformed tile at each position. The last positions lack those without a
    /// second tap.
    pub(super) fn lens(self) -> Vec<usize> {
        let last = self.filter.positions() - 1;
        lens(
            |position| {
                if position < last {
                    self.rows
                } else {
                    self.second_rows
                }
            },
            |position| {
                if position < last {
                    self.run
                } else {
                    self.second_run
                }
            },
            last + 1,
        )
    }
}

/// Size of the cells that a tile writes. Some rows and columns of a cell may lack the first or the
/// last position.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) filter: Filter,
    pub(super) images: Images,
    pub(super) rows: usize,
    /// Values of a row: columns times channels.
    pub(super) run: usize,
    /// Rows, and values of a row, that contain the first position: the leading ones.
    pub(super) first: [usize; 2],
    /// Row, and value of a row, from which on the last position is contained.
    pub(super) last: [usize; 2],
}

impl Written {
    /// Returns cells of single pixels.
    pub(super) fn pixels(filter: Filter, images: Images) -> Self {
        Self {
            filter,
            images,
            rows: 1,
            run: images.channels,
            first: [1, images.channels],
            last: [0, 0],
        }
    }

    /// Values of a transformed tile at each position.
    pub(super) fn lens(self) -> Vec<usize> {
        let last = self.filter.positions() - 1;
        let along = |axis: usize, size: usize| {
            move |position: usize| match position {
                0 => self.first[axis],
                _ if position == last => size - self.last[axis],
                _ => size,
            }
        };
        lens(along(0, self.rows), along(1, self.run), last + 1)
    }
}

fn lens(
    rows: impl Fn(usize) -> usize,
    runs: impl Fn(usize) -> usize,
    positions: usize,
) -> Vec<usize> {
    let all = 0..positions * positions;
    all.map(|position| rows(position / positions) * runs(position % positions))
        .collect()
}

/// Layout of a block of transformed tiles: for each position a plane `[tiles][lens[position]]`.
#[derive(Clone)]
pub(super) struct CellPlanes {
    pub(super) lens: Vec<usize>,
    pub(super) starts: Vec<usize>,
    /// Length of all planes.
    pub(super) len: usize,
}

impl CellPlanes {
    /// Lays out planes of `tiles` tiles, each with space behind it for what whole vectors write.
    pub(super) fn new(tiles: usize, lens: Vec<usize>) -> Self {
        let mut len = 0;
        let start = |row_len: &usize| {
            let start = len;
            len += apart(tiles * row_len + WIDEST);
            start
        };
        Self {
            starts: lens.iter().map(start).collect(),
            lens,
            len,
        }
    }

    /// Values of a tile at all positions.
    pub(super) fn numbers(&self) -> usize {
        self.lens.iter().sum()
    }

    /// Returns the plane of a position, of the given number of tiles.
    pub(super) fn of<'a>(&self, planes: &'a [f32], position: usize, tiles: usize) -> &'a [f32] {
        &planes[self.starts[position]..][..tiles * self.lens[position]]
    }

    pub(super) fn of_mut<'a>(
        &self,
        planes: &'a mut [f32],
        position: usize,
        tiles: usize,
    ) -> &'a mut [f32] {
        &mut planes[self.starts[position]..][..tiles * self.lens[position]]
    }

    /// Checks that buffers of `len` values hold `tiles` tiles.
    ///
    /// # Panics
    /// If they do not.
    pub(super) fn check(&self, tiles: usize, len: usize) {
        for (start, row_len) in self.starts.iter().zip(&self.lens) {
            assert!(start + tiles * row_len + WIDEST <= len);
        }
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
    /// Returns the output images of a convolution.
    pub(super) fn out_of(shape: &ConvShape) -> Self {
        Self {
            rows: shape.out_height(),
            columns: shape.out_width(),
            channels: shape.out_channels,
            before: 0,
        }
    }

    /// Returns the input images of a convolution, `before` rows and columns after the first cell
    /// begins.
    pub(super) fn into(shape: &ConvShape, before: usize) -> Self {
        Self {
            rows: shape.height,
            columns: shape.width,
            channels: shape.in_channels,
            before,
        }
    }

    /// Values of an image.
    pub(super) fn len(self) -> usize {
        self.rows * self.row_len()
    }

    pub(super) fn row_len(self) -> usize {
        self.columns * self.channels
    }

    /// Whether all of `size` rows and columns from `corner` on, counted from the first cell, lie in
    /// an image.
    pub(super) fn contain(self, corner: [usize; 2], size: [usize; 2]) -> bool {
        let sizes = [self.rows, self.columns];
        (0..2).all(|axis| {
            corner[axis] >= self.before && corner[axis] + size[axis] <= sizes[axis] + self.before
        })
    }

    /// Calls `visit([row, column], range)` for each row of the area of `size` at `corner` that lies
    /// in an image. Row and column count within the area; `range` is the part of the image's
    /// values.
    pub(super) fn each_row(
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
            let within = at..at + columns * self.channels;
            if columns > 0 {
                visit([skipped[0] + row, skipped[1]], within);
            }
        }
    }
}
