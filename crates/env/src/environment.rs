//! Interface of all worlds.

use tellapart_system::{MooreMachine, StateId};

use crate::{Action, ActionSpace, EnvError};

/// Batch of environments of one world, stepped together.
///
/// Buffers belong to the caller and are in order of environments. `frames` holds
/// `len * height * width * channels` bytes; `outcomes` and `actions` hold `len` items. A buffer of
/// another length, or an action outside the action space, is an error that names it. No environment
/// has moved then.
pub trait BatchEnvironment {
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

    /// Returns the finite system behind the observations. [`Outcome::state`] is its state,
    /// [`Outcome::value`] its output value, and [`ActionSpace::index_of`] its action. It says how
    /// the world moves, so it has no ends of episodes: an episode is a piece of a walk through it.
    fn ground_truth(&self) -> Result<MooreMachine, EnvError>;
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
