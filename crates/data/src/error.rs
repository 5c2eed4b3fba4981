//! Errors of recorded data.

use std::path::{Path, PathBuf};

use tellapart_files::{Dtype, FileError};

/// Recorded data that cannot be used, or a request that it cannot fulfill.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file can be read, but its content is wrong.
    #[error("{path}: {problem}", path = path.display())]
    InFile {
        /// Path of the file.
        path: PathBuf,
        /// The error inside the file.
        problem: Box<DataError>,
    },
    /// A recording without rows.
    #[error("array `observations` has no rows; record at least one")]
    Empty,
    /// Arrays of different lengths.
    #[error(
        "array `{array}` has {found} rows, but `observations` has {expected}; every array needs one row for each observation"
    )]
    RowCount {
        /// Name of the array that differs.
        array: String,
        /// Its number of rows.
        found: usize,
        /// Number of rows of `observations`.
        expected: usize,
    },
    /// An array of the wrong shape.
    #[error("array `{array}` has shape {found:?}, but {expected} is expected")]
    Shape {
        /// Name of the array.
        array: String,
        /// Its shape.
        found: Vec<usize>,
        /// Expected shape, in words.
        expected: &'static str,
    },
    /// An array of the wrong type.
    #[error(
        "array `{array}` has type {found}, but {expected} is expected; convert it with .astype"
    )]
    Type {
        /// Name of the array.
        array: String,
        /// Its type.
        found: Dtype,
        /// Expected types, in words.
        expected: &'static str,
    },
    /// A single wrong value.
    #[error("array `{array}`, row {row}: {found}, but {expected} is expected")]
    Value {
        /// Name of the array.
        array: String,
        /// Row, counted from 0.
        row: usize,
        /// The value, as text.
        found: String,
        /// Expected value, in words.
        expected: String,
    },
    /// Another number of names than of actions.
    #[error(
        "array `action_names` has {found} names, but there are {actions} actions; give one name for each action id, from 0"
    )]
    ActionNames {
        /// Number of names.
        found: usize,
        /// Number of actions.
        actions: usize,
    },
    /// Action vectors where finitely many actions are needed.
    #[error(
        "array `actions` holds vectors of {width}, and which of them count as the same action must be said: by `sign`, `distinct` values, a number of bins such as 5, or edges such as at:-0.5,0.5"
    )]
    ContinuousActions {
        /// Number of elements of one action.
        width: usize,
    },
    /// A rule for actions that is invalid or does not fit the recording.
    #[error("the rule for actions is {found:?}, but {expected} is expected")]
    ActionRule {
        /// The rule, as text.
        found: String,
        /// Expected rule, in words.
        expected: &'static str,
    },
    /// A request for an array that the data does not have.
    #[error("there is no array `{name}`; these can be used: {present}", present = present.join(", "))]
    NoSuchArray {
        /// Name of the requested array.
        name: String,
        /// Names of the arrays that can be used.
        present: Vec<String>,
    },
    /// An additional array under the name of a standard one.
    #[error(
        "`{name}` is a name of the format itself; store the additional array under another name"
    )]
    ReservedName {
        /// The name.
        name: String,
    },
    /// Observations that are not `u8` images.
    #[error(
        "observations are {found}, and images are uint8 [rows, height, width, channels]; convert them \
         to that, or vectors to float32"
    )]
    NotImages {
        /// Type and shape of one observation.
        found: String,
    },
    /// A request for rows that do not exist.
    #[error("rows {start}..{end} were asked for, but there are {rows} rows")]
    NoSuchRows {
        /// First requested row.
        start: usize,
        /// One past the last requested row.
        end: usize,
        /// Number of rows that exist.
        rows: usize,
    },
    /// Fewer rows than a window needs.
    #[error(
        "a window of {wanted} consecutive rows was asked for, but there are {available}; collect more rows or take a shorter window"
    )]
    NotEnoughRows {
        /// Number of requested rows.
        wanted: usize,
        /// Number of rows that exist.
        available: usize,
    },
    /// An invalid replay option.
    #[error("replay: `{option}` is {found}, but {expected}")]
    ReplayOption {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        found: usize,
        /// Expected value, in words.
        expected: String,
    },
    /// A pushed step that does not fit the replay buffer.
    #[error(
        "replay: a step has {found} values of `{column}`, but {expected} are expected (all streams together)"
    )]
    ReplayStep {
        /// Name of the part of the step.
        column: &'static str,
        /// Its length.
        found: usize,
        /// Expected length.
        expected: usize,
    },
    /// A fraction of held-out episodes outside 0 to 1.
    #[error("the held-out fraction is {found}, but a number from 0 to 1 is expected")]
    Fraction {
        /// The fraction.
        found: f64,
    },
}

impl DataError {
    /// Adds the path of the file to an error that lacks it.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::File(_) | Self::InFile { .. } => self,
            problem => Self::InFile {
                path: path.to_path_buf(),
                problem: Box::new(problem),
            },
        }
    }
}
