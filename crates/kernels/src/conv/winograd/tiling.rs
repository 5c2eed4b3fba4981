//! Images cut into tiles of 2x2 outputs, whose inputs overlap.

use std::ops::Range;

use super::POSITIONS;
use super::packing::Packing;
use super::transform::{Image, Planes, transform_inputs};
use crate::conv::padded::Source;
use crate::conv::stored::Stored;
use crate::gemm::pixels::Pixels;
use crate::memory::workspace::{Workspace, apart};
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Reader of a convolution's input: a few images at a time, whose tiles are transformed a block at
/// a time.
pub(crate) struct Tiling {
    shape: ConvShape,
    images: usize,
    /// Tiles of `images` images, in order.
    tiles: Vec<Tile>,
    /// Tiles of a block: transformed and multiplied, they stay in the second-level cache.
    block: usize,
}

/// Tile of 2x2 outputs, and the 4x4 inputs that they see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    /// Rows and columns of padding that it sees before the image.
    pub(crate) before: [usize; 2],
    /// Rows and columns of the image that it sees: at least one, at most four.
    pub(crate) seen: [usize; 2],
    /// Offset, in the images, of the first pixel that it sees.
    pub(crate) input: usize,
    /// Offset of its first output in the output images.
    pub(crate) output: usize,
    /// Rows and columns of its outputs: one at an edge of odd size.
    pub(crate) size: [usize; 2],
}

impl Tiling {
    /// Cuts up to `images` images in one call.
    pub(crate) fn new(shape: &ConvShape, images: usize) -> Self {
        let images = images_at_once(shape, images);
        let sizes = [shape.out_height(), shape.out_width()];
        let mut tiles = Vec::new();
        for image in 0..images {
            for row in (0..sizes[0]).step_by(2) {
                for column in (0..sizes[1]).step_by(2) {
                    tiles.push(Tile::new(shape, image, [row, column]));
                }
            }
        }
        Self {
            shape: *shape,
            images,
            block: block(shape, tiles.len()),
            tiles,
        }
    }

    /// Calls `work(images, tiles, their transformed inputs, planes for outputs)` for consecutive
    /// blocks; the tiles belong to those images.
    pub(crate) fn each_block(
        &self,
        isa: Isa,
        input: Source<'_>,
        packing: Packing,
        outputs: Planes,
        workspace: &mut Workspace,
        mut work: impl FnMut(Range<usize>, &[Tile], &[f32], &mut [f32]),
    ) {
        let image = Image {
            row_len: self.shape.width * self.shape.in_channels,
            channels: self.shape.in_channels,
        };
        let planes = self.planes(packing.words(image.channels));
        let image_len = self.shape.image_len();
        let copied = match input {
            Source::Stored(Stored::Values(_)) => 0,
            _ => self.images * image_len,
        };
        let lens = [copied, POSITIONS * planes.len, POSITIONS * outputs.len];
        let [copied, to, products] = workspace.parts(lens);
        let images = input.len() / image_len;
        for first in (0..images).step_by(self.images) {
            let count = self.images.min(images - first);
            let part = input.part(first * image_len..(first + count) * image_len);
            let from = match part {
                Source::Stored(Stored::Values(values)) => values,
                _ => {
                    let seen = &mut copied[..part.len()];
                    part.write(isa, seen);
                    seen
                }
            };
            let tiles = &self.tiles[..self.tiles.len() / self.images * count];
            for tiles in tiles.chunks(self.block) {
                transform_inputs(isa, packing, image, from, tiles, planes, to);
                work(first..first + count, tiles, to, products);
            }
        }
    }

    /// Returns the layout of a block of transformed tiles in rows of `row_len` words.
    pub(crate) fn planes(&self, row_len: usize) -> Planes {
        Planes {
            len: apart(self.block * row_len),
            row_len,
        }
    }

    /// Returns the rows of two such planes, as products take them.
    pub(crate) fn rows(&self, inputs: Planes, outputs: Planes) -> Pixels {
        Pixels::of_rows(self.block, inputs.row_len, outputs.row_len)
    }
}

impl Tile {
    /// Makes the tile whose first output is at row and column `first`.
    fn new(shape: &ConvShape, image: usize, first: [usize; 2]) -> Self {
        let sizes = [shape.height, shape.width];
        let out_sizes = [shape.out_height(), shape.out_width()];
        let before = first.map(|first| shape.padding.saturating_sub(first));
        let at = first.map(|first| first.saturating_sub(shape.padding));
        Self {
            before,
            seen: [0, 1].map(|axis| (4 - before[axis]).min(sizes[axis] - at[axis])),
            input: ((image * sizes[0] + at[0]) * sizes[1] + at[1]) * shape.in_channels,
            output: ((image * out_sizes[0] + first[0]) * out_sizes[1] + first[1])
                * shape.out_channels,
            size: [0, 1].map(|axis| (out_sizes[axis] - first[axis]).min(2)),
        }
    }
}

/// Images to read at a time, in equal blocks whose input stays in a second-level cache.
fn images_at_once(shape: &ConvShape, images: usize) -> usize {
    const VALUES: usize = 32 << 10;
    let most = (VALUES / shape.image_len()).max(1);
    images.div_ceil(images.div_ceil(most).max(1)).max(1)
}

/// Tiles of a block: 256 KiB of them, but enough to fill the register tiles; blocks have equal
/// size.
fn block(shape: &ConvShape, tiles: usize) -> usize {
    const VALUES: usize = 64 << 10;
    let channels = shape.in_channels + shape.out_channels;
    let most = (VALUES / POSITIONS / channels).max(16);
    tiles.div_ceil(tiles.div_ceil(most).max(1)).max(1)
}
