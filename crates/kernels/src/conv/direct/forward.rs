//! Direct convolution, as an implicit matrix product.

use crate::conv::padded::{ElementGrouping, Padded, Scratch, Source};
use crate::gemm::element::{Element, ElementBuffer};
use crate::gemm::epilogue::Out;
use crate::gemm::microkernel::{ImplicitGemm, implicit_gemm};
use crate::gemm::panels::{pack_panels, padded_start};
use crate::gemm::pixels::{Ascending, Pixel, Pixels};
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Reader of a convolution's input: copies images a few at a time, and knows where in the copy the
/// window of each output pixel begins.
pub(crate) struct Windows {
    pub(crate) padded: Padded,
    at_once: usize,
    image_len: usize,
    pixels: Pixels,
}

impl Windows {
    /// Windows for sums over channels, for up to `images` images in one call.
    pub(crate) fn over_channels<I: Element>(shape: &ConvShape, images: usize) -> Self {
        let elements = shape.in_channels.div_ceil(I::VALUES);
        Self::new(shape, images, elements, ElementGrouping::Channels, 1)
    }

    /// Windows for sums over pixels. An output pixel stands for itself and for those after it in
    /// its row that share an element with it.
    pub(crate) fn over_pixels<I: Element>(shape: &ConvShape, images: usize) -> Self {
        let step = shape.stride * shape.in_channels;
        let grouping = ElementGrouping::Pixels(step);
        Self::new(shape, images, shape.in_channels, grouping, I::VALUES)
    }

    fn new(
        shape: &ConvShape,
        images: usize,
        elements: usize,
        grouping: ElementGrouping,
        group: usize,
    ) -> Self {
        let padded = Padded {
            image: [shape.height, shape.width, shape.in_channels],
            before: [shape.padding; 2],
            size: [
                (shape.out_height() - 1) * shape.stride + shape.kernel[0],
                (shape.out_width() - 1) * shape.stride + shape.kernel[1],
            ],
            elements,
            grouping,
        };
        let at_once = padded.images_at_once(images);
        let (rows, columns) = (shape.out_height(), shape.out_width());
        let groups = columns.div_ceil(group);
        Self {
            padded,
            at_once,
            image_len: shape.image_len(),
            pixels: Pixels::of_images(at_once, rows, groups, |image, row, column| {
                let column = column * group;
                Pixel {
                    input: padded.at(image, row * shape.stride, column * shape.stride),
                    output: ((image * rows + row) * columns + column) * shape.out_channels,
                }
            }),
        }
    }

    /// Makes a scratch for [`each_block`](Self::each_block), which may be reused.
    pub(crate) fn scratch<I: Element>(&self) -> Scratch<I> {
        self.padded.scratch(self.at_once)
    }

    /// Calls `work(images, padded images, their output pixels)` for consecutive blocks of images.
    pub(crate) fn each_block<I: Element>(
        &self,
        isa: Isa,
        input: Source<'_>,
        scratch: &mut Scratch<I>,
        mut work: impl FnMut(std::ops::Range<usize>, &[I], Ascending<'_>),
    ) {
        let images = input.len() / self.image_len;
        for first in (0..images).step_by(self.at_once) {
            let count = self.at_once.min(images - first);
            let block = input.part(first * self.image_len..(first + count) * self.image_len);
            self.padded.copy(isa, block, scratch);
            work(
                first..first + count,
                scratch.images(&self.padded, count),
                self.pixels.first(self.pixels.len() / self.at_once * count),
            );
        }
    }
}

/// Weights arranged for [`Forward::run`].
pub(crate) struct Forward<I> {
    out_image_len: usize,
    out_channels: usize,
    runs: Vec<usize>,
    run_len: usize,
    panels: ElementBuffer<I>,
    start: Vec<f32>,
}

impl<I: Element> Forward<I> {
    /// Arranges `weight`, `[out, in, kernel_height, kernel_width]`, and `bias`, `[out]`. `windows`
    /// are over channels.
    pub(crate) fn new(
        isa: Isa,
        shape: &ConvShape,
        windows: &Windows,
        weight: &[f32],
        bias: &[f32],
    ) -> Self {
        let elements = shape.in_channels.div_ceil(I::VALUES);
        let depth = shape.kernel[0] * shape.kernel[1] * elements;
        let positions = shape.kernel[0] * shape.kernel[1];
        Self {
            out_image_len: shape.out_image_len(),
            out_channels: shape.out_channels,
            runs: (0..shape.kernel[0])
                .map(|row| windows.padded.at(0, row, 0))
                .collect(),
            run_len: shape.kernel[1] * elements,
            panels: pack_panels(isa, depth, shape.out_channels, |index, output| {
                let (position, element) = (index / elements, index % elements);
                let channels = element * I::VALUES..(element + 1) * I::VALUES;
                I::of_each(channels.end.min(shape.in_channels) - channels.start, |at| {
                    let channel = channels.start + at;
                    weight[output * shape.taps() + channel * positions + position]
                })
            }),
            start: padded_start(isa, shape.out_channels, Some(bias)),
        }
    }

    /// Cross-correlates `input` with the weights and overwrites `out`.
    pub(crate) fn run(
        &self,
        isa: Isa,
        windows: &Windows,
        input: Source<'_>,
        mut out: Out<'_>,
        scratch: &mut Scratch<I>,
    ) {
        windows.each_block(isa, input, scratch, |images, input, pixels| {
            let product = ImplicitGemm {
                input,
                pixels,
                runs: &self.runs,
                run_len: self.run_len,
                panels: &self.panels,
                start: &self.start,
                columns: self.out_channels,
            };
            implicit_gemm(isa, &product, out.from(images.start * self.out_image_len));
        });
    }
}
