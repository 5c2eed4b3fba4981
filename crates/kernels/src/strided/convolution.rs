//! The convolution itself.

use super::cells::{Planes, Tiles, Tiling, Workspace};
use super::lines::{Lines, each_tap, lines, taps_first};
use super::transform::{Cells, Images, Written, transform_back, transform_cells};
use super::{IN_ALL, POSITIONS};
use crate::lanes::Isa;
use crate::norm::accumulate;
use crate::padded::Source;
use crate::panels::{pack_rows, padded_start};
use crate::shape::ConvShape;
use crate::tile::{Gathered, Pixel, gathered_product};

/// Weights of each position, and how the input is read.
pub(crate) struct Strided {
    reading: Reading,
    products: Products,
    images: Images,
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
            each_tap(&reading.lines, shape.kernel, position, |at, tap| {
                let to = &mut matrix[at * matrix_len..][..matrix_len];
                accumulate(isa, to, &weight[tap * matrix_len..][..matrix_len]);
            });
            matrix
        };
        Self {
            products: Products::new(
                isa,
                &reading.inputs,
                &reading.outputs,
                reading.tiling.block(),
                matrix,
                Some(bias),
            ),
            images: Images::out_of(shape),
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
            let out = &mut out[first * self.images.len()..];
            let cells = Written::pixels(self.images.channels);
            transform_back(isa, cells, self.images, planes, outputs, places, None, out);
        });
    }
}

/// How a convolution reads its input: cells, transformed a block of tiles at a time.
pub(super) struct Reading {
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
        let lines = shape.kernel.map(|kernel| lines(shape.stride, kernel));
        let cells = Cells::of(shape);
        let lens = cells.read_lens();
        let tiling = Tiling::new(
            Images::into(shape, shape.padding),
            [shape.out_height(), shape.out_width()].map(|size| size.div_ceil(2)),
            cells,
            lens.iter().sum::<usize>() + POSITIONS * columns,
            images,
        );
        let planes = |lens| Planes::new(tiling.block(), lens);
        Self {
            inputs: planes(lens),
            outputs: planes([columns; POSITIONS]),
            cells,
            lines,
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

/// The matrix product of each position.
pub(super) struct Products {
    panels: [Vec<f32>; POSITIONS],
    pixels: [Vec<Pixel>; POSITIONS],
    inputs: Planes,
    outputs: Planes,
    zeros: Vec<f32>,
    bias: Vec<f32>,
}

impl Products {
    /// Of up to `tiles` tiles at once; `matrix(position)` is `[inputs][outputs]`.
    pub(super) fn new(
        isa: Isa,
        inputs: &Planes,
        outputs: &Planes,
        tiles: usize,
        matrix: impl Fn(usize) -> Vec<f32>,
        bias: Option<&[f32]>,
    ) -> Self {
        let most = outputs.lens.iter().max().map_or(0, |&most| most);
        Self {
            panels: std::array::from_fn(|position| {
                let (depth, columns) = (inputs.lens[position], outputs.lens[position]);
                pack_rows(isa, depth, columns, &matrix(position))
            }),
            pixels: std::array::from_fn(|position| {
                let pixel = |tile| Pixel {
                    input: tile * inputs.lens[position],
                    output: tile * outputs.lens[position],
                };
                (0..tiles).map(pixel).collect()
            }),
            inputs: *inputs,
            outputs: *outputs,
            zeros: padded_start(isa, most, None),
            bias: padded_start(isa, most, bias),
        }
    }

    /// Of planes of so many tiles.
    pub(super) fn multiply(&self, isa: Isa, tiles: usize, inputs: &[f32], outputs: &mut [f32]) {
        for position in 0..POSITIONS {
            let product = Gathered {
                input: self.inputs.of(inputs, position, tiles),
                pixels: &self.pixels[position][..tiles],
                runs: &[0],
                run_len: self.inputs.lens[position],
                panels: &self.panels[position],
                start: if position == IN_ALL {
                    &self.bias
                } else {
                    &self.zeros
                },
                columns: self.outputs.lens[position],
            };
            let output = self.outputs.of_mut(outputs, position, tiles);
            gathered_product(isa, &product, output);
        }
    }
}
