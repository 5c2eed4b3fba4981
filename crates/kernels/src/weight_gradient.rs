//! Gradients of a convolution with respect to its weight and bias.

use crate::forward::{Windows, weight_tap};
use crate::lanes::Isa;
use crate::padded::Source;
use crate::shape::ConvShape;
use crate::tile::{Correlated, correlated_product};

/// Sums over images of the gradients with respect to weight and bias.
pub(crate) struct WeightGradient {
    shape: ConvShape,
    taps: Vec<usize>,
    columns: usize,
}

impl WeightGradient {
    pub(crate) fn new(isa: Isa, shape: &ConvShape, windows: &Windows) -> Self {
        let mut taps = Vec::with_capacity(shape.taps());
        for row in 0..shape.kernel[0] {
            let first = windows.padded.at(0, row, 0);
            taps.extend(first..first + shape.kernel[1] * shape.in_channels);
        }
        Self {
            shape: *shape,
            taps,
            columns: shape.out_channels.next_multiple_of(isa.columns()),
        }
    }

    /// Length of the sums: `[tap][columns]` for the weight, then `[columns]` for the bias.
    pub(crate) fn sums_len(&self) -> usize {
        (self.taps.len() + 1) * self.columns
    }

    /// Adds what the images of `input` contribute; `gradient` is with respect to the output.
    pub(crate) fn add(
        &self,
        isa: Isa,
        windows: &Windows,
        input: Source<'_>,
        gradient: &[f32],
        sums: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (columns, channels) = (self.columns, self.shape.out_channels);
        let (sums, bias) = sums.split_at_mut(self.taps.len() * columns);
        let mut widened = Vec::new();
        let mut part = vec![0.0; channels];
        windows.each_block(isa, input, scratch, |first, input, pixels| {
            let gradient = &gradient[first * self.shape.out_image_len()..];
            let mut gradient = &gradient[..pixels.len() * channels];
            // Block by block: a long plain sum would lose digits.
            part.fill(0.0);
            for pixel in gradient.chunks_exact(channels) {
                for (sum, value) in part.iter_mut().zip(pixel) {
                    *sum += value;
                }
            }
            for (total, value) in bias.iter_mut().zip(&part) {
                *total += value;
            }
            if columns != channels {
                widened.resize(pixels.len() * columns, 0.0);
                let from = gradient.chunks_exact(channels);
                for (from, to) in from.zip(widened.chunks_exact_mut(columns)) {
                    to[..channels].copy_from_slice(from);
                }
                gradient = &widened;
            }
            let product = Correlated {
                input,
                taps: &self.taps,
                pixels,
                gradient,
                columns,
            };
            correlated_product(isa, &product, sums);
        });
    }

    /// Arranges sums as `weight`, `[out, in, kernel_height, kernel_width]`, and `bias`, `[out]`.
    pub(crate) fn finish(&self, sums: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        let channels = self.shape.out_channels;
        let (sums, bias_sums) = sums.split_at(self.taps.len() * self.columns);
        for (tap, sums) in sums.chunks_exact(self.columns).enumerate() {
            let to = weight_tap(&self.shape, tap);
            for (output, value) in sums[..channels].iter().enumerate() {
                weight[output * self.taps.len() + to] = *value;
            }
        }
        bias.copy_from_slice(&bias_sums[..channels]);
    }
}
