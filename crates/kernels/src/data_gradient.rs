//! Gradient of a convolution with respect to its input.
//!
//! Input pixels whose padded coordinates agree modulo the stride (a *phase*) see the same taps of
//! the kernel. For each phase the gradient is itself a convolution of stride one, of the output
//! gradient with those taps reversed, so no product with a zero is ever computed.

use crate::lanes::Isa;
use crate::padded::{Padded, pixels};
use crate::panels::{pack_panels, padded_start};
use crate::shape::{ConvShape, KernelError, check_length};
use crate::split::over_items;
use crate::tile::{Gathered, Pixel, gathered_product};

/// Gradient with respect to the input, `[batch, height, width, in]`, overwritten.
///
/// `weight` is what [`convolve`](crate::convolve) read, `gradient` is the gradient with respect to
/// its output. `threads` share the images; the result does not depend on their number.
///
/// # Errors
/// [`KernelError::Length`] names a slice whose length is not what `shape` says.
pub fn data_gradient(
    shape: &ConvShape,
    weight: &[f32],
    gradient: &[f32],
    input_gradient: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    data_gradient_on(
        Isa::detect(),
        shape,
        weight,
        gradient,
        input_gradient,
        threads,
    )
}

pub(crate) fn data_gradient_on(
    isa: Isa,
    shape: &ConvShape,
    weight: &[f32],
    gradient: &[f32],
    input_gradient: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    check_length(
        "the weight of a convolution",
        shape.weight_len(),
        weight.len(),
    )?;
    check_length(
        "the output gradient of a convolution",
        shape.output_len(),
        gradient.len(),
    )?;
    check_length(
        "the input gradient of a convolution",
        shape.input_len(),
        input_gradient.len(),
    )?;
    let padded = padded_gradient(shape);
    let start = padded_start(isa, shape.in_channels, None);
    let phases = phases(isa, shape, &padded, weight);
    over_items(shape.batch, threads, input_gradient, |images, out| {
        if phases.len() < shape.stride * shape.stride {
            // Some pixels are skipped by the kernel.
            out.fill(0.0);
        }
        let image_len = shape.out_image_len();
        let gradient = &gradient[images.start * image_len..images.end * image_len];
        let at_once = padded.images_at_once(images.len());
        let block_pixels: Vec<Vec<Pixel>> = phases
            .iter()
            .map(|phase| phase.pixels(shape, &padded, at_once))
            .collect();
        let mut scratch = vec![0.0; at_once * padded.len()];
        for first in (0..images.len()).step_by(at_once) {
            let count = at_once.min(images.len() - first);
            padded.copy(
                &gradient[first * image_len..][..count * image_len],
                &mut scratch,
            );
            for (phase, pixels) in phases.iter().zip(&block_pixels) {
                let product = Gathered {
                    input: &scratch,
                    pixels: &pixels[..pixels.len() / at_once * count],
                    runs: &phase.runs,
                    run_len: phase.taps[1] * shape.out_channels,
                    panels: &phase.panels,
                    start: &start,
                    columns: shape.in_channels,
                };
                gathered_product(isa, &product, &mut out[first * shape.image_len()..]);
            }
        }
    });
    Ok(())
}

/// The output gradient with the zeros around it that the phases read.
fn padded_gradient(shape: &ConvShape) -> Padded {
    let before = shape.kernel.map(|kernel| kernel.div_ceil(shape.stride) - 1);
    let last = [shape.height, shape.width].map(|size| (size - 1 + shape.padding) / shape.stride);
    Padded {
        image: [shape.out_height(), shape.out_width(), shape.out_channels],
        before,
        size: [before[0] + last[0] + 1, before[1] + last[1] + 1],
    }
}

/// The input pixels at `stride * step + offset - padding`, for `first <= step < end`, along both
/// axes.
struct Phase {
    offset: [usize; 2],
    first: [usize; 2],
    end: [usize; 2],
    /// Taps of the kernel that these pixels see along each axis.
    taps: [usize; 2],
    runs: Vec<usize>,
    panels: Vec<f32>,
}

/// The phases that see any tap.
fn phases(isa: Isa, shape: &ConvShape, padded: &Padded, weight: &[f32]) -> Vec<Phase> {
    let mut phases = Vec::new();
    for offset_row in 0..shape.stride.min(shape.kernel[0]) {
        for offset_column in 0..shape.stride.min(shape.kernel[1]) {
            phases.push(phase(
                isa,
                shape,
                padded,
                weight,
                [offset_row, offset_column],
            ));
        }
    }
    phases
}

fn phase(
    isa: Isa,
    shape: &ConvShape,
    padded: &Padded,
    weight: &[f32],
    offset: [usize; 2],
) -> Phase {
    let (stride, kernel) = (shape.stride, shape.kernel);
    let taps = [0, 1].map(|axis| (kernel[axis] - offset[axis]).div_ceil(stride));
    let first = offset.map(|offset| shape.padding.saturating_sub(offset).div_ceil(stride));
    let sizes = [shape.height, shape.width];
    let end = [0, 1].map(|axis| {
        (sizes[axis] + shape.padding)
            .saturating_sub(offset[axis])
            .div_ceil(stride)
    });
    let depth = taps[0] * taps[1] * shape.out_channels;
    let panels = pack_panels(isa, depth, shape.in_channels, |index, input| {
        let (position, output) = (index / shape.out_channels, index % shape.out_channels);
        // The gradient is read forwards, so the taps go backwards.
        let row = offset[0] + stride * (taps[0] - 1 - position / taps[1]);
        let column = offset[1] + stride * (taps[1] - 1 - position % taps[1]);
        weight[((output * shape.in_channels + input) * kernel[0] + row) * kernel[1] + column]
    });
    let runs = (0..taps[0]).map(|row| padded.at(0, row, 0)).collect();
    Phase {
        offset,
        first,
        end,
        taps,
        runs,
        panels,
    }
}

impl Phase {
    /// Where the pixels of this phase read the padded gradient and write the input gradient.
    fn pixels(&self, shape: &ConvShape, padded: &Padded, images: usize) -> Vec<Pixel> {
        let [rows, columns] = [0, 1].map(|axis| self.end[axis].saturating_sub(self.first[axis]));
        pixels(images, rows, columns, |image, row, column| {
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
