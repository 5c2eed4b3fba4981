//! Worlds to learn from: many copies stepped as one batch, drawn into one buffer of the caller's,
//! each world able to state the finite system that it really is.
//!
//! ```
//! use tellapart_env::{BatchEnvironment, Counting, Outcome, RepeatedRandom, counting};
//!
//! let copies = 16;
//! let mut world = Counting::new(counting::Options::default().validate()?, 7, copies);
//! let mut policy = RepeatedRandom::new(world.action_space(), 7, copies);
//! let mut frames = vec![0; copies * world.frame_bytes()];
//! let mut outcomes = vec![Outcome::default(); copies];
//!
//! world.reset(&mut frames, &mut outcomes)?;
//! for _ in 0..100 {
//!     world.step(policy.next_actions(), &mut frames, &mut outcomes)?;
//! }
//! # Ok::<(), tellapart_env::EnvError>(())
//! ```
//!
//! What is true of every world here:
//!
//! * **The caller owns the memory.** A step writes every byte of `frames` and allocates nothing.
//! * **Copy `i` draws from its own random stream** (ChaCha8, chosen by seed and index). What it does
//!   depends on neither the number of copies nor the number of threads.
//! * **Next-step autoreset**, as in Gymnasium 1.x: the last observation of an episode is really
//!   shown; the step after it ignores the action and shows the first one of the next episode.
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
