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
    #[error("there is no array `{name}`; {}", can_be_used(present, left_out))]
    NoSuchArray {
        /// Name of the requested array.
        name: String,
        /// Names of the arrays that can be used.
        present: Vec<String>,
        /// Names of the arrays that were left out, each with the reason.
        left_out: Vec<String>,
    },
    /// An unknown word for what `p` belongs to.
    #[error("p belongs to {found:?}, but `observation`, `arrival` or `step` is expected")]
    BelongsTo {
        /// The word.
        found: String,
    },
    /// Numbers whose differences are lost in training, which computes in float32.
    #[error(
        "array `{array}`: {exact} different values are only {rounded} in float32, in which training computes; subtract a typical value such as the mean, or scale very small ones up, before it is saved"
    )]
    Rounded {
        /// Name of the array.
        array: String,
        /// Number of different values.
        exact: usize,
        /// Number of different values after rounding.
        rounded: usize,
    },
    /// A number that float32 cannot hold, in which training computes.
    #[error(
        "array `{array}`, row {row}: {found:e}, but training computes in float32, which ends at 3.4e38; scale the array down before it is saved"
    )]
    TooLarge {
        /// Name of the array.
        array: String,
        /// Row, counted from 0.
        row: usize,
        /// The number.
        found: f64,
    },
    /// A tolerance for whole numbers that it cannot be applied to exactly.
    #[error(
        "array `{array}` holds whole numbers beyond 2^53, which are compared exactly or not at all; for a tolerance, subtract a typical value before it is saved"
    )]
    ToleranceOfRounded {
        /// Name of the array.
        array: String,
    },
    /// Images whose axes seem to be in another order.
    #[error(
        "observations have the shape {found:?} each, which {problem}; images are [rows, height, width, channels]: {remedy}"
    )]
    ChannelsFirst {
        /// Shape of one observation.
        found: Vec<usize>,
        /// What the shape looks like.
        problem: &'static str,
        /// What to do.
        remedy: &'static str,
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
    /// A dataset or group of an HDF5 file that is wrong or cannot be read.
    #[error("`{dataset}`: {problem}")]
    Hdf5 {
        /// Path in the file; `/` for the file as a whole.
        dataset: String,
        /// What is wrong, with advice.
        problem: String,
    },
    /// A dataset of an HDF5 file that does not hold numbers of a supported type.
    #[error(
        "`{dataset}`: it holds {found}, but bools, integers or floats of 16 to 64 bits are expected; convert it with .astype"
    )]
    Hdf5Type {
        /// Path in the file.
        dataset: String,
        /// Its type, in words.
        found: String,
    },
    /// A dataset of an HDF5 file that was compressed by a plugin.
    #[error(
        "`{dataset}`: it is stored by {filter}, which is not read; write the file again with gzip, as h5repack -f GZIP=4 IN OUT does"
    )]
    Hdf5Filter {
        /// Path in the file.
        dataset: String,
        /// Name or number of the filter.
        filter: String,
    },
    /// An HDF5 file that is not a recording.
    #[error(
        "this HDF5 file is no recording that is known: its root has {}; Minari has groups `episode_0`, `episode_1` and so on; \
         stable-worldmodel has `ep_len` and `ep_offset` beside its columns; D4RL has `observations`, `actions`, `rewards` and `terminals` or `timeouts`",
        or_nothing(root)
    )]
    ForeignHdf5 {
        /// Objects at the root.
        root: Vec<String>,
    },
    /// A folder that is not a Minari dataset in HDF5.
    #[error(
        "this folder is no Minari dataset in HDF5: it has no `main_data.hdf5` or `data/main_data.hdf5`; name a recording, or make the dataset again with data_format=\"hdf5\""
    )]
    NoMainFile,
    /// Several arrays that may be the observations, or none of the wanted name.
    #[error("{}; choose one with --observations PATH", which_observations(wanted.as_deref(), members))]
    ChooseObservations {
        /// The path that was asked for.
        wanted: Option<String>,
        /// Arrays that may be chosen, each with its type and the shape of one row.
        members: Vec<String>,
    },
    /// A choice of observations in a file that leaves none.
    #[error(
        "--observations {wanted} chooses an array of an HDF5 file, and this is none; leave it out, as `observations` is read"
    )]
    NothingToChoose {
        /// The path that was asked for.
        wanted: String,
    },
    /// A fraction of held-out episodes outside 0 to 1.
    #[error("the held-out fraction is {found}, but a number from 0 to 1 is expected")]
    Fraction {
        /// The fraction.
        found: f64,
    },
}

/// Lists names, or says that there are none.
fn or_nothing(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    }
}

fn which_observations(wanted: Option<&str>, members: &[String]) -> String {
    let members = or_nothing(members);
    match wanted {
        Some(wanted) => format!("there are no observations `{wanted}`; there is {members}"),
        None => format!("which observations are meant is not known; there is {members}"),
    }
}

/// Lists what can be used instead of an array that is not there.
fn can_be_used(present: &[String], left_out: &[String]) -> String {
    let mut text = match present {
        [] => {
            "the recording has no array of values at all: give it `rewards`, `aux`, or any array \
               with a row for each observation"
                .to_owned()
        }
        names => format!("these can be used: {}", names.join(", ")),
    };
    if !left_out.is_empty() {
        text += &format!(" (left out: {})", left_out.join(", "));
    }
    text
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
