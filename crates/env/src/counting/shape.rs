//! The four shapes, and painting of frames with them.

use serde::{Deserialize, Serialize};

/// Shape of the objects of an episode, in a box of `2 * radius + 1` pixels each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The pixels whose center lies in the largest disc of the box.
    Circle = 0,
    /// The whole box.
    Square = 1,
    /// Apex in the middle of the top row, the bottom row full.
    Triangle = 2,
    /// From the top left to the bottom right corner, 2 pixels wide, but 1 in the last row so that
    /// it stays in the box.
    Line = 3,
}

impl Shape {
    /// All shapes, in the order of their ids.
    pub const ALL: [Self; 4] = [Self::Circle, Self::Square, Self::Triangle, Self::Line];

    /// Returns the number of the shape in recorded data.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// Returns the pixels of one row of the box, counted from its left edge.
    fn row(self, radius: usize, row: usize) -> std::ops::Range<usize> {
        let side = 2 * radius + 1;
        let middle = |half: usize| radius - half..radius + half + 1;
        match self {
            Self::Square => 0..side,
            Self::Triangle => middle(row / 2),
            Self::Line => row..(row + 2).min(side),
            Self::Circle => {
                let dy = row.abs_diff(radius);
                // Distances are in half pixels: the disc's diameter is the side of the box.
                let inside = |dx: usize| 4 * (dx * dx + dy * dy) <= side * side;
                middle((0..=radius).rev().find(|&dx| inside(dx)).unwrap_or(0))
            }
        }
    }
}

/// Stamp of one object in its color on black, painted wherever an object is.
///
/// All objects of a frame are alike and the background is black. Painting is therefore a bitwise
/// "or" of whole rows of the box, in any order, even if objects overlap.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    radius: usize,
    /// Bytes of the box, `side * side * 3`, row by row.
    pixels: Vec<u8>,
}

impl Stamp {
    pub(super) fn new(radius: usize) -> Self {
        let side = 2 * radius + 1;
        Self {
            radius,
            pixels: vec![0; side * side * 3],
        }
    }

    /// Changes the shape and color.
    pub(super) fn recut(&mut self, shape: Shape, color: [u8; 3]) {
        let side = 2 * self.radius + 1;
        self.pixels.fill(0);
        for (row, pixels) in self.pixels.chunks_exact_mut(side * 3).enumerate() {
            let inside = shape.row(self.radius, row);
            for pixel in pixels[inside.start * 3..inside.end * 3].chunks_exact_mut(3) {
                pixel.copy_from_slice(&color);
            }
        }
    }

    /// Paints a whole frame: black, then an object at each center `[x, y]`.
    pub(super) fn paint(&self, image_side: usize, centers: &[[i16; 2]], frame: &mut [u8]) {
        frame.fill(0);
        for &[x, y] in centers {
            let (left, top) = (x as usize - self.radius, y as usize - self.radius);
            let start = (top * image_side + left) * 3;
            // For the usual radius, rows of a constant length compile to a few wide instructions.
            match self.radius {
                3 => paint_rows_of::<21>(&self.pixels, image_side, &mut frame[start..]),
                radius => {
                    let width = (2 * radius + 1) * 3;
                    let below = frame[start..].chunks_mut(image_side * 3);
                    for (pixels, row) in self.pixels.chunks_exact(width).zip(below) {
                        row[..width]
                            .iter_mut()
                            .zip(pixels)
                            .for_each(|(to, from)| *to |= from);
                    }
                }
            }
        }
    }
}

fn paint_rows_of<const WIDTH: usize>(stamp: &[u8], image_side: usize, frame: &mut [u8]) {
    let (stamp, _) = stamp.as_chunks::<WIDTH>();
    for (pixels, row) in stamp.iter().zip(frame.chunks_mut(image_side * 3)) {
        if let Some(row) = row.first_chunk_mut::<WIDTH>() {
            for (to, from) in row.iter_mut().zip(pixels) {
                *to |= from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascii(shape: Shape, radius: usize) -> String {
        let side = 2 * radius + 1;
        (0..side)
            .map(|row| {
                let inside = shape.row(radius, row);
                (0..side)
                    .map(|x| if inside.contains(&x) { '#' } else { '.' })
                    .collect::<String>()
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_pixels_of_every_shape() {
        let circle = "..###..\n.#####.\n#######\n#######\n#######\n.#####.\n..###..";
        let square = ["#######"; 7].join("\n");
        let triangle = "...#...\n...#...\n..###..\n..###..\n.#####.\n.#####.\n#######";
        let line = "##.....\n.##....\n..##...\n...##..\n....##.\n.....##\n......#";
        for (shape, pixels) in Shape::ALL
            .into_iter()
            .zip([circle, &square, triangle, line])
        {
            assert_eq!(ascii(shape, 3), pixels, "{shape:?}");
        }
    }

    #[test]
    fn shapes_of_other_sizes_stay_in_their_box() {
        for radius in 0..20 {
            let full = "#".repeat(2 * radius + 1);
            for shape in Shape::ALL {
                let drawn = ascii(shape, radius);
                assert!(
                    drawn.lines().all(|line| line.contains('#')),
                    "{shape:?} {radius}"
                );
            }
            assert_eq!(
                ascii(Shape::Circle, radius).lines().nth(radius),
                Some(full.as_str())
            );
            assert_eq!(
                ascii(Shape::Triangle, radius).lines().last(),
                Some(full.as_str())
            );
        }
    }

    /// Reference implementation: asks of each pixel whether an object covers it.
    fn slow_twin(
        shape: Shape,
        radius: usize,
        color: [u8; 3],
        side: usize,
        at: &[[i16; 2]],
    ) -> Vec<u8> {
        let covered = |x: usize, y: usize| {
            at.iter().any(|&[cx, cy]| {
                let (left, top) = (cx as usize - radius, cy as usize - radius);
                let in_box = x >= left && y >= top && y - top <= 2 * radius;
                in_box && shape.row(radius, y - top).contains(&(x - left))
            })
        };
        let pixels = (0..side * side).map(|i| (i % side, i / side));
        pixels
            .flat_map(|(x, y)| if covered(x, y) { color } else { [0; 3] })
            .collect()
    }

    proptest::proptest! {
        #[test]
        fn a_frame_is_what_the_slow_twin_paints(
            shape in proptest::sample::select(Shape::ALL.to_vec()),
            radius in 1_usize..6,
            color: [u8; 3],
            at in proptest::collection::vec([6_i16..34, 6_i16..34], 0..10),
        ) {
            let side = 40;
            let mut stamp = Stamp::new(radius);
            stamp.recut(Shape::Square, [255; 3]);
            stamp.recut(shape, color);
            let mut frame = vec![0xAA; side * side * 3];
            stamp.paint(side, &at, &mut frame);
            assert_eq!(frame, slow_twin(shape, radius, color, side, &at));
        }

        #[test]
        fn objects_in_the_corners_are_whole(radius in 0_usize..6) {
            let side = 20;
            let (near, far) = (radius as i16, (side - 1 - radius) as i16);
            let at = [[near, near], [near, far], [far, near], [far, far]];
            let mut stamp = Stamp::new(radius);
            stamp.recut(Shape::Circle, [9, 8, 7]);
            let mut frame = vec![1; side * side * 3];
            stamp.paint(side, &at, &mut frame);
            assert_eq!(frame, slow_twin(Shape::Circle, radius, [9, 8, 7], side, &at));
        }
    }
}
