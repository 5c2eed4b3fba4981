//! Training P-JEPAs: configuration, experience, the loop, checkpoints, run directories, and what a
//! trained model makes of held-out observations.

pub mod at_recording;
pub mod checkpoint;
pub mod config;
mod course;
pub mod decoding;
mod error;
pub mod evaluation;
pub mod experience;
pub mod learner;
pub mod memory;
pub mod metrics;
pub mod observer;
pub mod optimiser;
pub mod run_directory;
pub mod schedule;
pub mod seeds;
pub mod target;
mod tensorboard;
mod tensors;
mod trainer;
mod validation;

pub use config::{Config, ValidConfig};
pub use error::TrainError;
pub use observer::{Observer, Silent};
pub use run_directory::RunDirectory;
pub use trainer::{Trained, train};
