//! Recorded experience: trajectories in memory and on disk, replay, batches, splits by episode.
//!
//! A *row* is one observation with its value of the auxiliary function, the action taken *at* it,
//! and whether it ends its episode. The observation that an action led to is the next row. Rows of
//! one episode follow each other; the last one carries `terminals` or `timeouts`, and its action
//! means nothing.
//!
//! - [`Trajectories`]: whole recordings, checked once when made, read from and written to `.npz`,
//!   and read from HDF5 of others.
//! - [`ReplayBuffer`]: the newest rows of many parallel streams, within a fixed number of bytes.
//! - [`Batch`]: rows for training, taken from either; it needs image frames of `u8`.
//! - [`Trajectories::finite_actions`], [`Frames::distinct`], [`Trajectories::auxiliary`]: group
//!   rows with the same action, observation or value of `p`, as they are stored.
//! - [`split_by_episode`]: splits whole episodes into training and held-out ones.
//!
//! All randomness comes from a seed or a seeded generator, so the same call gives the same rows on
//! every machine.

mod action_names;
mod action_rule;
mod auxiliary;
mod batch;
mod columns;
mod distinct;
mod error;
mod hdf5;
mod memory;
mod names;
mod npz;
mod number;
mod observation;
mod read;
mod replay;
mod split;
mod trajectories;

pub use action_rule::{ActionRule, FiniteActions};
pub use auxiliary::{Auxiliary, BelongsTo};
pub use batch::Batch;
pub use columns::{Actions, Columns, Frames};
pub use distinct::Distinct;
pub use error::DataError;
pub use hdf5::{fingerprint, recording_bytes};
pub use names::{RESERVED_NAMES, is_recording};
pub use number::shortest;
pub use observation::{ObservationSpec, ObservationValues};
pub use replay::{ReplayBuffer, ReplayOptions, Step};
pub use split::{split_by_episode, uniform_window};
pub use trajectories::{LeftOut, Trajectories, TrajectoryParts};
