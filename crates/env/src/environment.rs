//! What every world offers.

use tellapart_system::{MooreMachine, StateId};

use crate::{Action, ActionSpace, EnvError};

/// Many copies of one world, stepped together.
///
/// Buffers belong to the caller and are in copy order: `frames` holds
/// `len * height * width * channels` bytes, `outcomes` and `actions` hold `len` items. A buffer of
/// another length, or an action outside the action space, is an error that names it, and then no copy
/// has moved.
pub trait BatchEnvironment {
    /// How many copies there are.
    fn len(&self) -> usize;

    /// Whether there are no copies at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Height and width in pixels, and channels, of one observation (u8, row by row).
    fn observation_shape(&self) -> [usize; 3];

    /// How many bytes one observation has.
    fn frame_bytes(&self) -> usize {
        self.observation_shape().iter().product()
    }

    /// The actions that [`step`](Self::step) accepts.
    fn action_space(&self) -> ActionSpace;

    /// Begins a new episode in every copy and draws its first observation.
    fn reset(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError>;

    /// Moves every copy by one step and draws its new observation.
    ///
    /// A copy whose last [`Outcome::end`] was not [`End::Continues`], or which was never reset,
    /// ignores its action and begins a new episode.
    fn step(
        &mut self,
        actions: &[Action],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError>;

    /// The finite system behind the observations: `Outcome::state` is its state, `Outcome::value` its
    /// output value, [`ActionSpace::index_of`] its action. It says how the world moves, so it has no
    /// ends of episodes: an episode is a piece of a walk through it.
    fn ground_truth(&self) -> Result<MooreMachine, EnvError>;
}

/// What is true of a copy's observation after [`BatchEnvironment::reset`] or
/// [`BatchEnvironment::step`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The auxiliary function `p` of the observation now shown (not of the one before it).
    pub value: f32,
    /// The hidden state now shown, a state of [`BatchEnvironment::ground_truth`].
    pub state: StateId,
    /// Whether the observation now shown is the last of its episode.
    pub end: End,
}

impl Default for Outcome {
    /// State 0, value 0, not ended: what to fill a new buffer with.
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
    /// The world ended it (a goal was reached).
    Terminal,
    /// It was cut off at its greatest length.
    Timeout,
}
