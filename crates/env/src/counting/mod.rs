//! Counting world: a few identical objects on black, one more or one fewer at each step.
//!
//! It follows Yu et al., "Why and How Auxiliary Tasks Improve JEPA Representations" (arXiv
//! 2509.12249). Shape and color are drawn once for each episode. Positions are drawn anew at every
//! step that is not a no-op, also when the count is clipped. None of them says anything about the
//! future of the value, so the largest bisimulation has one class for each count: 9 by default.

mod objects;
mod options;
mod shape;

use rand::{Rng, RngExt};
use tellapart_system::{ActionId, StateId};

pub use self::{
    objects::Objects,
    options::{Options, ValidOptions, Value},
    shape::Shape,
};
use crate::{
    ActionSpace, Environment, Environments, Nuisance,
    NuisanceKind::{Byte, Category, Integer, Real},
    WorldRules,
};

/// Batch of environments of the counting world, stepped together.
///
/// State `k` of the [ground truth](crate::BatchEnvironment::ground_truth) is the count `k`.
///
/// Cost of a step: about two memsets of the frames, or one copy (the benchmark `renderer` measures
/// it), and no allocation.
pub type Counting = Environments<ValidOptions>;

impl Counting {
    /// Returns the number of objects in environment `copy`. Panics if there is no such environment.
    pub fn count(&self, copy: usize) -> u8 {
        count(self.environment(copy).state())
    }

    /// Returns the shape of the objects in environment `copy`. Panics if there is no such
    /// environment.
    pub fn shape(&self, copy: usize) -> Shape {
        self.environment(copy).nuisances.shape
    }

    /// Returns red, green and blue of the objects in environment `copy`. Panics if there is no such
    /// environment.
    pub fn color(&self, copy: usize) -> [u8; 3] {
        self.environment(copy).nuisances.color
    }

    /// Returns `max_count` centers `[x, y]` in environment `copy`, in pixels from the left and from
    /// the top; `[-1, -1]` past the last object. Panics if there is no such environment.
    pub fn positions(&self, copy: usize) -> &[[i16; 2]] {
        &self.environment(copy).nuisances.positions
    }
}

/// Returns the number of objects in a state.
fn count(state: StateId) -> u8 {
    state.index() as u8
}

impl ValidOptions {
    /// Returns the change of the count: the first action removes, the last adds, one between keeps.
    fn change(&self, action: ActionId) -> i32 {
        match action.index() {
            0 => -1,
            index if index + 1 == self.actions.distinct() => 1,
            _ => 0,
        }
    }
}

impl WorldRules for ValidOptions {
    type Nuisances = Objects;

    fn new_nuisances(&self) -> Objects {
        Objects::new(self)
    }

    fn observation_shape(&self) -> [usize; 3] {
        let side = self.image_side as usize;
        [side, side, 3]
    }

    fn action_space(&self) -> ActionSpace {
        self.actions
    }

    fn num_states(&self) -> usize {
        usize::from(self.max_count) + 1
    }

    fn successor(&self, state: StateId, action: ActionId) -> StateId {
        let count = state.get().saturating_add_signed(self.change(action));
        StateId::new(count.min(self.max_count.into()))
    }

    fn value(&self, state: StateId) -> f32 {
        self.value_of(count(state))
    }

    fn paint(&self, environment: &mut Environment<Objects>, frame: &mut [u8]) {
        let count = environment.state().index();
        // A no-op keeps the very same frame.
        if environment
            .action()
            .is_none_or(|action| self.change(action) != 0)
        {
            let rng = &mut environment.rng;
            environment.nuisances.place(self, count, rng);
        }
        environment.nuisances.paint(self, count, frame);
    }

    fn begin_episode(&self, objects: &mut Objects, rng: &mut impl Rng) {
        objects.draw_look(self, rng);
    }

    fn first_state(&self, rng: &mut impl Rng) -> StateId {
        let drawn = || rng.random_range(0..=self.max_count);
        StateId::new(self.start_count.unwrap_or_else(drawn).into())
    }

    fn is_terminal(&self, state: StateId) -> bool {
        self.end_at_target && count(state) == self.target
    }

    fn max_steps(&self) -> u32 {
        self.max_steps
    }

    fn action_names(&self) -> Vec<&'static str> {
        match self.actions.distinct() {
            2 => vec!["remove", "add"],
            _ => vec!["remove", "no-op", "add"],
        }
    }

    fn state_noun(&self) -> &'static str {
        "count"
    }

    fn nuisances(&self) -> Vec<Nuisance> {
        let max_count = usize::from(self.max_count);
        vec![
            Nuisance::new(Some("shape_ids"), Some("shape"), &[], Category),
            Nuisance::new(Some("colors"), Some("color"), &[3], Byte),
            Nuisance::new(Some("positions"), None, &[max_count, 2], Integer),
            Nuisance::new(None, Some("mean position"), &[2], Real),
        ]
    }

    fn push_nuisances(&self, environment: &Environment<Objects>, values: &mut Vec<f32>) {
        let objects = &environment.nuisances;
        values.push(f32::from(objects.shape.id()));
        values.extend(objects.color.map(f32::from));
        let positions = &objects.positions;
        values.extend(positions.as_flattened().iter().map(|&at| f32::from(at)));
        let placed = &positions[..environment.state().index()];
        values.extend([0, 1].map(|axis| {
            let sum: f32 = placed.iter().map(|at| f32::from(at[axis])).sum();
            sum / placed.len() as f32
        }));
    }
}
