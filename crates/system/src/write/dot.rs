//! Writes drawings for Graphviz.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::text::write_text;
use crate::{MooreMachine, OutputId, StateId, SystemError};

/// Largest number of states that is drawn by default; drawings of larger systems are unreadable.
pub const DOT_STATES: usize = 500;

/// Writes the system as a directed graph in Graphviz's language (`.dot`), which is not read again.
///
/// States show their number and their output, edges the actions; only enabled actions are drawn.
///
/// # Errors
/// [`SystemError::TooLargeToDraw`] beyond `most_states` states, or a file that cannot be written;
/// then the file at `path` is untouched.
pub fn dot(
    machine: &MooreMachine,
    path: impl AsRef<Path>,
    most_states: usize,
) -> Result<(), SystemError> {
    if machine.states() > most_states {
        return Err(SystemError::TooLargeToDraw {
            states: machine.states(),
            limit: most_states,
        });
    }
    let outputs: Vec<String> = (0..machine.outputs() as u32)
        .map(|output| described(machine, OutputId::new(output)))
        .collect();
    let names: Vec<String> = machine
        .action_ids()
        .map(|action| match machine.action_name(action) {
            Some(name) => escaped(name),
            None => action.to_string(),
        })
        .collect();
    write_text(path.as_ref(), |text| {
        text.add("digraph system {\n  rankdir=LR;\n  node [shape=ellipse];\n");
        text.add("  start [shape=point];\n  start -> ");
        text.number(machine.initial().get()).add(";").end_line()?;
        for state in machine.state_ids() {
            let output = &outputs[machine.output(state).index()];
            text.add("  ").number(state.get()).add(" [label=\"");
            text.number(state.get());
            if !output.is_empty() {
                text.add("\\n").add(output);
            }
            text.add("\"];").end_line()?;
        }
        for state in machine.state_ids() {
            for (target, label) in edges(machine, state, &names) {
                text.add("  ").number(state.get()).add(" -> ");
                text.number(target.get()).add(" [label=\"").add(&label);
                text.add("\"];").end_line()?;
            }
        }
        text.add("}").end_line()
    })
}

/// Returns the successors of the state with the names of the actions that lead there.
fn edges(machine: &MooreMachine, state: StateId, names: &[String]) -> BTreeMap<StateId, String> {
    let enabled = machine.enabled_actions(machine.output(state));
    let mut edges: BTreeMap<StateId, String> = BTreeMap::new();
    for action in machine.action_ids() {
        if enabled.is_some_and(|enabled| enabled.binary_search(&action).is_err()) {
            continue;
        }
        let label = edges.entry(machine.successor(state, action)).or_default();
        let comma = if label.is_empty() { "" } else { ", " };
        let _ = write!(label, "{comma}{}", names[action.index()]);
    }
    edges
}

/// Describes an output by its labels and values, escaped; what edges show is not repeated.
fn described(machine: &MooreMachine, output: OutputId) -> String {
    let mut parts = Vec::new();
    if let Some(labels) = machine.output_labels(output) {
        parts.push(labels.map(escaped).collect::<Vec<_>>().join(", "));
    }
    if let Some(values) = machine.output_value(output) {
        parts.push(
            values
                .iter()
                .map(f64::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        );
    }
    if parts.is_empty() && machine.enabled_actions(output).is_none() && machine.outputs() > 1 {
        parts.push(format!("output {output}"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\\n")
}

/// Escapes text for use between quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
