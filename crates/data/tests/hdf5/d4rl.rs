//! D4RL: one row for each step, and the rows that are missing.

use tellapart_data::{Actions, Frames};
use tellapart_files::Array;

use crate::*;

#[test]
fn d4rl_with_next_observations_has_whole_episodes() {
    let recording = read("d4rl_next.hdf5", None);
    check(&recording, 3, by_turns);
    let states = states(3);
    assert_eq!(recording.observations, vectors(&states));
    assert_eq!(recording.actions, pairs(&actions(3)));
    let Array { shape, values } = &recording.extra["infos/state"];
    assert_eq!(shape, &[states.len()]);
    for (row, &state) in states.iter().enumerate() {
        if recording.ends(row) {
            assert!(values.number(row).is_nan(), "row {row}");
        } else {
            assert_eq!(values.number(row), state as f64, "row {row}");
        }
    }
    let left_out = left_out(&recording, |array| &array.name);
    let expected = [
        "next_observations",
        "metadata/algorithm",
        "metadata/iteration",
    ];
    assert_eq!(left_out, expected);
}

#[test]
fn d4rl_without_next_observations_is_cut_off_at_the_last_one_stored() {
    let recording = read("d4rl.hdf5", None);
    let (mut states, mut ends, mut rewards) = (Vec::new(), Vec::new(), Vec::new());
    for (played, _) in play(3) {
        let stored = &played[..played.len() - 1];
        states.extend_from_slice(stored);
        ends.extend((0..stored.len()).map(|t| t == stored.len() - 1));
        rewards.extend(played[1..].iter().map(|&arrived| f64::from(arrived == 2)));
    }
    assert_eq!(recording.observations, vectors(&states));
    assert_eq!(recording.timeouts, ends);
    assert_eq!(recording.terminals, vec![false; states.len()]);
    let found = recording.rewards.as_ref().unwrap();
    let Actions::Vectors { width: 2, values } = &recording.actions else {
        panic!("{:?}", recording.actions);
    };
    for row in 0..states.len() {
        if ends[row] {
            assert!(found.number(row).is_nan(), "row {row}");
            assert_eq!(values.number(2 * row), 0.0, "row {row}");
        } else {
            assert_eq!(found.number(row), rewards[row], "row {row}");
        }
    }
    let step = recording
        .auxiliary("rewards", recording.rewards_of())
        .unwrap();
    assert_eq!(contradictions(&recording, &step, step_of), 0);
    assert_eq!(
        recording.extra["infos/state"].values,
        states
            .iter()
            .map(|&state| state as i64)
            .collect::<Vec<_>>()
            .into()
    );
    let other = read("d4rl.hdf5", Some("infos/qpos"));
    assert_eq!(other.observations.distinct().first_rows.len(), 5);
    let left_out = |name: &str| other.left_out().iter().any(|array| array.name == name);
    assert!(left_out("observations") && !left_out("infos/state"));
}

#[test]
fn d4rl_episodes_end_where_the_next_observation_is_another() {
    let recording = read("d4rl_breaks.hdf5", None);
    let observations = Frames::Other {
        shape: vec![],
        values: vec![0_i32, 1, 2, 3, 7, 8, 9, 10].into(),
    };
    assert_eq!(recording.observations, observations);
    assert_eq!(recording.actions, discrete(&[1, 1, 1, 0, 0, 0, 0, 0]));
    assert_eq!(
        rewards(&recording),
        floats(&[1.0, 2.0, 3.0, -1.0, 4.0, 5.0, 6.0, -1.0])
    );
    assert_eq!(recording.episodes().collect::<Vec<_>>(), [0..4, 4..8]);
    assert!(recording.timeouts[3] && recording.terminals.iter().all(|ended| !ended));
    let left_out = left_out(&recording, |array| &array.reason);
    let expected = [
        "its values are those of the rows that follow",
        "its numbers are not exact in float64",
        "it has 5 rows, and there are 6",
    ];
    assert_eq!(left_out, expected);
}
