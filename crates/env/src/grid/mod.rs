//! Gridworld seen through a small window: an agent walks among walls, and sees only the cells
//! around it.
//!
//! The value is 1 at a goal. An audit must keep two kinds of merging apart, and both happen here:
//!
//! * Cells with equal surroundings **look alike**, bit for bit in episodes of one tint. If they are
//!   not bisimilar, no encoder of single observations can keep them apart. That is partial
//!   observability, a fault of the observation. [`Grid::view_of`] says which cells those are.
//! * If cells look different and are not bisimilar, only the encoder can merge them.
//! * The tint of the floor, drawn once for each episode, and noise say nothing about the future of
//!   the value: merging over them is healthy.

mod map;
mod options;
mod paint;

use rand::{Rng, RngExt};
use tellapart_system::{ActionId, StateId};

pub use self::options::{Options, ValidOptions};
use crate::{
    ActionSpace, Environment, Environments, Nuisance,
    NuisanceKind::{Category, Index, Integer},
    WorldRules, moves,
    tint::{FLOORS, disturb},
};

/// Batch of environments of the gridworld, stepped together.
///
/// The states of the [ground truth](crate::BatchEnvironment::ground_truth) are the cells that are
/// not walls, row by row from the top left. The actions are up, down, left, right and, by option,
/// stay. An agent that moves into a wall stays. An episode begins in a cell drawn uniformly, goals
/// included.
///
/// Cost of a step: the frames are written once, and nothing is allocated. Without noise, random
/// values are drawn only at the beginning of an episode.
pub type Grid = Environments<ValidOptions>;

impl Grid {
    /// Returns column and row of the cell of environment `copy`, from the top left. Panics if there
    /// is no such environment.
    pub fn position(&self, copy: usize) -> [i16; 2] {
        self.rules().map.position(self.environment(copy).state())
    }

    /// Returns the index of the floor color of environment `copy`, from 0. Panics if there is no
    /// such environment.
    pub fn tint(&self, copy: usize) -> u8 {
        self.environment(copy).nuisances
    }

    /// Returns the number of the view in `state`, by first occurrence. Two states have equal
    /// numbers if and only if they look alike up to tint and noise. Panics if there is no such
    /// state.
    pub fn view_of(&self, state: StateId) -> u32 {
        self.rules().map.view(state)
    }
}

impl WorldRules for ValidOptions {
    /// Index of the floor color of the episode.
    type Nuisances = u8;

    fn new_nuisances(&self) -> u8 {
        0
    }

    fn observation_shape(&self) -> [usize; 3] {
        let side = self.view_side() * self.cell_side as usize;
        [side, side, 3]
    }

    fn action_space(&self) -> ActionSpace {
        ActionSpace::one_hot(4 + u32::from(self.stay))
    }

    fn num_states(&self) -> usize {
        self.map.num_states()
    }

    fn successor(&self, state: StateId, action: ActionId) -> StateId {
        self.map.successor(state, action)
    }

    fn value(&self, state: StateId) -> f32 {
        f32::from(u8::from(self.map.is_goal(state)))
    }

    fn paint(&self, environment: &mut Environment<u8>, frame: &mut [u8]) {
        let view = self.map.view_cells(self, environment.state());
        let floor = FLOORS[usize::from(environment.nuisances)];
        paint::paint(self, view, floor, frame);
        disturb(self.noise, &mut environment.rng, frame);
    }

    fn begin_episode(&self, tint: &mut u8, rng: &mut impl Rng) {
        *tint = rng.random_range(0..self.tints);
    }

    fn is_terminal(&self, state: StateId) -> bool {
        self.end_at_goal && self.map.is_goal(state)
    }

    fn max_steps(&self) -> u32 {
        self.max_steps
    }

    fn action_names(&self) -> Vec<&'static str> {
        moves::NAMES[..self.action_space().distinct()].to_vec()
    }

    fn state_noun(&self) -> &'static str {
        "cell"
    }

    fn nuisances(&self) -> Vec<Nuisance> {
        vec![
            Nuisance::new(Some("positions"), None, &[2], Integer),
            Nuisance::new(Some("view_ids"), None, &[], Index),
            Nuisance::new(Some("tint_ids"), Some("tint"), &[], Category),
        ]
    }

    fn push_nuisances(&self, environment: &Environment<u8>, values: &mut Vec<f32>) {
        let state = environment.state();
        values.extend(self.map.position(state).map(f32::from));
        values.push(self.map.view(state) as f32);
        values.push(f32::from(environment.nuisances));
    }
}
