//! Writes systems in formats of peers that `system::write` does not know.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

use tellapart_system::MooreMachine;

/// Writes an acceptor in OpenFst's text form, for at most two outputs. Actions are labels from 1
/// on; states with the rarer output are final.
///
/// OpenFst removes what cannot be reached from the first state. An additional first state therefore
/// leads to every other one, each by its own label, which neither merges nor separates anything
/// else. OpenFst also removes what reaches no final state. The rarer output makes that unlikely,
/// and the number of classes would show it.
pub(super) fn openfst(machine: &MooreMachine, path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let first = machine.states();
    for state in machine.state_ids() {
        let label = machine.actions() + 1 + state.index();
        writeln!(file, "{first} {state} {label}")?;
    }
    for state in machine.state_ids() {
        for (label, target) in (1..).zip(machine.successors(state)) {
            writeln!(file, "{state} {target} {label}")?;
        }
    }
    let others = machine.output_table().iter();
    let others = others.filter(|output| output.get() > 0).count();
    let last = machine.outputs() == 2 && 2 * others < machine.states();
    for state in machine
        .state_ids()
        .filter(|&state| machine.output(state).get() == u32::from(last))
    {
        writeln!(file, "{state}")?;
    }
    file.flush()
}

/// Writes a Markov chain in PRISM's explicit form, with the labels in a `.lab` file next to it, for
/// two or four actions.
///
/// Chains have no actions, so probabilities stand for them. Different sets of actions have
/// different sums, all exact in binary. The chain's bisimulation is therefore that of the system.
pub(super) fn markov_chain(machine: &MooreMachine, path: &Path) -> Result<()> {
    let weights = weights(machine.actions()).unwrap_or_default();
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "dtmc")?;
    let mut row: Vec<(u32, f64)> = Vec::new();
    for state in machine.state_ids() {
        row.clear();
        for (target, &weight) in machine.successors(state).iter().zip(weights) {
            match row.iter_mut().find(|(to, _)| *to == target.get()) {
                Some((_, probability)) => *probability += weight,
                None => row.push((target.get(), weight)),
            }
        }
        row.sort_unstable_by_key(|&(target, _)| target);
        for (target, probability) in &row {
            writeln!(file, "{state} {target} {probability}")?;
        }
    }
    file.flush()?;
    let mut file = BufWriter::new(File::create(path.with_extension("lab"))?);
    write!(file, "#DECLARATION\ninit")?;
    for output in 0..machine.outputs() {
        write!(file, " o{output}")?;
    }
    writeln!(file, "\n#END")?;
    for state in machine.state_ids() {
        let init = if state == machine.initial() {
            " init"
        } else {
            ""
        };
        writeln!(file, "{state}{init} o{}", machine.output(state))?;
    }
    file.flush()
}

/// Returns the probabilities that stand for actions; no two sets of them have the same sum.
pub(super) fn weights(actions: usize) -> Option<&'static [f64]> {
    match actions {
        1 => Some(&[1.0]),
        2 => Some(&[0.25, 0.75]),
        4 => Some(&[0.0625, 0.125, 0.25, 0.5625]),
        _ => None,
    }
}
