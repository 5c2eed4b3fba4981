//! Writing systems to files; a file appears whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use tellapart_files::{ArchiveWriter, Array, Values, write_atomically};

use crate::{ActionId, MooreMachine, StateId, SystemError};

mod tsys;

pub use tsys::{tsys, tsys_to};

/// Writes a `.npz` archive that [`crate::read::npz`] reads: `next` `[states, actions]` (uint32) and
/// `output`, the values of the outputs (`[states]` or `[states, m]`, float64) where there are any,
/// otherwise their ids (`[states]`, uint32).
///
/// Names of actions and the initial state have no place in the format and are left out.
///
/// # Errors
/// The file cannot be written; then whatever was at `path` is untouched.
pub fn npz(machine: &MooreMachine, path: impl AsRef<Path>) -> Result<(), SystemError> {
    let (states, actions) = (machine.states(), machine.actions());
    let mut archive = ArchiveWriter::create(path)?;
    let next = machine
        .next_table()
        .iter()
        .map(|target| target.get())
        .collect();
    archive.add(
        "next",
        &Array {
            shape: vec![states, actions],
            values: Values::U32(next),
        },
    )?;
    archive.add("output", &output_array(machine))?;
    Ok(archive.finish()?)
}

fn output_array(machine: &MooreMachine) -> Array {
    let states = machine.states();
    let of = |state: &StateId| machine.output_value(machine.output(*state));
    match of(&StateId::new(0)) {
        Some(value) => {
            let shape = if value.len() == 1 {
                vec![states]
            } else {
                vec![states, value.len()]
            };
            let values = machine
                .state_ids()
                .filter_map(|state| of(&state))
                .flatten()
                .copied();
            Array {
                shape,
                values: Values::F64(values.collect()),
            }
        }
        None => {
            let ids = machine
                .output_table()
                .iter()
                .map(|output| output.get())
                .collect();
            Array {
                shape: vec![states],
                values: Values::U32(ids),
            }
        }
    }
}

/// Writes an Aldebaran `.aut` file; labels are always quoted.
///
/// A machine that [`crate::read::aut`] made is written as it was: only enabled transitions. The format
/// has no outputs, so any other machine with more than one output gets a self-loop labelled
/// `output=ID` at every state, which keeps bisimilarity: states with different outputs enable
/// different labels. Actions without names are labelled `a0`, `a1`, ...
///
/// # Errors
/// A name that cannot be a label (a double quote, a control character, or the name of an output
/// self-loop), or the file cannot be written; then whatever was at `path` is untouched.
pub fn aut(machine: &MooreMachine, path: impl AsRef<Path>) -> Result<(), SystemError> {
    let labels = labels(machine)?;
    let actions: Vec<ActionId> = machine.action_ids().collect();
    let enabled = |state| {
        machine
            .enabled_actions(machine.output(state))
            .unwrap_or(actions.as_slice())
    };
    let with_outputs = shows_outputs(machine);
    let transitions: usize = machine
        .state_ids()
        .map(|state| enabled(state).len() + usize::from(with_outputs))
        .sum();
    write_atomically(path.as_ref(), |file: &mut dyn Write| -> io::Result<()> {
        writeln!(
            file,
            "des ({}, {transitions}, {})",
            machine.initial(),
            machine.states()
        )?;
        for state in machine.state_ids() {
            for &action in enabled(state) {
                let (label, target) = (&labels[action.index()], machine.successor(state, action));
                writeln!(file, "({state}, \"{label}\", {target})")?;
            }
            if with_outputs {
                writeln!(
                    file,
                    "({state}, \"output={}\", {state})",
                    machine.output(state)
                )?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Outputs are written out unless there is nothing to tell apart or the labels tell it already.
fn shows_outputs(machine: &MooreMachine) -> bool {
    let is_labelled = machine
        .enabled_actions(machine.output(StateId::new(0)))
        .is_some();
    machine.outputs() > 1 && !is_labelled
}

fn labels(machine: &MooreMachine) -> Result<Vec<String>, SystemError> {
    let label = |action: ActionId| {
        let Some(name) = machine.action_name(action) else {
            return Ok(format!("a{action}"));
        };
        let problem = if name.contains('"') {
            "a double quote"
        } else if name.chars().any(char::is_control) {
            "a control character"
        } else if shows_outputs(machine) && name.starts_with("output=") {
            "`output=`, which is kept for the outputs of states"
        } else {
            return Ok(name.to_owned());
        };
        Err(SystemError::Label {
            name: name.to_owned(),
            problem,
        })
    };
    machine.action_ids().map(label).collect()
}
