//! Failures of commands, and their exit codes.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;

use tellapart::collect::CollectError;
use tellapart::data::DataError;
use tellapart::embedding_file::EmbeddingError;
#[cfg(feature = "train")]
use tellapart::experiment::ExperimentError;
use tellapart::files::{ArrayProblem, FileError};
use tellapart::inspect::InspectError;
use tellapart::progress::Stopped;
use tellapart::settings::WorldOptionError;
use tellapart::system::SystemError;
#[cfg(feature = "train")]
use tellapart::train::TrainError;

/// Exit code for a sound request that could not be carried out.
pub(crate) const FAILED: u8 = 1;
/// Exit code for bad usage or a bad input file.
pub(crate) const BAD_INPUT: u8 = 2;
/// Exit code for an audit that found unhealthy collapse.
pub(crate) const UNHEALTHY: u8 = 3;

/// Failure of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error to print to the user.
    Told { code: u8, error: Box<dyn Error> },
    /// Unhealthy collapse, which the audit has already reported.
    Unhealthy,
    /// A closed pipe: the reader of the output has ended (`| head`), so nothing is printed.
    ReaderGone,
}

impl Failure {
    /// Makes a failure that the user can fix by other arguments or files.
    pub(crate) fn bad_input(error: impl Into<Box<dyn Error>>) -> Self {
        Self::Told {
            code: BAD_INPUT,
            error: error.into(),
        }
    }

    /// Makes a failure of the machine or the program.
    pub(crate) fn failed(error: impl Into<Box<dyn Error>>) -> Self {
        Self::Told {
            code: FAILED,
            error: error.into(),
        }
    }

    /// Makes the failure of a command that Ctrl-C stopped.
    pub(crate) fn stopped() -> Self {
        Self::failed("stopped by Ctrl-C")
    }
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Self {
        Self::stopped()
    }
}

/// Writes the message, then each cause whose text is not in it yet.
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

/// Converts a failure to write to standard output.
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
                // Decompressors report these two kinds for bytes that are truncated or packed in
                // unusual ways.
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
    /// Adds a hint to the error for an archive without the array `wanted` that has `other` instead:
    /// it was meant for other commands.
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

#[cfg(feature = "train")]
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

#[cfg(feature = "train")]
impl From<ExperimentError> for Failure {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Train(error) => (*error).into(),
            ExperimentError::File(error) => error.into(),
            error => Self::failed(error),
        }
    }
}

impl From<WorldOptionError> for Failure {
    fn from(error: WorldOptionError) -> Self {
        Self::bad_input(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct ErrorLayer(&'static str, Option<Box<ErrorLayer>>);

    impl fmt::Display for ErrorLayer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for ErrorLayer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn causes_are_told_once() {
        let cause = ErrorLayer("no room", Some(Box::new(ErrorLayer("quota of 3 GB", None))));
        let error = ErrorLayer("a.npz cannot be written: no room", Some(Box::new(cause)));
        assert_eq!(
            Failure::failed(error).to_string(),
            "a.npz cannot be written: no room\n  caused by: quota of 3 GB"
        );
    }
}
