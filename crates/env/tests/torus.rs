//! The torus: where moves lead, what frames show, and how many classes each value has.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::collections::HashMap;

use tellapart_env::{
    Action, BatchEnvironment, Outcome, Torus,
    torus::{Function, Options},
};
use tellapart_system::{MooreMachine, StateId};

/// Counts classes by the definition: split by output, then by the classes of successors, until
/// nothing changes.
fn classes(machine: &MooreMachine) -> usize {
    let mut class: Vec<usize> = machine
        .state_ids()
        .map(|state| machine.output(state).index())
        .collect();
    let mut count = 0;
    loop {
        let mut seen = HashMap::new();
        let next: Vec<usize> = machine
            .state_ids()
            .map(|state| {
                let mut key = vec![class[state.index()]];
                for action in machine.action_ids() {
                    key.push(class[machine.successor(state, action).index()]);
                }
                let fresh = seen.len();
                *seen.entry(key).or_insert(fresh)
            })
            .collect();
        if seen.len() == count {
            return count;
        }
        (class, count) = (next, seen.len());
    }
}

#[test]
fn each_value_has_its_number_of_classes() {
    for (p, expected) in [
        (Function::Constant, 1),
        (Function::XEven, 2),
        (Function::Chequer, 2),
        (Function::Column, 12),
        (Function::Diagonal, 12),
        (Function::Lattice, 12),
        (Function::TwoGoals, 72),
        (Function::Goal, 144),
    ] {
        let options = Options {
            p,
            ..Options::default()
        };
        let world = Torus::new(options.validate().unwrap(), 0, 0);
        assert_eq!(classes(&world.ground_truth().unwrap()), expected, "{p:?}");
    }
}

#[test]
fn the_ground_truth_predicts_every_state_and_value() {
    for p in [Function::Diagonal, Function::Lattice, Function::TwoGoals] {
        let options = Options {
            p,
            max_steps: 9,
            ..Options::default()
        };
        let mut world = Torus::new(options.validate().unwrap(), 5, 20);
        let truth = world.ground_truth().unwrap();
        let mut policy = tellapart_env::RepeatedRandom::new(world.action_space(), 5, 20);
        let mut frames = vec![0; 20 * world.frame_bytes()];
        let mut outcomes = vec![Outcome::default(); 20];
        world.reset(&mut frames, &mut outcomes).unwrap();
        for _ in 0..40 {
            let before = outcomes.clone();
            let actions = policy.next_actions().to_vec();
            world.step(&actions, &mut frames, &mut outcomes).unwrap();
            for ((before, after), &action) in before.iter().zip(&outcomes).zip(&actions) {
                let output = truth.output_value(truth.output(after.state)).unwrap();
                assert_eq!(output, [f64::from(after.value)]);
                if before.end == tellapart_env::End::Continues {
                    let action = world.action_space().index_of(action).unwrap();
                    assert_eq!(truth.successor(before.state, action), after.state);
                }
            }
        }
    }
}

#[test]
fn four_moves_go_round_and_the_dot_is_where_the_state_says() {
    let options = Options {
        side: 3,
        image_side: 6,
        tints: 1,
        ..Options::default()
    };
    let mut world = Torus::new(options.validate().unwrap(), 0, 1);
    let mut frame = vec![0; world.frame_bytes()];
    let mut outcome = [Outcome::default()];
    let start = [StateId::new(4)];
    world.reset_to(&start, &mut frame, &mut outcome).unwrap();
    for (action, state) in [(0, 1), (0, 7), (1, 1), (2, 0), (2, 2), (3, 0)] {
        let action = [Action::OneHot(action)];
        world.step(&action, &mut frame, &mut outcome).unwrap();
        assert_eq!(outcome[0].state, StateId::new(state));
        let dark: Vec<usize> = (0..36).filter(|pixel| frame[3 * pixel] == 30).collect();
        let (left, top) = (2 * (state as usize % 3), 2 * (state as usize / 3));
        let corner = top * 6 + left;
        assert_eq!(dark, [corner, corner + 1, corner + 6, corner + 7]);
    }
}

#[test]
fn nuisances_change_the_frame_and_nothing_else() {
    let options = Options {
        noise: 20,
        ..Options::default()
    };
    let mut world = Torus::new(options.validate().unwrap(), 1, 64);
    let mut frames = vec![0; 64 * world.frame_bytes()];
    let mut outcomes = vec![Outcome::default(); 64];
    let states = [StateId::new(13); 64];
    world.reset_to(&states, &mut frames, &mut outcomes).unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    let bytes = world.frame_bytes();
    let mut shown: Vec<&[u8]> = frames.chunks_exact(bytes).collect();
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown.len(), 64, "noise makes every frame another one");
    let mut tints = std::collections::BTreeSet::new();
    for copy in 0..64 {
        let mut values = Vec::new();
        world.push_nuisances(copy, &mut values);
        assert_eq!(values[..2], [1.0, 1.0]);
        tints.insert(values[2] as u8);
    }
    assert_eq!(tints.len(), 4);
}

#[test]
fn impossible_options_say_what_would_do() {
    let error = |options: Options| options.validate().unwrap_err().to_string();
    let defaults = Options::default;
    for (options, expected) in [
        (
            Options {
                side: 1,
                ..defaults()
            },
            "2 to 64 positions",
        ),
        (
            Options {
                image_side: 30,
                ..defaults()
            },
            "a multiple of side = 12",
        ),
        (
            Options {
                tints: 9,
                ..defaults()
            },
            "1 to 8",
        ),
        (
            Options {
                noise: 128,
                ..defaults()
            },
            "at most 127",
        ),
        (
            Options {
                max_steps: 0,
                ..defaults()
            },
            "at least 1",
        ),
    ] {
        let text = error(options);
        assert!(text.contains(expected), "{text}");
    }
}
