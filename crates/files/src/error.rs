//! What can go wrong with a file, and what to do about it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::array::Dtype;
use crate::convert::BadValue;

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Nothing is at the path (when writing: its folder is missing).
    #[error("{path}: no such file or folder; check the path", path = path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// A folder is where a file should be.
    #[error("{path}: is a folder, but a file is expected; name a file", path = path.display())]
    IsDirectory {
        /// The path as given.
        path: PathBuf,
    },
    /// The target exists and is a device, pipe or socket, which a rename would destroy.
    #[error(
        "{path}: is a device, pipe or socket, which cannot be replaced; name an ordinary file",
        path = path.display()
    )]
    NotAFile {
        /// The path as given.
        path: PathBuf,
    },
    /// The operating system denies access.
    #[error("{path}: permission denied; check the rights of the file and of its folder", path = path.display())]
    PermissionDenied {
        /// The path as given.
        path: PathBuf,
    },
    /// No room is left; the target is as it was before.
    #[error(
        "{path}: the disk (or the quota) is full; nothing was replaced: free some space and try again",
        path = path.display()
    )]
    DiskFull {
        /// The path as given.
        path: PathBuf,
    },
    /// Any other failure of the operating system.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The path as given.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file as a whole is not an archive of arrays.
    #[error("{path}: not a readable .npz archive: {reason}", path = path.display())]
    NotAnArchive {
        /// The path as given.
        path: PathBuf,
        /// What is wrong, and what to do when that is known.
        reason: String,
    },
    /// The archive has no array of that name.
    #[error("{path}: has no array `{name}`; it has {present}", path = path.display(), present = list(present))]
    MissingArray {
        /// The path as given.
        path: PathBuf,
        /// The array asked for.
        name: String,
        /// The arrays that are there, in the order of the archive.
        present: Vec<String>,
    },
    /// The archive being written already has an array of that name, or the name is not usable.
    #[error("{path}: cannot add an array named `{name}`: {reason}", path = path.display())]
    BadName {
        /// The path as given.
        path: PathBuf,
        /// The rejected name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// One array is wrong.
    #[error("{path}: {array}{problem}", path = path.display(), array = array_prefix(array.as_deref()))]
    Array {
        /// The path as given.
        path: PathBuf,
        /// Name of the array in an archive; `None` for a `.npy` file.
        array: Option<String>,
        /// What is wrong with it.
        problem: ArrayProblem,
    },
}

/// What is wrong with one array, wherever its bytes come from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayProblem {
    /// The bytes are not in NumPy's format.
    #[error("not in NumPy's .npy format: {reason}")]
    NotNpy {
        /// What was found instead.
        reason: String,
    },
    /// The header cannot be understood.
    #[error("damaged .npy header: {reason}")]
    BadHeader {
        /// What is wrong.
        reason: String,
    },
    /// A type that we do not read.
    #[error("values of type `{found}` are not supported; {hint}")]
    UnsupportedDtype {
        /// NumPy's description of the type.
        found: String,
        /// How to convert it.
        hint: &'static str,
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
        /// Bytes that there are, or an upper bound of them.
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
        /// The shape.
        shape: Vec<usize>,
        /// The number of values.
        values: usize,
    },
    /// A value that the target type cannot hold.
    #[error(transparent)]
    BadValue(#[from] BadValue),
    /// The values do not fit into memory.
    #[error("{bytes} bytes of values do not fit into memory")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// The bytes of an archive's entry are damaged, encrypted or compressed in a way we do not read.
    #[error("cannot be unpacked: {reason}")]
    BadEntry {
        /// What the archive reader said.
        reason: String,
    },
    /// The operating system failed while reading.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
}

impl FileError {
    /// The path that the error is about.
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

    /// Says which file a failure of the operating system is about.
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
            // What decompressors and checksums report; the system itself does not use these kinds.
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
