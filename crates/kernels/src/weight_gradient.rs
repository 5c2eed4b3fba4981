//! Gradients of a convolution with respect to its weight and bias.

use crate::forward::{over_padded_blocks, padded_input, weight_tap};
use crate::lanes::Isa;
use crate::shape::{ConvShape, KernelError, check_length};
use crate::split::{over_items, ranges};
use crate::tile::{Correlated, correlated_product};

/// The batch is summed in this many parts, whatever the number of threads, so that the order of
/// additions never changes.
const PARTS: usize = 8;

/// Gradient with respect to the weight, `[out, in, kernel_height, kernel_width]`, overwritten.
///
/// `input` is what [`convolve`](crate::convolve) read, `gradient` is the gradient with respect to
/// its output. The result does not depend on the number of `threads`; more than 8 do not help.
///
/// # Errors
/// [`KernelError::Length`] names a slice whose length is not what `shape` says.
pub fn weight_gradient(
    shape: &ConvShape,
    input: &[f32],
    gradient: &[f32],
    weight_gradient: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    weight_gradient_on(
        Isa::detect(),
        shape,
        input,
        gradient,
        weight_gradient,
        threads,
    )
}

pub(crate) fn weight_gradient_on(
    isa: Isa,
    shape: &ConvShape,
    input: &[f32],
    gradient: &[f32],
    weight_gradient: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    check_length("the input of a convolution", shape.input_len(), input.len())?;
    check_length(
        "the output gradient of a convolution",
        shape.output_len(),
        gradient.len(),
    )?;
    check_length(
        "the weight gradient of a convolution",
        shape.weight_len(),
        weight_gradient.len(),
    )?;
    let columns = shape.out_channels.next_multiple_of(isa.columns());
    let part_len = shape.taps() * columns;
    let mut sums = vec![0.0; PARTS * part_len];
    over_items(PARTS, threads, &mut sums, |parts, sums| {
        for (part, sums) in parts.zip(sums.chunks_exact_mut(part_len)) {
            let Some(images) = ranges(shape.batch, PARTS).nth(part) else {
                continue;
            };
            let input = &input[images.start * shape.image_len()..images.end * shape.image_len()];
            let gradient =
                &gradient[images.start * shape.out_image_len()..images.end * shape.out_image_len()];
            add_part(isa, shape, input, gradient, columns, sums);
        }
    });
    let (total, rest) = sums.split_at_mut(part_len);
    for part in rest.chunks_exact(part_len) {
        for (total, value) in total.iter_mut().zip(part) {
            *total += value;
        }
    }
    for (tap, total) in total.chunks_exact(columns).enumerate() {
        let to = weight_tap(shape, tap);
        for (output, value) in total[..shape.out_channels].iter().enumerate() {
            weight_gradient[output * shape.taps() + to] = *value;
        }
    }
    Ok(())
}

/// Adds what some images contribute to `sums`, `[tap][columns]`.
fn add_part(
    isa: Isa,
    shape: &ConvShape,
    input: &[f32],
    gradient: &[f32],
    columns: usize,
    sums: &mut [f32],
) {
    let padded = padded_input(shape);
    let mut taps = Vec::with_capacity(shape.taps());
    for row in 0..shape.kernel[0] {
        let first = padded.at(0, row, 0);
        taps.extend(first..first + shape.kernel[1] * shape.in_channels);
    }
    let mut widened = Vec::new();
    over_padded_blocks(shape, &padded, input, |first, input, pixels| {
        let gradient = &gradient[first * shape.out_image_len()..];
        let mut gradient = &gradient[..pixels.len() * shape.out_channels];
        if columns != shape.out_channels {
            widened.resize(pixels.len() * columns, 0.0);
            let from = gradient.chunks_exact(shape.out_channels);
            for (from, to) in from.zip(widened.chunks_exact_mut(columns)) {
                to[..shape.out_channels].copy_from_slice(from);
            }
            gradient = &widened;
        }
        let product = Correlated {
            input,
            taps: &taps,
            pixels,
            gradient,
            columns,
        };
        correlated_product(isa, &product, sums);
    });
}

/// Gradient with respect to the bias, `[out]`, overwritten: the sum of `gradient` over all pixels.
///
/// # Errors
/// [`KernelError::Length`] names a slice whose length is not what `shape` says.
pub fn bias_gradient(
    shape: &ConvShape,
    gradient: &[f32],
    bias_gradient: &mut [f32],
) -> Result<(), KernelError> {
    check_length(
        "the output gradient of a convolution",
        shape.output_len(),
        gradient.len(),
    )?;
    check_length(
        "the bias gradient of a convolution",
        shape.out_channels,
        bias_gradient.len(),
    )?;
    bias_gradient.fill(0.0);
    let mut part = vec![0.0; shape.out_channels];
    // Image by image: a long plain sum would lose digits.
    for image in gradient.chunks_exact(shape.out_image_len()) {
        part.fill(0.0);
        for pixel in image.chunks_exact(shape.out_channels) {
            for (sum, value) in part.iter_mut().zip(pixel) {
                *sum += value;
            }
        }
        for (total, value) in bias_gradient.iter_mut().zip(&part) {
            *total += value;
        }
    }
    Ok(())
}
