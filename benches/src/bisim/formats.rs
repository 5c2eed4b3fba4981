//! Systems as peers want them, beyond what `system::write` knows.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

use tellapart_system::MooreMachine;

/// An acceptor in OpenFst's text form; two outputs at most. Actions are labels from 1 on; states with the
/// rarer output are final.
///
/// OpenFst leaves out what cannot be reached from the first state, so there is one more state, which comes
/// first and leads to every other one, each by a label of its own: nothing is merged for it or because of
/// it. It also leaves out what reaches no final state; the rarer output makes that unlikely, and the number
/// of classes shows it.
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

/// A Markov chain in PRISM's explicit form, with the labels in a `.lab` file beside it.
///
/// Chains have no actions; probabilities stand for them: different sets of actions have different sums,
/// all exact in binary, so that the chain's bisimulation is that of the system. Two or four actions.
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

/// Probabilities of actions; no two sets of them have the same sum.
pub(super) fn weights(actions: usize) -> Option<&'static [f64]> {
    match actions {
        1 => Some(&[1.0]),
        2 => Some(&[0.25, 0.75]),
        4 => Some(&[0.0625, 0.125, 0.25, 0.5625]),
        _ => None,
    }
}
