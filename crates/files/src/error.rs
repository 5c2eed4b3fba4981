//! Errors of files, with advice on what to do.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::array::Dtype;
use crate::convert::BadValue;

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// No file at the path (when writing: its folder is missing).
    #[error("{path}: no such file or folder; check the path", path = path.display())]
    NotFound {
        /// Path as given.
        path: PathBuf,
    },
    /// A folder where a file should be.
    #[error("{path}: is a folder, but a file is expected; name a file", path = path.display())]
    IsDirectory {
        /// Path as given.
        path: PathBuf,
    },
    /// A device, pipe or socket where an ordinary file should be; a rename would destroy it.
    #[error(
        "{path}: is a device, pipe or socket, which cannot be replaced; name an ordinary file",
        path = path.display()
    )]
    NotAFile {
        /// Path as given.
        path: PathBuf,
    },
    /// The operating system denies access.
    #[error("{path}: permission denied; check the rights of the file and of its folder", path = path.display())]
    PermissionDenied {
        /// Path as given.
        path: PathBuf,
    },
    /// No space left on the disk; the target is as it was before.
    #[error(
        "{path}: the disk (or the quota) is full; nothing was replaced: free some space and try again",
        path = path.display()
    )]
    DiskFull {
        /// Path as given.
        path: PathBuf,
    },
    /// Any other failure of the operating system.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Path as given.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A file that is not an archive of arrays.
    #[error("{path}: not a readable .npz archive: {reason}", path = path.display())]
    NotAnArchive {
        /// Path as given.
        path: PathBuf,
        /// Reason, with advice where that is known.
        reason: String,
    },
    /// The archive has no array of that name.
    #[error("{path}: has no array `{name}`; it has {present}", path = path.display(), present = list(present))]
    MissingArray {
        /// Path as given.
        path: PathBuf,
        /// Name of the requested array.
        name: String,
        /// Names of the arrays present, in the order of the archive.
        present: Vec<String>,
    },
    /// A name that the archive being written already has, or that cannot be used.
    #[error("{path}: cannot add an array named `{name}`: {reason}", path = path.display())]
    BadName {
        /// Path as given.
        path: PathBuf,
        /// Rejected name.
        name: String,
        /// Reason for the rejection.
        reason: &'static str,
    },
    /// A single array that is wrong.
    #[error("{path}: {array}{problem}", path = path.display(), array = array_prefix(array.as_deref()))]
    Array {
        /// Path as given.
        path: PathBuf,
        /// Name of the array in an archive; `None` for a `.npy` file.
        array: Option<String>,
        /// The problem of the array.
        problem: ArrayProblem,
    },
}

/// Problem of a single array, wherever its bytes come from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayProblem {
    /// The bytes are not in NumPy's format.
    #[error("not in NumPy's .npy format: {reason}")]
    NotNpy {
        /// The bytes found instead, in words.
        reason: String,
    },
    /// The header cannot be understood.
    #[error("damaged .npy header: {reason}")]
    BadHeader {
        /// Reason, in words.
        reason: String,
    },
    /// A type that is not supported.
    #[error("values of type `{found}` are not supported; {hint}")]
    UnsupportedDtype {
        /// NumPy's description of the type.
        found: String,
        /// Advice on how to convert it.
        hint: &'static str,
    },
    /// A type that is not text, where strings are expected.
    #[error("values of type `{found}` are not text; save it with numpy.array(names, dtype=str)")]
    NotText {
        /// NumPy's description of the type.
        found: String,
    },
    /// Text that cannot be read or written.
    #[error("its text cannot be used: {reason}")]
    BadText {
        /// Reason, in words.
        reason: String,
    },
    /// Fewer bytes than the header promises.
    #[error(
        "truncated: shape {shape:?} of {dtype} takes {expected} bytes, but at most {found} are there; write the file again"
    )]
    Truncated {
        /// Shape in the header.
        shape: Vec<usize>,
        /// Type in the header.
        dtype: Dtype,
        /// Bytes that the header promises; saturated at the largest `u64`.
        expected: u64,
        /// Number of bytes present, or an upper bound.
        found: u64,
    },
    /// Bytes after the last value.
    #[error("bytes follow the last value; save one array per file, or use numpy.savez")]
    TrailingBytes,
    /// A boolean that is neither 0 nor 1.
    #[error("value {index} (in C order of the file) is the byte {found}, but a bool is 0 or 1")]
    BadBool {
        /// Position among the values of the file.
        index: usize,
        /// The byte.
        found: u8,
    },
    /// The number of values is not the product of the shape.
    #[error("shape {shape:?} does not describe {values} values")]
    ShapeMismatch {
        /// Shape of the array.
        shape: Vec<usize>,
        /// Number of values.
        values: usize,
    },
    /// A value that the target type cannot hold.
    #[error(transparent)]
    BadValue(#[from] BadValue),
    /// The values do not fit into memory.
    #[error("{bytes} bytes of values do not fit into memory")]
    OutOfMemory {
        /// Number of requested bytes.
        bytes: u64,
    },
    /// Bytes of an archive's entry that are damaged, encrypted or compressed in an unsupported way.
    #[error("cannot be unpacked: {reason}")]
    BadEntry {
        /// Error of the archive reader.
        reason: String,
    },
    /// The operating system failed while reading.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
}

impl FileError {
    /// Returns the path of the file at fault.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::NotFound { path }
            | Self::IsDirectory { path }
            | Self::NotAFile { path }
            | Self::PermissionDenied { path }
            | Self::DiskFull { path }
            | Self::Io { path, .. }
            | Self::NotAnArchive { path, .. }
            | Self::MissingArray { path, .. }
            | Self::BadName { path, .. }
            | Self::Array { path, .. } => path,
        }
    }

    /// Converts an error of the operating system, adding the path of the file.
    #[must_use]
    pub fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            ErrorKind::NotFound => Self::NotFound { path },
            ErrorKind::IsADirectory => Self::IsDirectory { path },
            ErrorKind::PermissionDenied => Self::PermissionDenied { path },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, source },
        }
    }

    pub(crate) fn in_array(path: &Path, array: Option<&str>, problem: ArrayProblem) -> Self {
        Self::Array {
            path: path.to_path_buf(),
            array: array.map(str::to_owned),
            problem,
        }
    }
}

impl From<io::Error> for ArrayProblem {
    fn from(source: io::Error) -> Self {
        match source.kind() {
            // Decompressors and checksums report these kinds; the system itself does not use them.
            ErrorKind::InvalidData | ErrorKind::InvalidInput => Self::BadEntry {
                reason: source.to_string(),
            },
            _ => Self::Io(source),
        }
    }
}

fn array_prefix(array: Option<&str>) -> String {
    array.map_or_else(String::new, |name| format!("array `{name}`: "))
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "no arrays at all".to_owned();
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
