//! Runs experiments: trains, measures against the truth, and reports the results.
//!
//! Environment, training, audit and report meet in this module; each of them knows nothing of most
//! of the others.

mod charts;
pub mod follow;
pub mod measure;
pub mod pages;
mod probes;
pub mod reproduce;
pub mod summary;
pub mod truth;
pub mod without_truth;

use tellapart_audit::{AuditError, RecordedError};
use tellapart_files::FileError;
use tellapart_report::ReportError;
use tellapart_train::TrainError;

use crate::audit_recording::AuditRecordingError;
use crate::collect::CollectError;

/// Reason why an experiment failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// Training failed.
    #[error(transparent)]
    Train(Box<TrainError>),
    /// Measuring failed.
    #[error("cannot measure the trained model: {0}")]
    Audit(#[from] AuditError),
    /// Recording held-out episodes failed.
    #[error("cannot record held-out episodes: {0}")]
    Collect(#[from] CollectError),
    /// The held-out episodes could not be used as evidence.
    #[error("cannot audit held-out episodes: {0}")]
    Evidence(#[from] RecordedError),
    /// Drawing the report failed.
    #[error("cannot draw the report: {0}")]
    Report(#[from] ReportError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The experiment was asked to stop.
    #[error("stopped; what was done is kept in {folder}, continue with --resume")]
    Stopped {
        /// Folder that keeps what was done.
        folder: String,
    },
    /// The system could not start the threads.
    #[error("cannot start the threads that train: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// An experiment without runs.
    #[error("no seed was given, so there is nothing to run; name at least one")]
    NoSeeds,
}

impl From<TrainError> for ExperimentError {
    fn from(error: TrainError) -> Self {
        Self::Train(Box::new(error))
    }
}

impl From<AuditRecordingError> for ExperimentError {
    fn from(error: AuditRecordingError) -> Self {
        match error {
            AuditRecordingError::Evidence(error) => error.into(),
            AuditRecordingError::Latents(error)
            | AuditRecordingError::Pair(error)
            | AuditRecordingError::Audit(error) => error.into(),
            AuditRecordingError::Stopped(stopped) => AuditError::Stopped(stopped).into(),
        }
    }
}
