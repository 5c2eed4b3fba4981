//! The convolution itself.

use super::cells::{Cells, Images, Planes, Written};
use super::filter::Filter;
use super::lines::{Lines, each_tap, lines_forward, taps_first};
use super::products::Products;
use super::tiling::{Tiles, Tiling};
use super::transform::{transform_back, transform_cells};
use super::{accumulate_scaled, cheapest};
use crate::lanes::Isa;
use crate::padded::Source;
use crate::shape::ConvShape;
use crate::workspace::Workspace;

/// Weights of each position, and how the input is read.
pub(crate) struct Strided {
    reading: Reading,
    products: Products,
    written: Written,
}

impl Strided {
    /// For up to `images` images in one call; `weight` is `[out, in, kernel_height, kernel_width]`, `bias`
    /// `[out]`.
    pub(crate) fn new(
        isa: Isa,
        shape: &ConvShape,
        weight: &[f32],
        bias: &[f32],
        images: usize,
    ) -> Self {
        let outputs = shape.out_channels;
        let reading = Reading::new(shape, outputs, images);
        let matrix_len = shape.in_channels * outputs;
        let weight = taps_first(shape, weight);
        let matrix = |position: usize| {
            let mut matrix = vec![0.0; reading.inputs.lens[position] * outputs];
            each_tap(&reading.lines, shape.kernel, position, |at, tap, factor| {
                let to = &mut matrix[at * matrix_len..][..matrix_len];
                accumulate_scaled(isa, to, factor, &weight[tap * matrix_len..][..matrix_len]);
            });
            matrix
        };
        Self {
            products: Products::new(
                isa,
                reading.filter,
                [&reading.inputs, &reading.outputs],
                reading.tiling.block(),
                matrix,
                Some(bias),
            ),
            written: Written::pixels(reading.filter, Images::out_of(shape)),
            reading,
        }
    }

    /// Cross-correlates `input` with the weights, into `out`, overwritten.
    pub(crate) fn run(
        &self,
        isa: Isa,
        input: Source<'_>,
        out: &mut [f32],
        workspace: &mut Workspace,
    ) {
        self.reading.each_block(isa, input, workspace, |block| {
            let Block {
                first,
                places,
                inputs,
                outputs,
            } = block;
            let planes = &self.reading.outputs;
            self.products.multiply(isa, places.len(), inputs, outputs);
            let out = &mut out[first * self.written.images.len()..];
            transform_back(isa, self.written, planes, outputs, places, None, out);
        });
    }
}

/// How a convolution reads its input: cells, transformed a block of tiles at a time.
pub(super) struct Reading {
    pub(super) filter: Filter,
    pub(super) tiling: Tiling,
    pub(super) lines: [Lines; 2],
    pub(super) inputs: Planes,
    pub(super) outputs: Planes,
    cells: Cells,
}

/// A block of tiles on its way.
pub(super) struct Block<'a> {
    /// The image that places are counted from.
    pub(super) first: usize,
    /// Image, row and column of each tile.
    pub(super) places: &'a [[usize; 3]],
    /// Transformed.
    pub(super) inputs: &'a [f32],
    /// What is to be made of them.
    pub(super) outputs: &'a mut [f32],
}

impl Reading {
    /// Of up to `images` images in one call; at each position a tile has `columns` outputs.
    pub(super) fn new(shape: &ConvShape, columns: usize, images: usize) -> Self {
        let filter = cheapest(shape);
        let cells = Cells::of(filter, shape);
        let sides = [shape.out_height(), shape.out_width()];
        let outputs = vec![columns; filter.positions() * filter.positions()];
        let numbers = cells.lens().iter().chain(&outputs).sum();
        let tiling = Tiling::new(
            Images::into(shape, shape.padding),
            sides.map(|side| side.div_ceil(filter.outputs())),
            cells,
            numbers,
            images,
        );
        Self {
            filter,
            lines: shape
                .kernel
                .map(|kernel| lines_forward(filter, shape.stride, kernel)),
            inputs: Planes::new(tiling.block(), cells.lens()),
            outputs: Planes::new(tiling.block(), outputs),
            cells,
            tiling,
        }
    }

    /// Calls `work` for consecutive blocks.
    pub(super) fn each_block(
        &self,
        isa: Isa,
        input: Source<'_>,
        workspace: &mut Workspace,
        mut work: impl FnMut(Block<'_>),
    ) {
        let Self {
            inputs, outputs, ..
        } = self;
        let lens = [inputs.len, outputs.len];
        let tiling = &self.tiling;
        let row_len = tiling.row_len();
        tiling.each_block(isa, input, lens, workspace, |tiles, [to, outputs]| {
            let Tiles {
                first,
                places,
                starts,
                images,
            } = tiles;
            transform_cells(isa, self.cells, row_len, images, starts, inputs, to);
            work(Block {
                first,
                places,
                inputs: to,
                outputs,
            });
        });
    }
}
