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

use tellapart_audit::AuditError;
use tellapart_files::FileError;
use tellapart_report::ReportError;
use tellapart_train::TrainError;

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
