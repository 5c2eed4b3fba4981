//! How images are cut into cells, and what lies where.

use super::POSITIONS;
use super::transform::{Cells, Images};
use crate::buffer::Buffer;
use crate::lanes::{Isa, WIDEST};
use crate::padded::Source;

/// Buffers of what is computed on the way. One serves all layers of a thread, so that it stays in the
/// cache.
#[derive(Default)]
pub(crate) struct Workspace {
    images: Buffer,
    inputs: Buffer,
    outputs: Buffer,
}

impl Workspace {
    /// Buffers of what must not matter.
    #[cfg(test)]
    pub(crate) fn of(value: f32) -> Self {
        let buffer = || {
            let mut buffer = Buffer::of_len(1 << 16);
            buffer.fill(value);
            buffer
        };
        Self {
            images: buffer(),
            inputs: buffer(),
            outputs: buffer(),
        }
    }
}

/// Images with zeros around them, and the tiles of a few of them.
pub(super) struct Tiling {
    /// Rows, columns, and channels of an image.
    image: [usize; 3],
    /// Zeros before the first row and column.
    before: usize,
    /// Rows and columns with the zeros around them.
    size: [usize; 2],
    at_once: usize,
    /// Where each tile begins, of the images that are copied at once.
    starts: Vec<usize>,
    /// Image, row and column of each.
    places: Vec<[usize; 3]>,
    /// Tiles that are transformed and multiplied at once.
    block: usize,
}

/// Some tiles of images that were copied.
pub(super) struct Tiles<'a> {
    /// The image that places are counted from.
    pub(super) first: usize,
    /// Image, row and column of each.
    pub(super) places: &'a [[usize; 3]],
    /// Where each begins in the copies.
    pub(super) starts: &'a [usize],
    /// With zeros around them.
    pub(super) images: &'a [f32],
}

impl Tiling {
    /// Of up to `images` images in one call, with zeros around them, cut into so many `tiles` along the axes; a tile reads `cells`,
    /// and is `numbers` numbers, transformed.
    pub(super) fn new(
        from: Images,
        tiles: [usize; 2],
        cells: Cells,
        numbers: usize,
        images: usize,
    ) -> Self {
        let image = [from.rows, from.columns, from.channels];
        let step = [2 * cells.rows, 2 * cells.run / from.channels];
        let [rows, numbers_of_row] = cells.reach();
        let reach = [rows, numbers_of_row / from.channels];
        let size = [0, 1].map(|axis| (tiles[axis] - 1) * step[axis] + reach[axis]);
        let at_once = images_at_once(size[0] * size[1] * image[2], images);
        let mut places = Vec::with_capacity(at_once * tiles[0] * tiles[1]);
        for image in 0..at_once {
            for row in 0..tiles[0] {
                places.extend((0..tiles[1]).map(|column| [image, row, column]));
            }
        }
        let start = |&[of, row, column]: &[usize; 3]| {
            let row = of * size[0] + row * step[0];
            (row * size[1] + column * step[1]) * image[2]
        };
        Self {
            image,
            before: from.before,
            size,
            at_once,
            starts: places.iter().map(start).collect(),
            block: block(numbers, places.len()),
            places,
        }
    }

    /// Tiles of a block.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// Numbers of a row of an image with the zeros around it.
    pub(super) fn row_len(&self) -> usize {
        self.size[1] * self.image[2]
    }

    /// Calls `work(tiles, two buffers of these lengths)` for consecutive blocks.
    pub(super) fn each_block(
        &self,
        isa: Isa,
        input: Source<'_>,
        [inputs, outputs]: [usize; 2],
        workspace: &mut Workspace,
        mut work: impl FnMut(Tiles<'_>, [&mut [f32]; 2]),
    ) {
        let image_len: usize = self.image.iter().product();
        let len = self.size[0] * self.row_len();
        // Whole vectors are read beyond the end.
        let copied = workspace.images.sized(self.at_once * len + 2 * WIDEST);
        let inputs = workspace.inputs.sized(inputs);
        let outputs = workspace.outputs.sized(outputs);
        let images = input.len() / image_len;
        for first in (0..images).step_by(self.at_once) {
            let count = self.at_once.min(images - first);
            for (image, to) in copied.chunks_exact_mut(len).take(count).enumerate() {
                let at = (first + image) * image_len;
                self.copy(isa, input.part(at..at + image_len), to);
            }
            let tiles = self.places.len() / self.at_once * count;
            let places = self.places[..tiles].chunks(self.block);
            let starts = self.starts[..tiles].chunks(self.block);
            for (places, starts) in places.zip(starts) {
                let tiles = Tiles {
                    first,
                    places,
                    starts,
                    images: copied,
                };
                work(tiles, [inputs, outputs]);
            }
        }
    }

    /// One image, with zeros around it.
    fn copy(&self, isa: Isa, image: Source<'_>, to: &mut [f32]) {
        let [rows, columns, channels] = self.image;
        let rows = rows.min(self.size[0].saturating_sub(self.before));
        let used = columns.min(self.size[1].saturating_sub(self.before)) * channels;
        let left = self.before * channels;
        let row_len = self.row_len();
        let (above, rest) = to.split_at_mut(self.before * row_len);
        let (inside, below) = rest.split_at_mut(rows * row_len);
        above.fill(0.0);
        below.fill(0.0);
        for (row, to) in inside.chunks_exact_mut(row_len).enumerate() {
            let from = row * columns * channels;
            to[..left].fill(0.0);
            let inside = &mut to[left..left + used];
            image.part(from..from + used).write(isa, inside);
            to[left + used..].fill(0.0);
        }
    }
}

/// How a block of transformed tiles lies: for each position a plane `[tiles][lens[position]]`.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    pub(super) lens: [usize; POSITIONS],
    pub(super) starts: [usize; POSITIONS],
    /// Of all planes.
    pub(super) len: usize,
}

impl Planes {
    /// Planes of `tiles` tiles, each with room behind it for what whole vectors write beyond.
    pub(super) fn new(tiles: usize, lens: [usize; POSITIONS]) -> Self {
        let mut len = 0;
        let starts = lens.map(|row_len| {
            len += apart(tiles * row_len + WIDEST);
            len - apart(tiles * row_len + WIDEST)
        });
        Self { lens, starts, len }
    }

    /// The plane of a position, of so many tiles.
    pub(super) fn of<'a>(&self, planes: &'a [f32], position: usize, tiles: usize) -> &'a [f32] {
        &planes[self.starts[position]..][..tiles * self.lens[position]]
    }

    /// Panics unless buffers of `len` numbers hold so many tiles.
    #[inline(always)]
    pub(super) fn check(&self, tiles: usize, len: usize) {
        for (start, row_len) in self.starts.into_iter().zip(self.lens) {
            assert!(start + tiles * row_len + WIDEST <= len);
        }
    }

    pub(super) fn of_mut<'a>(
        &self,
        planes: &'a mut [f32],
        position: usize,
        tiles: usize,
    ) -> &'a mut [f32] {
        &mut planes[self.starts[position]..][..tiles * self.lens[position]]
    }
}

/// How far apart two planes lie, at least `len`. What is in the same place of all of them must not fall
/// into one set of the first-level cache, which has 8 lines.
fn apart(len: usize) -> usize {
    const PAGE: usize = 1024;
    const LINES: usize = 48;
    len.next_multiple_of(PAGE) + LINES
}

/// In equal blocks of images that stay in a second-level cache.
fn images_at_once(image_len: usize, images: usize) -> usize {
    const NUMBERS: usize = 96 << 10;
    let most = (NUMBERS / image_len.max(1)).max(1);
    images.div_ceil(images.div_ceil(most).max(1)).max(1)
}

/// Tiles of a block, in blocks of about equal size: 256 KiB of them, and whole register tiles.
fn block(numbers: usize, tiles: usize) -> usize {
    const NUMBERS: usize = 96 << 10;
    const ROWS: usize = 8;
    let most = (NUMBERS / numbers.max(1)).max(32);
    let equal = tiles.div_ceil(tiles.div_ceil(most).max(1)).max(1);
    equal.next_multiple_of(ROWS).min(tiles.max(1))
}
