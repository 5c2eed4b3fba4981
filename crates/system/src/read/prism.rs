//! Reads explicit model files of PRISM, Storm and MRMC.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use super::found::{Content, FilePart, FoundSystem, RewardChoice};
use super::transitions::MAX_TABLE_ENTRIES;
use crate::beside::{Beside, RewardFile, RewardKind};
use crate::{MooreMachine, SystemError};

mod actions;
mod declarations;
mod header;
mod labels;
mod line;
mod numbers;
mod outputs;
mod rewards;
mod sums;
mod transitions;

use numbers::Numbers;
use outputs::Structures;

/// Reads explicit model files: `NAME.tra` (transitions), and the labels (`.lab`) and rewards
/// (`.srew`, `.trew`, ...) that lie beside it.
///
/// Format: appendix "Explicit Model Files" of PRISM's manual, and the forms of Storm and MRMC. With
/// blank lines and comments (`#`) anywhere, these transitions are read:
///
/// | model | first line | further lines |
/// | --- | --- | --- |
/// | Markov chain | `states transitions`; Storm: `dtmc` | `from to probability [action]` |
/// | MDP | `states choices transitions`; Storm: `mdp` | `from choice to probability [action]` |
/// | LTS | `states choices transitions` | `from choice to [action]` |
/// | Markov chain of MRMC | `STATES n`, then `TRANSITIONS n` | `from to probability`, from state 1 |
///
/// | file | what it holds |
/// | --- | --- |
/// | `NAME.lab` | labels: `0="init" 1="goal"` and lines `state: 0 1`, or `#DECLARATION`, names, `#END` and lines `state goal` |
/// | `NAME.srew`, `NAME1.srew`, `NAME.time.srew` | rewards of states |
/// | `NAME.trew`, `NAME1.trew`, `NAME.time.trew` | rewards of transitions |
/// | `.rews`, `.rewt`; `.state.rew`, `.trans.rew`, `.tra.rew`; `.rew`, `.rewi` | the same, as named by old PRISM, Storm and MRMC |
///
/// # As a Moore machine
/// * **Only deterministic models**: under an action a state reaches one state. The probabilities
///   of its transitions there must add up to 1, exactly or up to rounding (1e-9); transitions of
///   probability 0 are none. A state must not have two choices of the same action that lead to
///   different states.
/// * **Actions**: a choice with an action is that action; a choice without is the action of its
///   number (in a Markov chain, 0). Where no choice has an action, actions are the numbers of
///   choices and have no names. Otherwise numbers come first and actions follow by first
///   occurrence, with names. Without any transition there is one action, which no state enables.
/// * **Missing choices**: a state that lacks a choice leads to itself under that action. If any
///   state does, the set of actions that a state enables is a part of its output
///   ([`MooreMachine::enabled_actions`]). [`aut`](super::aut) shows that this keeps bisimilarity.
///   PRISM's repair of deadlocks (a self-loop) is not applied.
/// * **Outputs**: states have equal outputs if they enable the same actions, carry the same labels
///   ([`MooreMachine::output_labels`]) and have the same rewards ([`MooreMachine::output_value`];
///   0 where a file gives none). The value has a column for each file of rewards of states. Each
///   file of rewards of transitions has a column for each action that it rewards: what the state
///   earns when the action is taken. So bisimilar states earn the same under every word of actions.
/// * **Rewards compare exactly**, as decimals or fractions. Where two differ by less than `f64` can
///   tell, the column is no value: states carry labels such as `time=1/3` instead.
/// * **Built-in labels**: `init` gives the initial state (the first, where there are several),
///   `deadlock` is ignored; neither is part of the output.
///
/// # Errors
/// Anything malformed, with its line and column. Probabilistic and contradicting choices, with
/// state, action and probabilities. Rewards that depend on more than state and action. A file of
/// observations beside it. A table beyond [`MAX_TABLE_ENTRIES`]. Memory: that of
/// [`aut`](super::aut), and 12 bytes per state and 4 for each further file; with rewards of
/// transitions 12 bytes per transition.
pub fn prism(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    Ok(prism_with(path.as_ref(), &RewardChoice::All)?.machine)
}

/// Reads the files of [`prism`], with these files of rewards only.
pub(super) fn prism_with(path: &Path, rewards: &RewardChoice) -> Result<FoundSystem, SystemError> {
    let (transitions, _) = tellapart_files::open(path)?;
    let beside = Beside::of_transitions(path)?;
    rewards.check(path, &beside)?;
    let others = beside.others.into_iter();
    let mut parts: Vec<FilePart> = others
        .map(|(path, why)| FilePart::unread(path, Content::Other, why))
        .collect();
    let (wanted, left): (Vec<RewardFile>, Vec<RewardFile>) = beside
        .rewards
        .into_iter()
        .partition(|file| rewards.takes(file));
    let left = left.into_iter();
    parts.extend(left.map(|file| {
        let content = Content::of(file.kind);
        FilePart::unread(file.path, content, "left out, as asked for")
    }));

    let open = |path: &Path| tellapart_files::open(path).map(|(file, _)| file);
    let labels = beside.labels.as_deref();
    let labels: Option<(File, &Path)> = labels
        .map(|path| open(path).map(|file| (file, path)))
        .transpose()?;
    let mut inputs = Vec::new();
    for file in &wanted {
        inputs.push(RewardInput {
            reader: open(&file.path)?,
            path: &file.path,
            kind: file.kind,
        });
    }
    let names = column_names(&wanted);
    let input = PrismInput {
        transitions: (transitions, path),
        labels,
        rewards: inputs,
    };
    let (machine, columns) = named(input, names, MAX_TABLE_ENTRIES)?;
    let labels = beside
        .labels
        .map(|path| FilePart::read(path, Content::Labels, None));
    let rewards = wanted
        .into_iter()
        .map(|file| FilePart::read(file.path, Content::of(file.kind), file.structure));
    let read: Vec<FilePart> = labels.into_iter().chain(rewards).collect();
    Ok(FoundSystem {
        parts: read.into_iter().chain(parts).collect(),
        columns,
        ..FoundSystem::from(machine)
    })
}

/// Returns the name of the structure of each file, or its own where structures have none, or the
/// same.
fn column_names(files: &[RewardFile]) -> Vec<String> {
    let is_only = |file: &RewardFile| {
        let alike =
            |other: &&RewardFile| other.structure == file.structure && other.kind == file.kind;
        files.iter().filter(alike).count() == 1
    };
    let own = |file: &RewardFile| {
        let name = file.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let name = |file: &RewardFile| match &file.structure {
        Some(structure) if is_only(file) => structure.clone(),
        _ => own(file),
    };
    files.iter().map(name).collect()
}

/// Files of a model for [`prism_from`]; paths are used in errors, and their ends tell the form of
/// rewards, as [`prism`] says.
pub struct PrismInput<'p, R> {
    /// The transitions.
    pub transitions: (R, &'p Path),
    /// Labels of states, where there are any.
    pub labels: Option<(R, &'p Path)>,
    /// Rewards, in the order of the columns of the outputs' values.
    pub rewards: Vec<RewardInput<'p, R>>,
}

/// A file of rewards for [`prism_from`].
pub struct RewardInput<'p, R> {
    /// The file.
    pub reader: R,
    /// Its path.
    pub path: &'p Path,
    /// Whether it gives rewards of states or of transitions.
    pub kind: RewardKind,
}

/// Reads the files of [`prism`] from any readers. `max_table_entries` bounds the memory: that many
/// entries of the table, and that many values of outputs.
///
/// # Errors
/// The errors of [`prism`], with `max_table_entries` as the bound of the table.
pub fn prism_from<R: Read + Seek>(
    input: PrismInput<'_, R>,
    max_table_entries: u64,
) -> Result<MooreMachine, SystemError> {
    let names = input.rewards.iter().map(|rewards| {
        let name = rewards.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    });
    let names = names.collect();
    named(input, names, max_table_entries).map(|(machine, _)| machine)
}

/// Reads all files; `names` are those of the files of rewards. Returns the names of the columns,
/// too.
fn named<R: Read + Seek>(
    input: PrismInput<'_, R>,
    names: Vec<String>,
    max_table_entries: u64,
) -> Result<(MooreMachine, Vec<String>), SystemError> {
    let (transitions, path) = input.transitions;
    let mut all = input.rewards.iter();
    let keeps_choices = all.any(|rewards| rewards.kind == RewardKind::Transitions);
    let table = transitions::read(transitions, path, max_table_entries, keeps_choices)?;
    let labels = input
        .labels
        .map(|(reader, path)| labels::read(reader, path, table.header.states))
        .transpose()?;
    let mut structures = Structures {
        named: Vec::new(),
        numbers: Numbers::default(),
    };
    for (RewardInput { reader, path, kind }, name) in input.rewards.into_iter().zip(names) {
        let read = rewards::read(reader, path, kind, &table, &mut structures.numbers)?;
        structures.named.push((name, read));
    }
    outputs::machine(table, labels, structures, max_table_entries).map_err(|source| {
        SystemError::In {
            path: path.to_path_buf(),
            source: Box::new(source),
        }
    })
}

/// Whether a line is blank or a comment.
fn is_skipped(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.is_empty() || line.starts_with(b"#")
}
