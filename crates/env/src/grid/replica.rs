//! One environment of the gridworld: its random stream and its current episode.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tellapart_system::StateId;

use super::{ValidOptions, map::Act, paint::paint};
use crate::{
    Outcome,
    batch::{self, EpisodeClock, Move},
    tint::{FLOORS, disturb},
};

#[derive(Debug, Clone)]
pub(super) struct Replica {
    rng: ChaCha8Rng,
    pub(super) state: u32,
    /// Index of the floor color of the episode.
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
    type Act = Act;

    fn ended(&self) -> bool {
        self.clock.ended
    }

    fn step(
        &mut self,
        options: &ValidOptions,
        what: Move<StateId, Act>,
        frame: &mut [u8],
    ) -> Outcome {
        let map = &options.map;
        self.state = match what {
            Move::Begin(start) => {
                self.tint = self.rng.random_range(0..options.tints);
                start.map_or_else(|| self.rng.random_range(0..map.states()), StateId::get)
            }
            Move::Act(act) => map.successor(self.state, act),
        };
        let floor = FLOORS[usize::from(self.tint)];
        paint(options, map.view_cells(options, self.state), floor, frame);
        disturb(options.noise, &mut self.rng, frame);

        let at_goal = map.is_goal(self.state);
        let end = match what {
            Move::Begin(_) => self.clock.begin(),
            Move::Act(_) => {
                let terminal = options.end_at_goal && at_goal;
                self.clock.step(terminal, options.max_steps)
            }
        };
        Outcome {
            value: f32::from(u8::from(at_goal)),
            state: StateId::new(self.state),
            end,
        }
    }
}
