//! Batches for training, from a live environment or from recorded trajectories.

mod live;
mod recorded;

use rand_chacha::ChaCha8Rng;
use tellapart_data::Batch;
use tellapart_model::Interface;

pub use live::{Live, Step, Stream};
pub(crate) use live::{describe_actions, random_function};
pub use recorded::Recorded;

use crate::config::ValidConfig;
use crate::error::TrainError;

/// Where batches come from. Batch `n` is the same however the run got there, so that a resumed run
/// sees what an uninterrupted one sees.
#[derive(Debug)]
pub enum Experience {
    /// A live environment under a random policy.
    Live(Box<Live>),
    /// Recorded trajectories.
    Recorded(Box<Recorded>),
}

impl Experience {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// A file that cannot be read, has no such target, or no usable actions.
    pub fn open(config: &ValidConfig) -> Result<Self, TrainError> {
        if config.is_live() {
            Ok(Self::Live(Box::new(Live::new(config)?)))
        } else {
            Ok(Self::Recorded(Box::new(Recorded::open(config)?)))
        }
    }

    /// What the model has to fit.
    pub fn interface(&self) -> Interface {
        match self {
            Self::Live(live) => live.interface(),
            Self::Recorded(recorded) => recorded.interface(),
        }
    }

    /// The next batch; `rng` chooses windows where they are chosen.
    ///
    /// # Errors
    /// Only where a buffer holds too few rows.
    pub fn next_batch(&mut self, rng: &mut ChaCha8Rng) -> Result<Batch, TrainError> {
        match self {
            Self::Live(live) => live.next_batch(rng),
            Self::Recorded(recorded) => recorded.next_batch(rng),
        }
    }

    /// Tells one recording from another; `None` for a live environment, which its seed determines.
    pub fn fingerprint(&self) -> Option<u32> {
        match self {
            Self::Live(_) => None,
            Self::Recorded(recorded) => Some(recorded.fingerprint()),
        }
    }

    /// Passes over the experience of `batches` updates that are already done.
    ///
    /// # Errors
    /// As [`next_batch`](Self::next_batch).
    pub fn skip(&mut self, batches: u64) -> Result<(), TrainError> {
        match self {
            Self::Live(live) => live.skip(batches),
            Self::Recorded(_) => Ok(()),
        }
    }
}
