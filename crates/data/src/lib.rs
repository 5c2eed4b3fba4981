//! Recorded experience: trajectories in memory and on disk, replay, batches, splits by episode.
//!
//! A *row* is one observation with its value of the auxiliary function, the action taken *at* it,
//! and whether it ends its episode. The observation that an action led to is the next row. Rows of
//! one episode follow each other; the last one carries `terminals` or `timeouts`, and its action
//! means nothing.
//!
//! - [`Trajectories`]: whole recordings, checked once when made, read from and written to `.npz`.
//! - [`ReplayBuffer`]: the newest rows of many parallel streams, within a fixed number of bytes.
//! - [`Batch`]: rows for training, taken from either; it needs image frames of `u8`.
//! - [`Trajectories::finite_actions`], [`Frames::distinct`], [`Columns::distinct`]: group rows with
//!   the same action, observation or value.
//! - [`split_by_episode`]: splits whole episodes into training and held-out ones.
//!
//! All randomness comes from a seed or a seeded generator, so the same call gives the same rows on
//! every machine.

mod action_names;
mod action_rule;
mod batch;
mod columns;
mod distinct;
mod error;
mod npz;
mod observation;
mod replay;
mod split;
mod trajectories;

pub use action_rule::{ActionRule, FiniteActions};
pub use batch::Batch;
pub use columns::{Actions, Columns, Frames};
pub use distinct::Distinct;
pub use error::DataError;
pub use npz::RESERVED_NAMES;
pub use observation::{ObservationSpec, ObservationValues};
pub use replay::{ReplayBuffer, ReplayOptions, Step};
pub use split::{split_by_episode, uniform_window};
pub use trajectories::{Trajectories, TrajectoryParts};
