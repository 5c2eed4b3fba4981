//! Torus: a dot that moves on a grid whose edges are joined, under a value chosen by name.
//!
//! Frames and dynamics are always the same, and only the value `p` changes. So the number of
//! classes of the largest bisimulation goes from 1 to one for each position, by `p` alone: see
//! [`Function`]. The tint of an episode and noise say nothing about the future of the value.

mod function;
mod options;
mod paint;

use rand::{Rng, RngExt};
use tellapart_system::{ActionId, StateId};

pub use self::{
    function::Function,
    options::{Options, ValidOptions},
};
use crate::{
    ActionSpace, Environment, Environments, Nuisance,
    NuisanceKind::{Category, Integer},
    WorldRules,
    moves::{self, moved},
    tint::{FLOORS, disturb},
};

/// Batch of environments of the torus, stepped together.
///
/// State `y * side + x` of the [ground truth](crate::BatchEnvironment::ground_truth) is column `x`
/// and row `y` from the top left. The actions are up, down, left and right. An episode begins at a
/// position drawn uniformly.
pub type Torus = Environments<ValidOptions>;

impl ValidOptions {
    /// Returns column and row of a state.
    fn position(&self, state: StateId) -> [i16; 2] {
        [state.get() % self.side, state.get() / self.side].map(|at| at as i16)
    }
}

impl WorldRules for ValidOptions {
    /// Index of the background color of the episode.
    type Nuisances = u8;

    fn new_nuisances(&self) -> u8 {
        0
    }

    fn observation_shape(&self) -> [usize; 3] {
        let side = self.image_side as usize;
        [side, side, 3]
    }

    fn action_space(&self) -> ActionSpace {
        ActionSpace::one_hot(4)
    }

    fn num_states(&self) -> usize {
        self.side.pow(2) as usize
    }

    fn successor(&self, state: StateId, action: ActionId) -> StateId {
        let next = moved(self.position(state), action);
        let [x, y] = next.map(|at| at.rem_euclid(self.side as i16) as u32);
        StateId::new(y * self.side + x)
    }

    fn value(&self, state: StateId) -> f32 {
        f32::from(u8::from(
            self.p.holds(self.position(state), self.side as i16),
        ))
    }

    fn paint(&self, environment: &mut Environment<u8>, frame: &mut [u8]) {
        let tint = FLOORS[usize::from(environment.nuisances)];
        let dot = self.position(environment.state());
        paint::paint(self, dot, tint, frame);
        disturb(self.noise, &mut environment.rng, frame);
    }

    fn begin_episode(&self, tint: &mut u8, rng: &mut impl Rng) {
        *tint = rng.random_range(0..self.tints);
    }

    fn max_steps(&self) -> u32 {
        self.max_steps
    }

    fn action_names(&self) -> Vec<&'static str> {
        moves::NAMES[..4].to_vec()
    }

    fn state_noun(&self) -> &'static str {
        "position"
    }

    fn nuisances(&self) -> Vec<Nuisance> {
        vec![
            Nuisance::new(Some("positions"), None, &[2], Integer),
            Nuisance::new(Some("tint_ids"), Some("tint"), &[], Category),
        ]
    }

    fn push_nuisances(&self, environment: &Environment<u8>, values: &mut Vec<f32>) {
        values.extend(self.position(environment.state()).map(f32::from));
        values.push(f32::from(environment.nuisances));
    }
}
