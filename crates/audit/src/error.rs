use thiserror::Error;

/// What can be wrong with the input of an audit. Every message names the offending place.
#[derive(Debug, Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum AuditError {
    /// An array has no rows or no columns.
    #[error("{what}: empty ({rows} rows of {width} values); an audit needs at least one of each")]
    Empty {
        /// Which array.
        what: String,
        /// Rows found.
        rows: usize,
        /// Values per row found.
        width: usize,
    },
    /// The number of values does not agree with the stated shape.
    #[error("{what}: {found} values, but the shape asks for {expected}; check rows and width")]
    Length {
        /// Which array.
        what: String,
        /// Values found.
        found: usize,
        /// Values the shape asks for.
        expected: usize,
    },
    /// A value is NaN or infinite.
    #[error(
        "{what}: there is {value} in row {row}, column {column}: values must be finite; \
         look for a diverged training run or a division by zero"
    )]
    NotFinite {
        /// Which array.
        what: String,
        /// First offending row.
        row: usize,
        /// Column within that row.
        column: usize,
        /// The value, as printed.
        value: String,
    },
    /// A latent so large that distances cannot be measured.
    #[error(
        "the embeddings hold {value:e} in row {row}, column {column}: above 1e17 distances cannot be measured; \
         look for a diverged training run, or scale them down"
    )]
    TooLarge {
        /// First offending row.
        row: usize,
        /// Column within that row.
        column: usize,
        /// The value.
        value: f32,
    },
    /// Embeddings of another recording, or of a part of it.
    #[error(
        "the embeddings have {found} rows, but the recording has {expected}: row i must be the latent \
         of observation i; embed every row, in the order of the recording"
    )]
    RowCount {
        /// Rows of the embeddings.
        found: usize,
        /// Rows of the recording.
        expected: usize,
    },
    /// A row that was asked for is not there.
    #[error("there is no row {row}: rows are numbered from 0 to {}", rows.saturating_sub(1))]
    NoSuchRow {
        /// The row.
        row: usize,
        /// Rows there are.
        rows: usize,
    },
    /// A class label is out of range.
    #[error("row {row} has class {found}, but there are {classes} classes (0 to {})", classes.saturating_sub(1))]
    Class {
        /// First offending row.
        row: usize,
        /// The label found.
        found: u32,
        /// Number of classes stated.
        classes: usize,
    },
    /// A setting or constant has an impossible value.
    #[error("{name} is {value}, but must be {expected}")]
    Setting {
        /// Name of the setting.
        name: String,
        /// The value given.
        value: f64,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// The classes do not fit the system they are said to come from.
    #[error(
        "the embeddings have {found} classes, but the system's partition has {expected} blocks"
    )]
    ForeignPartition {
        /// Classes of the embeddings.
        found: usize,
        /// Blocks of the partition.
        expected: usize,
    },
    /// A decomposition did not converge.
    #[error("{what} did not converge on a {rows} x {columns} matrix")]
    NoConvergence {
        /// Which decomposition.
        what: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
}
