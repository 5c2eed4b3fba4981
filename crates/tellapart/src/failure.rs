//! Why a command did not do what it was asked, and with which exit code that ends.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;

use tellapart::collect::CollectError;
use tellapart::data::DataError;
use tellapart::embedding_file::EmbeddingError;
use tellapart::experiment::ExperimentError;
use tellapart::files::{ArrayProblem, FileError};
use tellapart::inspect::InspectError;
use tellapart::settings::SettingError;
use tellapart::system::SystemError;
use tellapart::train::TrainError;

/// Exit code: the request was sound, but it could not be carried out.
pub(crate) const FAILED: u8 = 1;
/// Exit code: something that was typed, or a file that was named, is wrong.
pub(crate) const BAD_INPUT: u8 = 2;
/// Exit code: an audit found unhealthy collapse.
pub(crate) const UNHEALTHY: u8 = 3;

/// The end of a command that went wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// To be told to the user.
    Told { code: u8, error: Box<dyn Error> },
    /// An audit found unhealthy collapse, and has said so.
    Unhealthy,
    /// Whoever read our output has read enough (`| head`): nobody is left to tell.
    ReaderGone,
}

impl Failure {
    /// The user can put it right by typing or naming something else.
    pub(crate) fn bad_input(error: impl Into<Box<dyn Error>>) -> Self {
        Self::Told {
            code: BAD_INPUT,
            error: error.into(),
        }
    }

    /// The machine or the program is at fault.
    pub(crate) fn failed(error: impl Into<Box<dyn Error>>) -> Self {
        Self::Told {
            code: FAILED,
            error: error.into(),
        }
    }
}

/// The message, then each cause that says something new.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Told { error, .. } = self else {
            return Ok(());
        };
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !told.contains(&text) {
                write!(told, "\n  caused by: {text}")?;
            }
            cause = error.source();
        }
        f.write_str(&told)
    }
}

/// A failure to write to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderGone;
        }
        Self::failed(format!("standard output cannot be written: {error}"))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let is_ours = match &error {
            FileError::DiskFull { .. } | FileError::Io { .. } => true,
            FileError::Array { problem, .. } => match problem {
                ArrayProblem::OutOfMemory { .. } => true,
                // Decompressors report these two of bytes that are cut or packed strangely.
                ArrayProblem::Io(source) => !matches!(
                    source.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::Unsupported
                ),
                _ => false,
            },
            _ => false,
        };
        if is_ours {
            Self::failed(error)
        } else {
            Self::bad_input(error)
        }
    }
}

impl From<EmbeddingError> for Failure {
    fn from(error: EmbeddingError) -> Self {
        match error {
            EmbeddingError::File(error) => error.into(),
            error => Self::bad_input(error),
        }
    }
}

impl From<SystemError> for Failure {
    fn from(error: SystemError) -> Self {
        match error {
            SystemError::File(error) => Self::file_for(error, "next", "observations", A_RECORDING),
            error => Self::bad_input(error),
        }
    }
}

const A_RECORDING: &str = "it looks like a recording, which `evidence`, `audit` and `inspect` read";
const A_SYSTEM: &str = "it looks like a finite system, which `bisim`, `convert` and `inspect` read";

impl Failure {
    /// An archive without the array `wanted` that has `other` instead was meant for other commands.
    fn file_for(error: FileError, wanted: &str, other: &str, hint: &str) -> Self {
        match &error {
            FileError::MissingArray { name, present, .. }
                if name == wanted && present.iter().any(|array| array == other) =>
            {
                Self::bad_input(format!("{error}\n  ({hint})"))
            }
            _ => error.into(),
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::File(error) => Self::file_for(error, "observations", "next", A_SYSTEM),
            error => Self::bad_input(error),
        }
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::File(error) => error.into(),
            InspectError::System(error) => error.into(),
            error => Self::bad_input(error),
        }
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::OutOfMemory { .. } => Self::failed(error),
            CollectError::Data(error) => error.into(),
            error => Self::bad_input(error),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::File(error) => error.into(),
            TrainError::Data(error) => error.into(),
            TrainError::Io { .. } | TrainError::Diverged { .. } => Self::failed(error),
            error => Self::bad_input(error),
        }
    }
}

impl From<ExperimentError> for Failure {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Train(error) => (*error).into(),
            ExperimentError::File(error) => error.into(),
            error => Self::failed(error),
        }
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::bad_input(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn causes_are_told_once() {
        let cause = Layer("no room", Some(Box::new(Layer("quota of 3 GB", None))));
        let error = Layer("a.npz cannot be written: no room", Some(Box::new(cause)));
        assert_eq!(
            Failure::failed(error).to_string(),
            "a.npz cannot be written: no room\n  caused by: quota of 3 GB"
        );
    }
}
