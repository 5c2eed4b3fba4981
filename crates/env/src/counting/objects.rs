//! The objects that an environment of the counting world shows.

use rand::{Rng, RngExt};

use super::{Options, Shape, shape::Stamp};

/// Objects of one environment of the counting world: all that it shows but their number.
#[derive(Debug, Clone)]
pub struct Objects {
    pub(super) shape: Shape,
    pub(super) color: [u8; 3],
    /// Centers `[x, y]` of the objects, then `[-1, -1]` up to the largest count.
    pub(super) positions: Vec<[i16; 2]>,
    stamp: Stamp,
}

impl Objects {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            shape: Shape::Circle,
            color: [0; 3],
            positions: vec![[-1; 2]; usize::from(options.max_count)],
            stamp: Stamp::new(options.radius as usize),
        }
    }

    /// Draws shape and color.
    pub(super) fn draw_look(&mut self, options: &Options, rng: &mut impl Rng) {
        self.shape = options.shapes[rng.random_range(0..options.shapes.len() as u32) as usize];
        self.color =
            std::array::from_fn(|_| rng.random_range(options.color_min..=options.color_max));
        self.stamp.recut(self.shape, self.color);
    }

    /// Draws the positions of `count` objects.
    pub(super) fn place(&mut self, options: &Options, count: usize, rng: &mut impl Rng) {
        let centers = options.radius as i16..(options.image_side - options.radius) as i16;
        let min_squared = u64::from(options.min_distance).pow(2);
        for object in 0..count {
            for _ in 0..options.placement_tries {
                let drawn = [(); 2].map(|()| rng.random_range(centers.clone()));
                let (earlier, rest) = self.positions.split_at_mut(object);
                rest[0] = drawn;
                if earlier
                    .iter()
                    .all(|&other| squared_distance(drawn, other) >= min_squared)
                {
                    break;
                }
            }
        }
        self.positions[count..].fill([-1; 2]);
    }

    /// Paints a whole frame with the first `count` objects.
    pub(super) fn paint(&self, options: &Options, count: usize, frame: &mut [u8]) {
        let centers = &self.positions[..count];
        self.stamp
            .paint(options.image_side as usize, centers, frame);
    }
}

fn squared_distance(a: [i16; 2], b: [i16; 2]) -> u64 {
    let [dx, dy] = [0, 1].map(|axis| u32::from(a[axis].abs_diff(b[axis])));
    u64::from(dx * dx + dy * dy)
}
