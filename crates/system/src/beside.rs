//! Finds the files beside a file that belong to the same system.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use tellapart_files::FileError;

use crate::SystemError;

/// Kind of rewards in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RewardKind {
    /// A number for each state.
    States,
    /// A number for each transition.
    Transitions,
}

/// Files beside a `.tra` that belong to its model.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) labels: Option<PathBuf>,
    /// In the order of their numbers and names; rewards of states come before those of transitions.
    pub(crate) rewards: Vec<RewardFile>,
    /// Files that look as if they belonged to it and are no part of the outputs, with the reason.
    pub(crate) others: Vec<(PathBuf, &'static str)>,
}

/// A file of rewards.
#[derive(Debug)]
pub(crate) struct RewardFile {
    pub(crate) path: PathBuf,
    pub(crate) kind: RewardKind,
    /// Number or name of the structure in the name of the file; empty where there is none.
    pub(crate) mark: String,
    /// Name of the structure in the file, where it has one.
    pub(crate) structure: Option<String>,
}

/// Content of a file, by the end of its name.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Transitions,
    Labels,
    Rewards(RewardKind),
    /// Rewards of which only the content tells the kind.
    SomeRewards,
    /// Outputs that are not supported.
    Observations,
    /// No outputs.
    Other(&'static str),
}

/// Ends of names. Longer ones come before those that they end in.
///
/// PRISM writes `.srew` and `.trew` (`.rews` and `.rewt` by its older manual), with a number before
/// where a model has several structures. Files of Storm are named as its examples are; `.rew` and
/// `.rewi` (impulses) are MRMC's.
const ENDS: [(&str, Part); 14] = [
    (".state.rew", Part::Rewards(RewardKind::States)),
    (".trans.rew", Part::Rewards(RewardKind::Transitions)),
    (".tra.rew", Part::Rewards(RewardKind::Transitions)),
    (".srew", Part::Rewards(RewardKind::States)),
    (".trew", Part::Rewards(RewardKind::Transitions)),
    (".rews", Part::Rewards(RewardKind::States)),
    (".rewt", Part::Rewards(RewardKind::Transitions)),
    (".rewi", Part::Rewards(RewardKind::Transitions)),
    (".rew", Part::SomeRewards),
    (".tra", Part::Transitions),
    (".lab", Part::Labels),
    (".obs", Part::Observations),
    (".sta", Part::Other("variables of states are no outputs")),
    (
        ".drn",
        Part::Other("Storm's DRN is a whole model, and not read"),
    ),
];

impl Beside {
    /// Finds the files that belong to the model of the transitions at `path`.
    pub(crate) fn of_transitions(path: &Path) -> Result<Self, SystemError> {
        let names = named_alike(path)?;
        let mut found = Self::default();
        let mut more_labels = Vec::new();
        let is_model = |mark: &str| {
            let mut models = names.iter().filter(|name| name.part == Part::Transitions);
            models.any(|name| name.mark == mark)
        };
        for name in &names {
            let file = path.with_file_name(&name.name);
            if !name.mark.is_empty() && is_model(&name.mark) {
                // `m.old.srew` belongs to `m.old.tra`, but `m1.srew` could belong to `m.tra`, too.
                let is_number = name.mark.bytes().all(|byte| byte.is_ascii_digit());
                if is_number && matches!(name.part, Part::Rewards(_) | Part::SomeRewards) {
                    found.others.push((file, OF_ANOTHER_MODEL));
                }
                continue;
            }
            match name.part {
                Part::Transitions => {}
                Part::Labels if name.mark.is_empty() => {
                    if let Some(other) = found.labels.replace(file) {
                        let problem = "there are labels whose name differs in upper and lower case \
                                       only; keep one of the two files";
                        return Err(unread(&other, problem));
                    }
                }
                Part::Labels => more_labels.push(file),
                Part::Rewards(kind) => found.rewards.push(RewardFile::new(file, kind, name)?),
                Part::SomeRewards => {
                    let kind = kind_of_content(&file)?;
                    found.rewards.push(RewardFile::new(file, kind, name)?);
                }
                Part::Observations => {
                    let problem = "observations of a partially observable model are not read; \
                                   move the file elsewhere to do without them";
                    return Err(unread(&file, problem));
                }
                Part::Other(why) => found.others.push((file, why)),
            }
        }
        if found.labels.is_none()
            && let Some(file) = more_labels.first()
        {
            let wanted = path.with_extension("lab");
            let problem = format!(
                "labels are read from {} only; rename the file, or move it elsewhere",
                wanted.display()
            );
            return Err(unread(file, problem));
        }
        let why = "labels are read from one file only";
        let more = more_labels.into_iter().map(|file| (file, why));
        found.others.extend(more);
        found.rewards.sort_by_key(RewardFile::place);
        Ok(found)
    }

    /// Refuses files of labels or rewards beside a file that is no `.tra`, unless one is there to
    /// which they belong.
    pub(crate) fn none_for(path: &Path) -> Result<(), SystemError> {
        let names = named_alike(path)?;
        if names.iter().any(|name| name.part == Part::Transitions) {
            return Ok(());
        }
        let outputs = |name: &&NamedAlike| {
            let is_output = matches!(
                name.part,
                Part::Labels | Part::Rewards(_) | Part::SomeRewards
            );
            is_output && name.mark.is_empty()
        };
        match names.iter().find(outputs) {
            None => Ok(()),
            Some(name) => Err(unread(
                &path.with_file_name(&name.name),
                format!(
                    "labels and rewards are read beside a .tra only, and {} is none; move the file \
                     elsewhere to do without it",
                    path.display()
                ),
            )),
        }
    }
}

const OF_ANOTHER_MODEL: &str = "taken for a part of the .tra of its name";

impl RewardFile {
    fn new(path: PathBuf, kind: RewardKind, name: &NamedAlike) -> Result<Self, SystemError> {
        let structure = structure_name(&beginning(&path)?);
        Ok(Self {
            path,
            kind,
            mark: name.mark.trim_start_matches('.').to_owned(),
            structure,
        })
    }

    /// Sorts numbers as numbers, before names.
    fn place(&self) -> (bool, u64, String, RewardKind, PathBuf) {
        let number = match &self.mark[..] {
            "" => Some(0),
            mark => mark.parse().ok(),
        };
        (
            number.is_none(),
            number.unwrap_or_default(),
            self.mark.clone(),
            self.kind,
            self.path.clone(),
        )
    }

    /// Whether a user means this file, by its name, its number or the name of the structure.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        self.path.file_name() == Some(OsStr::new(word))
            || (!self.mark.is_empty() && self.mark == word)
            || self.structure.as_deref() == Some(word)
    }
}

/// A file whose name begins like that of the system.
struct NamedAlike {
    name: std::ffi::OsString,
    part: Part,
    /// What lies between the name of the system and the end: nothing, a number, or `.` and a name.
    mark: String,
}

/// Lists the files whose names are that of the system, a mark and one of the known ends.
fn named_alike(path: &Path) -> Result<Vec<NamedAlike>, SystemError> {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else {
        return Ok(Vec::new());
    };
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let io = |source| FileError::from_io(folder, source);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        let rest = name
            .as_encoded_bytes()
            .strip_prefix(stem.as_encoded_bytes());
        let Some(Ok(rest)) = rest.map(str::from_utf8) else {
            continue;
        };
        let lower = rest.to_ascii_lowercase();
        let Some((end, part)) = ENDS.into_iter().find(|(end, _)| lower.ends_with(end)) else {
            continue;
        };
        let mark = rest[..rest.len() - end.len()].to_owned();
        if mark.starts_with('.') || mark.bytes().all(|byte| byte.is_ascii_digit()) {
            names.push(NamedAlike { name, part, mark });
        }
    }
    // The order of a folder is arbitrary.
    names.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(names)
}

fn unread(path: &Path, problem: impl Into<String>) -> SystemError {
    SystemError::Beside {
        path: path.to_path_buf(),
        problem: problem.into(),
    }
}

/// Reads the first bytes of a file, where its comments are.
fn beginning(path: &Path) -> Result<Vec<u8>, SystemError> {
    let (file, _) = tellapart_files::open(path)?;
    let mut bytes = Vec::new();
    file.take(4096)
        .read_to_end(&mut bytes)
        .map_err(|source| FileError::from_io(path, source))?;
    Ok(bytes)
}

/// Returns the name in a comment such as `# Reward structure "energy"`, which PRISM writes first.
fn structure_name(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let mut comments = text.lines().map(|line| line.trim_start_matches('\u{feff}'));
    let line = comments.find_map(|line| line.strip_prefix("# Reward structure"))?;
    let name = line.trim_start_matches([':', ' ']).trim_end();
    let name = name.strip_prefix('"')?.strip_suffix('"')?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Tells rewards of states, whose last numbers are `state reward`, from those of transitions.
fn kind_of_content(path: &Path) -> Result<RewardKind, SystemError> {
    let bytes = beginning(path)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("# State rewards") {
        return Ok(RewardKind::States);
    }
    let is_data = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let lines: Vec<&str> = text.lines().filter(is_data).collect();
    // The last line may be cut off.
    let whole = match lines.len() {
        0 | 1 => lines.first(),
        count if bytes.len() == 4096 => lines.get(count - 2),
        _ => lines.last(),
    };
    let words = whole.map_or(0, |line| line.split_whitespace().count());
    let names_transitions = text.contains("# Transition rewards") || text.contains("TRANSITIONS");
    Ok(match words > 2 || names_transitions {
        true => RewardKind::Transitions,
        false => RewardKind::States,
    })
}
