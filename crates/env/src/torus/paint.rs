//! Painting of the torus as an image.

use super::Options;

/// Color of the dot.
const DOT: [u8; 3] = [30, 30, 30];

/// Paints the background, and the cell of the dot over it.
pub(super) fn paint(options: &Options, [x, y]: [i16; 2], background: [u8; 3], frame: &mut [u8]) {
    for pixel in frame.chunks_exact_mut(3) {
        pixel.copy_from_slice(&background);
    }
    let cell = (options.image_side / options.side) as usize;
    let (left, top) = (x as usize * cell, y as usize * cell);
    let rows = frame.chunks_exact_mut(options.image_side as usize * 3);
    for row in rows.skip(top).take(cell) {
        for pixel in row[left * 3..(left + cell) * 3].chunks_exact_mut(3) {
            pixel.copy_from_slice(&DOT);
        }
    }
}
