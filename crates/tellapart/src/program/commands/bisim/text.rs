//! Prints systems, classes and witnesses as text.

use std::io::{self, Write};

use tellapart::{ActionId, MooreMachine, OutputId, Partition};

use super::Compared;
use crate::program::commands::counted;

/// Longest list that is printed whole; longer ones are cut and end in the number left out.
const MOST_LISTED: usize = 40;
/// Number of classes, the largest ones, that get a line.
const MOST_CLASSES: usize = 5;

/// Prints the sizes of the system.
pub(super) fn print_system(
    name: &str,
    machine: &MooreMachine,
    out: &mut impl Write,
) -> io::Result<()> {
    let names = machine
        .action_ids()
        .map(|action| action_name(machine, action));
    let outputs = counted(machine.outputs(), "output", "outputs");
    writeln!(
        out,
        "{name}: {}, {} ({}), {outputs}{}",
        counted_states(machine.states()),
        counted(machine.actions(), "action", "actions"),
        listed(names, machine.actions(), ", "),
        if is_labeled(machine) {
            " (sets of enabled labels)".to_owned()
        } else if let Some(tolerance) = machine.output_tolerance() {
            format!(" (equal within {tolerance})")
        } else {
            String::new()
        },
    )
}

/// Prints the number of classes, and the largest ones.
pub(super) fn print_summary(
    machine: &MooreMachine,
    classes: &Partition,
    out: &mut impl Write,
) -> io::Result<()> {
    let blocks = counted(classes.blocks(), "class", "classes");
    if classes.blocks() == machine.states() {
        return writeln!(out, "largest bisimulation: {blocks}, each state in its own");
    }
    writeln!(out, "largest bisimulation: {blocks}")?;

    let mut largest: Vec<(usize, u32)> = classes.sizes().iter().copied().enumerate().collect();
    largest.sort_by_key(|&(class, size)| (std::cmp::Reverse(size), class));
    let shown = largest.len().min(MOST_CLASSES);
    for &(class, size) in &largest[..shown] {
        let first = classes.representatives()[class];
        let size = counted_states(size as usize);
        writeln!(out, "  class {class}: {size}, the first is {first}")?;
    }
    match largest.len() - shown {
        0 => Ok(()),
        more => writeln!(out, "  and {more} no larger"),
    }
}

pub(super) fn print_verified(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "verified: states of a class agree, and refining the quotient anew leaves every class alone"
    )
}

pub(super) fn print_compared(
    machine: &MooreMachine,
    compared: &Compared,
    out: &mut impl Write,
) -> io::Result<()> {
    let Compared { a, b, word } = compared;
    let Some(word) = word else {
        return writeln!(
            out,
            "states {a} and {b} are bisimilar: every word of actions leads to equal outputs"
        );
    };
    if word.is_empty() {
        writeln!(
            out,
            "states {a} and {b} are told apart at once: their outputs differ"
        )?;
    } else {
        let names = word.iter().map(|&action| action_name(machine, action));
        let letters = counted(word.len(), "action", "actions");
        let names = listed(names, word.len(), " ");
        writeln!(
            out,
            "states {a} and {b} are told apart by {letters}: {names}"
        )?;
    }
    for start in [*a, *b] {
        let end = machine.run(start, word);
        let output = output(machine, machine.output(end));
        if word.is_empty() {
            writeln!(out, "  state {start}: {output}")?;
        } else {
            writeln!(out, "  from state {start} to state {end}: {output}")?;
        }
    }
    Ok(())
}

/// Prints a line for each class with all of its states.
pub(super) fn print_classes(classes: &Partition, out: &mut impl Write) -> io::Result<()> {
    for (class, members) in classes.members().iter().enumerate() {
        write!(out, "class {class}:")?;
        for state in members {
            write!(out, " {state}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn action_name(machine: &MooreMachine, action: ActionId) -> String {
    machine
        .action_name(action)
        .map_or_else(|| action.to_string(), str::to_owned)
}

/// Describes an output by its known values, labels and enabled actions.
fn output(machine: &MooreMachine, output: OutputId) -> String {
    let mut known = Vec::new();
    if let Some(values) = machine.output_value(output) {
        let shown = listed(values.iter().map(f64::to_string), values.len(), ", ");
        known.push(match values {
            [_] => format!("output {shown}"),
            _ => format!("output [{shown}]"),
        });
    }
    if let Some(labels) = machine.output_labels(output) {
        let count = labels.len();
        let names = listed(labels.map(str::to_owned), count, ", ");
        known.push(match count {
            0 => "no labels".to_owned(),
            1 => format!("label {names}"),
            _ => format!("labels {names}"),
        });
    }
    match machine.enabled_actions(output) {
        Some([]) => known.push("no label is enabled".to_owned()),
        Some(actions) => {
            let names = actions.iter().map(|&action| action_name(machine, action));
            known.push(format!(
                "enabled are {}",
                listed(names, actions.len(), ", ")
            ));
        }
        None => {}
    }
    match known.is_empty() {
        true => format!("output number {output}"),
        false => known.join("; "),
    }
}

/// Whether enabled actions alone tell outputs apart, as in a labeled transition system.
fn is_labeled(machine: &MooreMachine) -> bool {
    let first = OutputId::new(0);
    let has_more = machine.output_value(first).is_some() || machine.output_labels(first).is_some();
    machine.enabled_actions(first).is_some() && !has_more
}

fn listed(items: impl Iterator<Item = String>, count: usize, separator: &str) -> String {
    let shown: Vec<String> = items.take(MOST_LISTED).collect();
    match count - shown.len() {
        0 => shown.join(separator),
        more => format!("{}{separator}... and {more} more", shown.join(separator)),
    }
}

fn counted_states(n: usize) -> String {
    counted(n, "state", "states")
}
