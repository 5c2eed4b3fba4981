//! Cells of images, transformed a block of tiles at a time.

use super::cells::{CellPlanes, Cells, Images};
use super::tiling::{CellTiles, CellTiling};
use super::transform::transform_cells;
use crate::padded::Source;
use crate::simd::Isa;
use crate::workspace::Workspace;

/// Where tiles lie in images, and in a block of them, transformed and multiplied.
pub(super) struct Reading {
    pub(super) cells: Cells,
    pub(super) inputs: CellPlanes,
    pub(super) outputs: CellPlanes,
    tiling: CellTiling,
}

/// A block of tiles on its way.
pub(super) struct CellBlock<'a> {
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
    /// Of up to `images` images like `from` in one call, cut into so many tiles along the axes, of which each reads
    /// `cells`; at each position one has so many `outputs`.
    pub(super) fn new(
        from: Images,
        tiles: [usize; 2],
        cells: Cells,
        outputs: Vec<usize>,
        images: usize,
    ) -> Self {
        let numbers = cells.lens().iter().chain(&outputs).sum();
        let tiling = CellTiling::new(from, tiles, cells, numbers, images);
        Self {
            inputs: CellPlanes::new(tiling.block(), cells.lens()),
            outputs: CellPlanes::new(tiling.block(), outputs),
            cells,
            tiling,
        }
    }

    /// CellTiles of a block.
    pub(super) fn block(&self) -> usize {
        self.tiling.block()
    }

    /// Calls `work` for consecutive blocks.
    pub(super) fn each_block(
        &self,
        isa: Isa,
        input: Source<'_>,
        workspace: &mut Workspace,
        mut work: impl FnMut(CellBlock<'_>),
    ) {
        let tiling = &self.tiling;
        let (lens, row_len) = ([self.inputs.len, self.outputs.len], tiling.row_len());
        tiling.each_block(isa, input, lens, workspace, |tiles, [inputs, outputs]| {
            let CellTiles {
                first,
                places,
                starts,
                images,
            } = tiles;
            transform_cells(
                isa,
                self.cells,
                row_len,
                images,
                starts,
                &self.inputs,
                inputs,
            );
            work(CellBlock {
                first,
                places,
                inputs,
                outputs,
            });
        });
    }
}
