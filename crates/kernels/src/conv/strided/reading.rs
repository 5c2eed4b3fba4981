//! Reader of images as cells, transformed a block of tiles at a time.

use super::cells::{CellPlanes, Cells, Images};
use super::tiling::{CellTiles, CellTiling};
use super::transform::transform_cells;
use crate::conv::padded::Source;
use crate::memory::workspace::Workspace;
use crate::simd::Isa;

/// Layout of tiles in images, and of a block of them, transformed and multiplied.
pub(super) struct Reading {
    pub(super) cells: Cells,
    pub(super) inputs: CellPlanes,
    pub(super) outputs: CellPlanes,
    tiling: CellTiling,
}

/// Block of tiles, transformed and yet to be multiplied.
pub(super) struct CellBlock<'a> {
    /// Image from which `places` count.
    pub(super) first: usize,
    /// Image, row and column of each tile.
    pub(super) places: &'a [[usize; 3]],
    /// Transformed inputs.
    pub(super) inputs: &'a [f32],
    /// Buffer for the outputs of the block.
    pub(super) outputs: &'a mut [f32],
}

impl Reading {
    /// Prepares the reading of up to `images` images like `from` in one call. They are cut into
    /// `tiles` along the axes, each of which reads `cells` and has `outputs` values at each
    /// position.
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

    /// Tiles of a block.
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
