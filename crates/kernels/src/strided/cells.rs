//! How images are cut into cells, and what lies where.

use super::POSITIONS;
use crate::buffer::sized;
use crate::lanes::{Isa, WIDEST};
use crate::padded::Source;

/// Buffers of what is computed on the way. One serves all layers of a thread, so that it stays in the
/// cache.
#[derive(Default)]
pub(crate) struct Workspace {
    images: Vec<f32>,
    inputs: Vec<f32>,
    outputs: Vec<f32>,
}

impl Workspace {
    /// Buffers of what must not matter.
    #[cfg(test)]
    pub(crate) fn of(value: f32) -> Self {
        let buffer = || vec![value; 1 << 16];
        Self {
            images: buffer(),
            inputs: buffer(),
            outputs: buffer(),
        }
    }
}

/// The tiles of a few images.
pub(super) struct Tiling {
    /// Numbers of an image.
    image_len: usize,
    at_once: usize,
    /// Image, row and column of each.
    places: Vec<[usize; 3]>,
    /// Tiles that are transformed and multiplied at once.
    block: usize,
}

/// Some tiles of a few images.
pub(super) struct Tiles<'a> {
    /// The image that places are counted from.
    pub(super) first: usize,
    /// Image, row and column of each.
    pub(super) places: &'a [[usize; 3]],
    /// The images: values, or bytes and what is normalised written out.
    pub(super) images: &'a [f32],
    /// Whether they are to be clipped at zero from below.
    pub(super) rectified: bool,
}

impl Tiling {
    /// Of up to `images` images of `image_len` numbers in one call, cut into so many `tiles` along the axes;
    /// transformed, one is `numbers` numbers in all.
    pub(super) fn new(image_len: usize, tiles: [usize; 2], numbers: usize, images: usize) -> Self {
        let at_once = images_at_once(image_len, images);
        let mut places = Vec::with_capacity(at_once * tiles[0] * tiles[1]);
        for image in 0..at_once {
            for row in 0..tiles[0] {
                places.extend((0..tiles[1]).map(|column| [image, row, column]));
            }
        }
        Self {
            image_len,
            at_once,
            block: block(numbers, places.len()),
            places,
        }
    }

    /// Tiles of a block.
    pub(super) fn block(&self) -> usize {
        self.block
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
        let inputs = sized(&mut workspace.inputs, inputs);
        let outputs = sized(&mut workspace.outputs, outputs);
        let images = input.len() / self.image_len;
        for first in (0..images).step_by(self.at_once) {
            let count = self.at_once.min(images - first);
            let part = input.part(first * self.image_len..(first + count) * self.image_len);
            let (images, rectified) = match part {
                Source::Values(values) => (values, false),
                Source::Relu(values) => (values, true),
                Source::Frames(_) | Source::NormRelu(..) => {
                    let written = sized(&mut workspace.images, part.len());
                    part.write(isa, written);
                    (&*written, false)
                }
            };
            let tiles = self.places.len() / self.at_once * count;
            for places in self.places[..tiles].chunks(self.block) {
                let tiles = Tiles {
                    first,
                    places,
                    images,
                    rectified,
                };
                work(tiles, [inputs, outputs]);
            }
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
    const NUMBERS: usize = 64 << 10;
    let most = (NUMBERS / image_len.max(1)).max(1);
    images.div_ceil(images.div_ceil(most).max(1)).max(1)
}

/// Tiles of a block, in blocks of about equal size: 256 KiB of them, and whole register tiles.
fn block(numbers: usize, tiles: usize) -> usize {
    const NUMBERS: usize = 64 << 10;
    const ROWS: usize = 8;
    let most = (NUMBERS / numbers.max(1)).max(32);
    let equal = tiles.div_ceil(tiles.div_ceil(most).max(1)).max(1);
    equal.next_multiple_of(ROWS).min(tiles.max(1))
}
