//! Tests of the rules that map recorded actions to finitely many.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use half::f16;
use tellapart_data::{ActionRule, Actions, Frames, Trajectories, TrajectoryParts};
use tellapart_files::Values;

/// Makes two episodes of three and two rows.
fn trajectories(actions: Actions) -> Trajectories {
    Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![1],
            values: vec![0.0; 5],
        },
        actions,
        terminals: vec![false, false, true, false, false],
        timeouts: vec![false; 5],
        ..TrajectoryParts::default()
    })
    .unwrap()
}

fn vectors(width: usize, values: &[f32]) -> Trajectories {
    trajectories(Actions::Vectors {
        width,
        values: Values::F32(values.to_vec()),
    })
}

fn by(trajectories: &Trajectories, rule: &str) -> (usize, Vec<u32>, Vec<String>) {
    let rule: ActionRule = rule.parse().unwrap();
    let found = trajectories.finite_actions(Some(&rule)).unwrap();
    let names = (0..found.count as u32)
        .map(|action| found.name(action))
        .collect();
    (found.count, found.ids, names)
}

#[test]
fn numbers_fall_into_bins_and_last_rows_mean_nothing() {
    let found = vectors(1, &[-1.0, 0.0, f32::NAN, 0.5, f32::NAN]);
    assert_eq!(
        by(&found, "sign"),
        (2, vec![0, 1, 0, 1, 0], vec!["<0".into(), ">=0".into()])
    );
    // The range is -1 to 0.5, so the edges are -0.5 and 0.
    let names = vec!["<-0.5".into(), "-0.5..0".into(), ">=0".into()];
    assert_eq!(by(&found, "3"), (3, vec![0, 2, 0, 2, 0], names));
    assert_eq!(by(&found, "1"), (1, vec![0; 5], vec!["any".into()]));
    assert_eq!(by(&found, "at:-0.1,0.5").1, [0, 1, 0, 2, 0]);
    let names = vec!["-1".into(), "0".into(), "0.5".into()];
    assert_eq!(by(&found, "distinct"), (3, vec![0, 1, 0, 2, 0], names));
}

#[test]
fn every_number_of_an_action_has_bins_of_its_own() {
    let found = vectors(2, &[-1.0, 5.0, 1.0, 5.0, 0.0, 0.0, -1.0, -5.0, 0.0, 0.0]);
    let names = ["<0,<0", "<0,>=0", ">=0,<0", ">=0,>=0"]
        .map(String::from)
        .to_vec();
    assert_eq!(by(&found, "sign"), (4, vec![1, 3, 0, 0, 0], names));
    // An element that never changes has one bin.
    let found = vectors(2, &[-1.0, 5.0, 1.0, 5.0, 0.0, 0.0, -1.0, 5.0, 0.0, 0.0]);
    assert_eq!(by(&found, "2").2, ["<0,any", ">=0,any"]);
    assert_eq!(by(&found, "distinct").2, ["-1,5", "1,5"]);
}

#[test]
fn ids_are_taken_as_they_are() {
    let found = trajectories(Actions::Discrete {
        count: 4,
        ids: vec![1, 3, 2, 0, 1],
    });
    let finite = found.finite_actions(None).unwrap();
    assert_eq!(
        (finite.count, finite.ids.as_slice()),
        (4, &[1, 3, 0, 0, 0][..])
    );
    assert_eq!(finite.name(3), "3");
    let error = found
        .finite_actions(Some(&ActionRule::sign()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("ids"), "{error}");
}

#[test]
fn bad_rules_are_refused() {
    let found = vectors(9, &[0.5; 45]);
    let error = found.finite_actions(None).unwrap_err().to_string();
    assert!(
        error.contains("vectors of 9") && error.contains("sign"),
        "{error}"
    );
    for rule in [
        "", "0", "-1", "65537", "bins", "at:", "at:1,1", "at:2,1", "at:NaN", "at:inf", "1.5",
    ] {
        let error = rule.parse::<ActionRule>().unwrap_err().to_string();
        assert!(error.contains("expected"), "{rule}: {error}");
    }
    for rule in ["sign", "distinct", "7", "at:-0.5,0.25"] {
        assert_eq!(rule.parse::<ActionRule>().unwrap().to_string(), rule);
    }
    // The rule makes 4^9 actions.
    let rule: ActionRule = "at:1,2,3".parse().unwrap();
    let error = found.finite_actions(Some(&rule)).unwrap_err().to_string();
    assert!(error.contains("65536"), "{error}");
}

#[test]
fn edges_are_numbers_of_the_type_of_the_elements() {
    let of = |values: Values, rule: &str| {
        by(&trajectories(Actions::Vectors { width: 1, values }), rule).1
    };
    let small = [0.1, 0.05, 0.0, 0.1, 0.0];
    let expected = [1, 0, 0, 1, 0];
    let halves = small.map(f16::from_f64).to_vec();
    assert_eq!(of(Values::F16(halves), "at:0.1"), expected);
    let singles = small.map(|number| number as f32).to_vec();
    assert_eq!(of(Values::F32(singles), "at:0.1"), expected);
    assert_eq!(of(Values::F64(small.to_vec()), "at:0.1"), expected);
    // Whole numbers that no float32, and no float64, tells apart.
    let large = vec![16_777_217, 16_777_216, 0, 16_777_217, 0];
    assert_eq!(of(Values::I32(large), "at:16777217"), expected);
    let far = (1_u64 << 53) + 2;
    let larger = vec![far, far - 1, 0, far, 0];
    assert_eq!(of(Values::U64(larger), "at:9007199254740994"), expected);
}
