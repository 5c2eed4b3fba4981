//! Tests of the builder, whole tables and the generators.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use tellapart_system::{
    ActionId, MooreMachine, MooreMachineBuilder, OutputId, StateId, SystemError, generate,
};

fn s(id: u32) -> StateId {
    StateId::new(id)
}

fn a(id: u32) -> ActionId {
    ActionId::new(id)
}

fn one_state() -> MooreMachineBuilder {
    MooreMachineBuilder::new(1, 2).unwrap()
}

fn message<T>(result: Result<T, SystemError>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn the_builder_names_every_mistake() {
    assert!(message(MooreMachineBuilder::new(0, 1)).contains("no states"));
    assert!(message(MooreMachineBuilder::new(1, 0)).contains("no actions"));
    assert!(message(MooreMachineBuilder::new(usize::MAX, 1)).contains("too many"));
    assert!(message(MooreMachineBuilder::new(1 << 31, usize::MAX)).contains("entries"));

    let mut builder = one_state();
    assert_eq!(
        message(builder.transition(s(1), a(0), s(0))),
        "state 1 does not exist: the states are 0 to 0"
    );
    assert_eq!(
        message(builder.transition(s(0), a(2), s(0))),
        "action 2 does not exist: the actions are 0 to 1"
    );
    assert!(message(builder.transition(s(0), a(1), s(5))).contains("leads to 5"));
    builder
        .transition(s(0), a(0), s(0))
        .unwrap()
        .output_value(s(0), &[-0.0])
        .unwrap();
    builder.output_value(s(0), &[0.0]).unwrap();
    assert!(message(builder.output_value(s(0), &[1.0])).contains("two different outputs"));
    assert!(message(builder.output_value(s(0), &[1.0, 2.0])).contains("2 values"));
    assert!(message(builder.output_value(s(0), &[f64::NAN])).contains("NaN in column 0"));
    assert!(message(builder.output(s(0), OutputId::new(0))).contains("use one of the two"));
    assert_eq!(
        message(builder.build()),
        "state 0 has no transition under action 1; every action must lead somewhere"
    );

    let mut builder = MooreMachineBuilder::new(2, 1).unwrap();
    builder
        .transition(s(0), a(0), s(0))
        .unwrap()
        .transition(s(0), a(0), s(0))
        .unwrap();
    assert!(message(builder.transition(s(0), a(0), s(1))).contains("both 0 and 1 under action 0"));
    builder
        .transition(s(1), a(0), s(0))
        .unwrap()
        .output(s(0), OutputId::new(0))
        .unwrap();
    assert!(message(builder.output_value(s(1), &[0.5])).contains("use one of the two"));
    assert_eq!(
        message(builder.build()),
        "state 1 has no output; every state needs one"
    );
}

#[test]
fn tables_are_checked() {
    let o = OutputId::new;
    let table = MooreMachine::from_table;
    assert!(message(table(1, vec![s(0)], vec![])).contains("no states"));
    assert!(message(table(2, vec![s(0)], vec![o(0)])).contains("has 1 entries"));
    assert!(message(table(1, vec![s(3)], vec![o(0)])).contains("leads to 3"));
    assert!(
        message(table(1, vec![s(0)], vec![o(u32::MAX)])).contains("output 0 is given to no state")
    );
    assert!(message(table(1, vec![s(0), s(0)], vec![o(0), o(2)])).contains("output 1 is given"));
    let machine = table(1, vec![s(0), s(0)], vec![o(0), o(1)]).unwrap();
    let values = |width, values| machine.clone().with_output_values(width, values);
    assert!(message(values(1, vec![1.0])).contains("expected 2, found 1"));
    assert!(message(values(1, vec![1.0, f64::NAN])).contains("state 1 is NaN"));
    assert!(message(values(1, vec![0.0, -0.0])).contains("the same value"));
    assert!(message(values(0, vec![])).contains("the same value"));
    let twice = vec!["x".to_owned()];
    assert!(machine.clone().with_action_names(twice).is_ok());
    assert!(machine.with_initial(s(2)).is_err());
}

#[test]
fn generators_refuse_and_repeat() {
    assert!(generate::random(0, 0, 1, 1).is_err());
    assert!(generate::random(0, 1, 1, 0).is_err());
    assert!(generate::counter(0).is_err());
    assert!(generate::de_bruijn_cycle(63).is_err() && generate::de_bruijn_cycle(64).is_err());
    assert!(generate::with_nuisances(&generate::counter(9).unwrap(), 0, 1).is_err());
    assert!(generate::with_nuisances(&generate::counter(9).unwrap(), usize::MAX, 1).is_err());
    let machine = generate::random(5, 50, 3, 4).unwrap();
    assert_eq!(machine, generate::random(5, 50, 3, 4).unwrap());
    assert_ne!(machine, generate::random(6, 50, 3, 4).unwrap());
    assert_ne!(generate::shuffled(&machine, 1).unwrap(), machine);
}

#[test]
fn the_counter_clips() {
    let machine = generate::counter(9).unwrap();
    assert_eq!(machine.run(s(0), &[a(0), a(1), a(1)]), s(2));
    assert_eq!(machine.run(s(7), &[a(1), a(1), a(0)]), s(7));
    let rewarded: Vec<StateId> = machine
        .state_ids()
        .filter(|&state| machine.output_value(machine.output(state)) == Some(&[1.0]))
        .collect();
    assert_eq!(rewarded, [s(4)]);
    assert_eq!(generate::counter(1).unwrap().outputs(), 1);
}

#[test]
fn de_bruijn_words_hold_every_window() {
    for order in 1..10 {
        let machine = generate::de_bruijn_cycle(order).unwrap();
        let windows: std::collections::BTreeSet<Vec<OutputId>> = machine
            .state_ids()
            .map(|start| {
                (0..order as usize)
                    .map(|k| machine.output(machine.run(start, &vec![a(0); k])))
                    .collect()
            })
            .collect();
        assert_eq!(windows.len(), 1 << order, "order {order}");
    }
}

#[test]
fn families_as_they_are_described() {
    let outputs = |machine: &MooreMachine| -> Vec<u32> {
        let outputs = machine.output_table().iter();
        outputs.map(|output| output.get()).collect()
    };
    let sizes: Vec<usize> = (0..8)
        .map(|order| generate::fibonacci_cycle(order).unwrap().states())
        .collect();
    assert_eq!(sizes, [1, 2, 3, 5, 8, 13, 21, 34]);
    let cycle = generate::fibonacci_cycle(4).unwrap();
    assert_eq!(outputs(&cycle), [0, 1, 0, 0, 1, 0, 1, 0]);
    assert_eq!(cycle.successor(s(7), a(0)), s(0));

    let register = generate::shift_register(3).unwrap();
    assert_eq!(outputs(&register), [0, 0, 0, 0, 1, 1, 1, 1]);
    assert_eq!(register.run(s(0b101), &[a(1), a(0)]), s(0b110));
    assert_eq!(generate::shift_register(0).unwrap().states(), 1);
    assert!(message(generate::shift_register(40)).contains("too many"));

    let tree = generate::tree(7, 2, 2).unwrap();
    assert_eq!(tree.run(s(6), &[a(0)]), s(2));
    assert_eq!(tree.run(s(6), &[a(1), a(0), a(0)]), s(0));
    assert!(message(generate::tree(7, 2, 0)).contains("children"));
}

/// Makes a machine with one action in which state `i` has output `values[i]`.
fn with_values(values: &[[f64; 2]]) -> MooreMachine {
    let mut builder = MooreMachineBuilder::new(values.len(), 1).unwrap();
    for (state, value) in (0..).map(s).zip(values) {
        builder.transition(state, a(0), s(0)).unwrap();
        builder.output_value(state, value).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn outputs_within_a_tolerance() {
    let machine = with_values(&[[5.0, 0.0], [0.0, 0.0], [5.0, 0.1], [0.03, 0.04]]);
    assert_eq!((machine.outputs(), machine.output_tolerance()), (4, None));
    let grouped = machine.clone().with_tolerance(0.1).unwrap();
    assert_eq!(grouped.outputs(), 2);
    assert_eq!(grouped.output_tolerance(), Some(0.1));
    // The first state stands for its group.
    assert_eq!(grouped.output(s(2)), OutputId::new(0));
    assert_eq!(
        grouped.output_value(OutputId::new(1)),
        Some(&[0.0, 0.0][..])
    );
    assert_eq!(grouped.successor(s(3), a(0)), s(0));
    for format in tellapart_system::Format::ALL {
        let lost = tellapart_system::write::lost(&grouped, format.0);
        assert!(lost.iter().any(|what| what.contains("within 0.1")));
    }
    assert_eq!(machine.with_tolerance(0.05).unwrap().outputs(), 3);
}

#[test]
fn tolerances_that_are_no_equivalence() {
    let machine = with_values(&[[9.0, 0.0], [0.0, 0.0], [0.75, 0.0], [1.5, 0.0]]);
    assert_eq!(machine.clone().with_tolerance(1.5).unwrap().outputs(), 2);
    assert_eq!(
        message(machine.clone().with_tolerance(1.0)),
        "outputs cannot be grouped within 1: state 1 has [0, 0] and state 2 has [0.75, 0], which are \
         0.75 apart; state 3 has [1.5, 0], which is 0.75 from the second but 1.5 from the first. Choose \
         a tolerance at which close outputs are close to all of each other, or round the outputs"
    );
    assert!(message(machine.clone().with_tolerance(-1.0)).contains("at least 0"));
    assert!(message(machine.with_tolerance(f64::NAN)).contains("finite"));
    let infinite = with_values(&[[0.0, 0.0], [0.0, f64::INFINITY]]);
    assert!(message(infinite.with_tolerance(1.0)).contains("state 1 is infinite in column 1"));
    let nameless = generate::random(1, 5, 2, 2).unwrap();
    assert!(message(nameless.with_tolerance(1.0)).contains("numbers and nothing else"));
}
