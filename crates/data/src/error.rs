//! What can be wrong with recorded data.

use std::path::{Path, PathBuf};

use tellapart_files::{Dtype, FileError};

/// Recorded data that cannot be used, or a request that it cannot fulfil.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file can be read, but what is in it is wrong.
    #[error("{path}: {problem}", path = path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        problem: Box<DataError>,
    },
    /// There is not a single row.
    #[error("array `observations` has no rows; record at least one")]
    Empty,
    /// Arrays of different lengths.
    #[error(
        "array `{array}` has {found} rows, but `observations` has {expected}; every array needs one row for each observation"
    )]
    RowCount {
        /// The array that differs.
        array: String,
        /// Its rows.
        found: usize,
        /// Rows of `observations`.
        expected: usize,
    },
    /// An array whose axes are not as they should be.
    #[error("array `{array}` has shape {found:?}, but {expected} is expected")]
    Shape {
        /// The array.
        array: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape in words.
        expected: &'static str,
    },
    /// An array of the wrong type.
    #[error(
        "array `{array}` has type {found}, but {expected} is expected; convert it with .astype"
    )]
    Type {
        /// The array.
        array: String,
        /// Its type.
        found: Dtype,
        /// The types in words.
        expected: &'static str,
    },
    /// One wrong value.
    #[error("array `{array}`, row {row}: {found}, but {expected} is expected")]
    Value {
        /// The array.
        array: String,
        /// The row, from 0.
        row: usize,
        /// The value, as text.
        found: String,
        /// What was expected, in words.
        expected: String,
    },
    /// Vectors, where finitely many actions are needed.
    #[error(
        "array `actions` holds vectors of {width}, and which of them count as the same action must be said: by `sign`, `distinct` values, a number of bins such as 5, or edges such as at:-0.5,0.5"
    )]
    ContinuousActions {
        /// Numbers in one action.
        width: usize,
    },
    /// A rule for actions that cannot be, or does not fit.
    #[error("the rule for actions is {found:?}, but {expected} is expected")]
    ActionRule {
        /// The rule.
        found: String,
        /// What would do, in words.
        expected: &'static str,
    },
    /// An array that the data does not have.
    #[error("there is no array `{name}`; these can be used: {present}", present = present.join(", "))]
    NoSuchArray {
        /// The array asked for.
        name: String,
        /// The arrays there are.
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
    /// Batches are made of `u8` images.
    #[error(
        "observations are {found}, but training takes uint8 images [rows, height, width, channels]; record frames, or convert the observations"
    )]
    NotImages {
        /// Type and shape of one observation.
        found: String,
    },
    /// Rows that are not there.
    #[error("rows {start}..{end} were asked for, but there are {rows} rows")]
    NoSuchRows {
        /// First row asked for.
        start: usize,
        /// One past the last row asked for.
        end: usize,
        /// Rows there are.
        rows: usize,
    },
    /// Fewer rows than a window takes.
    #[error(
        "a window of {wanted} consecutive rows was asked for, but there are {available}; collect more rows or take a shorter window"
    )]
    NotEnoughRows {
        /// Rows asked for.
        wanted: usize,
        /// Rows there are.
        available: usize,
    },
    /// A replay option that cannot be.
    #[error("replay: `{option}` is {found}, but {expected}")]
    ReplayOption {
        /// The option's name.
        option: &'static str,
        /// Its value.
        found: usize,
        /// What it should be, in words.
        expected: String,
    },
    /// A pushed step that does not fit the replay buffer.
    #[error(
        "replay: a step has {found} values of `{column}`, but {expected} are expected (all streams together)"
    )]
    ReplayStep {
        /// The part of the step.
        column: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
    /// A share of held-out episodes that is not a share.
    #[error("the held-out fraction is {found}, but a number from 0 to 1 is expected")]
    Fraction {
        /// The fraction.
        found: f64,
    },
}

impl DataError {
    /// Says which file the problem is in.
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
