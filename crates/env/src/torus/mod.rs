//! Torus: a dot that moves on a grid whose edges are joined, under a value chosen by name.
//!
//! Frames and dynamics are always the same, and only the value `p` changes. So the number of
//! classes of the largest bisimulation goes from 1 to one for each position, by `p` alone: see
//! [`Function`]. The tint of an episode and noise say nothing about the future of the value.

mod function;
mod options;
mod replica;

use std::ops::Range;

use tellapart_system::{ActionId, MooreMachine, MooreMachineBuilder, StateId, SystemError};

pub use self::{
    function::Function,
    options::{Options, ValidOptions},
};
use self::{options::Move4, replica::Replica};
use crate::{
    Action, ActionSpace, BatchEnvironment, EnvError, Nuisance, NuisanceKind, Outcome,
    batch::ReplicaBatch,
};

/// Batch of environments of the torus, stepped together.
///
/// State `y * side + x` of the [ground truth](BatchEnvironment::ground_truth) is column `x` and row
/// `y` from the top left. The actions are up, down, left and right. An episode begins at a position
/// drawn uniformly.
#[derive(Debug, Clone)]
pub struct Torus {
    options: ValidOptions,
    batch: ReplicaBatch<Replica>,
}

impl Torus {
    /// Creates `num_envs` environments; environment `i` draws from stream `i` of `seed`. Call
    /// [`reset`](BatchEnvironment::reset) to see the first observations.
    pub fn new(options: ValidOptions, seed: u64, num_envs: usize) -> Self {
        Self::with_streams(options, seed, 0..num_envs as u64)
    }

    /// Creates one environment for each stream, which does not depend on the others.
    pub fn with_streams(options: ValidOptions, seed: u64, streams: Range<u64>) -> Self {
        let batch = ReplicaBatch::new(seed, streams, Replica::new);
        Self { options, batch }
    }

    /// Returns the options of the world.
    pub fn options(&self) -> &ValidOptions {
        &self.options
    }

    fn run(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        let frame_bytes = self.frame_bytes();
        self.batch.run(&self.options, frame_bytes, frames, outcomes)
    }
}

impl BatchEnvironment for Torus {
    fn len(&self) -> usize {
        self.batch.len()
    }

    fn observation_shape(&self) -> [usize; 3] {
        let side = self.options.image_side as usize;
        [side, side, 3]
    }

    fn action_space(&self) -> ActionSpace {
        Move4::SPACE
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
        self.batch.act(Move4::SPACE, Move4::of, None, actions)?;
        self.run(frames, outcomes)
    }

    fn num_states(&self) -> usize {
        self.options.states() as usize
    }

    fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        Ok(ground_truth(&self.options)?)
    }

    fn state_noun(&self) -> &'static str {
        "position"
    }

    fn nuisances(&self) -> Vec<Nuisance> {
        vec![
            Nuisance {
                array: Some("positions"),
                probe: None,
                shape: vec![2],
                kind: NuisanceKind::Integer,
            },
            Nuisance {
                array: Some("tint_ids"),
                probe: Some("tint"),
                shape: Vec::new(),
                kind: NuisanceKind::Category,
            },
        ]
    }

    fn push_nuisances(&self, copy: usize, values: &mut Vec<f32>) {
        let replica = self.batch.replica(copy);
        let (x, y) = self.options.position(replica.state);
        values.extend([x as f32, y as f32, f32::from(replica.tint)]);
    }
}

fn ground_truth(options: &ValidOptions) -> Result<MooreMachine, SystemError> {
    let mut builder = MooreMachineBuilder::new(options.states() as usize, Move4::ALL.len())?;
    for state in 0..options.states() {
        let value = f64::from(options.value_of(state));
        builder.output_value(StateId::new(state), &[value])?;
        for (id, &way) in Move4::ALL.iter().enumerate() {
            let next = StateId::new(options.successor(state, way));
            builder.transition(StateId::new(state), ActionId::from_index(id), next)?;
        }
    }
    let names = Move4::ALL.iter().map(|way| way.name().to_owned());
    builder.build()?.with_action_names(names.collect())
}
