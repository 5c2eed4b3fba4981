//! Painting of a view as an image.

use super::{Options, map::MapCell};

const WALL: [u8; 3] = [40, 40, 40];
const GOAL: [u8; 3] = [220, 40, 40];

/// Paints `view`, the cells row by row, over the whole frame.
pub(super) fn paint(
    options: &Options,
    view: impl Iterator<Item = MapCell>,
    floor: [u8; 3],
    frame: &mut [u8],
) {
    let cell_bytes = 3 * options.cell_side as usize;
    let row_bytes = options.view_side() * cell_bytes;
    let mut view = view;
    for cells in frame.chunks_exact_mut(options.cell_side as usize * row_bytes) {
        let (first, rest) = cells.split_at_mut(row_bytes);
        for (pixels, cell) in first.chunks_exact_mut(cell_bytes).zip(&mut view) {
            let color = match cell {
                MapCell::Wall => WALL,
                MapCell::Floor => floor,
                MapCell::Goal => GOAL,
            };
            for pixel in pixels.chunks_exact_mut(3) {
                pixel.copy_from_slice(&color);
            }
        }
        for row in rest.chunks_exact_mut(row_bytes) {
            row.copy_from_slice(first);
        }
    }
}
