//! The program `tellapart`: parses the command line, calls the library, prints.

mod commands;
mod failure;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use crate::commands::Program;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let program = match Program::try_parse() {
        Ok(program) => program,
        // Also help and version. A closed pipe is no reason to complain.
        Err(message) => {
            let _ = message.print();
            return ExitCode::from(if message.use_stderr() {
                failure::BAD_INPUT
            } else {
                0
            });
        }
    };
    let mut terminal = Terminal::new(program.verbosity());
    let result = commands::run(program.command, &mut terminal).and_then(|()| terminal.flush());
    match result {
        Ok(()) => terminal.succeed(),
        Err(failure) => terminal.fail(&failure),
    }
}
