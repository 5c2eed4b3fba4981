//! Images cut into tiles of cells, a few images at a time.

use super::cells::{Cells, Images};
use crate::conv::padded::Source;
use crate::memory::workspace::Workspace;
use crate::simd::{Isa, WIDEST};

/// Images with zeros around them, and the tiles of a few of them.
pub(super) struct CellTiling {
    /// Rows, columns, and channels of an image.
    image: [usize; 3],
    /// Zeros before the first row and column.
    before: usize,
    /// Rows and columns with the zeros around the image.
    size: [usize; 2],
    at_once: usize,
    /// Offset of each tile in the images that are copied at once.
    starts: Vec<usize>,
    /// Image, row and column of each tile.
    places: Vec<[usize; 3]>,
    /// Tiles that are transformed and multiplied at once.
    block: usize,
}

/// Some tiles of images that were copied.
pub(super) struct CellTiles<'a> {
    /// Image from which `places` count.
    pub(super) first: usize,
    /// Image, row and column of each tile.
    pub(super) places: &'a [[usize; 3]],
    /// Offset of each tile in the copies.
    pub(super) starts: &'a [usize],
    /// Copies, with zeros around each image.
    pub(super) images: &'a [f32],
}

impl CellTiling {
    /// Cuts up to `images` images in one call, with zeros around them, into `tiles` tiles along the
    /// axes. A tile reads `cells` and has `numbers` values, transformed.
    pub(super) fn new(
        from: Images,
        tiles: [usize; 2],
        cells: Cells,
        numbers: usize,
        images: usize,
    ) -> Self {
        let image = [from.rows, from.columns, from.channels];
        let pixels = |[rows, numbers]: [usize; 2]| [rows, numbers / from.channels];
        let (step, reach) = (pixels(cells.step()), pixels(cells.reach()));
        let size = [0, 1].map(|axis| (tiles[axis] - 1) * step[axis] + reach[axis]);
        let at_once = images_at_once(size[0] * size[1] * image[2], tiles[0] * tiles[1], images);
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

    /// Values of a row of an image with the zeros around it.
    pub(super) fn row_len(&self) -> usize {
        self.size[1] * self.image[2]
    }

    /// Calls `work(tiles, two buffers of the given lengths)` for consecutive blocks.
    pub(super) fn each_block(
        &self,
        isa: Isa,
        input: Source<'_>,
        [inputs, outputs]: [usize; 2],
        workspace: &mut Workspace,
        mut work: impl FnMut(CellTiles<'_>, [&mut [f32]; 2]),
    ) {
        let image_len: usize = self.image.iter().product();
        let len = self.size[0] * self.row_len();
        // Whole vectors are read beyond the end.
        let lens = [self.at_once * len + 2 * WIDEST, inputs, outputs];
        let [copied, inputs, outputs] = workspace.parts(lens);
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
                let tiles = CellTiles {
                    first,
                    places,
                    starts,
                    images: copied,
                };
                work(tiles, [inputs, outputs]);
            }
        }
    }

    /// Copies one image, with zeros around it.
    fn copy(&self, isa: Isa, image: Source<'_>, to: &mut [f32]) {
        let [rows, columns, channels] = self.image;
        let rows = rows.min(self.size[0].saturating_sub(self.before));
        let used = columns.min(self.size[1].saturating_sub(self.before)) * channels;
        let (left, row_len) = (self.before * channels, self.row_len());
        // The zeros between two rows are filled at once.
        let mut done = 0;
        for row in 0..rows {
            let (from, at) = (
                row * columns * channels,
                (self.before + row) * row_len + left,
            );
            to[done..at].fill(0.0);
            done = at + used;
            image.part(from..from + used).write(isa, &mut to[at..done]);
        }
        to[done..].fill(0.0);
    }
}

/// Tiles that are worth a pass over the weights.
const ENOUGH: usize = 64;

/// Images to copy at a time, in equal blocks that stay in a second-level cache, but have enough
/// tiles.
fn images_at_once(image_len: usize, tiles: usize, images: usize) -> usize {
    const VALUES: usize = 32 << 10;
    let most = (VALUES / image_len.max(1)).max(ENOUGH.div_ceil(tiles.max(1)));
    images.div_ceil(images.div_ceil(most).max(1)).max(1)
}

/// Tiles of a block, in blocks of about equal size: 384 KiB of them, and whole register tiles.
fn block(numbers: usize, tiles: usize) -> usize {
    const VALUES: usize = 96 << 10;
    const ROWS: usize = 8;
    let most = (VALUES / numbers.max(1)).max(ENOUGH);
    let equal = tiles.div_ceil(tiles.div_ceil(most).max(1)).max(1);
    equal.next_multiple_of(ROWS).min(tiles.max(1))
}
