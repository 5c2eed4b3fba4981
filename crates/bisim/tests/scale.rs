//! No family makes refinement quadratic: at these sizes, quadratic time would take hours.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use tellapart_bisim::{SplittingTree, largest_bisimulation, verify_coarsest, witness};
use tellapart_system::{MooreMachine, StateId, generate};

const SIZE: usize = 1 << 16;

fn assert_classes(machine: &MooreMachine, classes: usize) {
    let partition = largest_bisimulation(machine);
    verify_coarsest(machine, &partition).unwrap();
    assert_eq!(partition.blocks(), classes);
}

#[test]
fn chains() {
    let chain = generate::chain(SIZE).unwrap();
    assert_classes(&chain, SIZE);
    assert_classes(&generate::shuffled(&chain, 1).unwrap(), SIZE);
    let word = witness(&chain, StateId::new(0), StateId::new(1)).unwrap();
    assert_eq!(word.len(), SIZE - 2);
}

#[test]
fn counters() {
    let counter = generate::counter(SIZE).unwrap();
    assert_classes(&counter, SIZE);
    let shuffled = generate::shuffled(&counter, 1).unwrap();
    assert_classes(&shuffled, SIZE);
    let nuisances = generate::with_nuisances(&generate::counter(9).unwrap(), SIZE, 1).unwrap();
    assert_classes(&nuisances, 9);
    let tree = SplittingTree::new(&counter);
    assert_eq!(
        tree.depth(StateId::new(0), StateId::new(1)),
        Some(SIZE / 2 - 1)
    );
}

#[test]
fn de_bruijn_cycles() {
    assert_classes(&generate::de_bruijn_cycle(16).unwrap(), SIZE);
}

#[test]
fn fibonacci_cycles() {
    let cycle = generate::fibonacci_cycle(22).unwrap();
    assert_classes(&cycle, 46_368);
    let tree = SplittingTree::new(&cycle);
    let depths = (1..cycle.states())
        .filter_map(|state| tree.depth(StateId::new(0), StateId::from_index(state)));
    assert!(depths.max() <= Some(cycle.states() - 2));
}

#[test]
fn shift_registers() {
    let register = generate::shift_register(16).unwrap();
    assert_classes(&register, SIZE);
    assert_classes(&generate::shuffled(&register, 1).unwrap(), SIZE);
}

#[test]
fn trees() {
    assert_classes(&generate::tree(SIZE - 1, 2, 2).unwrap(), 16);
    assert_classes(&generate::tree(SIZE, 3, 1).unwrap(), SIZE);
}

#[test]
fn all_equal() {
    assert_classes(&generate::random(1, SIZE, 2, 1).unwrap(), 1);
}

#[test]
fn many_actions() {
    assert_classes(&generate::random(1, 256, 4096, 2).unwrap(), 256);
}
