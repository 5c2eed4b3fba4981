//! Readers of systems, one for each file format.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use tellapart_files::FileError;

use crate::{Format, MooreMachine, SystemError};

mod aut;
mod boa;
mod lines;
mod names;
mod npz;
mod prism;
mod scan;
mod transitions;
mod tsys;

pub use aut::{aut, aut_from};
pub use boa::{boa, boa_from};
pub use npz::{npz, npz_archive};
pub use prism::{prism, prism_from};
pub use transitions::MAX_TABLE_ENTRIES;
pub use tsys::{tsys, tsys_bytes};

/// Reads a system in the format that its name ([`Format::of`]) or else its first bytes tell.
///
/// # Errors
/// The errors of the reader of that format; [`SystemError::UnknownFormat`] if it is none,
/// [`SystemError::Drawing`] if it is a `.dot` file.
pub fn any(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    let path = path.as_ref();
    let format = match Format::of(path) {
        Some(format) => Some(format),
        None => match &first_bytes(path)?[..] {
            [b'P', b'K', ..] => Some(Format::Npz),
            bytes if bytes.starts_with(&crate::tsys::MAGIC) => Some(Format::Tsys),
            bytes if bytes.starts_with(b"List[") => Some(Format::Boa),
            bytes if bytes.trim_ascii_start().starts_with(b"des") => Some(Format::Aut),
            _ => None,
        },
    };
    match format {
        Some(Format::Npz) => npz(path),
        Some(Format::Aut) => aut(path),
        Some(Format::Prism) => prism(path),
        Some(Format::Boa) => boa(path),
        Some(Format::Tsys) => tsys(path),
        Some(Format::Dot) => Err(SystemError::Drawing {
            path: path.to_path_buf(),
        }),
        None => Err(SystemError::UnknownFormat {
            path: path.to_path_buf(),
        }),
    }
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(64);
    File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut bytes))
        .map_err(|source| FileError::from_io(path, source))?;
    Ok(bytes)
}
