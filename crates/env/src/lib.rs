//! Worlds to learn from. Environments are stepped as one batch and drawn into one buffer of the
//! caller. Each world can state the finite system that it really is.
//!
//! ```
//! use tellapart_env::{EnvError, RepeatedRandom, Rollout, Row, World};
//!
//! let (seed, num_envs) = (7, 16);
//! let world = World::Counting.default_options().validate()?.build(seed, num_envs);
//! let policy = RepeatedRandom::new(world.action_space(), seed, num_envs);
//!
//! let mut reached = 0;
//! Rollout::new(world, policy).run(100, |row: Row<'_>| -> Result<(), EnvError> {
//!     reached += row.outcomes.iter().filter(|outcome| outcome.value == 1.0).count();
//!     Ok(())
//! })?;
//! assert!(reached > 0);
//! # Ok::<(), tellapart_env::EnvError>(())
//! ```
//!
//! Properties of every world here:
//!
//! * **The caller owns the memory.** A step writes every byte of `frames` and allocates nothing.
//! * **Environment `i` draws from its own random stream** (ChaCha8, chosen by seed and index). Its
//!   course depends on neither the number of environments nor the number of threads.
//! * **Next-step autoreset**, as in Gymnasium 1.x: the last observation of an episode is really
//!   shown. The step after it ignores the action and shows the first one of the next episode.
//! * **No input or output**: nothing is read, written or printed.
//!
//! A world is its [`WorldRules`]: how a state moves, what it is worth, and how it looks.
//! [`Environments`] makes the batch and the ground truth of them.

mod action;
mod batch;
pub mod counting;
mod environment;
mod error;
pub mod grid;
mod moves;
mod policy;
mod rollout;
mod rules;
mod tint;
pub mod torus;
mod world;

pub use action::{Action, ActionSpace, NO_OP_BAND, Ways};
pub use batch::{Environment, Environments};
pub use counting::Counting;
pub use environment::{BatchEnvironment, End, Nuisance, NuisanceKind, Outcome};
pub use error::EnvError;
pub use grid::Grid;
pub use policy::{Policy, RepeatedRandom};
pub use rollout::{Rollout, Row};
pub use rules::WorldRules;
pub use torus::Torus;
pub use world::{ValidWorld, World, WorldOptions};
