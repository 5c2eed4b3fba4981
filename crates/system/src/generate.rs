//! Seeded generators of systems: the same seed gives the same system on every platform.
//!
//! Systems need at least one state, action and output, and must fit in memory. Impossible sizes are
//! errors.

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{MooreMachine, OutputId, PartialMachine, StateId, SystemError, machine::check_size};

/// Generates a machine whose successors and outputs are drawn uniformly and independently.
///
/// Outputs that no state drew are dropped, so the machine may have fewer than `outputs`.
///
/// # Errors
/// No states, actions or outputs, or too many.
pub fn random(
    seed: u64,
    states: usize,
    actions: usize,
    outputs: usize,
) -> Result<MooreMachine, SystemError> {
    check_size(states as u64, actions as u64)?;
    if outputs == 0 {
        return Err(SystemError::Count {
            what: "distinct outputs",
            expected: 1,
            found: 0,
        });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (last_state, last_output) = (
        states as u32 - 1,
        (outputs - 1).min(u32::MAX as usize) as u32,
    );
    let next = (0..states * actions)
        .map(|_| StateId::new(rng.random_range(0..=last_state)))
        .collect();
    let drawn: Vec<u32> = (0..states)
        .map(|_| rng.random_range(0..=last_output))
        .collect();
    MooreMachine::from_table(actions, next, without_gaps(&drawn))
}

/// Generates a counter that clips at both ends: action 0 counts down, action 1 up. Only the count
/// `counts / 2` is rewarded (values 0 and 1).
///
/// All counts are distinguished; the largest shortest witness has about `counts / 2` actions. With
/// nine counts this is the counting environment's ground truth (target 4).
///
/// # Errors
/// No counts, or too many.
pub fn counter(counts: usize) -> Result<MooreMachine, SystemError> {
    check_size(counts as u64, 2)?;
    let last = counts as u32 - 1;
    let target = counts as u32 / 2;
    let next = (0..counts as u32)
        .flat_map(|k| {
            [
                StateId::new(k.saturating_sub(1)),
                StateId::new((k + 1).min(last)),
            ]
        })
        .collect();
    if counts == 1 {
        let machine = MooreMachine::from_table(2, next, vec![OutputId::new(0)])?;
        return machine.with_output_values(1, vec![1.0]);
    }
    let output = (0..counts as u32)
        .map(|k| OutputId::new(u32::from(k == target)))
        .collect();
    MooreMachine::from_table(2, next, output)?.with_output_values(1, vec![0.0, 1.0])
}

/// Generates a chain with one action. Its last state stays, and is the only one with another
/// output.
///
/// All states are distinguished, each only by walking to the end: refinement needs one round per
/// state.
///
/// # Errors
/// No states, or too many.
pub fn chain(states: usize) -> Result<MooreMachine, SystemError> {
    check_size(states as u64, 1)?;
    let last = states as u32 - 1;
    let next = (0..states as u32)
        .map(|state| StateId::new((state + 1).min(last)))
        .collect();
    let ends: Vec<u32> = (0..states as u32)
        .map(|state| u32::from(state == last))
        .collect();
    MooreMachine::from_table(1, next, without_gaps(&ends))
}

/// Generates a cycle of `2^order` states under one action whose outputs spell a de Bruijn word.
/// Hopcroft's algorithm needs its full `n log n` on this family (Berstel & Carton 2004, "On the
/// complexity of Hopcroft's state minimization algorithm").
///
/// # Errors
/// `order` above 30.
pub fn de_bruijn_cycle(order: u32) -> Result<MooreMachine, SystemError> {
    check_size(1_u64.checked_shl(order).unwrap_or(u64::MAX), 1)?;
    if order > 30 {
        return Err(SystemError::TooManyStates { states: 1 << order });
    }
    let states = 1_usize << order;
    // Prefer-one greedy construction (Martin 1934): from the zero word, append 1 unless seen.
    let mut seen = vec![false; states];
    let mut word = 0;
    let mut bits = Vec::with_capacity(states);
    for _ in 0..states {
        let preferred = (word << 1 | 1) & (states - 1);
        word = if seen[preferred] {
            preferred & !1
        } else {
            preferred
        };
        seen[word] = true;
        bits.push((word & 1) as u32);
    }
    let next = (0..states)
        .map(|state| StateId::from_index((state + 1) & (states - 1)))
        .collect();
    MooreMachine::from_table(1, next, without_gaps(&bits))
}

/// Generates a cycle under one action whose outputs spell a Fibonacci word. It has `F(order)`
/// states, where `F(0) = 1`, `F(1) = 2`, and each is the sum of the two before.
///
/// Every refinement of it splits the block that costs most. Hopcroft's algorithm needs its full
/// `n log n` whichever splitter it takes (Castiglione, Restivo & Sciortino 2008, "Hopcroft's
/// algorithm and cyclic automata"). All states are distinguished, by words of up to `F(order) - 2`
/// actions.
///
/// # Errors
/// More states than can be numbered.
pub fn fibonacci_cycle(order: u32) -> Result<MooreMachine, SystemError> {
    let (mut states, mut before) = (1_u64, 1_u64);
    for _ in 0..order {
        (states, before) = (states.saturating_add(before), states);
    }
    check_size(states, 1)?;
    // Each word is its predecessor followed by the one before that: a, ab, aba, abaab, ...
    let (mut word, mut previous) = (vec![0_u32], vec![1]);
    for _ in 0..order {
        let longer = [&word[..], &previous[..]].concat();
        previous = std::mem::replace(&mut word, longer);
    }
    let next = (1..word.len()).chain([0]).map(StateId::from_index);
    MooreMachine::from_table(1, next.collect(), without_gaps(&word))
}

/// Generates a shift register of `order` bits, with `2^order` states. Action 0 or 1 shifts that bit
/// in; the output is the bit that is shifted out next.
///
/// All states are distinguished, by words of up to `order - 1` actions: every block halves in every
/// round. Its graph is de Bruijn's.
///
/// # Errors
/// `order` above 30.
pub fn shift_register(order: u32) -> Result<MooreMachine, SystemError> {
    let states = 1_u64.checked_shl(order).unwrap_or(u64::MAX);
    check_size(states, 2)?;
    if order > 30 {
        return Err(SystemError::TooManyStates { states });
    }
    let states = states as u32;
    let shifted = |state: u32, bit| StateId::new((state << 1 | bit) & (states - 1));
    let next = (0..states).flat_map(|state| [shifted(state, 0), shifted(state, 1)]);
    let out = (0..states).map(|state| state >> order.saturating_sub(1) & 1);
    let out: Vec<u32> = out.collect();
    MooreMachine::from_table(2, next.collect(), without_gaps(&out))
}

/// Generates a tree with `branching` children per state in which every state leads to its parent
/// under all actions. Only the root, state 0, has another output, and it leads to itself.
///
/// States are bisimilar iff they are equally deep; with `branching` 1 it is a chain.
///
/// # Errors
/// No states, actions or children, or too many states.
pub fn tree(states: usize, actions: usize, branching: usize) -> Result<MooreMachine, SystemError> {
    check_size(states as u64, actions as u64)?;
    if branching == 0 {
        return Err(SystemError::Count {
            what: "children of a state",
            expected: 1,
            found: 0,
        });
    }
    let parent = |state: usize| StateId::from_index(state.saturating_sub(1) / branching);
    let next = (0..states).flat_map(|state| std::iter::repeat_n(parent(state), actions));
    let roots: Vec<u32> = (0..states).map(|state| u32::from(state == 0)).collect();
    MooreMachine::from_table(actions, next.collect(), without_gaps(&roots))
}

/// Renumbers the states of a machine at random.
///
/// # Errors
/// None for a valid machine; the signature leaves room for the checks of the constructor.
pub fn shuffled(machine: &MooreMachine, seed: u64) -> Result<MooreMachine, SystemError> {
    let mut old_of_new: Vec<StateId> = machine.state_ids().collect();
    old_of_new.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut new_of_old = vec![StateId::new(0); machine.states()];
    for (new, old) in old_of_new.iter().enumerate() {
        new_of_old[old.index()] = StateId::from_index(new);
    }
    let mut next = Vec::with_capacity(machine.next_table().len());
    for &old in &old_of_new {
        next.extend(
            machine
                .successors(old)
                .iter()
                .map(|target| new_of_old[target.index()]),
        );
    }
    let output = old_of_new.iter().map(|&old| machine.output(old)).collect();
    machine.with_states(next, output, new_of_old[machine.initial().index()])
}

/// Replaces every state by `nuisances` copies that behave alike. State `s` of the machine becomes
/// the states `s * nuisances..(s + 1) * nuisances`, and each transition leads to a random copy of
/// its target.
///
/// The classes are those of the machine; the nuisance carries no information about outputs.
///
/// # Errors
/// No nuisances, or more states than can be numbered.
pub fn with_nuisances(
    machine: &MooreMachine,
    nuisances: usize,
    seed: u64,
) -> Result<MooreMachine, SystemError> {
    let states = (machine.states() as u64).saturating_mul(nuisances as u64);
    check_size(states, machine.actions() as u64)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let copies = nuisances as u32;
    let mut next = Vec::with_capacity(states as usize * machine.actions());
    let mut output = Vec::with_capacity(states as usize);
    for state in machine.state_ids() {
        for _ in 0..nuisances {
            output.push(machine.output(state));
            next.extend(
                machine.successors(state).iter().map(|target| {
                    StateId::new(target.get() * copies + rng.random_range(0..copies))
                }),
            );
        }
    }
    machine.with_states(next, output, StateId::new(machine.initial().get() * copies))
}

/// Keeps the states and outputs of a machine, and each transition with probability `kept`, clamped
/// to `0.0..=1.0`.
///
/// # Errors
/// None for a valid machine; the signature leaves room for the checks of the constructor.
pub fn thinned(
    machine: &MooreMachine,
    kept: f64,
    seed: u64,
) -> Result<PartialMachine, SystemError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let kept = if kept > 0.0 { kept.min(1.0) } else { 0.0 };
    let mut transitions = Vec::new();
    for state in machine.state_ids() {
        for (action, &target) in machine.action_ids().zip(machine.successors(state)) {
            if rng.random_bool(kept) {
                transitions.push((state, action, target));
            }
        }
    }
    let output = machine.output_table().to_vec();
    PartialMachine::from_transitions(machine.actions(), &transitions, output)
}

/// Numbers the values that occur, by first occurrence.
fn without_gaps(drawn: &[u32]) -> Vec<OutputId> {
    let mut rows = crate::outputs::DistinctRows::new(1);
    drawn
        .iter()
        .map(|&value| rows.id(&[u64::from(value)]))
        .collect()
}
