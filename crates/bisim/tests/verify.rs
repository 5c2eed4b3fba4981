//! Partitions other than the largest bisimulation are refused, and the message names the place.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use tellapart_bisim::{
    Partition, Violation, largest_bisimulation, pairwise_fixed_point, quotient, verify,
    verify_coarsest,
};
use tellapart_system::{MooreMachine, StateId, generate};

fn counter() -> MooreMachine {
    generate::counter(9).unwrap()
}

#[test]
fn merged_outputs() {
    let violation = verify(&counter(), &Partition::from_labels(&[0; 9])).unwrap_err();
    assert!(matches!(violation, Violation::Output { .. }));
    assert_eq!(
        violation.to_string(),
        "states 0 and 4 are both in block 0, but their outputs differ"
    );
}

#[test]
fn unstable() {
    let by_output = Partition::from_labels(&[0, 0, 0, 0, 1, 0, 0, 0, 0]);
    let violation = verify(&counter(), &by_output).unwrap_err();
    assert_eq!(
        violation.to_string(),
        "states 0 and 3 are both in block 0, but action 1 leads them to different blocks"
    );
    assert!(quotient(&counter(), &by_output).is_err());
}

#[test]
fn other_states() {
    let partition = largest_bisimulation(&generate::counter(8).unwrap());
    assert!(matches!(
        verify(&counter(), &partition),
        Err(Violation::States { .. })
    ));
    assert!(quotient(&counter(), &partition).is_err());
}

#[test]
fn too_fine() {
    for seed in 0..200 {
        let base = generate::random(seed, 5, 2, 2).unwrap();
        let machine = generate::with_nuisances(&base, 3, seed).unwrap();
        let largest = largest_bisimulation(&machine);
        verify_coarsest(&machine, &largest).unwrap();
        let labels: Vec<u32> = machine.state_ids().map(StateId::get).collect();
        let discrete = Partition::from_labels(&labels);
        verify(&machine, &discrete).unwrap();
        let violation = verify_coarsest(&machine, &discrete).unwrap_err();
        let Violation::Mergeable { first, second } = violation else {
            panic!("seed {seed}: {violation}");
        };
        let block = |id: u32| largest.block_of(StateId::new(id));
        assert!(
            first != second && block(first.get()) == block(second.get()),
            "seed {seed}"
        );
    }
}

#[test]
fn the_definition_refuses_what_does_not_fit() {
    let machine = generate::chain(10_001).unwrap();
    let error = pairwise_fixed_point(&machine).err().unwrap();
    assert!(error.to_string().contains("10001 states are too many"));
}

#[test]
fn quotients_keep_names_values_and_the_initial_state() {
    let names = vec!["down".to_owned(), "up".to_owned()];
    let machine = generate::with_nuisances(&counter(), 4, 3)
        .unwrap()
        .with_action_names(names)
        .unwrap()
        .with_initial(StateId::new(30))
        .unwrap();
    let classes = largest_bisimulation(&machine);
    let small = quotient(&machine, &classes).unwrap();
    assert_eq!(
        small.action_name(tellapart_system::ActionId::new(1)),
        Some("up")
    );
    assert_eq!(small.initial(), StateId::new(7));
    assert_eq!(
        small.output_value(small.output(StateId::new(4))),
        Some(&[1.0][..])
    );
}
