//! Writes labeled transition systems in the Aldebaran format.

use std::path::Path;

use super::text::write_text;
use crate::{ActionId, MooreMachine, SystemError};

/// Writes an Aldebaran `.aut` file; labels are always quoted.
///
/// Where only enabled actions tell outputs apart, as in a machine that [`crate::read::aut`] made,
/// only enabled transitions are written, as they were read. The format has no outputs. Any other
/// machine with more than one output gets a self-loop labeled `output=ID` at every state. That
/// keeps bisimilarity: states with different outputs enable different labels. Actions without names
/// are labeled `a0`, `a1`, ...
///
/// # Errors
/// A name that cannot be a label (a double quote, a control character, or the name of an output
/// self-loop), or a file that cannot be written; then the file at `path` is untouched.
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
    write_text(path.as_ref(), |text| {
        text.add("des (").number(machine.initial().get());
        text.add(&format!(", {transitions}, {})", machine.states()));
        text.end_line()?;
        for state in machine.state_ids() {
            let successors = machine.successors(state);
            for &action in enabled(state) {
                text.add("(").number(state.get());
                text.add(&labels[action.index()]);
                text.number(successors[action.index()].get()).add(")");
                text.end_line()?;
            }
            if with_outputs {
                text.add("(").number(state.get()).add(", \"output=");
                text.number(machine.output(state).get()).add("\", ");
                text.number(state.get()).add(")");
                text.end_line()?;
            }
        }
        Ok(())
    })
}

/// Whether outputs are written: not if there is only one, or if the labels tell them apart already.
fn shows_outputs(machine: &MooreMachine) -> bool {
    machine.outputs() > 1 && !machine.meaning().is_only_enabled()
}

/// Returns the text between the two states of a transition, for each action.
fn labels(machine: &MooreMachine) -> Result<Vec<String>, SystemError> {
    let label = |action: ActionId| {
        let Some(name) = machine.action_name(action) else {
            return Ok(format!(", \"a{action}\", "));
        };
        let problem = if name.contains('"') {
            "a double quote"
        } else if name.chars().any(char::is_control) {
            "a control character"
        } else if shows_outputs(machine) && name.starts_with("output=") {
            "`output=`, which is kept for the outputs of states"
        } else {
            return Ok(format!(", \"{name}\", "));
        };
        Err(SystemError::Label {
            name: name.to_owned(),
            problem,
        })
    };
    machine.action_ids().map(label).collect()
}
