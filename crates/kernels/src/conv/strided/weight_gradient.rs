//! Gradients with respect to weight and bias of a strided Winograd convolution.

use super::accumulate_scaled;
use super::cells::Images;
use super::convolution::{lines_of, reading};
use super::lines::{Lines, each_tap, taps_last};
use super::products::in_all;
use super::reading::{CellBlock, Reading};
use super::transform::transform_gradients;
use crate::conv::padded::Source;
use crate::gemm::microkernel::{Accumulator, WeightGradGemm, weight_grad_gemm};
use crate::gemm::pixels::Pixels;
use crate::memory::workspace::Workspace;
use crate::nn::elementwise::{accumulate, add_rows};
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Accumulator over images of the gradients with respect to the weights of each position, and to
/// the bias.
pub(crate) struct StridedWinogradWeightGradient {
    shape: ConvShape,
    reading: Reading,
    lines: [Lines; 2],
    rows: Vec<Pixels>,
    /// Indices of a transformed tile's values; a position takes the first ones, as many as it has.
    taps: Vec<usize>,
    columns: usize,
}

impl StridedWinogradWeightGradient {
    /// Prepares for up to `images` images in one call.
    pub(crate) fn new(isa: Isa, shape: &ConvShape, images: usize) -> Self {
        let columns = shape.out_channels.next_multiple_of(isa.columns());
        let reading = reading(shape, columns, images);
        let lens = reading.inputs.lens.iter();
        let rows = lens.map(|&len| Pixels::of_rows(reading.block(), len, columns));
        let most = reading.inputs.lens.iter().max().map_or(0, |&most| most);
        Self {
            shape: *shape,
            rows: rows.collect(),
            taps: (0..most).collect(),
            columns,
            lines: lines_of(reading.cells.filter, shape),
            reading,
        }
    }

    /// Length of the sums: `[values of all positions][columns]` for the weight, then `[columns]`
    /// for the bias.
    pub(crate) fn sums_len(&self) -> usize {
        (self.depth() + 1) * self.columns
    }

    /// Values of a transformed tile.
    fn depth(&self) -> usize {
        self.reading.inputs.numbers()
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
        let images = Images::out_of(&self.shape);
        let columns = self.columns;
        let (sums, bias, mut is_first) = sums.of_weight(self.depth() * columns, input.len() == 0);
        let Reading {
            cells,
            inputs: read,
            outputs: planes,
            ..
        } = &self.reading;
        let mut part = vec![0.0; columns];
        self.reading.each_block(
            isa,
            input,
            workspace,
            |CellBlock {
                 first,
                 places,
                 inputs,
                 outputs,
             }| {
                let tiles = places.len();
                // The transform does not write the columns beyond the channels.
                if columns > images.channels {
                    outputs.fill(0.0);
                }
                let gradient = &gradient[first * images.len()..];
                transform_gradients(isa, cells.filter, images, gradient, places, planes, outputs);
                let mut rest = &mut *sums;
                for (position, &depth) in read.lens.iter().enumerate() {
                    let own;
                    (own, rest) = std::mem::take(&mut rest).split_at_mut(depth * columns);
                    let gradient = planes.of(outputs, position, tiles);
                    if position == in_all(cells.filter) {
                        // Block by block: a long plain sum would lose digits.
                        part.fill(0.0);
                        add_rows(isa, gradient, &mut part);
                        accumulate(isa, bias, &part);
                    }
                    let product = WeightGradGemm {
                        input: read.of(inputs, position, tiles),
                        taps: &self.taps[..depth],
                        pixels: self.rows[position].first(tiles),
                        gradient,
                        columns,
                        is_first,
                    };
                    weight_grad_gemm(isa, &product, own);
                }
                is_first = false;
            },
        );
    }

    /// Turns sums into the gradients with respect to `weight`,
    /// `[kernel_height, kernel_width][in][out]`, and `bias`, `[out]`.
    pub(crate) fn finish(&self, isa: Isa, sums: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        let (shape, columns) = (&self.shape, self.columns);
        let channels = shape.out_channels;
        weight.fill(0.0);
        let mut rest = sums;
        for (position, depth) in self.reading.inputs.lens.iter().enumerate() {
            let own;
            (own, rest) = rest.split_at(depth * columns);
            each_tap(&self.lines, shape.kernel, position, |at, tap, factor| {
                let from = &own[at * shape.in_channels * columns..];
                let to = &mut weight[tap * shape.in_channels * channels..];
                let to = &mut to[..shape.in_channels * channels];
                if columns == channels {
                    return accumulate_scaled(isa, to, factor, from);
                }
                let rows = to.chunks_exact_mut(channels);
                for (to, from) in rows.zip(from.chunks_exact(columns)) {
                    accumulate_scaled(isa, to, factor, from);
                }
            });
        }
        bias.copy_from_slice(&rest[..channels]);
    }

    /// Arranges a finished weight gradient as `[out, in, kernel_height, kernel_width]`.
    pub(crate) fn arrange(&self, weight: &mut [f32]) {
        let taps = weight.to_vec();
        taps_last(&self.shape, &taps, weight);
    }
}
