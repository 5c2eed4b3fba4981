//! Runs as experiments: train, measure against the truth, and show what was found.
//!
//! This is where environment, training, audit and report meet; each of them knows nothing of most
//! of the others.

mod charts;
pub mod follow;
pub mod measure;
pub mod pages;
pub mod reproduce;
pub mod summary;
pub mod without_truth;

use tellapart_audit::{AuditError, RecordedError};
use tellapart_files::FileError;
use tellapart_report::ReportError;
use tellapart_train::TrainError;

use crate::collect::CollectError;

/// Why an experiment could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// Training.
    #[error(transparent)]
    Train(Box<TrainError>),
    /// Measuring.
    #[error("cannot measure the trained model: {0}")]
    Audit(#[from] AuditError),
    /// Recording held-out episodes.
    #[error("cannot record held-out episodes: {0}")]
    Collect(#[from] CollectError),
    /// Reading them as evidence.
    #[error("cannot audit held-out episodes: {0}")]
    Evidence(#[from] RecordedError),
    /// Drawing.
    #[error("cannot draw the report: {0}")]
    Report(#[from] ReportError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// It was asked to stop.
    #[error("stopped; what was done is kept in {folder}, continue with --resume")]
    Stopped {
        /// The folder.
        folder: String,
    },
    /// The system gave no threads.
    #[error("cannot start the threads that train: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A thread that trained a run ended without a result.
    #[error("the run {run} ended abnormally")]
    Lost {
        /// Its name and seed.
        run: String,
    },
}

impl From<TrainError> for ExperimentError {
    fn from(error: TrainError) -> Self {
        Self::Train(Box::new(error))
    }
}
