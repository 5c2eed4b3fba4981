//! `tellapart completions SHELL`.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};

use super::Program;
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Print a script that completes commands and options in a shell
#[derive(Args)]
#[command(after_help = "Example:
  tellapart completions bash > ~/.local/share/bash-completion/completions/tellapart")]
pub(crate) struct Arguments {
    /// Name of the shell
    shell: clap_complete::Shell,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    // Collected in memory first, since the generator panics when the reader has closed the pipe.
    Ok(terminal.out().write_all(&script(arguments.shell))?)
}

/// Generates the script for a shell.
pub(super) fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Program::command(), "tellapart", &mut script);
    script
}
