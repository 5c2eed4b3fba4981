//! Painting of a view as an image.

use rand::{Rng, RngExt};

use super::{Options, map::MapCell};

/// Floor colors that an episode draws from.
pub(super) const FLOORS: [[u8; 3]; 8] = [
    [200, 200, 200],
    [150, 180, 210],
    [205, 170, 130],
    [170, 205, 150],
    [210, 150, 190],
    [205, 205, 130],
    [160, 145, 210],
    [130, 200, 190],
];
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

/// Changes every byte by up to `noise` in either direction.
pub(super) fn disturb(noise: u8, rng: &mut impl Rng, frame: &mut [u8]) {
    if noise == 0 {
        return;
    }
    let noise = noise as i8;
    for byte in frame {
        *byte = byte.saturating_add_signed(rng.random_range(-noise..=noise));
    }
}
