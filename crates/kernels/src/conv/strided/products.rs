//! Matrix products of all positions.

use super::cells::CellPlanes;
use super::filter::{Filter, IN_ALL};
use super::reading::Reading;
use crate::gemm::element::ElementBuffer;
use crate::gemm::epilogue::Out;
use crate::gemm::microkernel::{ImplicitGemm, implicit_gemm};
use crate::gemm::panels::{pack_rows, padded_start};
use crate::gemm::pixels::Pixels;
use crate::simd::Isa;

/// Weights of each position, and the layout of the rows of tiles.
pub(super) struct Products {
    panels: Vec<ElementBuffer<f32>>,
    pixels: Vec<Pixels>,
    inputs: CellPlanes,
    outputs: CellPlanes,
    zeros: Vec<f32>,
    bias: Vec<f32>,
    in_all: usize,
}

impl Products {
    /// Prepares products of the blocks of a reading. `add_matrix(position, to)` adds the matrix
    /// `[inputs][outputs]` of a position to zeros.
    pub(super) fn new(
        isa: Isa,
        reading: &Reading,
        add_matrix: impl Fn(usize, &mut [f32]),
        bias: Option<&[f32]>,
    ) -> Self {
        let Reading {
            inputs, outputs, ..
        } = reading;
        let tiles = reading.block();
        let most = outputs.lens.iter().max().map_or(0, |&most| most);
        let positions = || inputs.lens.iter().zip(&outputs.lens);
        let panels = positions()
            .enumerate()
            .map(|(position, (&depth, &columns))| {
                let mut matrix = ElementBuffer::zeros(depth * columns);
                add_matrix(position, &mut matrix);
                // A single panel needs no packing.
                if columns == isa.columns() {
                    matrix
                } else {
                    pack_rows(isa, depth, columns, &matrix)
                }
            });
        let pixels = positions().map(|(&input, &output)| Pixels::of_rows(tiles, input, output));
        Self {
            panels: panels.collect(),
            pixels: pixels.collect(),
            inputs: inputs.clone(),
            outputs: outputs.clone(),
            zeros: padded_start(isa, most, None),
            bias: padded_start(isa, most, bias),
            in_all: in_all(reading.cells.filter),
        }
    }

    /// Multiplies the planes of `tiles` tiles, position by position.
    pub(super) fn multiply(&self, isa: Isa, tiles: usize, inputs: &[f32], outputs: &mut [f32]) {
        for (position, (panels, pixels)) in self.panels.iter().zip(&self.pixels).enumerate() {
            let product = ImplicitGemm {
                input: self.inputs.of(inputs, position, tiles),
                pixels: pixels.first(tiles),
                runs: &[0],
                run_len: self.inputs.lens[position],
                panels,
                start: if position == self.in_all {
                    &self.bias
                } else {
                    &self.zeros
                },
                columns: self.outputs.lens[position],
            };
            let output = self.outputs.of_mut(outputs, position, tiles);
            implicit_gemm(isa, &product, Out::plain(output));
        }
    }
}

/// Index of the position, of both axes, that contributes +1 to all outputs of a tile.
pub(super) fn in_all(filter: Filter) -> usize {
    IN_ALL * filter.positions() + IN_ALL
}
