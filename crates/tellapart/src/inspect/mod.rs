//! Describes the content of a file, and recognizes its format.

mod arrays;
mod parts;
mod safetensors;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tellapart_data::{DataError, Trajectories};
use tellapart_files::{Archive, FileError};
use tellapart_system::read::{FoundSystem, RewardChoice};
use tellapart_system::{Format, MooreMachine, SystemError, read};

pub use arrays::ArrayRecord;
pub use parts::PartRecord;

/// Description of a file. Serializes to the document of `tellapart inspect --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// `tellapart.inspect/1`.
    pub schema: &'static str,
    /// Path of the file, as given.
    pub path: PathBuf,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Storage format.
    pub container: Container,
    /// Kind of content that the file is taken for.
    pub format: FileKind,
    /// Arrays or tensors, in the order of the file; none for systems in other formats.
    pub arrays: Vec<ArrayRecord>,
    /// Names of the actions of valid trajectories, where they are recorded.
    pub action_names: Option<Vec<String>>,
    /// Episodes of valid trajectories.
    pub episodes: Option<EpisodeRecord>,
    /// Sizes of a valid finite system.
    pub system: Option<SystemRecord>,
    /// Files beside that of a system.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PartRecord>,
    /// Names of the columns of the outputs' values, where files of rewards name them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Optional content that the file lacks, and other remarks.
    pub notes: Vec<String>,
    /// Reason why the file is not valid as the kind it is taken for.
    pub problem: Option<String>,
}

/// Storage format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// One NumPy array.
    Npy,
    /// An archive of NumPy arrays.
    Npz,
    /// Aldebaran text.
    Aut,
    /// PRISM's explicit files, named by that of the transitions.
    Tra,
    /// Text of Boa.
    Boa,
    /// Binary format of tellapart.
    Tsys,
    /// Tensors of a trained model, or embeddings.
    Safetensors,
    /// A recording of Minari, D4RL or stable-worldmodel; also the folder of a Minari dataset.
    Hdf5,
}

/// Kind of content that a file is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Recorded episodes: the file has `observations`.
    Trajectories,
    /// A finite system: the file has `next`, or is in another format of systems.
    System,
    /// Embeddings: the only array, or the only one of this kind, is `[N, d]` of floats, or
    /// `[N, tokens, d]`.
    Embeddings,
    /// Arrays of no known format.
    Arrays,
}

/// Episodes of a recording; lengths in rows (observations).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpisodeRecord {
    /// Number of episodes.
    pub count: usize,
    /// Number of observations in all.
    pub rows: usize,
    /// Length of the shortest episode.
    pub shortest: usize,
    /// Length of the longest episode.
    pub longest: usize,
    /// Mean length of episodes.
    pub mean: f64,
    /// Number of episodes that the world ended.
    pub terminal: usize,
    /// Number of episodes that were cut off.
    pub timeout: usize,
    /// Number of distinct hidden states, where `state_ids` gives them.
    pub hidden_states: Option<usize>,
}

/// Sizes of a finite system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SystemRecord {
    /// Number of states.
    pub states: usize,
    /// Number of actions.
    pub actions: usize,
    /// Number of distinct outputs; of Aldebaran text, distinct sets of enabled labels.
    pub outputs: usize,
}

/// A file that cannot be inspected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// A file that cannot be read or is damaged.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder that is no dataset of Minari.
    #[error(transparent)]
    Folder(DataError),
    /// A file in a format of systems that holds no valid system.
    #[error(transparent)]
    System(#[from] SystemError),
    /// A file in none of the known formats.
    #[error(
        "{}: not a format that is known; expected .npz, .npy, .aut, .tra, .boa.txt, .tsys, .safetensors or HDF5",
        path.display()
    )]
    UnknownFormat {
        /// Path of the file.
        path: PathBuf,
    },
    /// A file that begins as `.safetensors`, but is damaged.
    #[error("{}: damaged .safetensors file: {problem}", path.display())]
    Safetensors {
        /// Path of the file.
        path: PathBuf,
        /// Problem of the file, in words.
        problem: String,
    },
}

/// Describes a file, and those beside it that belong to it. Its first bytes determine the format,
/// not its name, as far as they can.
///
/// Reads all of it (of `.safetensors`, the header). Memory: the largest array, or the whole
/// recording where it is one.
///
/// # Errors
/// [`InspectError`] if the file cannot be read, is damaged, or is of no known kind. A readable
/// archive that breaks the rules of its format is no error, but has a
/// [`problem`](Inspection::problem).
pub fn file(path: impl AsRef<Path>) -> Result<Inspection, InspectError> {
    file_with(path, &RewardChoice::All, None)
}

/// Describes a file as [`file()`] does, with these files of rewards beside a `.tra`, or these
/// observations of an HDF5 file that has several.
///
/// # Errors
/// The errors of [`file()`], and a choice beside any file but a `.tra`.
pub fn file_with(
    path: impl AsRef<Path>,
    rewards: &RewardChoice,
    observations: Option<&str>,
) -> Result<Inspection, InspectError> {
    let path = path.as_ref();
    let is_folder = path.is_dir();
    let (bytes, start) = match is_folder {
        true => (tellapart_data::recording_bytes(path), Vec::new()),
        false => beginning(path)?,
    };
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let container = match text {
        _ if is_folder => Container::Hdf5,
        [0x89, b'H', b'D', b'F', ..] => Container::Hdf5,
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Container::Npy,
        [b'P', b'K', ..] => Container::Npz,
        [0x89, b'T', b'S', b'Y', b'S', ..] => Container::Tsys,
        text if text.trim_ascii_start().starts_with(b"des") => Container::Aut,
        text if text.starts_with(b"List[") => Container::Boa,
        // Eight bytes of length, then JSON.
        [_, _, _, _, _, _, _, _, b'{', ..] => Container::Safetensors,
        // A damaged file may lack its first bytes, so the extension decides; the reader then
        // reports the damage.
        _ => by_name(path)?,
    };
    if *rewards != RewardChoice::All && container != Container::Tra {
        let path = path.to_path_buf();
        return Err(SystemError::NoRewardsBeside { path }.into());
    }
    let mut found = Inspection {
        schema: "tellapart.inspect/1",
        path: path.to_owned(),
        bytes,
        container,
        format: FileKind::Arrays,
        arrays: Vec::new(),
        action_names: None,
        episodes: None,
        system: None,
        files: Vec::new(),
        columns: Vec::new(),
        notes: Vec::new(),
        problem: None,
    };
    match container {
        Container::Npy => {
            found.arrays.push(ArrayRecord::of_npy(path)?);
            found.take_for_embeddings();
        }
        Container::Npz => found.look_into_archive(&mut Archive::open(path)?)?,
        // A name that tells another format is not believed; nothing beside it belongs to it.
        Container::Aut if Format::of(path).is_some_and(|format| format != Format::Aut) => {
            found.take_for_system(&read::aut(path)?);
        }
        Container::Aut => found.take_for_system(&read::any_with(path, rewards)?.machine),
        Container::Boa => found.take_for_system(&read::boa(path)?),
        Container::Tsys => found.take_for_system(&read::tsys(path)?),
        Container::Tra => found.take_for_model(read::any_with(path, rewards)?),
        Container::Hdf5 => {
            found.format = FileKind::Trajectories;
            match Trajectories::read_hdf5(path, observations) {
                Ok(trajectories) => {
                    found.arrays = ArrayRecord::of_recording(&trajectories);
                    found.describe_trajectories(&trajectories);
                }
                Err(error) if is_folder => return Err(InspectError::Folder(error)),
                Err(error) => found.problem = Some(without_path(&error)),
            }
        }
        Container::Safetensors => {
            found.arrays = safetensors::tensors(path)?;
            found.take_for_embeddings();
        }
    }
    Ok(found)
}

/// Returns the format that the name of a file tells.
fn by_name(path: &Path) -> Result<Container, InspectError> {
    match Format::of(path) {
        Some(Format::Boa) => return Ok(Container::Boa),
        Some(Format::Npz) => return Ok(Container::Npz),
        Some(Format::Aut) => return Ok(Container::Aut),
        Some(Format::Prism) => return Ok(Container::Tra),
        Some(Format::Tsys) => return Ok(Container::Tsys),
        _ => {}
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("npy") => Ok(Container::Npy),
        Some("safetensors") => Ok(Container::Safetensors),
        _ => Err(match read::any(path) {
            Err(error @ (SystemError::NotRead { .. } | SystemError::Text { .. })) => error.into(),
            _ => InspectError::UnknownFormat {
                path: path.to_owned(),
            },
        }),
    }
}

fn beginning(path: &Path) -> Result<(u64, Vec<u8>), FileError> {
    let fail = |source| FileError::from_io(path, source);
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(FileError::IsDirectory {
            path: path.to_owned(),
        });
    }
    let mut start = Vec::with_capacity(64);
    file.take(64).read_to_end(&mut start).map_err(fail)?;
    Ok((metadata.len(), start))
}

impl Inspection {
    fn look_into_archive(&mut self, archive: &mut Archive) -> Result<(), FileError> {
        for name in archive.names().to_vec() {
            self.arrays.push(ArrayRecord::of_entry(archive, &name)?);
        }
        if tellapart_data::is_recording(archive.names()) {
            self.format = FileKind::Trajectories;
            match Trajectories::read_archive(archive) {
                Ok(trajectories) => self.describe_trajectories(&trajectories),
                Err(error) => self.problem = Some(without_path(&error)),
            }
        } else if archive.contains("next") {
            self.format = FileKind::System;
            match read::npz_archive(archive) {
                Ok(machine) => {
                    self.system = Some(SystemRecord::of(&machine));
                    let names = self.arrays.iter().map(|array| &array.name);
                    let others = names.filter(|name| !["next", "output"].contains(&&name[..]));
                    let notes = others.map(|name| format!("`{name}` is not read"));
                    self.notes.extend(notes);
                }
                Err(error) => self.problem = Some(error.to_string()),
            }
        } else {
            self.take_for_embeddings();
        }
        Ok(())
    }

    fn describe_trajectories(&mut self, trajectories: &Trajectories) {
        self.action_names = trajectories.action_names.clone();
        let lengths: Vec<usize> = trajectories
            .episodes()
            .map(|episode| episode.len())
            .collect();
        let rows = trajectories.rows();
        let flagged = |flags: &[bool]| flags.iter().filter(|&&flag| flag).count();
        let both = trajectories.terminals.iter().zip(&trajectories.timeouts);
        let both = both
            .filter(|&(&terminal, &timeout)| terminal && timeout)
            .count();
        let hidden_states = trajectories.state_ids.as_ref().map(|ids| {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        });
        self.episodes = Some(EpisodeRecord {
            count: lengths.len(),
            rows,
            shortest: lengths.iter().copied().min().unwrap_or(0),
            longest: lengths.iter().copied().max().unwrap_or(0),
            mean: rows as f64 / lengths.len().max(1) as f64,
            terminal: flagged(&trajectories.terminals),
            timeout: flagged(&trajectories.timeouts) - both,
            hidden_states,
        });
        let last = trajectories
            .terminals
            .last()
            .zip(trajectories.timeouts.last());
        let stopped_at_an_end = last.is_some_and(|(&terminal, &timeout)| terminal || timeout);
        let absent = [
            (
                trajectories.rewards.is_none() && trajectories.aux.is_none(),
                "no `rewards` and no `aux`: a value to learn from must be given otherwise",
            ),
            (
                trajectories.state_ids.is_none(),
                "no `state_ids`: embeddings cannot be compared with the hidden truth",
            ),
            (
                trajectories.splits.is_none(),
                "no `splits`: held-out episodes are chosen by a seed",
            ),
            (
                !stopped_at_an_end,
                "the last episode carries no end: the recording stopped in the middle of it",
            ),
        ];
        let absent = absent.into_iter().filter(|(is_absent, _)| *is_absent);
        self.notes.extend(absent.map(|(_, note)| note.to_owned()));
        for (name, meaning) in trajectories.read_as() {
            self.notes.push(format!("`{name}` is read as `{meaning}`"));
        }
        for array in trajectories.left_out() {
            self.notes
                .push(format!("`{}` is left out: {}", array.name, array.reason));
        }
    }

    fn take_for_system(&mut self, machine: &MooreMachine) {
        self.format = FileKind::System;
        self.system = Some(SystemRecord::of(machine));
    }

    fn take_for_model(&mut self, found: FoundSystem) {
        self.take_for_system(&found.machine);
        self.files = found.parts.iter().map(PartRecord::of).collect();
        self.columns = found.columns;
        if self.files.iter().all(|file| !file.read) {
            let note = "no labels and no rewards beside it: only enabled actions tell states apart";
            self.notes.push(note.to_owned());
        }
    }

    /// Takes the file for embeddings if it has a single fitting array, after no other kind applied.
    fn take_for_embeddings(&mut self) {
        let mut fitting = self
            .arrays
            .iter()
            .filter(|array| array.could_be_embeddings());
        match (fitting.next(), fitting.next()) {
            (Some(array), None) => {
                self.format = FileKind::Embeddings;
                self.notes.push(match array.shape[..] {
                    [rows, tokens, width] => format!(
                        "{rows} embeddings of {tokens} tokens of {width} dimensions: `audit` reads \
                         them with --pool"
                    ),
                    [rows, width] => format!("{rows} embeddings of {width} dimensions"),
                    _ => return,
                });
            }
            _ => self.notes.push(
                "not one of our formats: trajectories have `observations`, `actions`, and \
                 `terminals` or `timeouts`; a finite system has `next` and `output`; embeddings \
                 are a single array [N, d] of floats"
                    .to_owned(),
            ),
        }
    }
}

/// Formats an error without the path, which the record already holds.
fn without_path(error: &DataError) -> String {
    match error {
        DataError::InFile { problem, .. } => problem.to_string(),
        error => error.to_string(),
    }
}

impl SystemRecord {
    fn of(machine: &MooreMachine) -> Self {
        Self {
            states: machine.states(),
            actions: machine.actions(),
            outputs: machine.outputs(),
        }
    }
}
