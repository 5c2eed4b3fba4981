//! Output file of a system.

use std::path::Path;

use tellapart::MooreMachine;
use tellapart::system::{Format, SystemError, write};

use super::Overwrite;
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Output file of a system, in the format that its name tells.
pub(super) struct SystemFile<'a> {
    path: &'a Path,
    format: Format,
}

impl<'a> SystemFile<'a> {
    /// Checks the path and its format, before any work is done.
    pub(super) fn new(path: &'a Path, overwrite: &Overwrite) -> Result<Self, Failure> {
        let format = Format::of_output(path)?;
        overwrite.check(path)?;
        for file in format.files(path)? {
            overwrite.check(&file)?;
        }
        Ok(Self { path, format })
    }

    pub(super) fn write(&self, machine: &MooreMachine) -> Result<(), Failure> {
        write::any(machine, self.path).map_err(|error| match error {
            SystemError::TooLargeToDraw { .. } => Failure::bad_input(format!(
                "{error}\n  (convert draws it all the same with --any-size)"
            )),
            error => error.into(),
        })
    }

    /// Writes the system; drawings may have any number of states.
    pub(super) fn write_any_size(&self, machine: &MooreMachine) -> Result<(), Failure> {
        match self.format {
            Format::Dot => Ok(write::dot(machine, self.path, usize::MAX)?),
            _ => self.write(machine),
        }
    }

    /// Prints what was written, and what the format had no place for.
    pub(super) fn report(&self, what: &str, machine: &MooreMachine, terminal: &Terminal) {
        let path = self.path.display();
        terminal.note(format_args!("{path}: {what}"));
        for lost in write::lost(machine, self.format) {
            terminal.note(format_args!("{path}: without {lost}"));
        }
    }
}
