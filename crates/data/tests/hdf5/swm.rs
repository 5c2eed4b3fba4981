//! stable-worldmodel: rows that arrive, and tables of episodes.

use tellapart_data::{Actions, Frames};

use crate::*;

#[test]
fn swm_rewards_go_back_to_their_steps() {
    let recording = read("swm.h5", None);
    check(&recording, 3, by_turns);
    let states = states(3);
    assert_eq!(recording.observations.shape(), [8, 8, 3]);
    let Frames::U8 { values, .. } = &recording.observations else {
        panic!("{:?}", recording.observations.dtype());
    };
    let reds: Vec<usize> = values
        .iter()
        .step_by(192)
        .map(|&red| usize::from(red) / 60)
        .collect();
    assert_eq!(reds, states);
    assert_eq!(recording.actions, pairs(&actions(3)));
    assert_eq!(recording.extra["proprio"].shape, [states.len(), 2]);
    assert_eq!(
        read("swm.h5", Some("proprio")).observations,
        vectors(&states)
    );
    let [left_out] = recording.left_out() else {
        panic!("{:?}", recording.left_out());
    };
    assert_eq!(
        (&*left_out.name, &*left_out.reason),
        ("task", "it holds text")
    );
}

#[test]
fn swm_episodes_are_where_the_file_says() {
    let recording = read("swm_order.h5", None);
    let observations = Frames::F32 {
        shape: vec![1],
        values: vec![4.0, 5.0, 6.0, 7.0, 0.0, 1.0],
    };
    assert_eq!(recording.observations, observations);
    let actions = Actions::Discrete {
        count: 7,
        ids: vec![4, 5, 6, 0, 0, 0],
    };
    assert_eq!(recording.actions, actions);
    assert_eq!(
        rewards(&recording),
        floats(&[50.0, 60.0, 70.0, -1.0, 10.0, -1.0])
    );
    assert_eq!(recording.episodes().collect::<Vec<_>>(), [0..4, 4..6]);
    let message = error("swm_outside.h5", None);
    assert!(
        message.contains("array `ep_len`, row 1: 6 rows from 2"),
        "{message}"
    );
}
