//! Direct gradients of a convolution with respect to its weight and bias.

use crate::conv::direct::forward::Windows;
use crate::conv::padded::{Scratch, Source};
use crate::conv::stored::Stored;
use crate::gemm::element::{Element, ElementBuffer};
use crate::gemm::microkernel::{Accumulator, WeightGradGemm, weight_grad_gemm};
use crate::nn::elementwise::accumulate;
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Accumulator over images of the gradients with respect to weight and bias.
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

    /// Adds what the images of `input` contribute to the sums. `windows` are over pixels, and
    /// `gradient` is with respect to the output.
    pub(crate) fn add<I: Element>(
        &self,
        isa: Isa,
        windows: &Windows,
        input: Source<'_>,
        gradient: Stored<'_>,
        sums: Accumulator<'_>,
        scratch: &mut Scratch<I>,
    ) {
        let columns = self.columns;
        let (sums, bias, mut is_first) =
            sums.of_weight(self.taps.len() * columns, input.len() == 0);
        let mut elements = std::mem::take(&mut scratch.gradient);
        let mut part = vec![0.0; columns];
        let image_len = self.shape.out_image_len();
        windows.each_block(isa, input, scratch, |images, input, pixels| {
            let gradient = gradient.part(images.start * image_len..images.end * image_len);
            let same = match gradient {
                Stored::Values(gradient) if columns == self.shape.out_channels => {
                    I::as_elements(gradient)
                }
                _ => None,
            };
            let gradient = same.unwrap_or_else(|| {
                self.pack(isa, gradient, pixels.len(), &mut elements);
                &elements[..pixels.len() * columns]
            });
            // Block by block: a long plain sum would lose digits.
            part.fill(0.0);
            I::add_rows(isa, gradient, &mut part);
            accumulate(isa, bias, &part);
            let product = WeightGradGemm {
                input,
                taps: &self.taps,
                pixels,
                gradient,
                columns,
                is_first,
            };
            weight_grad_gemm(isa, &product, sums);
            is_first = false;
        });
        scratch.gradient = elements;
    }

    /// Packs the gradient of each group of pixels as a row of elements, followed by zeros.
    fn pack<I: Element>(
        &self,
        isa: Isa,
        gradient: Stored<'_>,
        groups: usize,
        elements: &mut ElementBuffer<I>,
    ) {
        let (width, channels) = (self.shape.out_width(), self.shape.out_channels);
        // The zeros after a row's channels stay valid, because every call writes the same columns.
        if elements.len() < groups * self.columns {
            *elements = ElementBuffer::zeros(groups * self.columns);
        }
        // An element never holds pixels of two image rows.
        let rows = elements[..groups * self.columns]
            .chunks_exact_mut(width.div_ceil(I::VALUES) * self.columns);
        for (row, to) in rows.enumerate() {
            let row = gradient.part(row * width * channels..(row + 1) * width * channels);
            I::group_rows(isa, row, channels, self.columns, to);
        }
    }

    /// Writes the sums as `weight`, `[out, in, kernel_height, kernel_width]`, and `bias`, `[out]`.
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

/// Returns the index in one output channel's weight, `[in, kernel_height, kernel_width]`, of a tap.
/// Taps count channels-last, `[kernel_height, kernel_width, in]`.
fn weight_tap(shape: &ConvShape, tap: usize) -> usize {
    let [height, width] = shape.kernel;
    let (position, channel) = (tap / shape.in_channels, tap % shape.in_channels);
    channel * height * width + position
}
