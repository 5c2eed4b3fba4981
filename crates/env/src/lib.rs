//! Worlds to learn from. Environments are stepped as one batch and drawn into one buffer of the
//! caller. Each world can state the finite system that it really is.
//!
//! ```
//! use tellapart_env::{BatchEnvironment, Counting, Outcome, RepeatedRandom, counting};
//!
//! let num_envs = 16;
//! let mut world = Counting::new(counting::Options::default().validate()?, 7, num_envs);
//! let mut policy = RepeatedRandom::new(world.action_space(), 7, num_envs);
//! let mut frames = vec![0; num_envs * world.frame_bytes()];
//! let mut outcomes = vec![Outcome::default(); num_envs];
//!
//! world.reset(&mut frames, &mut outcomes)?;
//! for _ in 0..100 {
//!     world.step(policy.next_actions(), &mut frames, &mut outcomes)?;
//! }
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

mod action;
mod batch;
pub mod counting;
mod environment;
mod error;
pub mod grid;
mod policy;
mod world;

pub use action::{Action, ActionSpace, NO_OP_BAND, Ways};
pub use counting::Counting;
pub use environment::{BatchEnvironment, End, Outcome};
pub use error::EnvError;
pub use grid::Grid;
pub use policy::RepeatedRandom;
pub use world::{World, WorldOptions};
