//! One environment of the torus: its random stream and its current episode.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tellapart_system::StateId;

use super::{ValidOptions, options::Move4};
use crate::{
    Outcome,
    batch::{self, EpisodeClock, Move},
    tint::{FLOORS, disturb},
};

/// Color of the dot.
const DOT: [u8; 3] = [30, 30, 30];

#[derive(Debug, Clone)]
pub(super) struct Replica {
    rng: ChaCha8Rng,
    pub(super) state: u32,
    /// Index of the background color of the episode.
    pub(super) tint: u8,
    clock: EpisodeClock,
}

impl Replica {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        Self {
            rng,
            state: 0,
            tint: 0,
            clock: EpisodeClock::new(),
        }
    }
}

impl batch::Replica for Replica {
    type Shared = ValidOptions;
    type StartState = StateId;
    type Act = Move4;

    fn ended(&self) -> bool {
        self.clock.ended
    }

    fn step(
        &mut self,
        options: &ValidOptions,
        what: Move<StateId, Move4>,
        frame: &mut [u8],
    ) -> Outcome {
        let end = match what {
            Move::Begin(start) => {
                self.tint = self.rng.random_range(0..options.tints);
                let drawn = || self.rng.random_range(0..options.states());
                self.state = start.map_or_else(drawn, StateId::get);
                self.clock.begin()
            }
            Move::Act(way) => {
                self.state = options.successor(self.state, way);
                self.clock.step(false, options.max_steps)
            }
        };
        paint(options, self.state, FLOORS[usize::from(self.tint)], frame);
        disturb(options.noise, &mut self.rng, frame);
        Outcome {
            value: options.value_of(self.state),
            state: StateId::new(self.state),
            end,
        }
    }
}

/// Paints the background, and the cell of the dot over it.
fn paint(options: &ValidOptions, state: u32, tint: [u8; 3], frame: &mut [u8]) {
    for pixel in frame.chunks_exact_mut(3) {
        pixel.copy_from_slice(&tint);
    }
    let cell = (options.image_side / options.side) as usize;
    let (x, y) = options.position(state);
    let (left, top) = (x as usize * cell, y as usize * cell);
    let rows = frame.chunks_exact_mut(options.image_side as usize * 3);
    for row in rows.skip(top).take(cell) {
        for pixel in row[left * 3..(left + cell) * 3].chunks_exact_mut(3) {
            pixel.copy_from_slice(&DOT);
        }
    }
}
