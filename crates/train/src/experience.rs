//! Batches for training, from a live environment or from recorded trajectories.

mod live;
mod recorded;

use rand_chacha::ChaCha8Rng;
use tellapart_data::Batch;
use tellapart_model::IoSpec;

pub use live::Live;
pub(crate) use live::{balanced, behavior, describe_actions, random_function};
pub use recorded::RecordedExperience;
pub(crate) use recorded::actions_of;

use crate::config::{Source, ValidConfig};
use crate::error::TrainError;

/// Source of batches. Batch `n` is the same whether or not the run was interrupted before it, so a
/// resumed run sees what an uninterrupted one sees.
#[derive(Debug)]
pub enum Experience {
    /// Live environment under a random policy.
    Live(Box<Live>),
    /// Recorded trajectories.
    Recorded(Box<RecordedExperience>),
}

impl Experience {
    /// Opens the source that the configuration names.
    ///
    /// # Errors
    /// A file that cannot be read, has no such target, or no usable actions.
    pub fn open(config: &ValidConfig) -> Result<Self, TrainError> {
        Ok(match &config.data.source {
            Source::Live => Self::Live(Box::new(Live::new(config)?)),
            Source::Recording(path) => {
                Self::Recorded(Box::new(RecordedExperience::open(config, path)?))
            }
        })
    }

    /// Returns the shapes that the model has to fit.
    pub fn interface(&self) -> IoSpec {
        match self {
            Self::Live(live) => live.interface(),
            Self::Recorded(recorded) => recorded.interface(),
        }
    }

    /// Returns the next batch. `rng` chooses the windows, except in `latest` batches.
    ///
    /// # Errors
    /// The buffer or the recording holds too few rows.
    pub fn next_batch(&mut self, rng: &mut ChaCha8Rng) -> Result<Batch, TrainError> {
        match self {
            Self::Live(live) => live.next_batch(rng),
            Self::Recorded(recorded) => recorded.next_batch(rng),
        }
    }

    /// Returns a number that tells one recording from another. `None` for a live environment, which
    /// its seed determines.
    pub fn fingerprint(&self) -> Option<u32> {
        match self {
            Self::Live(_) => None,
            Self::Recorded(recorded) => Some(recorded.fingerprint()),
        }
    }

    /// Passes over the experience of `batches` updates that are already done.
    ///
    /// # Errors
    /// Like [`next_batch`](Self::next_batch).
    pub fn skip(&mut self, batches: u64) -> Result<(), TrainError> {
        match self {
            Self::Live(live) => live.skip(batches),
            Self::Recorded(_) => Ok(()),
        }
    }
}
