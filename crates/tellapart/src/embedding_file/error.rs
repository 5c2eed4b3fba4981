//! The error of embeddings in a file.

use std::path::PathBuf;

use tellapart_audit::AuditError;
use tellapart_files::FileError;

/// A file without usable embeddings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A name with another extension.
    #[error(
        "{path}: embeddings are read from .npy, .npz and .safetensors; save them as one of these", path = path.display()
    )]
    Format {
        /// Path of the file.
        path: PathBuf,
    },
    /// Several arrays to choose from, or no array of the requested name.
    #[error("{path}: {problem}; name one with --array: {present}", path = path.display(), present = present.join(", "))]
    Choose {
        /// Path of the file.
        path: PathBuf,
        /// Problem of the choice, in words.
        problem: String,
        /// Names of the arrays in the file.
        present: Vec<String>,
    },
    /// A file that is not `.safetensors`.
    #[error("{path}: not a .safetensors file: {problem}", path = path.display())]
    Safetensors {
        /// Path of the file.
        path: PathBuf,
        /// Problem of the file, in words.
        problem: String,
    },
    /// An array that is neither a matrix nor has a third axis.
    #[error(
        "{path}: the embeddings have shape {shape:?}, but [rows, dimensions] is expected, one row for \
         each observation; {advice}", path = path.display()
    )]
    Shape {
        /// Path of the file.
        path: PathBuf,
        /// Shape of the array.
        shape: Vec<usize>,
        /// Advice on how to reshape it.
        advice: &'static str,
    },
    /// Several tokens a row, and no word on how to make one latent of them.
    #[error(
        "{path}: the embeddings have shape {shape:?}, taken for [rows, tokens, dimensions]: say how the \
         tokens of a row become its latent, with --pool mean, --pool flatten or --pool first", path = path.display()
    )]
    Tokens {
        /// Path of the file.
        path: PathBuf,
        /// Shape of the array.
        shape: Vec<usize>,
    },
    /// One latent a row, and nothing to pool.
    #[error(
        "{path}: the embeddings have shape {shape:?}, one latent for each row: there is nothing to \
         pool; leave out --pool", path = path.display()
    )]
    NoTokens {
        /// Path of the file.
        path: PathBuf,
        /// Shape of the array.
        shape: Vec<usize>,
    },
    /// Values of another type.
    #[error(
        "{path}: the embeddings have type {found}, but float16, bfloat16, float32 or float64 is \
         expected; convert them, as with .astype(\"float32\")", path = path.display()
    )]
    Type {
        /// Path of the file.
        path: PathBuf,
        /// Type of the values.
        found: String,
    },
    /// Values that cannot be audited.
    #[error("{path}: {problem}", path = path.display())]
    Values {
        /// Path of the file.
        path: PathBuf,
        /// Problem of the values.
        problem: AuditError,
    },
}
