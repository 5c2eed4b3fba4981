//! Tests of recordings in HDF5: files of the libraries that define the formats, made by
//! `files/make.py`, have the rows of the world that it plays.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic fails the test, as it should"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tellapart_data::{Actions, Auxiliary, BelongsTo, Frames, Trajectories};
use tellapart_files::{Array, Dtype, Values};

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    folder.join(name)
}

fn read(name: &str, observations: Option<&str>) -> Trajectories {
    Trajectories::read(file(name), observations).unwrap()
}

fn error(name: &str, observations: Option<&str>) -> String {
    let read = Trajectories::read(file(name), observations);
    read.unwrap_err().to_string()
}

/// What `make.py` plays: states of each episode, one more than its actions.
fn play(episodes: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let play = |episode: usize| {
        let actions: Vec<usize> = (0..4 + episode).map(|t| (episode + t) % 2).collect();
        let mut states = vec![episode % 5];
        for action in &actions {
            states.push((states[states.len() - 1] + 1 + action) % 5);
        }
        (states, actions)
    };
    (0..episodes).map(play).collect()
}

/// State of every row.
fn states(episodes: usize) -> Vec<usize> {
    play(episodes)
        .into_iter()
        .flat_map(|(states, _)| states)
        .collect()
}

/// Action of every row; 0 in the last row of an episode.
fn actions(episodes: usize) -> Vec<usize> {
    let padded = |(_, mut actions): (Vec<usize>, Vec<usize>)| {
        actions.push(0);
        actions
    };
    play(episodes).into_iter().flat_map(padded).collect()
}

fn vectors(states: &[usize]) -> Frames {
    let vector = |&state: &usize| [state as f32, 10.0 * state as f32];
    Frames::F32 {
        shape: vec![2],
        values: states.iter().flat_map(vector).collect(),
    }
}

fn counts(states: &[usize]) -> Frames {
    Frames::Other {
        shape: vec![],
        values: states
            .iter()
            .map(|&state| state as i64)
            .collect::<Vec<_>>()
            .into(),
    }
}

fn discrete(ids: &[usize]) -> Actions {
    Actions::Discrete {
        count: 2,
        ids: ids.iter().map(|&id| id as u32).collect(),
    }
}

fn pairs(ids: &[usize]) -> Actions {
    let pair = |&id: &usize| [id as f32, -(id as f32)];
    Actions::Vectors {
        width: 2,
        values: ids.iter().flat_map(pair).collect::<Vec<_>>().into(),
    }
}

/// Checks rewards, ends and lengths of whole episodes against the world.
fn check(recording: &Trajectories, episodes: usize, ends: impl Fn(usize) -> [bool; 2]) {
    let played = play(episodes);
    let lengths: Vec<usize> = played.iter().map(|(states, _)| states.len()).collect();
    let found: Vec<usize> = recording.episodes().map(|rows| rows.len()).collect();
    assert_eq!(found, lengths);
    let Some(Values::F64(rewards)) = &recording.rewards else {
        panic!("{:?}", recording.rewards);
    };
    let mut row = 0;
    for (episode, (states, _)) in played.iter().enumerate() {
        for &arrived in &states[1..] {
            assert_eq!(rewards[row], f64::from(arrived == 2), "row {row}");
            assert!(
                !recording.terminals[row] && !recording.timeouts[row],
                "row {row}"
            );
            row += 1;
        }
        assert!(rewards[row].is_nan(), "row {row}");
        let found = [recording.terminals[row], recording.timeouts[row]];
        assert_eq!(found, ends(episode), "episode {episode}");
        row += 1;
    }
    assert_eq!(recording.rewards_of(), BelongsTo::Step);
    let step = recording.auxiliary("rewards", BelongsTo::Step).unwrap();
    assert_eq!(contradictions(recording, &step, step_of), 0);
    assert_eq!(step.unknown(), episodes);
    let arrival = recording.auxiliary("rewards", BelongsTo::Arrival).unwrap();
    assert_eq!(contradictions(recording, &arrival, |_, _, id| (id, 0)), 0);
    // One row off, the same values contradict each other: the check would find it.
    let off = recording
        .auxiliary("rewards", BelongsTo::Observation)
        .unwrap();
    assert!(contradictions(recording, &off, |_, _, id| (id, 0)) > 0);
}

/// Counts rows whose key has another value elsewhere.
fn contradictions(
    recording: &Trajectories,
    values: &Auxiliary,
    key: impl Fn(&Trajectories, usize, u32) -> (u32, u64),
) -> usize {
    let observations = recording.observations.distinct();
    let mut seen = BTreeMap::new();
    let rows = (0..recording.rows()).filter(|&row| values.ids()[row] != Auxiliary::UNKNOWN);
    rows.filter(|&row| {
        let key = key(recording, row, observations.ids[row]);
        let value = values.ids()[row];
        *seen.entry(key).or_insert(value) != value
    })
    .count()
}

fn step_of(recording: &Trajectories, row: usize, observation: u32) -> (u32, u64) {
    let action = match &recording.actions {
        Actions::Discrete { ids, .. } => f64::from(ids[row]),
        Actions::Vectors { width, values } => values.number(row * width),
    };
    (observation, action.to_bits())
}

fn by_turns(episode: usize) -> [bool; 2] {
    let even = episode.is_multiple_of(2);
    [even, !even]
}

#[test]
fn minari_boxes_are_read_from_the_folder_or_the_file() {
    let recording = read("minari_box", None);
    check(&recording, 2, by_turns);
    let states = states(2);
    assert_eq!(recording.observations, vectors(&states));
    assert_eq!(recording.actions, discrete(&actions(2)));
    assert_eq!(
        recording.extra["infos/state"].values,
        states
            .iter()
            .map(|&state| state as i64)
            .collect::<Vec<_>>()
            .into()
    );
    assert_eq!(
        recording.extra["infos/deep/twice"].values,
        states
            .iter()
            .map(|&state| 2 * state as i8)
            .collect::<Vec<_>>()
            .into()
    );
    let [left_out] = recording.left_out() else {
        panic!("{:?}", recording.left_out());
    };
    assert_eq!(left_out.name, "infos/name");
    assert_eq!(left_out.reason, "in episode_0, it holds text");
    assert_eq!(
        recording.read_as(),
        [
            ("terminations".to_owned(), "terminals"),
            ("truncations".to_owned(), "timeouts")
        ]
    );
    for same in ["minari_box/data", "minari_box/data/main_data.hdf5"] {
        // Not equal as a whole: NaN differs from itself.
        assert_eq!(read(same, None).observations, recording.observations);
    }
}

#[test]
fn minari_discrete_observations_and_box_actions_are_read() {
    let recording = read("minari_discrete.hdf5", None);
    check(&recording, 2, by_turns);
    assert_eq!(recording.observations, counts(&states(2)));
    assert_eq!(recording.actions, pairs(&actions(2)));
}

#[test]
fn minari_members_of_dicts_and_tuples_are_chosen_by_path() {
    for (name, count, position) in [
        ("minari_dict.hdf5", "inner/count", "position"),
        ("minari_tuple.hdf5", "_index_0", "_index_1"),
    ] {
        let whole = format!("/observations/{count}");
        for choice in [count, &whole] {
            let recording = read(name, Some(choice));
            check(&recording, 2, by_turns);
            assert_eq!(recording.observations, counts(&states(2)));
            let other = format!("observations/{position}");
            assert_eq!(recording.extra[&other].shape, [recording.rows(), 2]);
            let chosen = (format!("observations/{count}"), "observations");
            assert!(recording.read_as().contains(&chosen));
        }
        assert_eq!(read(name, Some(position)).observations, vectors(&states(2)));
        let message = error(name, None);
        for part in [
            name,
            &format!("`observations/{count}` (int64 [])"),
            &format!("`observations/{position}` (float32 [2])"),
            "--observations PATH",
        ] {
            assert!(message.contains(part), "{part:?} in {message}");
        }
        let message = error(name, Some("nothing"));
        assert!(message.contains("no observations `nothing`"), "{message}");
        assert!(message.contains(count), "{message}");
    }
}

#[test]
fn minari_images_are_decoded() {
    let recording = read("minari_images.hdf5", None);
    check(&recording, 2, by_turns);
    let Frames::U8 { shape, values } = &recording.observations else {
        panic!("{:?}", recording.observations.dtype());
    };
    assert_eq!(shape, &[32, 40, 3]);
    let states = states(2);
    assert_eq!(values.len(), states.len() * 32 * 40 * 3);
    for (at, &found) in values.iter().enumerate() {
        let (row, y, channel) = (at / 3840, at / 120 % 32, at % 3);
        // Colors run into each other where the halves meet.
        if (14..18).contains(&y) {
            continue;
        }
        let half = usize::from(y >= 16);
        let expected = if half == channel { 60 * states[row] } else { 0 };
        // JPEG is lossy, by a few levels on plain areas.
        let error = (i64::from(found) - expected as i64).abs();
        assert!(error <= 4, "value {at}: {found}, not {expected}");
    }
}

#[test]
fn minari_episodes_are_in_the_order_of_their_numbers() {
    let recording = read("minari_many.hdf5", None);
    check(&recording, 12, |_| [true, false]);
    assert_eq!(recording.observations, counts(&states(12)));
    assert_eq!(recording.actions, discrete(&actions(12)));
}

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
    let left_out: Vec<&str> = recording
        .left_out()
        .iter()
        .map(|array| &*array.name)
        .collect();
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
fn foreign_files_filters_and_choices_are_named() {
    let message = error("foreign.hdf5", None);
    for part in [
        "foreign.hdf5",
        "`stations/`, `temperature`",
        "episode_0",
        "ep_len",
        "terminals",
    ] {
        assert!(message.contains(part), "{part:?} in {message}");
    }
    let message = error("blosc.hdf5", None);
    assert!(
        message.contains("`observations`") && message.contains("Blosc"),
        "{message}"
    );
    assert!(message.contains("h5repack"), "{message}");
    let message = error("../files", None);
    assert!(message.contains("data/main_data.hdf5"), "{message}");
    let message = error("../data/gymnasium_like.npz", Some("image"));
    assert!(
        message.contains("gymnasium_like.npz") && message.contains("HDF5"),
        "{message}"
    );
    assert_eq!(read("../data/gymnasium_like.npz", None).rows(), 6);
    let message = Trajectories::read_hdf5(file("make.py"), None)
        .unwrap_err()
        .to_string();
    assert!(message.contains("not an HDF5 file"), "{message}");
    let message = error("missing.hdf5", None);
    assert!(message.contains("no such file"), "{message}");
}

fn floats(values: &[f64]) -> Option<Values> {
    Some(values.to_vec().into())
}

/// The rewards, with -1 for NaN, which equals nothing.
fn rewards(recording: &Trajectories) -> Option<Values> {
    let values = recording.rewards.clone()?.into_f64();
    let marked = values
        .iter()
        .map(|&value| if value.is_nan() { -1.0 } else { value });
    Some(marked.collect::<Vec<f64>>().into())
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
    let left_out: Vec<&str> = recording
        .left_out()
        .iter()
        .map(|array| &*array.reason)
        .collect();
    let expected = [
        "its values are those of the rows that follow",
        "its numbers are not exact in float64",
        "it has 5 rows, and there are 6",
    ];
    assert_eq!(left_out, expected);
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

#[test]
fn minari_gray_images_and_episodes_without_steps_are_read() {
    let recording = read("minari_gray.hdf5", None);
    let Frames::U8 { shape, values } = &recording.observations else {
        panic!("{:?}", recording.observations.dtype());
    };
    assert_eq!(shape, &[32, 48, 1]);
    for (at, &found) in values.iter().enumerate() {
        let expected = [16_u8, 200, 200, 16][at / (32 * 48)];
        assert!(
            found.abs_diff(expected) <= 2,
            "value {at}: {found}, not {expected}"
        );
    }
    assert_eq!(recording.actions, discrete(&[1, 0, 0, 0]));
    assert_eq!(recording.terminals, [false, false, true, false]);
    assert_eq!(recording.timeouts, [false, false, false, true]);
    let [left_out] = recording.left_out() else {
        panic!("{:?}", recording.left_out());
    };
    let reason = "in episode_1, it is not there";
    assert_eq!(
        (&*left_out.name, &*left_out.reason),
        ("infos/count", reason)
    );
}

#[test]
fn half_floats_are_read_as_they_are() {
    let recording = read("minari_half.hdf5", None);
    let Frames::Other { shape, values } = &recording.observations else {
        panic!("{:?}", recording.observations.dtype());
    };
    assert!(shape.is_empty());
    assert_eq!(values.dtype(), Dtype::F16);
    assert_eq!(values.clone().into_f64(), [0.0, 0.25, 0.5, 0.75]);
}

#[test]
fn wrong_datasets_are_named_with_their_rows() {
    for (name, parts) in [
        (
            "minari_goes_on.hdf5",
            [
                "`episode_0/terminations`, row 1: true",
                "false before the last",
            ],
        ),
        (
            "minari_ragged.hdf5",
            ["`episode_0/actions`: 2 rows", "3 are expected, one fewer"],
        ),
        (
            "minari_complex.hdf5",
            [
                "`episode_0/observations`: it holds structures of several fields",
                ".astype",
            ],
        ),
        (
            "bfloat.hdf5",
            [
                "`observations`: it holds floats of 2 bytes that are not float16",
                ".astype",
            ],
        ),
        (
            "minari_bfloat.hdf5",
            ["floats of 2 bytes that are not float16", ".astype"],
        ),
        (
            "huge.hdf5",
            [
                "`observations`: 4398046511104 bytes",
                "more than the file can hold",
            ],
        ),
        (
            "packed.hdf5",
            [
                "`observations`: 67108864 bytes",
                "more than the file can hold",
            ],
        ),
        (
            "no_values_d4rl.hdf5",
            ["`observations`: it holds rows without values", "expected"],
        ),
        (
            "no_values_minari.hdf5",
            [
                "`episode_0/observations`: it holds rows without",
                "expected",
            ],
        ),
        (
            "no_values_swm.h5",
            ["`observation`: it holds rows without values", "expected"],
        ),
        (
            "no_rows.hdf5",
            [
                "`observations`: no memory holds its shape",
                "[0, 8589934592, 8589934592]",
            ],
        ),
    ] {
        let message = error(name, None);
        for part in parts {
            assert!(message.contains(part), "{part:?} in {message}");
        }
    }
}

/// Every shorter file, and every file with some bytes of another value, is read or refused: no
/// panic, and no more memory than the file can fill.
#[test]
fn damaged_files_are_refused_in_words() {
    for name in [
        "d4rl.hdf5",
        "swm.h5",
        "minari_images.hdf5",
        "minari_box/data/main_data.hdf5",
    ] {
        let bytes = fs::read(file(name)).unwrap();
        let mut refused = 0;
        for part in 0..40 {
            let length = bytes.len() * part / 40;
            let read = Trajectories::read_hdf5_bytes("cut", &bytes[..length], None);
            if let Err(error) = read {
                refused += 1;
                assert!(error.to_string().starts_with("cut: "), "{error}");
            }
        }
        assert!(refused > 30, "{name}: only {refused} of 40 are refused");
        // A fixed sequence of places and values, by a multiplier that visits them all over.
        let mut state = 1_u64;
        for _ in 0..150 {
            let mut damaged = bytes.clone();
            for _ in 0..3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let at = (state >> 20) as usize % damaged.len();
                damaged[at] = (state >> 56) as u8;
            }
            let _ = Trajectories::read_hdf5_bytes("damaged", &damaged, None);
        }
    }
}
