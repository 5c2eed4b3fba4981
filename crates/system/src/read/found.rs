//! What a system was read from, and what was left out.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::beside::{Beside, RewardFile, RewardKind};
use crate::{MooreMachine, SystemError};

/// A system with the files beside its own that belong to it, as [`any_with`](super::any_with)
/// found them.
#[derive(Debug)]
pub struct FoundSystem {
    /// The system.
    pub machine: MooreMachine,
    /// Files beside that of the system: first those that were read.
    pub parts: Vec<FilePart>,
    /// Name of each column of the values of outputs, where files of rewards give them.
    pub columns: Vec<String>,
    /// Arrays of a `.npz` that were not read.
    pub unread_arrays: Vec<String>,
}

/// A system of no file, or of one file alone.
impl From<MooreMachine> for FoundSystem {
    fn from(machine: MooreMachine) -> Self {
        Self {
            machine,
            parts: Vec::new(),
            columns: Vec::new(),
            unread_arrays: Vec::new(),
        }
    }
}

/// A file beside that of a system.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePart {
    /// Path of the file.
    pub path: PathBuf,
    /// What the file holds.
    pub content: Content,
    /// Name of the structure of rewards, where the file says one.
    pub structure: Option<String>,
    /// Why the file was not read, in words; `None` where it was.
    pub unread: Option<&'static str>,
}

/// What a file beside that of a system holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Labels of states.
    Labels,
    /// Rewards of states.
    StateRewards,
    /// Rewards of transitions.
    TransitionRewards,
    /// Nothing that is an output.
    Other,
}

impl Content {
    pub(super) fn of(kind: RewardKind) -> Self {
        match kind {
            RewardKind::States => Self::StateRewards,
            RewardKind::Transitions => Self::TransitionRewards,
        }
    }
}

impl FilePart {
    pub(super) fn read(path: PathBuf, content: Content, structure: Option<String>) -> Self {
        Self {
            path,
            content,
            structure,
            unread: None,
        }
    }

    pub(super) fn unread(path: PathBuf, content: Content, why: &'static str) -> Self {
        Self {
            path,
            content,
            structure: None,
            unread: Some(why),
        }
    }
}

/// Files of rewards to read beside a `.tra`. Parsed from `all`, `none` or words with commas.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RewardChoice {
    /// All that are there.
    #[default]
    All,
    /// None of them.
    None,
    /// Those with one of these names: that of the file, of the structure, or its number.
    Only(Vec<String>),
}

impl FromStr for RewardChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = text.split(',').map(str::trim);
        Ok(match text {
            "all" => Self::All,
            "none" => Self::None,
            _ => Self::Only(words.map(str::to_owned).collect()),
        })
    }
}

impl RewardChoice {
    pub(crate) fn takes(&self, file: &RewardFile) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(words) => words.iter().any(|word| file.is_called(word)),
        }
    }

    /// Refuses a name that no file has.
    pub(crate) fn check(&self, path: &Path, beside: &Beside) -> Result<(), SystemError> {
        let Self::Only(words) = self else {
            return Ok(());
        };
        let is_unknown = |word: &&String| !beside.rewards.iter().any(|file| file.is_called(word));
        match words.iter().find(is_unknown) {
            None => Ok(()),
            Some(word) => Err(SystemError::NoSuchRewards {
                path: path.to_path_buf(),
                name: word.clone(),
                present: beside.rewards.iter().map(described).collect(),
            }),
        }
    }
}

fn described(file: &RewardFile) -> String {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    match &file.structure {
        Some(structure) => format!("{name} ({structure})"),
        None => name.into_owned(),
    }
}
