//! Every way through the engine against simple refinement, which is itself checked against the
//! definition.

use std::collections::HashMap;

use tellapart_system::{MooreMachine, OutputId, PartialMachine, StateId, generate};

use super::*;
use crate::stop::{Never, always};
use crate::{pairwise_fixed_point, separated_by_coverage};

/// Returns the ways through the engine: the methods to try before Hopcroft refinement.
fn ways(rows: &impl Rows) -> Vec<(&'static str, Methods)> {
    let mut ways = Vec::new();
    for dense in [true, false] {
        let methods = |budget, hash_mask| Methods {
            dense,
            hash_mask,
            budget,
        };
        let automatic = RoundBudget::new(rows.states(), rows.transitions());
        ways.extend([
            ("automatic", methods(automatic, u32::MAX)),
            ("rounds only", methods(RoundBudget::bottomless(), u32::MAX)),
            ("few hashes", methods(RoundBudget::bottomless(), 1)),
            ("one hash", methods(RoundBudget::bottomless(), 0)),
            (
                "smaller half at once",
                methods(RoundBudget::empty(), u32::MAX),
            ),
        ]);
    }
    ways
}

/// Refines a partition naively: rows of blocks, numbered by a map, until nothing is split.
fn naive(rows: &impl Rows, initial: &[u32]) -> Partition {
    let mut partition = Partition::from_labels(initial);
    loop {
        let block = |state: StateId| partition.block_of(state);
        let mut numbers = HashMap::new();
        let labels = (0..rows.states()).map(|state| {
            let after = rows.row(state).iter().map(|&target| block(target));
            let own = block(StateId::from_index(state));
            let signature: Vec<_> = std::iter::once(own).chain(after).collect();
            let fresh = numbers.len() as u32;
            *numbers.entry(signature).or_insert(fresh)
        });
        let refined = Partition::from_labels(&labels.collect::<Vec<u32>>());
        if refined == partition {
            return partition;
        }
        partition = refined;
    }
}

fn check_ways(name: &str, machine: &MooreMachine, expected: &Partition) {
    for (way, methods) in ways(machine) {
        let dense = methods.dense;
        let found = always(refine(
            machine,
            machine.output_table(),
            machine.outputs(),
            methods,
            &Never,
        ));
        assert_eq!(
            &found, expected,
            "{name}: {way}, dense passes first: {dense}"
        );
    }
}

fn by_output(machine: &MooreMachine) -> Vec<u32> {
    let outputs = machine.output_table().iter();
    outputs.map(|output| output.get()).collect()
}

/// Checks machines that are too large for the definition.
fn check(name: &str, machine: &MooreMachine) {
    check_ways(name, machine, &naive(machine, &by_output(machine)));
}

/// Makes a random machine by `seed`, with bisimilar copies and states in no order.
fn small(seed: u64) -> MooreMachine {
    let part = |from: u64, bound: u64| 1 + (seed / from % bound) as usize;
    let base = generate::random(seed, part(1, 11), part(11, 4), part(44, 3)).unwrap();
    let copies = generate::with_nuisances(&base, part(132, 4), seed).unwrap();
    generate::shuffled(&copies, seed).unwrap()
}

#[test]
fn the_definition_on_many_small_systems() {
    for seed in 0..12_000 {
        let machine = small(seed);
        let expected = pairwise_fixed_point(&machine).unwrap().partition();
        let name = format!("seed {seed}");
        assert_eq!(naive(&machine, &by_output(&machine)), expected, "{name}");
        check_ways(&name, &machine, &expected);
    }
}

#[test]
fn simple_refinement_on_larger_systems() {
    for seed in 0..60 {
        let actions = 1 + seed as usize % 5;
        let machine = generate::random(seed, 700, actions, 2 + seed as usize % 400).unwrap();
        check(&format!("random, seed {seed}"), &machine);
        let base = generate::random(seed, 300, actions, 2).unwrap();
        let copies = generate::with_nuisances(&base, 9, seed).unwrap();
        check(&format!("copies, seed {seed}"), &copies);
    }
}

#[test]
fn adversarial_systems() {
    let counter = generate::counter(150).unwrap();
    let chain = generate::chain(150).unwrap();
    let machines = [
        ("counter in no order", generate::shuffled(&counter, 1)),
        ("chain in no order", generate::shuffled(&chain, 1)),
        (
            "copies of a counter",
            generate::with_nuisances(&counter, 5, 1),
        ),
        ("copies of a chain", generate::with_nuisances(&chain, 5, 1)),
        ("de Bruijn", generate::de_bruijn_cycle(8)),
        ("Fibonacci", generate::fibonacci_cycle(11)),
        ("shift register", generate::shift_register(8)),
        ("tree", generate::tree(300, 2, 3)),
        ("many actions", generate::random(1, 40, 3000, 2)),
        (
            "copies with many actions",
            generate::random(1, 12, 900, 2).and_then(|base| generate::with_nuisances(&base, 10, 1)),
        ),
        ("all equal", generate::random(1, 500, 2, 1)),
        ("one state", generate::random(1, 1, 5, 1)),
        ("an output each", generate::random(1, 5, 2, 100_000)),
        ("a chain behind a random system", Ok(behind(700, 300, 1))),
    ];
    for (name, machine) in machines {
        check(name, &machine.unwrap());
    }
    check("counter", &counter);
    check("chain", &chain);
}

/// Makes a random system of two actions, and a chain that leads into it: many blocks and a long
/// tail.
fn behind(random: usize, chain: usize, seed: u64) -> MooreMachine {
    let base = generate::random(seed, random, 2, 2).unwrap();
    let mut next = base.next_table().to_vec();
    let mut output = base.output_table().to_vec();
    for link in 0..chain {
        let before = if link == 0 { 0 } else { random + link - 1 };
        next.extend([StateId::from_index(before); 2]);
        output.push(OutputId::new(0));
    }
    MooreMachine::from_table(2, next, output).unwrap()
}

/// Covers several chunks and bins, with every method in one run: rounds, then a long tail.
#[test]
fn several_chunks() {
    let copies = generate::with_nuisances(&behind(30_000, 1500, 1), 3, 2).unwrap();
    let machines = [
        ("tail", generate::shuffled(&copies, 3)),
        ("random", generate::random(4, 300_000, 2, 2)),
        (
            "pairs",
            generate::random(5, 80_000, 2, 3)
                .and_then(|base| generate::with_nuisances(&base, 2, 6)),
        ),
    ];
    for (name, machine) in machines {
        let machine = machine.unwrap();
        let coarsest = || {
            always(coarsest_stable(
                &machine,
                machine.output_table(),
                machine.outputs(),
                &Never,
            ))
        };
        let found = coarsest();
        let history = crate::SplittingTree::new(&machine);
        assert_eq!(found, history.partition(), "{name}");
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            assert_eq!(pool.install(coarsest), found, "{name}, {threads} threads");
        }
    }
}

/// Completes the machine by one more state, to which all missing transitions lead.
fn completed(machine: &PartialMachine) -> MooreMachine {
    let sink = StateId::from_index(machine.states());
    let mut next = Vec::new();
    for state in machine.state_ids() {
        let to = |action| machine.successor(state, action).unwrap_or(sink);
        next.extend(machine.action_ids().map(to));
    }
    next.extend(machine.action_ids().map(|_| sink));
    let mut output = machine.output_table().to_vec();
    output.push(OutputId::from_index(machine.outputs()));
    MooreMachine::from_table(machine.actions(), next, output).unwrap()
}

#[test]
fn missing_transitions_are_a_symbol() {
    let check = |name: &str, machine: &PartialMachine| {
        let completed = completed(machine);
        let definition = naive(&completed, &by_output(&completed));
        let labels: Vec<u32> = definition
            .as_slice()
            .iter()
            .map(|block| block.get())
            .collect();
        let expected = Partition::from_labels(&labels[..machine.states()]);
        let kept = separated_by_coverage(machine);
        assert_eq!(kept, expected, "{name}");
        let initial: Vec<u32> = crate::coverage::kinds(machine).0;
        let kinds = initial.iter().max().unwrap() + 1;
        for (way, methods) in ways(machine) {
            let found = always(refine(machine, &initial, kinds as usize, methods, &Never));
            assert_eq!(found, expected, "{name}: {way}");
        }
    };
    for seed in 0..6000 {
        let machine = small(seed);
        // Copies stay bisimilar only if nothing is missing.
        let kept = [0.0, 0.3, 0.7, 0.95, 1.0][seed as usize % 5];
        let partial = generate::thinned(&machine, kept, seed).unwrap();
        check(&format!("seed {seed}"), &partial);
    }
    for seed in 0..20 {
        let machine = generate::random(seed, 900, 3, 2).unwrap();
        let partial = generate::thinned(&machine, 0.6, seed).unwrap();
        check(&format!("larger, seed {seed}"), &partial);
        let sparse = generate::random(seed, 100, 500, 2).unwrap();
        let sparse = generate::thinned(&sparse, 0.004, seed).unwrap();
        check(&format!("sparse, seed {seed}"), &sparse);
    }
}
