//! Errors of a run.

use std::path::PathBuf;

use tellapart_data::DataError;
use tellapart_env::EnvError;
use tellapart_files::FileError;
use tellapart_model::ModelError;

use crate::config::ConfigError;

/// Error that keeps a run from beginning, going on, or being read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Error of the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Error of the environment.
    #[error(transparent)]
    Environment(#[from] EnvError),
    /// Error of the recorded data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Error of the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Error of a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder or file of the run directory cannot be accessed.
    #[error("{action} {path}: {source}")]
    Io {
        /// Action that failed.
        action: &'static str,
        /// File or folder that the action failed on.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// A stored run cannot be used.
    #[error("{path}: {problem}")]
    Run {
        /// File or folder with the problem.
        path: PathBuf,
        /// Description of the problem, and what to do.
        problem: String,
    },
    /// A file of a checkpoint is missing, cut short, or otherwise not what was written.
    #[error("{path}: this file of a checkpoint is damaged or cut short ({problem}); {advice}")]
    Damaged {
        /// Damaged file.
        path: PathBuf,
        /// Description of the damage.
        problem: String,
        /// What to do.
        advice: &'static str,
    },
    /// Actions are vectors, but distinct actions are needed.
    #[error(
        "`actions` are vectors of {width} numbers, and a bounded predictor has one network per \
         distinct action; say which vectors are equal with data.action_rule=sign or at:-0.5,0.5, or \
         set model.predictor=plain"
    )]
    ContinuousActions {
        /// Length of an action vector.
        width: usize,
    },
    /// Values belong to steps, and nothing says which actions are the same.
    #[error(
        "`{array}` belongs to steps, so the head has an output for each action; for action vectors, set \
         data.action_rule, such as sign or at:-0.5,0.5"
    )]
    StepWithoutRule {
        /// Array of p.
        array: String,
    },
    /// No value of p is known.
    #[error(
        "`{array}` is not known in any row: it is NaN everywhere, or every row ends an episode and it belongs to \
         steps; there is nothing to predict"
    )]
    NothingKnown {
        /// Array of p.
        array: String,
    },
    /// Every episode has one row.
    #[error(
        "{source_name}: every episode has one row, so no step was recorded and there are no dynamics \
         to learn; check in which rows `terminals` and `timeouts` are set"
    )]
    NoSteps {
        /// Path of the recording.
        source_name: String,
    },
    /// The replay buffer does not fit into memory.
    #[error(
        "{rows} rows of {num_envs} environments do not fit into memory; choose a smaller data.window, \
         data.num_envs or data.replay_rows"
    )]
    Replay {
        /// Number of rows of all environments together.
        rows: usize,
        /// Number of environments, as configured.
        num_envs: usize,
        /// Error of the buffer.
        source: DataError,
    },
    /// The recording has too few rows for a window.
    #[error(
        "{source_name}: {rows} rows of training episodes, but data.window is {window}; choose a smaller \
         window, record more, or check the array `splits` (0 is for training)"
    )]
    TooFewRows {
        /// Path of the recording.
        source_name: String,
        /// Number of rows in its training episodes.
        rows: usize,
        /// Number of rows in a window.
        window: usize,
    },
    /// A run cannot be continued on another recording.
    #[error(
        "{source_name}: the recording is not the one this run began with; put that one back, or start \
         a new run in another folder"
    )]
    RecordingChanged {
        /// Path of the recording.
        source_name: String,
    },
    /// Model and recording belong to different worlds.
    #[error(
        "`{array}` of the recording are {found}, but the run was trained on {expected}: its encoder \
         takes recordings of its own world only"
    )]
    Unfit {
        /// Name of the array that does not fit.
        array: &'static str,
        /// Kind of values in the recording.
        found: String,
        /// Kind of values that the model takes.
        expected: String,
    },
    /// The observations are not images, which a random function of the pixels needs.
    #[error("`observations` are not u8 images, which `target.kind = \"random\"` needs")]
    NotImages,
    /// The frames that set the scale of a random function are all black.
    #[error(
        "the first 512 observations are black, so a random function of the pixels has no scale; choose \
         another target.kind, or begin episodes with something to see"
    )]
    BlackFrames,
    /// The gradients are no longer finite.
    #[error(
        "the loss is {loss} at update {update}: training diverged. Lower optimizer.learning_rate, or \
         loss.dynamics.weight; the last checkpoint before it is kept"
    )]
    Diverged {
        /// Total loss at this update.
        loss: f32,
        /// Index of the update, from 0.
        update: u64,
    },
}
