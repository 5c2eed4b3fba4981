//! The convolution itself.

use crate::lanes::Isa;
use crate::padded::{Padded, pixels};
use crate::panels::{pack_panels, padded_start};
use crate::shape::{ConvShape, KernelError, check_length};
use crate::split::over_items;
use crate::tile::{Gathered, Pixel, gathered_product};

/// 2-D convolution (cross-correlation, as every deep-learning library means it).
///
/// `input` is `[batch, height, width, in]`, `weight` `[out, in, kernel_height, kernel_width]`,
/// `bias` `[out]`, `out` `[batch, out_height, out_width, out]`, overwritten. `threads` share the
/// images; the result does not depend on their number.
///
/// # Errors
/// [`KernelError::Length`] names a slice whose length is not what `shape` says.
pub fn convolve(
    shape: &ConvShape,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    out: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    convolve_on(Isa::detect(), shape, input, weight, bias, out, threads)
}

pub(crate) fn convolve_on(
    isa: Isa,
    shape: &ConvShape,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    out: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    check_length("the input of a convolution", shape.input_len(), input.len())?;
    check_length(
        "the weight of a convolution",
        shape.weight_len(),
        weight.len(),
    )?;
    check_length("the output of a convolution", shape.output_len(), out.len())?;
    if let Some(bias) = bias {
        check_length("the bias of a convolution", shape.out_channels, bias.len())?;
    }
    let panels = pack_panels(isa, shape.taps(), shape.out_channels, |tap, output| {
        weight[output * shape.taps() + weight_tap(shape, tap)]
    });
    let start = padded_start(isa, shape.out_channels, bias);
    let padded = padded_input(shape);
    let runs: Vec<usize> = (0..shape.kernel[0])
        .map(|row| padded.at(0, row, 0))
        .collect();
    let run_len = shape.kernel[1] * shape.in_channels;
    over_items(shape.batch, threads, out, |images, out| {
        let input = &input[images.start * shape.image_len()..images.end * shape.image_len()];
        over_padded_blocks(shape, &padded, input, |first, input, pixels| {
            let product = Gathered {
                input,
                pixels,
                runs: &runs,
                run_len,
                panels: &panels,
                start: &start,
                columns: shape.out_channels,
            };
            gathered_product(isa, &product, &mut out[first * shape.out_image_len()..]);
        });
    });
    Ok(())
}

/// The element of one output channel's weight, `[in, kernel_height, kernel_width]`, that belongs to
/// a tap; taps count channels-last, `[kernel_height, kernel_width, in]`.
pub(crate) fn weight_tap(shape: &ConvShape, tap: usize) -> usize {
    let [height, width] = shape.kernel;
    let (position, channel) = (tap / shape.in_channels, tap % shape.in_channels);
    channel * height * width + position
}

/// The input with the zeros around it that the kernel reads.
pub(crate) fn padded_input(shape: &ConvShape) -> Padded {
    Padded {
        image: [shape.height, shape.width, shape.in_channels],
        before: [shape.padding; 2],
        size: [
            (shape.out_height() - 1) * shape.stride + shape.kernel[0],
            (shape.out_width() - 1) * shape.stride + shape.kernel[1],
        ],
    }
}

/// Calls `work(first image, padded images, their output pixels)` for consecutive blocks of images.
pub(crate) fn over_padded_blocks(
    shape: &ConvShape,
    padded: &Padded,
    input: &[f32],
    mut work: impl FnMut(usize, &[f32], &[Pixel]),
) {
    let images = input.len() / shape.image_len();
    let at_once = padded.images_at_once(images);
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let pixels = pixels(at_once, rows, columns, |image, row, column| Pixel {
        input: padded.at(image, row * shape.stride, column * shape.stride),
        output: ((image * rows + row) * columns + column) * shape.out_channels,
    });
    let mut scratch = vec![0.0; at_once * padded.len()];
    for first in (0..images).step_by(at_once.max(1)) {
        let count = at_once.min(images - first);
        let block = &input[first * shape.image_len()..][..count * shape.image_len()];
        padded.copy(block, &mut scratch);
        work(
            first,
            &scratch[..count * padded.len()],
            &pixels[..count * rows * columns],
        );
    }
}
