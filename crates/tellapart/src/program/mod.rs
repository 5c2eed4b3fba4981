//! The program `tellapart`: parses the command line, calls the library, prints.

mod commands;
mod failure;
mod terminal;

use std::ffi::OsString;

use clap::Parser as _;

use commands::Program;
use terminal::Terminal;

/// Runs the program with these arguments, the first of which is its name, and returns its exit
/// code: 0 fine, 1 failed, 2 bad usage or bad input, 3 the audit found unhealthy collapse.
///
/// This is what `main` and the console script of the Python package do. It prints to the terminal
/// and takes over Ctrl-C, so it is run once in a process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let program = match Program::try_parse_from(arguments) {
        Ok(program) => program,
        // Also help and version. A closed pipe is no reason to complain.
        Err(message) => {
            let _ = message.print();
            return if message.use_stderr() {
                failure::BAD_INPUT
            } else {
                0
            };
        }
    };
    let mut terminal = Terminal::new(program.verbosity());
    let result = commands::run(program.command, &mut terminal).and_then(|()| terminal.flush());
    match result {
        Ok(()) => terminal.succeed(),
        Err(failure) => terminal.fail(&failure),
    }
}
