//! Writes PRISM's explicit model files.

use std::path::{Path, PathBuf};

use tellapart_files::{FileError, PendingFile};

use super::text::pending_text;
use crate::beside::Beside;
use crate::meaning::Vectors;
use crate::{ActionId, MooreMachine, OutputId, SystemError};

/// Most columns of values that become files of rewards.
const MOST_COLUMNS: usize = 64;

/// Writes PRISM's explicit model files, which [`crate::read::prism`] reads: an MDP at `path`
/// (`NAME.tra`), labels in `NAME.lab`, and the values of outputs as rewards of states. Single
/// numbers go into `NAME.srew`, the columns of up to 64 into `NAME1.srew`, `NAME2.srew` and so on.
///
/// Only enabled actions become choices. Names of actions are written if all of them are identifiers
/// of PRISM; otherwise a partial machine gets `a0`, `a1`, ..., and a total one no names. Outputs
/// that labels and values do not tell apart become labels `output_ID`.
///
/// # Errors
/// A file that cannot be written; an older model is then unchanged. Its transitions are gone while
/// the new files take their places, and after an error there. An existing file of rewards that
/// would be taken for a part of the model is removed. [`SystemError::Beside`] if a
/// file of rewards would belong to another model, `NAME1.tra`, say.
pub fn prism(machine: &MooreMachine, path: impl AsRef<Path>) -> Result<(), SystemError> {
    let path = path.as_ref();
    let rewards = reward_files(machine, path)?;
    let mut beside = vec![pending_labels(machine, &path.with_extension("lab"))?];
    if let Some(vectors) = values(machine) {
        for (column, file) in rewards.iter().enumerate() {
            beside.push(pending_rewards(machine, vectors, column, file)?);
        }
    }
    let transitions = pending_transitions(machine, path)?;
    // The transitions of an older model go first, and those of this one come last: whoever sees
    // transitions sees the other files of the same model.
    transitions.remove_replaced()?;
    remove_others(path, &rewards)?;
    for file in beside {
        file.finish()?;
    }
    Ok(transitions.finish()?)
}

/// Returns the values of outputs, where they become rewards.
fn values(machine: &MooreMachine) -> Option<&Vectors> {
    let values = machine.meaning().values.as_ref();
    values.filter(|_| tells_all(machine))
}

/// Names a file of rewards for each column.
fn reward_files(machine: &MooreMachine, path: &Path) -> Result<Vec<PathBuf>, SystemError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let columns = match values(machine) {
        None => return Ok(Vec::new()),
        Some(Vectors { width: 1, .. }) => return Ok(vec![path.with_extension("srew")]),
        Some(vectors) => 1..=vectors.width,
    };
    let file = |column| {
        let other = path.with_file_name(format!("{stem}{column}.tra"));
        let file = path.with_file_name(format!("{stem}{column}.srew"));
        match other.exists() {
            false => Ok(file),
            true => Err(SystemError::Beside {
                problem: format!(
                    "rewards of {} cannot be written here, since they would be taken for those of \
                     {}; choose another name",
                    path.display(),
                    other.display()
                ),
                path: file,
            }),
        }
    };
    columns.map(file).collect()
}

/// Removes rewards of an older model, which would be taken for a part of this one.
fn remove_others(path: &Path, rewards: &[PathBuf]) -> Result<(), SystemError> {
    let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    for file in Beside::of_transitions(path)?.rewards {
        if !rewards.contains(&file.path)
            && let Err(error) = std::fs::remove_file(&file.path)
            && !is_missing(&error)
        {
            return Err(FileError::from_io(&file.path, error).into());
        }
    }
    Ok(())
}

fn pending_transitions(machine: &MooreMachine, path: &Path) -> Result<PendingFile, SystemError> {
    let names = action_names(machine);
    let actions: Vec<ActionId> = machine.action_ids().collect();
    let enabled = |state| {
        machine
            .enabled_actions(machine.output(state))
            .unwrap_or(actions.as_slice())
    };
    let choices: usize = machine.state_ids().map(|state| enabled(state).len()).sum();
    pending_text(path, |text| {
        text.add(&format!("{} {choices} {choices}", machine.states()));
        text.end_line()?;
        for state in machine.state_ids() {
            let successors = machine.successors(state);
            for (choice, &action) in enabled(state).iter().enumerate() {
                text.number(state.get()).add(" ");
                text.number(choice as u32).add(" ");
                text.number(successors[action.index()].get());
                text.add(names.get(action.index()).map_or(" 1", String::as_str));
                text.end_line()?;
            }
        }
        Ok(())
    })
}

/// Returns the end of the lines of each action; empty where choices have no names.
fn action_names(machine: &MooreMachine) -> Vec<String> {
    let names = machine.action_names();
    if !names.is_empty() && names.iter().all(|name| is_identifier(name)) {
        return names.iter().map(|name| format!(" 1 {name}")).collect();
    }
    match machine.meaning().enabled {
        Some(_) => (0..machine.actions())
            .map(|action| format!(" 1 a{action}"))
            .collect(),
        None => Vec::new(),
    }
}

fn pending_labels(machine: &MooreMachine, path: &Path) -> Result<PendingFile, SystemError> {
    let meaning = machine.meaning();
    // Label numbers of the states of each output; 0 is `init`.
    let (names, numbers): (Vec<String>, Vec<String>) = if tells_all(machine) {
        let labels = meaning.labels.as_ref();
        let names = labels.map_or(&[][..], |labels| &labels.names);
        let are_identifiers = names.iter().all(|name| is_identifier(name));
        let name = |(number, name): (usize, &String)| match are_identifiers {
            true => name.clone(),
            false => format!("label_{number}"),
        };
        let numbers = |output: usize| {
            let set = labels
                .and_then(|labels| labels.sets.get(output))
                .unwrap_or_default();
            set.iter().map(|label| format!(" {}", label + 1)).collect()
        };
        let numbers = (0..machine.outputs()).map(numbers).collect();
        (names.iter().enumerate().map(name).collect(), numbers)
    } else {
        let outputs = 0..machine.outputs();
        let names = outputs.clone().map(|output| format!("output_{output}"));
        (
            names.collect(),
            outputs.map(|output| format!(" {}", output + 1)).collect(),
        )
    };
    pending_text(path, |text| {
        text.add("0=\"init\"");
        for (label, name) in names.iter().enumerate() {
            text.add(" ").number(label as u32 + 1);
            text.add("=\"").add(name).add("\"");
        }
        text.end_line()?;
        for state in machine.state_ids() {
            let numbers = &numbers[machine.output(state).index()];
            let is_initial = state == machine.initial();
            if is_initial || !numbers.is_empty() {
                text.number(state.get()).add(":");
                text.add(if is_initial { " 0" } else { "" }).add(numbers);
                text.end_line()?;
            }
        }
        Ok(())
    })
}

fn pending_rewards(
    machine: &MooreMachine,
    vectors: &Vectors,
    column: usize,
    path: &Path,
) -> Result<PendingFile, SystemError> {
    let value = |output: OutputId| vectors.values[output.index() * vectors.width + column];
    let outputs = (0..machine.outputs() as u32).map(OutputId::new);
    let lines: Vec<String> = outputs
        .map(|output| format!(" {}", value(output)))
        .collect();
    let rewarded = machine
        .output_table()
        .iter()
        .filter(|&&id| value(id) != 0.0)
        .count();
    pending_text(path, |text| {
        text.add(&format!("{} {rewarded}", machine.states()));
        text.end_line()?;
        for state in machine.state_ids() {
            let output = machine.output(state);
            if value(output) != 0.0 {
                text.number(state.get()).add(&lines[output.index()]);
                text.end_line()?;
            }
        }
        Ok(())
    })
}

/// Whether enabled actions, labels and rewards tell all outputs apart.
pub(super) fn tells_all(machine: &MooreMachine) -> bool {
    let meaning = machine.meaning();
    match &meaning.values {
        Some(vectors) => (1..=MOST_COLUMNS).contains(&vectors.width),
        None => machine.outputs() == 1 || meaning.enabled.is_some() || meaning.labels.is_some(),
    }
}

/// Whether PRISM accepts the word as a name.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    bytes.next().is_some_and(is_letter)
        && bytes.all(|byte| is_letter(byte) || byte.is_ascii_digit())
}
