//! Counting world: a few identical objects on black, one more or one fewer at each step.
//!
//! It follows Yu et al., "Why and How Auxiliary Tasks Improve JEPA Representations" (arXiv
//! 2509.12249). Shape and color are drawn once for each episode. Positions are drawn anew at every
//! step that is not a no-op, also when the count is clipped. None of them says anything about the
//! future of the value, so the largest bisimulation has one class for each count: 9 by default.

mod options;
mod replica;
mod shape;
mod truth;

use std::ops::Range;

use tellapart_system::{MooreMachine, StateId};

use self::replica::{Act, Replica};
pub use self::{
    options::{Options, ValidOptions, Value},
    shape::Shape,
};
use crate::{
    Action, ActionSpace, BatchEnvironment, EnvError, Nuisance, NuisanceKind, Outcome,
    batch::ReplicaBatch,
};

/// Batch of environments of the counting world, stepped together.
///
/// State `k` of the [ground truth](BatchEnvironment::ground_truth) is the count `k`.
///
/// Cost of a step: about two memsets of the frames, or one copy (the benchmark `renderer` measures
/// it), and no allocation.
#[derive(Debug, Clone)]
pub struct Counting {
    options: ValidOptions,
    batch: ReplicaBatch<Replica>,
}

impl Counting {
    /// Creates `num_envs` environments; environment `i` draws from stream `i` of `seed`. Call
    /// [`reset`](BatchEnvironment::reset) to see the first observations.
    pub fn new(options: ValidOptions, seed: u64, num_envs: usize) -> Self {
        Self::with_streams(options, seed, 0..num_envs as u64)
    }

    /// Creates one environment for each stream. An environment does not depend on the others. A
    /// batch may therefore be divided among threads, each with a range of the streams and its part
    /// of the buffers.
    ///
    /// A world starts no threads itself: a step is bound by memory, and starting a thread takes
    /// about as long as drawing a hundred frames.
    pub fn with_streams(options: ValidOptions, seed: u64, streams: Range<u64>) -> Self {
        let batch = ReplicaBatch::new(seed, streams, |rng| Replica::new(&options, rng));
        Self { options, batch }
    }

    /// Returns the options of the world.
    pub fn options(&self) -> &ValidOptions {
        &self.options
    }

    /// Returns the number of objects in environment `copy`. Panics if there is no such environment.
    pub fn count(&self, copy: usize) -> u8 {
        self.batch.replica(copy).count
    }

    /// Returns the shape of the objects in environment `copy`. Panics if there is no such
    /// environment.
    pub fn shape(&self, copy: usize) -> Shape {
        self.batch.replica(copy).shape
    }

    /// Returns red, green and blue of the objects in environment `copy`. Panics if there is no such
    /// environment.
    pub fn color(&self, copy: usize) -> [u8; 3] {
        self.batch.replica(copy).color
    }

    /// Returns `max_count` centers `[x, y]` in environment `copy`, in pixels from the left and from
    /// the top; `[-1, -1]` past the last object. Panics if there is no such environment.
    pub fn positions(&self, copy: usize) -> &[[i16; 2]] {
        &self.batch.replica(copy).positions
    }

    fn run(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        let frame_bytes = self.frame_bytes();
        self.batch.run(&self.options, frame_bytes, frames, outcomes)
    }
}

impl BatchEnvironment for Counting {
    fn len(&self) -> usize {
        self.batch.len()
    }

    fn observation_shape(&self) -> [usize; 3] {
        let side = self.options.image_side as usize;
        [side, side, 3]
    }

    fn action_space(&self) -> ActionSpace {
        self.options.actions
    }

    fn reset(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        self.batch.begin(self.options.start_count);
        self.run(frames, outcomes)
    }

    fn reset_to(
        &mut self,
        states: &[StateId],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        let count_of = |state: StateId| state.index() as u8;
        let count = self.num_states();
        self.batch.begin_each(states, count, count_of)?;
        self.run(frames, outcomes)
    }

    fn step(
        &mut self,
        actions: &[Action],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        let space = self.options.actions;
        let act_of = |action| act_of(space, action);
        self.batch
            .act(space, act_of, self.options.start_count, actions)?;
        self.run(frames, outcomes)
    }

    fn num_states(&self) -> usize {
        usize::from(self.options.max_count) + 1
    }

    fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        truth::ground_truth(&self.options)
    }

    fn state_noun(&self) -> &'static str {
        "count"
    }

    fn nuisances(&self) -> Vec<Nuisance> {
        let max_count = usize::from(self.options.max_count);
        let one = |array, probe, shape: &[usize], kind| Nuisance {
            array,
            probe,
            shape: shape.to_vec(),
            kind,
        };
        vec![
            one(
                Some("shape_ids"),
                Some("shape"),
                &[],
                NuisanceKind::Category,
            ),
            one(Some("colors"), Some("color"), &[3], NuisanceKind::Byte),
            one(
                Some("positions"),
                None,
                &[max_count, 2],
                NuisanceKind::Integer,
            ),
            one(None, Some("mean position"), &[2], NuisanceKind::Real),
        ]
    }

    fn push_nuisances(&self, copy: usize, values: &mut Vec<f32>) {
        values.push(f32::from(self.shape(copy).id()));
        values.extend(self.color(copy).map(f32::from));
        let positions = self.positions(copy);
        values.extend(positions.as_flattened().iter().map(|&at| f32::from(at)));
        let placed = &positions[..usize::from(self.count(copy))];
        values.extend([0, 1].map(|axis| {
            let sum: f32 = placed.iter().map(|at| f32::from(at[axis])).sum();
            sum / placed.len() as f32
        }));
    }
}

/// Returns the effect of an action: the first removes, the last adds, one between them keeps.
fn act_of(space: ActionSpace, action: Action) -> Option<Act> {
    let last = space.distinct() - 1;
    Some(match space.index_of(action)?.index() {
        0 => Act::Remove,
        index if index == last => Act::Add,
        _ => Act::Keep,
    })
}
