//! The engine against its reference implementation, the definition computed pair by pair, on tens
//! of thousands of random and adversarial systems. Partitions are compared, and every result passes
//! both verifiers.
//!
//! A failure names family and seed, which reproduce the system.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::panic::catch_unwind;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_bisim::{largest_bisimulation, pairwise_fixed_point, verify, verify_coarsest};
use tellapart_system::{MooreMachine, OutputId, StateId, generate};

/// Makes a system from a seed.
type Family = fn(u64, &mut ChaCha8Rng) -> MooreMachine;

fn check(name: &str, seeds: std::ops::Range<u64>, family: Family) {
    for seed in seeds {
        let machine = family(seed, &mut ChaCha8Rng::seed_from_u64(seed));
        let result = catch_unwind(|| {
            let found = largest_bisimulation(&machine);
            let definition = pairwise_fixed_point(&machine).unwrap().partition();
            assert_eq!(found, definition);
            verify(&machine, &found).unwrap();
            verify_coarsest(&machine, &found).unwrap();
        });
        assert!(result.is_ok(), "family {name:?}, seed {seed}: {machine:?}");
    }
}

/// Uniformly random systems of up to 40 states, 5 actions and 5 outputs.
fn uniform(seed: u64, rng: &mut ChaCha8Rng) -> MooreMachine {
    let states = rng.random_range(1..=40);
    let (actions, outputs) = (rng.random_range(1..=5), rng.random_range(1..=5));
    generate::random(seed, states, actions, outputs).unwrap()
}

/// Systems whose transitions lead to few states, nearby ones or the state itself. Many states are
/// bisimilar, and words that distinguish the others are long.
fn clustered(_: u64, rng: &mut ChaCha8Rng) -> MooreMachine {
    let states = rng.random_range(1..=40_usize);
    let actions = rng.random_range(1..=3);
    let reach = rng.random_range(1..=states);
    let near = rng.random_bool(0.5);
    let next = (0..states * actions).map(|entry| {
        let from = if near { entry / actions } else { 0 };
        StateId::from_index((from + rng.random_range(0..reach)) % states)
    });
    let next = next.collect();
    // One odd state out, or two outputs in equal parts.
    let odd = rng.random_range(1..=states);
    let sides = rng.random_bool(0.5);
    let output = (0..states).map(|state| {
        let one = if sides { state >= odd } else { state == odd };
        OutputId::new(u32::from(one))
    });
    let mut output: Vec<_> = output.collect();
    output[0] = OutputId::new(0);
    MooreMachine::from_table(actions, next, output).unwrap()
}

/// Systems with bisimilar copies, in no order.
fn copies(seed: u64, rng: &mut ChaCha8Rng) -> MooreMachine {
    let states = rng.random_range(1..=10);
    let base = generate::random(seed, states, rng.random_range(1..=3), 2).unwrap();
    let copies = generate::with_nuisances(&base, rng.random_range(1..=4), seed).unwrap();
    generate::shuffled(&copies, seed).unwrap()
}

/// Systems of permutations: every state has one predecessor under every action, as in a group.
fn permutations(_: u64, rng: &mut ChaCha8Rng) -> MooreMachine {
    let states = rng.random_range(1..=30_usize);
    let actions = rng.random_range(1..=3);
    let mut next = vec![StateId::new(0); states * actions];
    for action in 0..actions {
        let mut order: Vec<usize> = (0..states).collect();
        for at in (1..states).rev() {
            order.swap(at, rng.random_range(0..=at));
        }
        for (state, &to) in order.iter().enumerate() {
            next[state * actions + action] = StateId::from_index(to);
        }
    }
    let odd = |state: usize| OutputId::new(u32::from(state > 0 && state.is_multiple_of(7)));
    MooreMachine::from_table(actions, next, (0..states).map(odd).collect()).unwrap()
}

/// Systems that are slow for one algorithm or another, in order and shuffled, plain and with
/// copies.
fn slow(seed: u64, rng: &mut ChaCha8Rng) -> MooreMachine {
    let size = rng.random_range(1..=34);
    let base = match seed % 7 {
        0 => generate::chain(size),
        1 => generate::counter(size),
        2 => generate::tree(size, rng.random_range(1..=2), rng.random_range(1..=3)),
        3 => generate::de_bruijn_cycle(size.ilog2()),
        4 => generate::fibonacci_cycle(size.ilog2() + 2),
        5 => generate::shift_register(size.ilog2()),
        _ => generate::random(seed, size, 2, 1),
    };
    let mut machine = base.unwrap();
    if rng.random_bool(0.3) {
        machine = generate::with_nuisances(&machine, rng.random_range(1..=3), seed).unwrap();
    }
    if rng.random_bool(0.7) {
        machine = generate::shuffled(&machine, seed).unwrap();
    }
    machine
}

/// Systems of few states with up to thousands of actions, most of which lead nowhere.
fn many_actions(_: u64, rng: &mut ChaCha8Rng) -> MooreMachine {
    let states = rng.random_range(1..=8_usize);
    let actions = rng.random_range(1..=3000);
    let moves = 2.0 / (states * actions).max(3) as f64;
    let next = (0..states * actions).map(|entry| {
        let to = if rng.random_bool(moves) {
            rng.random_range(0..states)
        } else {
            entry / actions
        };
        StateId::from_index(to)
    });
    let next = next.collect();
    let last = |state| OutputId::new(u32::from(state > 0 && state + 1 == states));
    MooreMachine::from_table(actions, next, (0..states).map(last).collect()).unwrap()
}

#[test]
fn uniform_systems() {
    check("uniform", 0..12_000, uniform);
}

#[test]
fn clustered_systems() {
    check("clustered", 0..12_000, clustered);
}

#[test]
fn systems_with_copies() {
    check("copies", 0..8000, copies);
}

#[test]
fn permutation_systems() {
    check("permutations", 0..8000, permutations);
}

#[test]
fn slow_systems() {
    check("slow", 0..14_000, slow);
}

#[test]
fn systems_with_many_actions() {
    check("many actions", 0..400, many_actions);
}

/// Checks all systems of a given small number of states, actions and outputs.
#[test]
fn all_tiny_systems() {
    for (states, actions, outputs) in [
        (1_usize, 1, 1_usize),
        (2, 2, 2),
        (3, 1, 3),
        (3, 2, 2),
        (4, 1, 2),
    ] {
        let entries = states * actions;
        let tables = states.pow(entries as u32);
        for code in 0..tables * output_codes(states, outputs) {
            let digits = |mut code: usize, base: usize, count: usize| -> Vec<u32> {
                let mut digit = || {
                    let digit = code % base;
                    code /= base;
                    digit as u32
                };
                (0..count).map(|_| digit()).collect()
            };
            let next = digits(code % tables, states, entries);
            let output = digits(code / tables, outputs, states);
            let next = next.into_iter().map(StateId::new).collect();
            let output = output.into_iter().map(OutputId::new).collect();
            // Outputs with a gap in their numbering are not a system.
            let Ok(machine) = MooreMachine::from_table(actions, next, output) else {
                continue;
            };
            let found = largest_bisimulation(&machine);
            let definition = pairwise_fixed_point(&machine).unwrap().partition();
            assert_eq!(found, definition, "{machine:?}");
            verify_coarsest(&machine, &found).unwrap();
        }
    }
}

fn output_codes(states: usize, outputs: usize) -> usize {
    outputs.pow(states as u32)
}
