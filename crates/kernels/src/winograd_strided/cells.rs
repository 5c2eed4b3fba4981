//! What is read and written, and what lies where.

use std::ops::Range;

use super::filter::Filter;
use crate::shape::ConvShape;
use crate::simd::WIDEST;
use crate::workspace::apart;

/// Rows of numbers that make a cell, and those that the second taps have.
#[derive(Clone, Copy)]
pub(super) struct Cells {
    pub(super) filter: Filter,
    pub(super) rows: usize,
    pub(super) second_rows: usize,
    /// Numbers of a row: columns and channels.
    pub(super) run: usize,
    pub(super) second_run: usize,
}

impl Cells {
    /// What the convolution reads.
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

    /// Single pixels.
    pub(super) fn pixels(filter: Filter, channels: usize) -> Self {
        Self {
            filter,
            rows: 1,
            second_rows: 1,
            run: channels,
            second_run: channels,
        }
    }

    /// Rows, and numbers of a row, from a tile to the next.
    pub(super) fn step(self) -> [usize; 2] {
        [self.rows, self.run].map(|size| self.filter.outputs() * size)
    }

    /// Rows that a tile reaches, and numbers of a row.
    pub(super) fn reach(self) -> [usize; 2] {
        let [rows, run] = self.step();
        [rows + self.second_rows, run + self.second_run]
    }

    /// Numbers of a transformed tile at each position: only the last ones lack what has no second tap.
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

/// Cells that are written, whose rows and columns not all contain what the first and the last position have.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) filter: Filter,
    pub(super) images: Images,
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

    /// Numbers of a transformed tile at each position.
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

/// How a block of transformed tiles lies: for each position a plane `[tiles][lens[position]]`.
#[derive(Clone)]
pub(super) struct CellPlanes {
    pub(super) lens: Vec<usize>,
    pub(super) starts: Vec<usize>,
    /// Of all planes.
    pub(super) len: usize,
}

impl CellPlanes {
    /// CellPlanes of `tiles` tiles, each with room behind it for what whole vectors write beyond.
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

    /// Numbers of a tile at all positions.
    pub(super) fn numbers(&self) -> usize {
        self.lens.iter().sum()
    }

    /// The plane of a position, of so many tiles.
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

    /// Panics unless buffers of `len` numbers hold so many tiles.
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

    pub(super) fn row_len(self) -> usize {
        self.columns * self.channels
    }

    /// Whether all of `size` rows and columns from `corner` on, counted from the first cell, lie in an image.
    pub(super) fn contain(self, corner: [usize; 2], size: [usize; 2]) -> bool {
        let sizes = [self.rows, self.columns];
        (0..2).all(|axis| {
            corner[axis] >= self.before && corner[axis] + size[axis] <= sizes[axis] + self.before
        })
    }

    /// Calls `visit(row and column among them, where in an image)` for those rows of numbers that do.
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
