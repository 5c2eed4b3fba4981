//! Readers of systems, one for each file format.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use tellapart_files::FileError;

use crate::beside::Beside;
use crate::{Format, MooreMachine, SystemError};

mod aut;
mod boa;
mod found;
mod lines;
mod names;
mod npz;
mod prism;
mod scan;
mod transitions;
mod tsys;

pub use aut::{aut, aut_from};
pub use boa::{boa, boa_from};
pub use found::{Content, FilePart, FoundSystem, RewardChoice};
pub use npz::{npz, npz_archive, table};
pub use prism::{PrismInput, RewardInput, prism, prism_from};
pub use transitions::MAX_TABLE_ENTRIES;
pub use tsys::{tsys, tsys_bytes};

/// Reads a system in the format that its name ([`Format::of`]) or else its first bytes tell, with
/// all files beside it that belong to it.
///
/// # Errors
/// The errors of the reader of that format; [`SystemError::UnknownFormat`] if it is none,
/// [`SystemError::Drawing`] if it is a `.dot` file, [`SystemError::NotRead`] for formats that are
/// known and not read, [`SystemError::Beside`] if labels or rewards lie beside an `.aut` file,
/// which has no place for them.
pub fn any(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    Ok(any_with(path, &RewardChoice::All)?.machine)
}

/// Reads a system as [`any`] does, with these files of rewards beside a `.tra`, and says which
/// files were read.
///
/// # Errors
/// The errors of [`any`]; [`SystemError::NoSuchRewards`] for a name that no file has,
/// [`SystemError::NoRewardsBeside`] for a choice beside any file but a `.tra`.
pub fn any_with(
    path: impl AsRef<Path>,
    rewards: &RewardChoice,
) -> Result<FoundSystem, SystemError> {
    let path = path.as_ref();
    let format = format(path)?;
    if format == Format::Prism {
        return prism::prism_with(path, rewards);
    }
    if *rewards != RewardChoice::All {
        let path = path.to_path_buf();
        return Err(SystemError::NoRewardsBeside { path });
    }
    let machine = match format {
        Format::Npz => return npz::npz_with(path),
        Format::Aut => aut(path).and_then(|machine| {
            Beside::none_for(path)?;
            Ok(machine)
        }),
        Format::Prism => prism(path),
        Format::Boa => boa(path),
        Format::Tsys => tsys(path),
        Format::Dot => Err(SystemError::Drawing {
            path: path.to_path_buf(),
        }),
    };
    machine.map(FoundSystem::from)
}

/// Finds the format of a file.
fn format(path: &Path) -> Result<Format, SystemError> {
    if let Some(format) = Format::of(path) {
        return Ok(format);
    }
    let bytes = first_bytes(path)?;
    if let Some(encoding) = lines::foreign_encoding(&bytes) {
        return Err(SystemError::Text {
            path: path.to_path_buf(),
            line: 1,
            column: 1,
            problem: format!("this is {encoding} text; save it as UTF-8"),
        });
    }
    match lines::without_mark(&bytes) {
        [b'P', b'K', ..] => Ok(Format::Npz),
        bytes if bytes.starts_with(&crate::tsys::MAGIC) => Ok(Format::Tsys),
        bytes if bytes.starts_with(b"List[") => Ok(Format::Boa),
        bytes if bytes.trim_ascii_start().starts_with(b"des") => Ok(Format::Aut),
        _ => Err(unknown(path)),
    }
}

/// Ends of names in lower case of files that are not read, with what to do.
const NOT_READ: [(&str, &str); 15] = [
    (
        ".drn",
        "DRN, the explicit format of Storm, is not read; build the model with PRISM and write \
         `-exportmodel NAME.all`, or write its matrix as a .tra from stormpy",
    ),
    (
        ".umb",
        "UMB is not read; `prism -importmodel NAME.umb -exportmodel NAME.all` writes a .tra",
    ),
    (
        ".pexp",
        "PRISM's single file is not read; `prism -importmodel NAME.pexp -exportmodel NAME.all` writes \
         a .tra with labels and rewards beside it",
    ),
    (".prism", PRISM_LANGUAGE),
    (".pm", PRISM_LANGUAGE),
    (".nm", PRISM_LANGUAGE),
    (
        ".jani",
        "models in JANI are not read; build the model and export it explicitly",
    ),
    (
        ".fsm",
        "FSM is not read; `ltsconvert NAME.fsm NAME.aut` of mCRL2 converts it, without parameters of \
         states",
    ),
    (
        ".lts",
        "this format of mCRL2 is not read; `ltsconvert NAME.lts NAME.aut` converts it",
    ),
    (
        ".bcg",
        "BCG is not read; `bcg_io NAME.bcg NAME.aut` of CADP converts it",
    ),
    (".lab", PART_OF_A_MODEL),
    (".sta", PART_OF_A_MODEL),
    (".srew", PART_OF_A_MODEL),
    (".trew", PART_OF_A_MODEL),
    (".rew", PART_OF_A_MODEL),
];

const PRISM_LANGUAGE: &str = "models in PRISM's language are not read; `prism MODEL -exportmodel NAME.all` \
                              writes a .tra with labels and rewards beside it";
const PART_OF_A_MODEL: &str =
    "this is a part of a model; name its .tra, beside which the parts are found";

fn unknown(path: &Path) -> SystemError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let path = path.to_path_buf();
    match NOT_READ.into_iter().find(|(end, _)| name.ends_with(end)) {
        Some((_, what)) => SystemError::NotRead { path, what },
        None => SystemError::UnknownFormat { path },
    }
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::with_capacity(64);
    File::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut bytes))
        .map_err(|source| FileError::from_io(path, source))?;
    Ok(bytes)
}
