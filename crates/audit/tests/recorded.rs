//! Trajectories read as evidence.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use tellapart_audit::{Recorded, RecordedOptions};
use tellapart_bisim::evidence::Comparison;
use tellapart_data::{ActionRule, Actions, Frames, Trajectories, TrajectoryParts};
use tellapart_files::{Array, Values};

/// Two episodes of three rows; the last observations of both are identical.
fn trajectories() -> Trajectories {
    Trajectories::new(TrajectoryParts {
        observations: Frames::U8 {
            shape: vec![2],
            values: vec![1, 0, 2, 0, 9, 9, 3, 0, 4, 0, 9, 9],
        },
        actions: Actions::Vectors {
            width: 1,
            values: Values::F32(vec![-0.5, 0.5, f32::NAN, -0.1, 0.9, f32::NAN]),
        },
        rewards: Some(Values::F32(vec![0.0, 0.0, 1.0, 0.0, 0.5, 1.0])),
        aux: Some(Array {
            shape: vec![6, 2],
            values: Values::F32(vec![7.0; 12]),
        }),
        terminals: vec![false, false, true, false, false, true],
        timeouts: vec![false; 6],
        ..TrajectoryParts::default()
    })
    .unwrap()
}

fn options() -> RecordedOptions {
    RecordedOptions {
        action_rule: Some(ActionRule::sign()),
        ..RecordedOptions::default()
    }
}

#[test]
fn rows_are_compared_by_recorded_words() {
    let recorded = Recorded::new(&trajectories(), &options(), &()).unwrap();
    let oracle = &recorded.oracle;
    assert_eq!(
        (oracle.recording().rows(), oracle.recording().observations()),
        (6, 5)
    );
    let word = oracle.witness(0, 3).unwrap().unwrap();
    assert_eq!(recorded.names(&word), ["<0"]);
    assert_eq!(oracle.compare(2, 5), Comparison::Same);
    assert_eq!(recorded.p(1), [0.0]);
}

#[test]
fn rules_decide_what_is_the_same() {
    // Actions that are never exactly equal make nothing comparable.
    let exact = RecordedOptions {
        action_rule: Some(ActionRule::distinct()),
        ..options()
    };
    let recorded = Recorded::new(&trajectories(), &exact, &()).unwrap();
    assert_eq!(recorded.oracle.witness(0, 3), Ok(None));
    for (tolerance, is_distinguished) in [(0.0, true), (0.4, true), (0.5, false)] {
        let options = RecordedOptions {
            tolerance: Some(tolerance),
            ..options()
        };
        let recorded = Recorded::new(&trajectories(), &options, &()).unwrap();
        assert_eq!(
            recorded.oracle.witness(0, 3).unwrap().is_some(),
            is_distinguished
        );
    }
    let aux = RecordedOptions {
        value: "aux".to_owned(),
        ..options()
    };
    assert_eq!(
        Recorded::new(&trajectories(), &aux, &())
            .unwrap()
            .oracle
            .witness(0, 3),
        Ok(None)
    );
}

#[test]
fn what_is_missing_is_named() {
    let cases = [
        (RecordedOptions::default(), "sign"),
        (
            RecordedOptions {
                value: "reward".to_owned(),
                ..options()
            },
            "rewards, aux",
        ),
        (
            RecordedOptions {
                tolerance: Some(-1.0),
                ..options()
            },
            "-1",
        ),
    ];
    for (options, part) in cases {
        let error = Recorded::new(&trajectories(), &options, &())
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
}
