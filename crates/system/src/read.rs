//! Reading systems from files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use tellapart_files::FileError;

use crate::{MooreMachine, SystemError};

mod aut;
mod lines;
mod names;
mod npz;
mod scan;
mod transitions;
mod tsys;

pub use aut::{aut, aut_from};
pub use npz::{npz, npz_archive};
pub use transitions::MAX_TABLE_ENTRIES;
pub use tsys::{tsys, tsys_bytes};

/// Reads a system in whichever format the file is: by its extension (`.npz`, `.aut`), or else by its
/// first bytes.
///
/// # Errors
/// As [`npz`] and [`aut`]; [`SystemError::UnknownFormat`] if it is neither.
pub fn any(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    let path = path.as_ref();
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "npz" => npz(path),
        "aut" => aut(path),
        "tsys" => tsys(path),
        _ => match &first_bytes(path)?[..] {
            [b'P', b'K', ..] => npz(path),
            bytes if bytes.trim_ascii_start().starts_with(b"des") => aut(path),
            _ => Err(SystemError::UnknownFormat {
                path: path.to_path_buf(),
            }),
        },
    }
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(64);
    File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut bytes))
        .map_err(|source| FileError::from_io(path, source))?;
    Ok(bytes)
}
