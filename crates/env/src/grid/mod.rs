//! A gridworld seen through a small window: an agent walks among walls, and sees only the cells
//! around it.
//!
//! The value is 1 at a goal. Here both kinds of merging happen that an audit must keep apart:
//!
//! * Cells whose surroundings are alike **look alike**, bit for bit in episodes of one tint. Where
//!   they are not bisimilar, no encoder of single observations can keep them apart: partial
//!   observability, the observation's fault. [`Grid::view_of`] says which cells those are.
//! * Cells that look different and are not bisimilar are merged by the encoder alone.
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
use crate::{Action, ActionSpace, BatchEnvironment, EnvError, Outcome, batch::Batch};

/// Many copies of the gridworld, stepped together.
///
/// The states of the [ground truth](BatchEnvironment::ground_truth) are the cells that are not
/// walls, row by row from the top left. The actions are up, down, left, right and, by option, stay;
/// who moves into a wall stays. An episode begins in a cell drawn uniformly, goals included.
///
/// Cost of a step: the frames are written once, and without noise nothing is drawn but at the
/// beginning of an episode; no allocation.
#[derive(Debug, Clone)]
pub struct Grid {
    options: ValidOptions,
    batch: Batch<Replica>,
}

impl Grid {
    /// `copies` copies; copy `i` draws from stream `i` of `seed`. Call
    /// [`reset`](BatchEnvironment::reset) to see the first observations.
    pub fn new(options: ValidOptions, seed: u64, copies: usize) -> Self {
        Self::with_streams(options, seed, 0..copies as u64)
    }

    /// One copy for each stream. A copy is the same whatever the others are, so a batch may be shared
    /// out: each thread with a range of the streams, and that part of the buffers.
    pub fn with_streams(options: ValidOptions, seed: u64, streams: Range<u64>) -> Self {
        let batch = Batch::new(seed, streams, Replica::new);
        Self { options, batch }
    }

    /// The options it was made of.
    pub fn options(&self) -> &ValidOptions {
        &self.options
    }

    /// Begins an episode in every copy, copy `i` in state `states[i]`: this is how to draw
    /// observations balanced over the cells.
    ///
    /// # Errors
    /// If a buffer or `states` does not hold one item for each copy, or there is no such state.
    pub fn reset_with_states(
        &mut self,
        states: &[StateId],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        self.batch.check_length("states", states.len(), 1)?;
        let count = self.options.map.states() as usize;
        let mut asked = states.iter().enumerate();
        if let Some((copy, &state)) = asked.find(|(_, state)| state.index() >= count) {
            return Err(EnvError::BadState {
                copy,
                state,
                states: count,
            });
        }
        self.batch.begin_each(states);
        self.run(frames, outcomes)
    }

    /// Column and row of the cell where copy `copy` is, from the top left.
    ///
    /// This and the following accessor panic if there is no such copy.
    pub fn position(&self, copy: usize) -> [i16; 2] {
        self.options.map.position(self.batch.replica(copy).state)
    }

    /// Which of the colours the floor of copy `copy` has, from 0.
    pub fn tint(&self, copy: usize) -> u8 {
        self.batch.replica(copy).tint
    }

    /// The number of what is seen in `state`: two states have equal numbers iff they look alike up to
    /// tint and noise. Numbered by first occurrence; panics if there is no such state.
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

    fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        Ok(truth::ground_truth(&self.options)?)
    }
}
