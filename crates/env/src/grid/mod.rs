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
mod replica;
mod truth;

use std::ops::Range;

use tellapart_system::{MooreMachine, StateId};

pub use self::options::{Options, ValidOptions};
use self::{map::Act, replica::Replica};
use crate::{
    Action, ActionSpace, BatchEnvironment, EnvError, Nuisance, NuisanceKind, Outcome,
    batch::ReplicaBatch,
};

/// Batch of environments of the gridworld, stepped together.
///
/// The states of the [ground truth](BatchEnvironment::ground_truth) are the cells that are not
/// walls, row by row from the top left. The actions are up, down, left, right and, by option, stay.
/// An agent that moves into a wall stays. An episode begins in a cell drawn uniformly, goals
/// included.
///
/// Cost of a step: the frames are written once, and nothing is allocated. Without noise, random
/// values are drawn only at the beginning of an episode.
#[derive(Debug, Clone)]
pub struct Grid {
    options: ValidOptions,
    batch: ReplicaBatch<Replica>,
}

impl Grid {
    /// Creates `num_envs` environments; environment `i` draws from stream `i` of `seed`. Call
    /// [`reset`](BatchEnvironment::reset) to see the first observations.
    pub fn new(options: ValidOptions, seed: u64, num_envs: usize) -> Self {
        Self::with_streams(options, seed, 0..num_envs as u64)
    }

    /// Creates one environment for each stream. An environment does not depend on the others. A
    /// batch may therefore be divided among threads, each with a range of the streams and its part
    /// of the buffers.
    pub fn with_streams(options: ValidOptions, seed: u64, streams: Range<u64>) -> Self {
        let batch = ReplicaBatch::new(seed, streams, Replica::new);
        Self { options, batch }
    }

    /// Returns the options of the world.
    pub fn options(&self) -> &ValidOptions {
        &self.options
    }

    /// Returns column and row of the cell of environment `copy`, from the top left. Panics if there
    /// is no such environment.
    pub fn position(&self, copy: usize) -> [i16; 2] {
        self.options.map.position(self.batch.replica(copy).state)
    }

    /// Returns the index of the floor color of environment `copy`, from 0. Panics if there is no
    /// such environment.
    pub fn tint(&self, copy: usize) -> u8 {
        self.batch.replica(copy).tint
    }

    /// Returns the number of the view in `state`, by first occurrence. Two states have equal
    /// numbers if and only if they look alike up to tint and noise. Panics if there is no such
    /// state.
    pub fn view_of(&self, state: StateId) -> u32 {
        self.options.map.view(state.get())
    }

    fn run(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        let frame_bytes = self.frame_bytes();
        self.batch.run(&self.options, frame_bytes, frames, outcomes)
    }
}

impl BatchEnvironment for Grid {
    fn len(&self) -> usize {
        self.batch.len()
    }

    fn observation_shape(&self) -> [usize; 3] {
        let side = self.options.view_side() * self.options.cell_side as usize;
        [side, side, 3]
    }

    fn action_space(&self) -> ActionSpace {
        self.options.action_space()
    }

    fn reset(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        self.batch.begin(None);
        self.run(frames, outcomes)
    }

    fn reset_to(
        &mut self,
        states: &[StateId],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        let count = self.num_states();
        self.batch.begin_each(states, count, |state| state)?;
        self.run(frames, outcomes)
    }

    fn step(
        &mut self,
        actions: &[Action],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        let options = &self.options;
        let act_of = |action| Act::of(options, action);
        self.batch
            .act(options.action_space(), act_of, None, actions)?;
        self.run(frames, outcomes)
    }

    fn num_states(&self) -> usize {
        self.options.map.states() as usize
    }

    fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        Ok(truth::ground_truth(&self.options)?)
    }

    fn state_noun(&self) -> &'static str {
        "cell"
    }

    fn nuisances(&self) -> Vec<Nuisance> {
        let one = |array, probe, shape: &[usize], kind| Nuisance {
            array: Some(array),
            probe,
            shape: shape.to_vec(),
            kind,
        };
        vec![
            one("positions", None, &[2], NuisanceKind::Integer),
            one("view_ids", None, &[], NuisanceKind::Index),
            one("tint_ids", Some("tint"), &[], NuisanceKind::Category),
        ]
    }

    fn push_nuisances(&self, copy: usize, values: &mut Vec<f32>) {
        let state = StateId::new(self.batch.replica(copy).state);
        values.extend(self.position(copy).map(f32::from));
        values.push(self.view_of(state) as f32);
        values.push(f32::from(self.tint(copy)));
    }
}
