//! The convolution itself.

use crate::lanes::Isa;
use crate::padded::{Padded, Source, pixels};
use crate::panels::{pack_panels, padded_start};
use crate::shape::ConvShape;
use crate::tile::{Gathered, Pixel, gathered_product};

/// How a convolution reads its input: images copied a few at a time, and where in the copy the
/// window of each output pixel begins.
pub(crate) struct Windows {
    pub(crate) padded: Padded,
    at_once: usize,
    image_len: usize,
    pixels: Vec<Pixel>,
}

impl Windows {
    /// For up to `images` images in one call.
    pub(crate) fn new(shape: &ConvShape, images: usize) -> Self {
        let padded = Padded {
            image: [shape.height, shape.width, shape.in_channels],
            before: [shape.padding; 2],
            size: [
                (shape.out_height() - 1) * shape.stride + shape.kernel[0],
                (shape.out_width() - 1) * shape.stride + shape.kernel[1],
            ],
        };
        let at_once = padded.images_at_once(images);
        let (rows, columns) = (shape.out_height(), shape.out_width());
        Self {
            padded,
            at_once,
            image_len: shape.image_len(),
            pixels: pixels(at_once, rows, columns, |image, row, column| Pixel {
                input: padded.at(image, row * shape.stride, column * shape.stride),
                output: ((image * rows + row) * columns + column) * shape.out_channels,
            }),
        }
    }

    /// A scratch for [`each_block`](Self::each_block), which may be used again and again.
    pub(crate) fn scratch(&self) -> Vec<f32> {
        vec![0.0; self.at_once * self.padded.len()]
    }

    /// Calls `work(first image, padded images, their output pixels)` for consecutive blocks of images.
    pub(crate) fn each_block(
        &self,
        isa: Isa,
        input: Source<'_>,
        scratch: &mut [f32],
        mut work: impl FnMut(usize, &[f32], &[Pixel]),
    ) {
        let images = input.len() / self.image_len;
        for first in (0..images).step_by(self.at_once) {
            let count = self.at_once.min(images - first);
            let block = input.part(first * self.image_len..(first + count) * self.image_len);
            self.padded.copy(isa, block, scratch);
            work(
                first,
                &scratch[..count * self.padded.len()],
                &self.pixels[..self.pixels.len() / self.at_once * count],
            );
        }
    }
}

/// Weights arranged for [`Forward::run`].
pub(crate) struct Forward {
    out_image_len: usize,
    out_channels: usize,
    runs: Vec<usize>,
    run_len: usize,
    panels: Vec<f32>,
    start: Vec<f32>,
}

impl Forward {
    /// `weight` is `[out, in, kernel_height, kernel_width]`, `bias` `[out]`.
    pub(crate) fn new(
        isa: Isa,
        shape: &ConvShape,
        windows: &Windows,
        weight: &[f32],
        bias: &[f32],
    ) -> Self {
        Self {
            out_image_len: shape.out_image_len(),
            out_channels: shape.out_channels,
            runs: (0..shape.kernel[0])
                .map(|row| windows.padded.at(0, row, 0))
                .collect(),
            run_len: shape.kernel[1] * shape.in_channels,
            panels: pack_panels(isa, shape.taps(), shape.out_channels, |tap, output| {
                weight[output * shape.taps() + weight_tap(shape, tap)]
            }),
            start: padded_start(isa, shape.out_channels, Some(bias)),
        }
    }

    /// Cross-correlates `input` with the weights, into `out`, overwritten.
    pub(crate) fn run(
        &self,
        isa: Isa,
        windows: &Windows,
        input: Source<'_>,
        out: &mut [f32],
        scratch: &mut [f32],
    ) {
        windows.each_block(isa, input, scratch, |first, input, pixels| {
            let product = Gathered {
                input,
                pixels,
                runs: &self.runs,
                run_len: self.run_len,
                panels: &self.panels,
                start: &self.start,
                columns: self.out_channels,
            };
            gathered_product(isa, &product, &mut out[first * self.out_image_len..]);
        });
    }
}

/// The element of one output channel's weight, `[in, kernel_height, kernel_width]`, that belongs to
/// a tap; taps count channels-last, `[kernel_height, kernel_width, in]`.
pub(crate) fn weight_tap(shape: &ConvShape, tap: usize) -> usize {
    let [height, width] = shape.kernel;
    let (position, channel) = (tap / shape.in_channels, tap % shape.in_channels);
    channel * height * width + position
}
