//! Writers of systems, one for each file format; a file appears whole or not at all.

use std::path::Path;

use crate::{Format, MooreMachine, SystemError};

mod aut;
mod boa;
mod dot;
mod lost;
mod npz;
mod prism;
mod text;
mod tsys;

pub use aut::aut;
pub use boa::boa;
pub use dot::{DOT_STATES, dot};
pub use lost::lost;
pub use npz::npz;
pub use prism::prism;
pub use tsys::{tsys, tsys_to};

/// Writes a system in the format that the name of the file tells. Drawings have at most
/// [`DOT_STATES`] states.
///
/// # Errors
/// [`SystemError::UnknownExtension`], or the errors of the writer of that format.
pub fn any(machine: &MooreMachine, path: impl AsRef<Path>) -> Result<(), SystemError> {
    let path = path.as_ref();
    match Format::of_output(path)? {
        Format::Npz => npz(machine, path),
        Format::Aut => aut(machine, path),
        Format::Prism => prism(machine, path),
        Format::Boa => boa(machine, path),
        Format::Tsys => tsys(machine, path),
        Format::Dot => dot(machine, path, DOT_STATES),
    }
}
