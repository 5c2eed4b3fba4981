//! Training of P-JEPAs: configuration, experience, the training loop, checkpoints, run directories,
//! and the evaluation of trained models on held-out observations.

pub mod checkpoint;
pub mod config;
pub mod decoding;
mod error;
pub mod evaluation;
pub mod evaluator;
pub mod experience;
pub mod learner;
pub mod memory;
pub mod metrics;
pub mod objectives;
pub mod observer;
pub mod optimizer;
pub mod recording_evaluator;
pub mod run_directory;
mod run_log;
pub mod schedule;
pub mod seeds;
pub mod target;
mod tensorboard;
mod tensors;
mod trainer;
mod validation;

pub use config::{Config, ValidConfig};
pub use error::TrainError;
pub use objectives::Objectives;
pub use observer::Observer;
pub use run_directory::RunDirectory;
pub use trainer::{Trained, train, train_on};
