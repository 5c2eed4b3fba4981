//! Strided Winograd convolution, and the loop that also runs its gradient with respect to the
//! input.

use super::cells::{Cells, Images, Written};
use super::filter::Filter;
use super::lines::{Lines, each_tap, lines_forward, taps_first};
use super::products::Products;
use super::reading::{CellBlock, Reading};
use super::transform::transform_back;
use super::{accumulate_scaled, cheapest, tiles};
use crate::conv::padded::Source;
use crate::gemm::epilogue::Epilogue;
use crate::memory::workspace::Workspace;
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Weights of each position, and the layouts of what is read and written.
pub(crate) struct StridedWinograd {
    pub(super) reading: Reading,
    pub(super) products: Products,
    pub(super) written: Written,
}

impl StridedWinograd {
    /// Transforms `weight`, `[out, in, kernel_height, kernel_width]`, with `bias`, `[out]`, for up
    /// to `images` images in one call.
    pub(crate) fn new(
        isa: Isa,
        shape: &ConvShape,
        weight: &[f32],
        bias: &[f32],
        images: usize,
    ) -> Self {
        let outputs = shape.out_channels;
        let reading = reading(shape, outputs, images);
        let filter = reading.cells.filter;
        let lines = lines_of(filter, shape);
        let matrix_len = shape.in_channels * outputs;
        let weight = taps_first(shape, weight);
        let add_matrix = |position: usize, matrix: &mut [f32]| {
            each_tap(&lines, shape.kernel, position, |at, tap, factor| {
                let to = &mut matrix[at * matrix_len..][..matrix_len];
                accumulate_scaled(isa, to, factor, &weight[tap * matrix_len..][..matrix_len]);
            });
        };
        Self {
            products: Products::new(isa, &reading, add_matrix, Some(bias)),
            written: Written::pixels(filter, Images::out_of(shape)),
            reading,
        }
    }

    /// Cross-correlates `input` with the weights and overwrites `out`.
    pub(crate) fn run(
        &self,
        isa: Isa,
        input: Source<'_>,
        epilogue: Epilogue<'_, f32>,
        out: &mut [f32],
        workspace: &mut Workspace,
    ) {
        let work = |CellBlock {
                        first,
                        places,
                        inputs,
                        outputs,
                    }: CellBlock<'_>| {
            let planes = &self.reading.outputs;
            self.products.multiply(isa, places.len(), inputs, outputs);
            let begin = first * self.written.images.len();
            let (epilogue, out) = (epilogue.from(begin), &mut out[begin..]);
            transform_back(isa, self.written, planes, outputs, places, epilogue, out);
        };
        self.reading.each_block(isa, input, workspace, work);
    }
}

/// Prepares the reading of a convolution's input; at each position a tile has `columns` outputs.
pub(super) fn reading(shape: &ConvShape, columns: usize, images: usize) -> Reading {
    let filter = cheapest(shape);
    Reading::new(
        Images::into(shape, shape.padding),
        tiles(filter, shape),
        Cells::of(filter, shape),
        vec![columns; filter.positions() * filter.positions()],
        images,
    )
}

/// Taps, along both axes, that make the weights of each position.
pub(super) fn lines_of(filter: Filter, shape: &ConvShape) -> [Lines; 2] {
    shape
        .kernel
        .map(|kernel| lines_forward(filter, shape.stride, kernel))
}
