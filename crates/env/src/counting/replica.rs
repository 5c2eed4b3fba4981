//! One environment of the counting world: its random stream and its current episode.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tellapart_system::StateId;

use super::{Options, Shape, ValidOptions, shape::Stamp};
use crate::{
    Outcome,
    batch::{self, EpisodeClock, Move},
};

/// Effect of an action. The ground truth and the world share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Remove,
    /// No-op, which keeps the very same frame.
    Keep,
    Add,
}

impl Act {
    /// Returns the count after the action, clipped.
    pub(super) fn apply(self, count: u8, max_count: u8) -> u8 {
        match self {
            Self::Remove => count.saturating_sub(1),
            Self::Keep => count,
            Self::Add => count.saturating_add(1).min(max_count),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Keep => "no-op",
            Self::Add => "add",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Replica {
    rng: ChaCha8Rng,
    pub(super) count: u8,
    pub(super) shape: Shape,
    pub(super) color: [u8; 3],
    /// Centers `[x, y]` of the objects, then `[-1, -1]` up to the largest count.
    pub(super) positions: Vec<[i16; 2]>,
    clock: EpisodeClock,
    stamp: Stamp,
}

impl batch::Replica for Replica {
    type Shared = ValidOptions;
    type StartState = u8;
    type Act = Act;

    fn ended(&self) -> bool {
        self.clock.ended
    }

    fn step(&mut self, options: &ValidOptions, what: Move<u8, Act>, frame: &mut [u8]) -> Outcome {
        self.count = match what {
            Move::Begin(count) => self.begin(options, count),
            Move::Act(act) => act.apply(self.count, options.max_count),
        };
        if what != Move::Act(Act::Keep) {
            self.place(options);
        }
        let objects = &self.positions[..usize::from(self.count)];
        self.stamp
            .paint(options.image_side as usize, objects, frame);

        let end = match what {
            Move::Begin(_) => self.clock.begin(),
            Move::Act(_) => {
                let terminal = options.end_at_target && self.count == options.target;
                self.clock.step(terminal, options.max_steps)
            }
        };
        Outcome {
            value: options.value_of(self.count),
            state: StateId::from_index(usize::from(self.count)),
            end,
        }
    }
}

impl Replica {
    pub(super) fn new(options: &Options, rng: ChaCha8Rng) -> Self {
        Self {
            rng,
            count: 0,
            shape: Shape::Circle,
            color: [0; 3],
            positions: vec![[-1; 2]; usize::from(options.max_count)],
            clock: EpisodeClock::new(),
            stamp: Stamp::new(options.radius as usize),
        }
    }

    /// Draws shape, color and, if absent, the first count of an episode; returns that count.
    fn begin(&mut self, options: &Options, count: Option<u8>) -> u8 {
        self.shape = options.shapes[self.rng.random_range(0..options.shapes.len() as u32) as usize];
        self.color =
            std::array::from_fn(|_| self.rng.random_range(options.color_min..=options.color_max));
        self.stamp.recut(self.shape, self.color);
        count.unwrap_or_else(|| self.rng.random_range(0..=options.max_count))
    }

    /// Draws new positions for all objects.
    fn place(&mut self, options: &Options) {
        let centers = options.radius as i16..(options.image_side - options.radius) as i16;
        let min_squared = u64::from(options.min_distance).pow(2);
        for object in 0..usize::from(self.count) {
            for _ in 0..options.placement_tries {
                let drawn = [(); 2].map(|()| self.rng.random_range(centers.clone()));
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
        self.positions[usize::from(self.count)..].fill([-1; 2]);
    }
}

fn squared_distance(a: [i16; 2], b: [i16; 2]) -> u64 {
    let [dx, dy] = [0, 1].map(|axis| u32::from(a[axis].abs_diff(b[axis])));
    u64::from(dx * dx + dy * dy)
}
