//! What can go wrong in a run.

use std::path::PathBuf;

use tellapart_data::DataError;
use tellapart_env::EnvError;
use tellapart_files::FileError;
use tellapart_model::ModelError;

use crate::config::ConfigError;

/// Why a run could not begin, go on, or be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The environment.
    #[error(transparent)]
    Environment(#[from] EnvError),
    /// The recorded data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder or file of the run directory.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A stored run cannot be used.
    #[error("{path}: {problem}")]
    Run {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Vector actions where distinct ones are needed.
    #[error(
        "`actions` are vectors of {width} numbers, and bounded dynamics have one network per \
         distinct action; set model.dynamics=plain (single numbers within [-1, 1] are split as \
         environment.actions=continuous-2 or continuous-3 says)"
    )]
    ContinuousActions {
        /// Numbers in an action.
        width: usize,
    },
    /// The replay buffer cannot be had.
    #[error(
        "{rows} rows of {copies} copies do not fit into memory; choose a smaller data.window, \
         data.copies or data.replay_rows"
    )]
    Replay {
        /// Rows of all copies together.
        rows: usize,
        /// As configured.
        copies: usize,
        /// What the buffer says.
        source: DataError,
    },
    /// A recording shorter than a window.
    #[error(
        "{source_name}: {rows} rows of training episodes, but data.window is {window}; choose a smaller \
         window or record more"
    )]
    TooFewRows {
        /// The recording.
        source_name: String,
        /// Rows of its training episodes.
        rows: usize,
        /// Rows of a window.
        window: usize,
    },
    /// A run cannot be continued on other data.
    #[error(
        "{source_name}: the recording is not the one this run began with; put that one back, or start \
         a new run in another folder"
    )]
    RecordingChanged {
        /// The recording.
        source_name: String,
    },
    /// A model and a recording of different worlds.
    #[error(
        "`{array}` of the recording are {found}, but the run was trained on {expected}: its encoder \
         takes recordings of its own world only"
    )]
    Unfit {
        /// Which array.
        array: &'static str,
        /// What the recording holds.
        found: String,
        /// What the model takes.
        expected: String,
    },
    /// A random function of the pixels needs pixels.
    #[error("`observations` are not u8 images, which `target.kind = \"random\"` needs")]
    NotImages,
    /// A loss stopped being a number.
    #[error(
        "the loss is {loss} at update {update}: training diverged. Lower optimizer.learning_rate, or \
         loss.dynamics_weight; the last checkpoint before it is kept"
    )]
    Diverged {
        /// Not finite.
        loss: f32,
        /// 0-based.
        update: u64,
    },
}
