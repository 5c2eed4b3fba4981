//! Gradients with respect to weight and bias of a Winograd convolution.

use std::marker::PhantomData;

use super::POSITIONS;
use super::convolution::IN_ALL;
use super::packing::Packing;
use super::tiling::Tiling;
use super::transform::{Image, transform_gradients, transform_taps_back};
use crate::conv::padded::Source;
use crate::gemm::element::Element;
use crate::gemm::microkernel::{Accumulator, WeightGradGemm, weight_grad_gemm};
use crate::gemm::pixels::Pixels;
use crate::memory::workspace::Workspace;
use crate::nn::elementwise::accumulate;
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Accumulator over images of the gradients with respect to the transformed weight and to the bias.
pub(crate) struct WinogradWeightGradient<I> {
    shape: ConvShape,
    tiling: Tiling,
    packing: Packing,
    rows: Pixels,
    /// Indices of a transformed tile's channels.
    taps: Vec<usize>,
    columns: usize,
    elements: PhantomData<I>,
}

impl<I: Element> WinogradWeightGradient<I> {
    /// Prepares for up to `images` images in one call.
    pub(crate) fn new(isa: Isa, shape: &ConvShape, images: usize) -> Self {
        let tiling = Tiling::new(shape, images);
        let columns = shape.out_channels.next_multiple_of(isa.columns());
        let inputs = tiling.planes(shape.in_channels);
        Self {
            shape: *shape,
            rows: tiling.rows(inputs, tiling.planes(columns)),
            tiling,
            taps: (0..shape.in_channels).collect(),
            columns,
            packing: Packing::over_tiles::<I>(),
            elements: PhantomData,
        }
    }

    /// Length of the sums: `[position][in][columns]` for the weight, then `[columns]` for the bias.
    pub(crate) fn sums_len(&self) -> usize {
        (POSITIONS * self.taps.len() + 1) * self.columns
    }

    /// Adds what the images of `input` contribute to the sums; `gradient` is with respect to the
    /// output.
    pub(crate) fn add(
        &self,
        isa: Isa,
        input: Source<'_>,
        gradient: &[f32],
        sums: Accumulator<'_>,
        workspace: &mut Workspace,
    ) {
        let image = Image {
            row_len: self.shape.out_width() * self.shape.out_channels,
            channels: self.shape.out_channels,
        };
        let image_len = self.shape.out_image_len();
        let (sums, bias, mut is_first) =
            sums.of_weight(POSITIONS * self.taps.len() * self.columns, input.len() == 0);
        let planes = self.tiling.planes(self.columns);
        let mut part = vec![0.0; self.columns];
        self.tiling.each_block(
            isa,
            input,
            self.packing,
            planes,
            workspace,
            |images, tiles, from, gradients| {
                let gradient = &gradient[images.start * image_len..];
                // The transform does not write the columns beyond the channels.
                if planes.row_len > image.channels {
                    gradients.fill(0.0);
                }
                transform_gradients::<I>(isa, image, gradient, tiles, planes, gradients);
                let rows = self.packing.rows(tiles.len());
                for (position, (input, sums)) in from
                    .chunks_exact(from.len() / POSITIONS)
                    .zip(sums.chunks_exact_mut(self.taps.len() * self.columns))
                    .enumerate()
                {
                    let gradient = &gradients[position * planes.len..];
                    let gradient = I::of_words(&gradient[..rows * self.columns]);
                    if position == IN_ALL {
                        // Block by block: a long plain sum would lose digits.
                        part.fill(0.0);
                        I::add_rows(isa, gradient, &mut part);
                        accumulate(isa, bias, &part);
                    }
                    let product = WeightGradGemm {
                        input: I::of_words(input),
                        taps: &self.taps,
                        pixels: self.rows.first(rows),
                        gradient,
                        columns: self.columns,
                        is_first,
                    };
                    weight_grad_gemm(isa, &product, sums);
                }
                is_first = false;
            },
        );
    }

    /// Writes the sums as `weight`, `[out, in, 3, 3]`, and `bias`, `[out]`.
    pub(crate) fn finish(&self, sums: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        let position_len = self.taps.len() * self.columns;
        for (kernel, taps) in weight.chunks_exact_mut(9).enumerate() {
            let (output, input) = (kernel / self.taps.len(), kernel % self.taps.len());
            let sums = std::array::from_fn(|row| {
                std::array::from_fn(|column| {
                    sums[(row * 4 + column) * position_len + input * self.columns + output]
                })
            });
            taps.copy_from_slice(transform_taps_back(sums).as_flattened());
        }
        bias.copy_from_slice(&sums[POSITIONS * position_len..][..bias.len()]);
    }
}
