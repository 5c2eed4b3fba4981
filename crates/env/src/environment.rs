//! Interface of all worlds.

use tellapart_system::{MooreMachine, StateId};

use crate::{Action, ActionSpace, EnvError};

/// Batch of environments of one world, stepped together. Most worlds state their
/// [`WorldRules`](crate::WorldRules), and [`Environments`](crate::Environments) is the batch.
///
/// Buffers belong to the caller and are in order of environments. `frames` holds
/// `len * height * width * channels` bytes; `outcomes` and `actions` hold `len` items. A buffer of
/// another length, or an action outside the action space, is an error that names it. No environment
/// has moved then.
pub trait BatchEnvironment: Send {
    /// Returns the number of environments.
    fn len(&self) -> usize;

    /// Whether there are no environments.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns height and width in pixels, and channels, of one observation (u8, row by row).
    fn observation_shape(&self) -> [usize; 3];

    /// Returns the number of bytes of one observation.
    fn frame_bytes(&self) -> usize {
        self.observation_shape().iter().product()
    }

    /// Returns the actions that [`step`](Self::step) accepts.
    fn action_space(&self) -> ActionSpace;

    /// Begins a new episode in every environment and draws its first observation.
    fn reset(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError>;

    /// Begins a new episode in every environment, environment `i` in state `states[i]`, and draws
    /// its first observation. Use it for observations balanced over the states.
    ///
    /// # Errors
    /// A buffer or `states` does not hold one item for each environment, or there is no such state.
    fn reset_to(
        &mut self,
        states: &[StateId],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError>;

    /// Moves every environment by one step and draws its new observation.
    ///
    /// An environment ignores its action and begins a new episode if it was never reset, or if its
    /// last [`Outcome::end`] was not [`End::Continues`].
    fn step(
        &mut self,
        actions: &[Action],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError>;

    /// Returns the number of states of the finite system behind the observations.
    fn num_states(&self) -> usize;

    /// Returns the finite system behind the observations. [`Outcome::state`] is its state,
    /// [`Outcome::value`] its output value, and [`ActionSpace::index_of`] its action. It says how
    /// the world moves, so it has no ends of episodes: an episode is a piece of a walk through it.
    fn ground_truth(&self) -> Result<MooreMachine, EnvError>;

    /// Returns what a state is called in reports, such as `count`.
    fn state_noun(&self) -> &'static str {
        "state"
    }

    /// Returns the hidden variables of an observation other than its state, always the same ones.
    /// Default: none.
    fn nuisances(&self) -> Vec<Nuisance> {
        Vec::new()
    }

    /// Appends the values of all [`nuisances`](Self::nuisances) that environment `copy` shows, one
    /// after the other. Where an observation shows none (an empty image), values are NaN. Panics if
    /// there is no such environment.
    fn push_nuisances(&self, copy: usize, values: &mut Vec<f32>) {
        let _ = (copy, values);
    }
}

/// Hidden variable of an observation that says nothing about the future of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nuisance {
    /// Name of its array in recordings; `None` if recordings leave it out.
    pub array: Option<&'static str>,
    /// Name under which linear probes of latents show it; `None` if they leave it out.
    pub probe: Option<&'static str>,
    /// Shape of its values for one observation; empty for a single value.
    pub shape: Vec<usize>,
    /// Kind of its values.
    pub kind: NuisanceKind,
}

/// Kind of the values of a [`Nuisance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NuisanceKind {
    /// One of a few cases, a whole number from 0 to 255.
    Category,
    /// One of many cases, a whole number below 2^24.
    Index,
    /// A whole number from 0 to 255.
    Byte,
    /// A whole number from -32768 to 32767.
    Integer,
    /// Any number.
    Real,
}

impl Nuisance {
    /// Creates the description of a hidden variable.
    pub fn new(
        array: Option<&'static str>,
        probe: Option<&'static str>,
        shape: &[usize],
        kind: NuisanceKind,
    ) -> Self {
        Self {
            array,
            probe,
            shape: shape.to_vec(),
            kind,
        }
    }

    /// Returns the number of its values for one observation.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Facts about an observation after [`BatchEnvironment::reset`] or [`BatchEnvironment::step`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Auxiliary function p of the observation now shown, not of the one before it.
    pub value: f32,
    /// Hidden state now shown, a state of [`BatchEnvironment::ground_truth`].
    pub state: StateId,
    /// Whether the observation now shown is the last of its episode.
    pub end: End,
}

impl Default for Outcome {
    /// Returns state 0, value 0, not ended: a value to fill new buffers with.
    fn default() -> Self {
        Self {
            value: 0.0,
            state: StateId::from_index(0),
            end: End::Continues,
        }
    }
}

/// Whether, and why, an observation is the last of its episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// The episode goes on.
    #[default]
    Continues,
    /// The world ended the episode (a goal was reached).
    Terminal,
    /// The episode was cut off at its maximal length.
    Timeout,
}
