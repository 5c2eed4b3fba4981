//! What a world must say of itself: the rules that each of its environments follows.

use rand::{Rng, RngExt};
use tellapart_system::{ActionId, StateId};

use crate::{ActionSpace, Environment, Nuisance};

/// Rules of a world: a finite system, and how its states look.
///
/// [`Environments`](crate::Environments) steps a batch by these rules. It builds the ground truth
/// from the same functions, so the two cannot disagree. [`successor`](Self::successor),
/// [`value`](Self::value) and [`is_terminal`](Self::is_terminal) depend on their arguments alone.
/// Whatever is drawn is a nuisance.
///
/// ```
/// use tellapart_env::{ActionSpace, BatchEnvironment, Environment, Environments, WorldRules};
/// use tellapart_system::{ActionId, StateId};
///
/// /// Lamp with a switch, seen as one pixel. Action 1 is the switch.
/// struct Lamp;
///
/// impl WorldRules for Lamp {
///     type Nuisances = ();
///     fn new_nuisances(&self) {}
///     fn observation_shape(&self) -> [usize; 3] { [1, 1, 1] }
///     fn action_space(&self) -> ActionSpace { ActionSpace::one_hot(2) }
///     fn num_states(&self) -> usize { 2 }
///     fn successor(&self, lit: StateId, action: ActionId) -> StateId {
///         StateId::new(lit.get() ^ action.get())
///     }
///     fn value(&self, lit: StateId) -> f32 { lit.get() as f32 }
///     fn paint(&self, environment: &mut Environment<()>, frame: &mut [u8]) {
///         frame[0] = [0, 255][environment.state().index()];
///     }
/// }
///
/// let lamps = Environments::new(Lamp, 7, 16);
/// assert_eq!(lamps.ground_truth()?.states(), 2);
/// # Ok::<(), tellapart_env::EnvError>(())
/// ```
pub trait WorldRules: Send {
    /// Present values of what an environment shows next to its state: `()` if there is nothing.
    type Nuisances: Send;

    /// Returns the nuisances of an environment before its first episode.
    fn new_nuisances(&self) -> Self::Nuisances;

    /// Returns height and width in pixels, and channels, of one observation; each at least 1.
    fn observation_shape(&self) -> [usize; 3];

    /// Returns the actions of the world.
    fn action_space(&self) -> ActionSpace;

    /// Returns the number of states, at least 1.
    fn num_states(&self) -> usize;

    /// Returns the state that an action leads to.
    fn successor(&self, state: StateId, action: ActionId) -> StateId;

    /// Returns the auxiliary function p of a state.
    fn value(&self, state: StateId) -> f32;

    /// Draws the nuisances that change at every step, and paints every byte of the frame.
    fn paint(&self, environment: &mut Environment<Self::Nuisances>, frame: &mut [u8]);

    /// Draws the nuisances that last for an episode. Default: none.
    fn begin_episode(&self, nuisances: &mut Self::Nuisances, rng: &mut impl Rng) {
        let _ = (nuisances, rng);
    }

    /// Returns the state in which an episode begins. Default: drawn uniformly.
    fn first_state(&self, rng: &mut impl Rng) -> StateId {
        StateId::new(rng.random_range(0..self.num_states() as u32))
    }

    /// Whether a step that leads to `state` ends the episode. Beginning there does not end it.
    /// Default: never.
    fn is_terminal(&self, state: StateId) -> bool {
        let _ = state;
        false
    }

    /// Returns the number of steps after which an episode is cut off. Default: no limit that
    /// matters.
    fn max_steps(&self) -> u32 {
        u32::MAX
    }

    /// Returns the names of all actions, by id. Default: they have none.
    fn action_names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Returns what a state is called in reports, such as `count`.
    fn state_noun(&self) -> &'static str {
        "state"
    }

    /// Returns what is recorded and probed of the nuisances, always the same. Default: nothing.
    fn nuisances(&self) -> Vec<Nuisance> {
        Vec::new()
    }

    /// Appends the values of all [`nuisances`](Self::nuisances) that an environment shows, one
    /// after the other. Where an observation shows none (an empty image), values are NaN.
    fn push_nuisances(&self, environment: &Environment<Self::Nuisances>, values: &mut Vec<f32>) {
        let _ = (environment, values);
    }
}
