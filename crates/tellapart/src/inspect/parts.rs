//! Files beside that of a system.

use std::path::PathBuf;

use serde::Serialize;
use tellapart_system::read::{Content, FilePart};

/// A file beside that of a system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartRecord {
    /// Path of the file.
    pub path: PathBuf,
    /// What the file holds: `labels`, `state-rewards`, `transition-rewards` or `other`.
    pub holds: &'static str,
    /// Name of the structure of rewards, where the file says one.
    pub structure: Option<String>,
    /// Whether the file was read.
    pub read: bool,
    /// Why it was not read.
    pub why: Option<&'static str>,
}

impl PartRecord {
    /// Makes the record of a file that a reader found.
    #[must_use]
    pub fn of(part: &FilePart) -> Self {
        Self {
            path: part.path.clone(),
            holds: match part.content {
                Content::Labels => "labels",
                Content::StateRewards => "state-rewards",
                Content::TransitionRewards => "transition-rewards",
                _ => "other",
            },
            structure: part.structure.clone(),
            read: part.unread.is_none(),
            why: part.unread,
        }
    }
}
