//! Reads PRISM's explicit model files.

use std::io::{Read, Seek};
use std::path::Path;

use tellapart_files::FileError;

use super::transitions::MAX_TABLE_ENTRIES;
use crate::meaning::{Labels, OutputMeaning, Sets, Vectors};
use crate::outputs::{DistinctRows, comparison_bits};
use crate::{MooreMachine, StateId, SystemError};

mod actions;
mod labels;
mod rewards;
mod transitions;

use labels::StateLabels;
use transitions::PrismTable;

/// Reads PRISM's explicit model files: `NAME.tra` (transitions), and where they exist `NAME.lab`
/// (labels of states) and `NAME.srew` (state rewards) next to it.
///
/// Format: appendix "Explicit Model Files" of PRISM's manual. These forms of transitions are read,
/// with blank lines and comments (`#`) anywhere:
///
/// | model | first line | further lines |
/// | --- | --- | --- |
/// | Markov chain | `states transitions` | `from to probability [action]` |
/// | MDP | `states choices transitions` | `from choice to probability [action]` |
/// | LTS | `states choices transitions` | `from choice to [action]` |
///
/// # As a Moore machine
/// * **Only deterministic models**: the probability of every transition must be 1. A state must not
///   have two choices of the same action that lead to different states.
/// * **Actions**: a choice with an action is that action; a choice without is the action of its
///   number (in a Markov chain, 0). Where no choice has an action, actions are the numbers of
///   choices and have no names. Otherwise numbers come first and actions follow by first
///   occurrence, with names.
/// * **Missing choices**: a state that lacks a choice leads to itself under that action. If any
///   state does, the set of actions that a state enables is a part of its output
///   ([`MooreMachine::enabled_actions`]). [`aut`](super::aut) shows that this keeps bisimilarity.
///   PRISM's repair of deadlocks (a self-loop) is not applied.
/// * **Outputs**: states have equal outputs if they enable the same actions, carry the same labels
///   ([`MooreMachine::output_labels`]) and have the same reward ([`MooreMachine::output_value`]; 0
///   where the file gives none). Without either file, the enabled actions alone are the output.
/// * **Built-in labels**: `init` gives the initial state (the first, where there are several),
///   `deadlock` is ignored; neither is part of the output.
///
/// # Errors
/// Anything malformed, with its line and column. Probabilities other than 1 and contradicting
/// choices, with their state and action. A table beyond [`MAX_TABLE_ENTRIES`]. Memory: that of
/// [`aut`](super::aut), and 12 bytes per state.
pub fn prism(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    let path = path.as_ref();
    let (file, _) = tellapart_files::open(path)?;
    let [labels, rewards] = ["lab", "srew"].map(|extension| path.with_extension(extension));
    let beside = |path| match tellapart_files::open(path) {
        Ok((file, _)) => Ok(Some((file, path))),
        Err(FileError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    prism_from(
        (file, path),
        beside(&labels)?,
        beside(&rewards)?,
        MAX_TABLE_ENTRIES,
    )
}

/// Reads the files of [`prism`] from any readers. Paths are used in errors only;
/// `max_table_entries` bounds the memory.
///
/// # Errors
/// The errors of [`prism`], with `max_table_entries` as the bound of the table.
pub fn prism_from<R: Read + Seek>(
    (transitions, path): (R, &Path),
    labels: Option<(R, &Path)>,
    rewards: Option<(R, &Path)>,
    max_table_entries: u64,
) -> Result<MooreMachine, SystemError> {
    let table = transitions::read(transitions, path, max_table_entries)?;
    let states = table.completed.enabled.len();
    let labels = labels.map(|(reader, path)| labels::read(reader, path, states));
    let rewards = rewards.map(|(reader, path)| rewards::read(reader, path, states));
    machine(table, labels.transpose()?, rewards.transpose()?).map_err(|source| SystemError::In {
        path: path.to_path_buf(),
        source: Box::new(source),
    })
}

fn machine(
    table: PrismTable,
    labels: Option<StateLabels>,
    rewards: Option<Vec<f64>>,
) -> Result<MooreMachine, SystemError> {
    let PrismTable { completed, actions } = table;
    let is_total = match &completed.sets.bounds[..] {
        [0, only] => *only == completed.next.len() / completed.enabled.len(),
        _ => false,
    };
    // `init` and `deadlock` alone say nothing about outputs.
    let (initial, labels) = match labels {
        Some(labels) if labels.names.is_empty() => (labels.initial, None),
        Some(labels) => (labels.initial, Some(labels)),
        None => (None, None),
    };

    let mut distinct = DistinctRows::new(3);
    let mut output = completed.enabled;
    for (state, id) in output.iter_mut().enumerate() {
        let label_set = labels.as_ref().map_or(0, |labels| labels.set_of[state]);
        let reward = rewards.as_ref().map_or(0.0, |rewards| rewards[state]);
        // The reader of rewards refuses NaN, so the default is never used.
        let reward = comparison_bits(reward).unwrap_or_default();
        *id = distinct.id(&[u64::from(id.get()), u64::from(label_set), reward]);
    }
    let rows = distinct.into_rows();
    let rows = rows.as_chunks::<3>().0;
    let values = rewards.map(|_| Vectors {
        width: 1,
        values: rows.iter().map(|row| f64::from_bits(row[2])).collect(),
    });
    let enabled = (!is_total).then(|| select(&completed.sets, rows.iter().map(|row| row[0])));
    let labels = labels.map(|labels| Labels {
        names: labels.names,
        sets: select(&labels.sets, rows.iter().map(|row| row[1])),
    });
    let meaning = OutputMeaning {
        values,
        enabled,
        labels,
        tolerance: None,
    };
    let columns = completed.next.len() / output.len();
    let machine = MooreMachine::from_table(columns, completed.next, output)?.with_meaning(meaning);
    let machine = match actions {
        Some(names) => machine.with_action_names(names)?,
        None => machine,
    };
    machine.with_initial(initial.unwrap_or(StateId::new(0)))
}

/// Selects the sets with these numbers.
fn select<T: Clone>(sets: &Sets<T>, numbers: impl Iterator<Item = u64>) -> Sets<T> {
    let mut selected = Sets::new();
    for number in numbers {
        let set = sets.get(number as usize).unwrap_or_default();
        selected.push(set.iter().cloned());
    }
    selected
}

/// Whether a line is blank or a comment.
fn is_skipped(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.is_empty() || line.starts_with(b"#")
}
