//! The fast algorithms against the definition, on thousands of small systems.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::collections::{HashSet, VecDeque};

use tellapart_bisim::{
    Partition, SplittingTree, largest_bisimulation, pairwise_fixed_point, quotient, verify,
    verify_coarsest, witness,
};
use tellapart_system::{ActionId, MooreMachine, StateId, generate};

/// Returns the length of a shortest distinguishing word, by breadth-first search over pairs: a
/// second, independent oracle.
fn search(machine: &MooreMachine, a: StateId, b: StateId) -> Option<usize> {
    let mut seen = HashSet::from([(a, b)]);
    let mut queue = VecDeque::from([(a, b, 0)]);
    while let Some((a, b, depth)) = queue.pop_front() {
        if machine.output(a) != machine.output(b) {
            return Some(depth);
        }
        for action in machine.action_ids() {
            let pair = (machine.successor(a, action), machine.successor(b, action));
            if seen.insert(pair) {
                queue.push_back((pair.0, pair.1, depth + 1));
            }
        }
    }
    None
}

fn assert_distinguishes(machine: &MooreMachine, a: StateId, b: StateId, word: &[ActionId]) {
    let ends = (machine.run(a, word), machine.run(b, word));
    assert_ne!(
        machine.output(ends.0),
        machine.output(ends.1),
        "{a} {b} {word:?}"
    );
}

/// Checks every result for one machine against the pairwise fixed point.
fn check(machine: &MooreMachine) {
    let definition = pairwise_fixed_point(machine).unwrap();
    let fast = largest_bisimulation(machine);
    assert_eq!(fast, definition.partition());
    verify(machine, &fast).unwrap();
    verify_coarsest(machine, &fast).unwrap();

    let tree = SplittingTree::new(machine);
    assert_eq!(tree.partition(), fast);
    for a in machine.state_ids() {
        for b in machine.state_ids() {
            let depth = definition.depth(a, b);
            assert_eq!(tree.depth(a, b), depth, "{a} {b}");
            assert_eq!(depth.is_none(), fast.block_of(a) == fast.block_of(b));
            let words = [tree.witness(a, b), witness(machine, a, b)];
            assert_eq!(
                words[0], words[1],
                "the tree and the single query agree on {a} {b}"
            );
            for word in words {
                assert_eq!(word.as_ref().map(Vec::len), depth);
                word.inspect(|word| assert_distinguishes(machine, a, b, word));
            }
        }
    }

    let small = quotient(machine, &fast).unwrap();
    assert_eq!(small.states(), fast.blocks());
    assert_eq!(
        largest_bisimulation(&small).blocks(),
        small.states(),
        "quotients are minimal"
    );
    for state in machine.state_ids() {
        let merged = StateId::new(fast.block_of(state).get());
        assert_eq!(small.output(merged), machine.output(state));
        for action in machine.action_ids() {
            let after = fast.block_of(machine.successor(state, action)).get();
            assert_eq!(small.successor(merged, action).get(), after);
        }
    }
}

fn check_seeded(family: &str, seed: u64, machine: &MooreMachine) {
    let result = std::panic::catch_unwind(|| check(machine));
    assert!(result.is_ok(), "family {family}, seed {seed}: {machine:?}");
}

#[test]
fn random_systems() {
    for seed in 0..3000 {
        let (states, actions, outputs) = (
            1 + seed as usize % 13,
            1 + seed as usize / 13 % 4,
            1 + seed as usize / 52 % 3,
        );
        let machine = generate::random(seed, states, actions, outputs).unwrap();
        check_seeded("random", seed, &machine);
    }
}

#[test]
fn random_systems_with_bisimilar_states() {
    for seed in 0..1000 {
        let base = generate::random(seed, 1 + seed as usize % 6, 1 + seed as usize % 3, 2).unwrap();
        let copies = generate::with_nuisances(&base, 1 + seed as usize % 4, seed).unwrap();
        let machine = generate::shuffled(&copies, seed).unwrap();
        check_seeded("nuisances", seed, &machine);
        let classes = largest_bisimulation(&base).blocks();
        assert_eq!(
            largest_bisimulation(&machine).blocks(),
            classes,
            "seed {seed}"
        );
    }
}

#[test]
fn shortest_by_another_search() {
    for seed in 0..300 {
        let machine = generate::random(seed, 2 + seed as usize % 9, 2, 2).unwrap();
        for a in machine.state_ids() {
            for b in machine.state_ids() {
                let found = witness(&machine, a, b).map(|word| word.len());
                assert_eq!(
                    found,
                    search(&machine, a, b),
                    "seed {seed}, states {a} and {b}"
                );
            }
        }
    }
}

#[test]
fn adversarial_families_small() {
    for size in 1..24 {
        let chain = generate::chain(size).unwrap();
        let counter = generate::counter(size).unwrap();
        check_seeded("chain", size as u64, &chain);
        check_seeded("counter", size as u64, &counter);
        check_seeded("shuffled chain", 1, &generate::shuffled(&chain, 1).unwrap());
        check_seeded(
            "shuffled counter",
            2,
            &generate::shuffled(&counter, 2).unwrap(),
        );
        check_seeded("all equal", 3, &generate::random(3, size, 2, 1).unwrap());
        check_seeded(
            "many actions",
            4,
            &generate::random(4, size, 100, 2).unwrap(),
        );
    }
    for order in 0..6 {
        check_seeded(
            "de Bruijn",
            order.into(),
            &generate::de_bruijn_cycle(order).unwrap(),
        );
    }
    check_seeded(
        "one state, many actions",
        5,
        &generate::random(5, 1, 3000, 1).unwrap(),
    );
}

#[test]
fn witnesses_between_classes() {
    let machine = generate::with_nuisances(&generate::counter(9).unwrap(), 5, 1).unwrap();
    let tree = SplittingTree::new(&machine);
    let pairs: Vec<_> = tree.class_witnesses().collect();
    assert_eq!(pairs.len(), 36);
    let representatives = tree.partition().representatives().to_vec();
    for (first, second, word) in pairs {
        assert!(first < second);
        let (a, b) = (
            representatives[first.index()],
            representatives[second.index()],
        );
        assert_distinguishes(&machine, a, b, &word);
    }
}

#[test]
fn a_word_that_takes_everything() {
    // The deepest pair of the counter: both ends have to walk to the middle.
    let machine = generate::counter(9).unwrap();
    let word = witness(&machine, StateId::new(0), StateId::new(1)).unwrap();
    assert_eq!(word, vec![ActionId::new(1); 3]);
    assert_eq!(
        witness(&machine, StateId::new(4), StateId::new(5)),
        Some(vec![])
    );
    assert_eq!(witness(&machine, StateId::new(4), StateId::new(4)), None);
}

#[test]
fn labels_are_numbered_by_first_occurrence() {
    let partition = Partition::from_labels(&[7, u32::MAX, 7, 0]);
    let numbers: Vec<u32> = partition
        .as_slice()
        .iter()
        .map(|block| block.get())
        .collect();
    assert_eq!(numbers, [0, 1, 0, 2]);
    assert_eq!(partition.sizes(), [2, 1, 1]);
    let [first, ..] = &partition.members()[..] else {
        panic!("no blocks")
    };
    assert_eq!(first[..], [StateId::new(0), StateId::new(2)]);
    assert_eq!(partition, Partition::from_labels(&[1, 0, 1, 5]));
}
