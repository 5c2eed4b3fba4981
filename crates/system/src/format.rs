//! File formats of systems.

use std::path::{Path, PathBuf};

use crate::SystemError;
use crate::beside::Beside;

/// File format of a system, known by the end of the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `.npz`: NumPy tables.
    Npz,
    /// `.aut`: Aldebaran.
    Aut,
    /// `.tra`: PRISM's explicit model files, with labels and rewards next to it.
    Prism,
    /// `.boa.txt`: coalgebras of Boa.
    Boa,
    /// `.tsys`: the binary format of tellapart.
    Tsys,
    /// `.dot`: drawings for Graphviz; written only.
    Dot,
}

impl Format {
    /// All formats with the ends of their names.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Npz, ".npz"),
        (Self::Aut, ".aut"),
        (Self::Prism, ".tra"),
        (Self::Boa, ".boa.txt"),
        (Self::Tsys, ".tsys"),
        (Self::Dot, ".dot"),
    ];

    /// Returns the format that the name of a file tells, in upper or lower case.
    #[must_use]
    pub fn of(path: impl AsRef<Path>) -> Option<Self> {
        let name = path
            .as_ref()
            .file_name()?
            .to_string_lossy()
            .to_ascii_lowercase();
        let mut all = Self::ALL.into_iter();
        all.find(|(_, end)| name.ends_with(end))
            .map(|(format, _)| format)
    }

    /// Returns the format that the name of a file to be written tells, in upper or lower case.
    ///
    /// # Errors
    /// [`SystemError::UnknownExtension`].
    pub fn of_output(path: impl AsRef<Path>) -> Result<Self, SystemError> {
        let path = path.as_ref();
        Self::of(path).ok_or_else(|| SystemError::UnknownExtension {
            path: path.to_path_buf(),
        })
    }

    /// Lists the files that a system written to `path` may replace or remove; `path` itself comes
    /// first.
    ///
    /// # Errors
    /// A folder that cannot be listed, or files of rewards that cannot be read.
    pub fn files(self, path: impl AsRef<Path>) -> Result<Vec<PathBuf>, SystemError> {
        let path = path.as_ref();
        let mut files = vec![path.to_path_buf()];
        if self == Self::Prism {
            files.extend(["lab", "srew"].map(|extension| path.with_extension(extension)));
            let rewards = Beside::of_transitions(path)?.rewards.into_iter();
            for file in rewards.map(|rewards| rewards.path) {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }
}
