//! The program `tellapart`: see the module `program` of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(tellapart::program::run(std::env::args_os()))
}
