//! Evidence of recorded data against the definitions, on thousands of small recordings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, helpers included; seeds are printed"
)]

mod checks;
mod definition;
mod determinism;
mod random;

use tellapart_bisim::evidence::{Episodes, Recording, Tolerance};

use crate::checks::check;
use crate::random::{World, random};

#[test]
fn the_oracle_agrees_with_the_definition() {
    for seed in 0..6000 {
        let world = match seed % 8 {
            0 | 1 => World::AllDifferent,
            2 => World::Deterministic(2),
            3 => World::Deterministic(5),
            4 => World::Deterministic(12),
            5 => World::Faulty(4),
            6 => World::Noisy(7),
            _ => World::Faulty(9),
        };
        println!("seed {seed}, {world:?}");
        check(&random(seed, world));
    }
}

#[test]
fn bad_episodes_are_refused_and_change_nothing() {
    let good = Episodes {
        observations: &[0, 1],
        actions: &[1, 9],
        values: &[0, 1],
        ends: &[false, true],
        vectors: &[],
    };
    let mut recording = Recording::new(2).unwrap();
    recording.append(&good).unwrap();
    for (episodes, part) in [
        (
            Episodes {
                actions: &[1],
                ..good
            },
            "`actions` has 1 rows",
        ),
        (
            Episodes {
                values: &[],
                ..good
            },
            "`values` has 0 rows",
        ),
        (
            Episodes {
                ends: &[true; 3],
                ..good
            },
            "`ends` has 3 rows",
        ),
        (
            Episodes {
                observations: &[2, 4],
                ..good
            },
            "row 3 (counted over all that was appended): observation is 4",
        ),
        (
            Episodes {
                actions: &[2, 0],
                ..good
            },
            "row 2 (counted over all that was appended): action is 2",
        ),
        (
            Episodes {
                vectors: &[1.0],
                ..good
            },
            "`vectors` holds 1 numbers",
        ),
    ] {
        let error = recording.append(&episodes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!((recording.rows(), recording.observations()), (2, 2));
    }
    assert!(
        Recording::new(0)
            .unwrap_err()
            .to_string()
            .contains("at least one action")
    );
    for (width, distance) in [(0, 1.0), (1, -1.0), (1, f64::NAN), (1, f64::INFINITY)] {
        Tolerance::new(width, distance).unwrap_err();
    }
    let tolerance = Tolerance::new(2, 0.5).unwrap();
    let mut recording = Recording::with_tolerance(2, tolerance).unwrap();
    for (vectors, part) in [
        (&[0.0_f64; 3][..], "2 for each new value"),
        (&[0.0; 2], "value is 1"),
        (&[0.0, 0.0, f64::NAN, 0.0], "value 1 holds NaN"),
    ] {
        let error = recording
            .append(&Episodes { vectors, ..good })
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    recording
        .append(&Episodes {
            vectors: &[0.0; 4],
            ..good
        })
        .unwrap();
}
