//! Direct gradient of a convolution with respect to its input.
//!
//! Input pixels whose padded coordinates agree modulo the stride (a *phase*) see the same taps of
//! the kernel. For each phase the gradient is itself a convolution of stride one, of the output
//! gradient with those taps reversed. So no product with a zero is ever computed.

use crate::conv::padded::{ElementGrouping, Padded, Scratch, Source};
use crate::conv::stored::Stored;
use crate::gemm::element::{Element, ElementBuffer};
use crate::gemm::epilogue::Out;
use crate::gemm::microkernel::{ImplicitGemm, implicit_gemm};
use crate::gemm::panels::{pack_panels, padded_start};
use crate::gemm::pixels::{Pixel, Pixels};
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Weights and pixels arranged for [`DataGradient::run`].
pub(crate) struct DataGradient<I> {
    shape: ConvShape,
    padded: Padded,
    at_once: usize,
    start: Vec<f32>,
    phases: Vec<Phase<I>>,
}

impl<I: Element> DataGradient<I> {
    /// Arranges `weight`, the weight of the convolution, for up to `images` images in one call.
    pub(crate) fn new(isa: Isa, shape: &ConvShape, weight: &[f32], images: usize) -> Self {
        let padded = padded_gradient(shape, I::VALUES);
        let at_once = padded.images_at_once(images);
        Self {
            shape: *shape,
            padded,
            at_once,
            start: padded_start(isa, shape.in_channels, None),
            phases: phases(isa, shape, &padded, weight, at_once),
        }
    }

    /// Makes a scratch for [`run`](Self::run), which may be reused.
    pub(crate) fn scratch(&self) -> Scratch<I> {
        self.padded.scratch(self.at_once)
    }

    /// Computes the gradient with respect to the input from the `gradient` with respect to the
    /// output, and overwrites `out`.
    pub(crate) fn run(
        &self,
        isa: Isa,
        gradient: Stored<'_>,
        mut out: Out<'_>,
        scratch: &mut Scratch<I>,
    ) {
        let shape = &self.shape;
        if self.phases.len() < shape.stride * shape.stride {
            // The kernel skips some pixels, which belong to no phase.
            out.fill_with_zeros();
        }
        let image_len = shape.out_image_len();
        let images = gradient.len() / image_len;
        for first in (0..images).step_by(self.at_once) {
            let count = self.at_once.min(images - first);
            let block = gradient.part(first * image_len..(first + count) * image_len);
            self.padded.copy(isa, Source::Stored(block), scratch);
            for phase in &self.phases {
                let product = ImplicitGemm {
                    input: scratch.images(&self.padded, count),
                    pixels: phase
                        .pixels
                        .first(phase.pixels.len() / self.at_once * count),
                    runs: &phase.runs,
                    run_len: phase.taps[1] * self.padded.elements,
                    panels: &phase.panels,
                    start: &self.start,
                    columns: shape.in_channels,
                };
                implicit_gemm(isa, &product, out.from(first * shape.image_len()));
            }
        }
    }
}

/// Layout of the output gradient with the zeros around it that the phases read.
fn padded_gradient(shape: &ConvShape, numbers: usize) -> Padded {
    let before = shape.kernel.map(|kernel| kernel.div_ceil(shape.stride) - 1);
    let last = [shape.height, shape.width].map(|size| (size - 1 + shape.padding) / shape.stride);
    Padded {
        image: [shape.out_height(), shape.out_width(), shape.out_channels],
        before,
        size: [before[0] + last[0] + 1, before[1] + last[1] + 1],
        elements: shape.out_channels.div_ceil(numbers),
        grouping: ElementGrouping::Channels,
    }
}

/// Input pixels at `stride * step + offset - padding`, for `first <= step < end`, along both axes.
struct Phase<I> {
    offset: [usize; 2],
    first: [usize; 2],
    end: [usize; 2],
    /// Taps of the kernel that these pixels see along each axis.
    taps: [usize; 2],
    runs: Vec<usize>,
    panels: ElementBuffer<I>,
    /// Pixels of all images of a block.
    pixels: Pixels,
}

/// Returns the phases that see any tap.
fn phases<I: Element>(
    isa: Isa,
    shape: &ConvShape,
    padded: &Padded,
    weight: &[f32],
    images: usize,
) -> Vec<Phase<I>> {
    let mut phases = Vec::new();
    for offset_row in 0..shape.stride.min(shape.kernel[0]) {
        for offset_column in 0..shape.stride.min(shape.kernel[1]) {
            let mut phase = phase(isa, shape, padded, weight, [offset_row, offset_column]);
            phase.pixels = phase.pixels(shape, padded, images);
            phases.push(phase);
        }
    }
    phases
}

fn phase<I: Element>(
    isa: Isa,
    shape: &ConvShape,
    padded: &Padded,
    weight: &[f32],
    offset: [usize; 2],
) -> Phase<I> {
    let (stride, kernel) = (shape.stride, shape.kernel);
    let taps = [0, 1].map(|axis| (kernel[axis] - offset[axis]).div_ceil(stride));
    let first = offset.map(|offset| shape.padding.saturating_sub(offset).div_ceil(stride));
    let sizes = [shape.height, shape.width];
    let end = [0, 1].map(|axis| {
        (sizes[axis] + shape.padding)
            .saturating_sub(offset[axis])
            .div_ceil(stride)
    });
    let depth = taps[0] * taps[1] * padded.elements;
    let panels = pack_panels(isa, depth, shape.in_channels, |index, input| {
        let (position, element) = (index / padded.elements, index % padded.elements);
        // The gradient is read forwards, so the taps go backwards.
        let row = offset[0] + stride * (taps[0] - 1 - position / taps[1]);
        let column = offset[1] + stride * (taps[1] - 1 - position % taps[1]);
        let first = element * I::VALUES;
        I::of_each((shape.out_channels - first).min(I::VALUES), |at| {
            let channels = (first + at) * shape.in_channels + input;
            weight[(channels * kernel[0] + row) * kernel[1] + column]
        })
    });
    let runs = (0..taps[0]).map(|row| padded.at(0, row, 0)).collect();
    Phase {
        offset,
        first,
        end,
        taps,
        runs,
        panels,
        pixels: Pixels::default(),
    }
}

impl<I> Phase<I> {
    /// Lists where the pixels of this phase read the padded gradient and write the input gradient.
    fn pixels(&self, shape: &ConvShape, padded: &Padded, images: usize) -> Pixels {
        let [rows, columns] = [0, 1].map(|axis| self.end[axis].saturating_sub(self.first[axis]));
        Pixels::of_images(images, rows, columns, |image, row, column| {
            let step = [row + self.first[0], column + self.first[1]];
            let read = [0, 1].map(|axis| step[axis] + padded.before[axis] + 1 - self.taps[axis]);
            let [y, x] =
                [0, 1].map(|axis| shape.stride * step[axis] + self.offset[axis] - shape.padding);
            Pixel {
                input: padded.at(image, read[0], read[1]),
                output: ((image * shape.height + y) * shape.width + x) * shape.in_channels,
            }
        })
    }
}
