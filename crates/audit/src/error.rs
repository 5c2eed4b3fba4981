//! The error type of this crate.

use tellapart_progress::Stopped;
use thiserror::Error;

/// Error in the input of an audit. Every message names the offending place.
#[derive(Debug, Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum AuditError {
    /// An array has no rows or no columns.
    #[error("{what}: empty ({rows} rows of {width} values); an audit needs at least one of each")]
    Empty {
        /// Name of the array.
        what: String,
        /// Number of rows found.
        rows: usize,
        /// Number of values found in a row.
        width: usize,
    },
    /// The number of values does not agree with the stated shape.
    #[error("{what}: {found} values, but the shape asks for {expected}; check rows and width")]
    Length {
        /// Name of the array.
        what: String,
        /// Number of values found.
        found: usize,
        /// Number of values that the shape requires.
        expected: usize,
    },
    /// A value is NaN or infinite.
    #[error(
        "{what}: there is {value} in row {row}, column {column}: values must be finite; \
         look for a diverged training run or a division by zero"
    )]
    NotFinite {
        /// Name of the array.
        what: String,
        /// First offending row.
        row: usize,
        /// Column within that row.
        column: usize,
        /// Offending value, as printed.
        value: String,
    },
    /// A latent is so large that distances cannot be measured.
    #[error(
        "the embeddings hold {value} in row {row}, column {column}: above 1e17 distances cannot be measured; \
         look for a diverged training run, or scale them down"
    )]
    TooLarge {
        /// First offending row.
        row: usize,
        /// Column within that row.
        column: usize,
        /// Offending value, as printed.
        value: String,
    },
    /// Latents that differ, but by so little that distances cannot be measured.
    #[error(
        "the embeddings differ by so little that distances cannot be measured (at most {farthest:e} from \
         their mean): scale them up, or look for a collapsed encoder"
    )]
    TooNear {
        /// Largest deviation of a value from the mean latent.
        farthest: f64,
    },
    /// The embeddings are of another recording, or of a part of it.
    #[error(
        "the embeddings have {found} rows, but the recording has {expected}: row i must be the latent \
         of observation i; embed every row, in the order of the recording"
    )]
    RowCount {
        /// Number of rows of the embeddings.
        found: usize,
        /// Number of rows of the recording.
        expected: usize,
    },
    /// A requested row is out of range.
    #[error("there is no row {row}: rows are numbered from 0 to {}", rows.saturating_sub(1))]
    NoSuchRow {
        /// Requested row.
        row: usize,
        /// Number of rows.
        rows: usize,
    },
    /// A class label is out of range.
    #[error("row {row} has class {found}, but there are {classes} classes (0 to {})", classes.saturating_sub(1))]
    Class {
        /// First offending row.
        row: usize,
        /// Label found.
        found: u32,
        /// Number of classes stated.
        classes: usize,
    },
    /// A setting or constant has an impossible value.
    #[error("{name} is {value}, but must be {expected}")]
    Setting {
        /// Name of the setting.
        name: String,
        /// Given value.
        value: f64,
        /// Values that are accepted.
        expected: &'static str,
    },
    /// The classes do not fit the system that they should come from.
    #[error(
        "the embeddings have {found} classes, but the system's partition has {expected} blocks"
    )]
    ForeignPartition {
        /// Number of classes of the embeddings.
        found: usize,
        /// Number of blocks of the partition.
        expected: usize,
    },
    /// A decomposition did not converge.
    #[error("{what} did not converge on a {rows} x {columns} matrix")]
    NoConvergence {
        /// Name of the decomposition.
        what: &'static str,
        /// Number of rows of the matrix.
        rows: usize,
        /// Number of columns of the matrix.
        columns: usize,
    },
    /// The audit was stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
