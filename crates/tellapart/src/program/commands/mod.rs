//! Commands of the program: each file holds the arguments of one command and runs it.

mod audit;
mod bisim;
mod collect;
mod completions;
mod convert;
#[cfg(feature = "train")]
mod embed;
mod evidence;
mod finished_run;
mod inspect;
mod recording_args;
#[cfg(feature = "train")]
mod report;
#[cfg(feature = "train")]
mod reproduce;
mod stop;
mod system_file;
mod system_parts;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]
mod tests;
#[cfg(feature = "train")]
mod train;

use std::path::Path;

use clap::{Args, Parser, Subcommand};
use tellapart::data::Trajectories;
use tellapart::files::FileError;

use crate::program::failure::Failure;
use crate::program::terminal::{Terminal, Verbosity};

/// Which observations an encoder must keep apart, and which it merges
#[derive(Parser)]
#[command(name = "tellapart", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Program {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print only errors (the result is still printed)
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print more: settings and times
    #[arg(short, long, global = true)]
    verbose: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 failed, 2 bad usage or bad input, 3 the audit found unhealthy collapse.\n\
    Words such as witness, outlier or certificate: docs/glossary.md; first steps: docs/tutorial.md.";

#[derive(Subcommand)]
pub(crate) enum Command {
    #[cfg(feature = "train")]
    Reproduce(reproduce::Arguments),
    #[cfg(feature = "train")]
    Train(train::Arguments),
    #[cfg(feature = "train")]
    Report(report::Arguments),
    Audit(audit::Arguments),
    #[cfg(feature = "train")]
    Embed(embed::Arguments),
    Bisim(bisim::Arguments),
    Convert(convert::Arguments),
    Evidence(evidence::Arguments),
    Collect(collect::Arguments),
    Inspect(inspect::Arguments),
    Completions(completions::Arguments),
}

pub(crate) fn run(command: Command, terminal: &mut Terminal) -> Result<(), Failure> {
    match command {
        // These keep checkpoints when they are stopped, and install a handler of their own.
        #[cfg(feature = "train")]
        Command::Reproduce(_) | Command::Train(_) | Command::Report(_) => {}
        _ => stop::within_a_second(terminal)?,
    }
    match command {
        #[cfg(feature = "train")]
        Command::Reproduce(arguments) => reproduce::run(&arguments, terminal),
        #[cfg(feature = "train")]
        Command::Train(arguments) => train::run(&arguments, terminal),
        #[cfg(feature = "train")]
        Command::Report(arguments) => report::run(&arguments, terminal),
        Command::Audit(arguments) => audit::run(&arguments, terminal),
        #[cfg(feature = "train")]
        Command::Embed(arguments) => embed::run(&arguments, terminal),
        Command::Bisim(arguments) => bisim::run(&arguments, terminal),
        Command::Convert(arguments) => convert::run(&arguments, terminal),
        Command::Evidence(arguments) => evidence::run(&arguments, terminal),
        Command::Collect(arguments) => collect::run(&arguments, terminal),
        Command::Inspect(arguments) => inspect::run(&arguments, terminal),
        Command::Completions(arguments) => completions::run(&arguments, terminal),
    }
}

impl Program {
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// Option of the commands that write a file.
#[derive(Args)]
struct Overwrite {
    /// Replace the file to be written if it exists already
    #[arg(long)]
    force: bool,
}

impl Overwrite {
    /// Checks before any work is done that `path` may be written.
    fn check(&self, path: &Path) -> Result<(), Failure> {
        if path.is_dir() {
            return Err(FileError::IsDirectory {
                path: path.to_owned(),
            }
            .into());
        }
        if path.exists() && !self.force {
            let path = path.display();
            return Err(Failure::bad_input(format!(
                "{path}: exists already; name another file, or replace it with --force"
            )));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        match folder {
            Some(folder) if !folder.is_dir() => Err(Failure::bad_input(format!(
                "{}: there is no folder {} to write it in; create it first",
                path.display(),
                folder.display()
            ))),
            _ => Ok(()),
        }
    }
}

/// Reads a recording. `observations` names a member of the observations of an HDF5 file.
fn recording(path: &Path, observations: Option<&str>) -> Result<Trajectories, Failure> {
    if path.extension().is_some_and(|extension| extension == "npy") {
        return Err(Failure::bad_input(format!(
            "{}: a recording is an .npz of several arrays (see `tellapart collect`), not a single one",
            path.display()
        )));
    }
    Ok(Trajectories::read(path, observations)?)
}

/// Formats a count with its noun, such as `1 row` or `2 rows`.
fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Names the arrays of a recording that were left out, for commands that do not list them.
fn left_out(recording: &Trajectories) -> Option<String> {
    let names: Vec<&str> = recording
        .left_out()
        .iter()
        .map(|out| &out.name[..])
        .collect();
    let shown = &names[..names.len().min(4)];
    match names.len() - shown.len() {
        _ if names.is_empty() => None,
        0 => Some(format!(
            "not read, or not all of it: {} (inspect says why)",
            shown.join(", ")
        )),
        more => Some(format!(
            "not read, or not all of it: {} and {more} more (inspect says why)",
            shown.join(", ")
        )),
    }
}
