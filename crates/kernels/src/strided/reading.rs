//! Cells of images, transformed a block of tiles at a time.

use super::cells::{Cells, Images, Planes};
use super::tiling::{Tiles, Tiling};
use super::transform::transform_cells;
use crate::lanes::Isa;
use crate::padded::Source;
use crate::workspace::Workspace;

/// Where tiles lie in images, and in a block of them, transformed and multiplied.
pub(super) struct Reading {
    pub(super) cells: Cells,
    pub(super) inputs: Planes,
    pub(super) outputs: Planes,
    tiling: Tiling,
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
        let tiling = Tiling::new(from, tiles, cells, numbers, images);
        Self {
            inputs: Planes::new(tiling.block(), cells.lens()),
            outputs: Planes::new(tiling.block(), outputs),
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
        mut work: impl FnMut(Block<'_>),
    ) {
        let tiling = &self.tiling;
        let (lens, row_len) = ([self.inputs.len, self.outputs.len], tiling.row_len());
        tiling.each_block(isa, input, lens, workspace, |tiles, [inputs, outputs]| {
            let Tiles {
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
            work(Block {
                first,
                places,
                inputs,
                outputs,
            });
        });
    }
}
