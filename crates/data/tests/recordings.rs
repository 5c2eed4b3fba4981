//! Tests of recordings: they are read back bit for bit, and wrong ones are rejected by array and
//! row.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic fails the test, as it should"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tellapart_data::{Actions, BelongsTo, DataError, Frames, Trajectories, TrajectoryParts};
use tellapart_files::{Archive, ArchiveWriter, Array, Values};

fn finite() -> impl Strategy<Value = f32> {
    any::<u32>()
        .prop_map(f32::from_bits)
        .prop_filter("finite", |value| value.is_finite())
}

fn frames(rows: usize) -> impl Strategy<Value = Frames> {
    prop::collection::vec(1_usize..4, 0..4).prop_flat_map(move |shape| {
        let count = rows * shape.iter().product::<usize>();
        let (other, third) = (shape.clone(), shape.clone());
        prop_oneof![
            prop::collection::vec(any::<u8>(), count).prop_map(move |values| Frames::U8 {
                shape: shape.clone(),
                values
            }),
            prop::collection::vec(finite(), count).prop_map(move |values| Frames::F32 {
                shape: other.clone(),
                values
            }),
            prop::collection::vec(any::<i64>(), count).prop_map(move |values| Frames::Other {
                shape: third.clone(),
                values: Values::I64(values)
            }),
        ]
    })
}

fn actions(rows: usize) -> impl Strategy<Value = Actions> {
    prop_oneof![
        (1_u32..5).prop_flat_map(move |count| {
            prop::collection::vec(0..count, rows).prop_map(move |ids| Actions::Discrete {
                count: count as usize,
                ids,
            })
        }),
        (1_usize..3).prop_flat_map(move |width| {
            prop::collection::vec(finite(), rows * width).prop_map(move |values| Actions::Vectors {
                width,
                values: Values::F32(values),
            })
        }),
    ]
}

fn aux(rows: usize) -> impl Strategy<Value = Array> {
    (1_usize..3).prop_flat_map(move |width| {
        prop::collection::vec(finite(), rows * width).prop_map(move |values| Array {
            shape: vec![rows, width],
            values: Values::F64(values.into_iter().map(f64::from).collect()),
        })
    })
}

fn extra(rows: usize) -> impl Strategy<Value = BTreeMap<String, Array>> {
    prop::collection::vec(any::<i16>(), rows * 2).prop_map(move |values| {
        let array = Array::new(vec![rows, 2], Values::I16(values)).unwrap();
        BTreeMap::from([("positions".to_owned(), array)])
    })
}

/// Names for as many actions as there are; vectors may have any number of names.
fn named(actions: &Actions, stem: &str) -> Vec<String> {
    let count = match actions {
        Actions::Discrete { count, .. } => *count,
        Actions::Vectors { .. } => 3,
    };
    (0..count).map(|id| format!("{stem}{id}")).collect()
}

fn trajectories() -> impl Strategy<Value = Trajectories> {
    (1_usize..20).prop_flat_map(|rows| {
        let bools = || prop::collection::vec(any::<bool>(), rows);
        let columns = (
            prop::option::of(prop::collection::vec(finite(), rows)),
            prop::option::of(aux(rows)),
            prop::option::of(prop::collection::vec(any::<u32>(), rows)),
            prop::option::of(any::<u8>().prop_map(move |split| vec![split; rows])),
            prop_oneof![Just(BTreeMap::new()), extra(rows)],
        );
        let stem = prop::option::of("[a-z\u{e9}\u{2190}]{0,3}");
        (frames(rows), actions(rows), stem, bools(), bools(), columns).prop_map(
            |(observations, actions, stem, terminals, timeouts, columns)| {
                let action_names = stem.map(|stem| named(&actions, &stem));
                let (rewards, aux, state_ids, splits, extra) = columns;
                Trajectories::new(TrajectoryParts {
                    observations,
                    actions,
                    action_names,
                    rewards: rewards.map(Values::F32),
                    aux,
                    terminals,
                    timeouts,
                    state_ids,
                    splits,
                    world_is_deterministic: Some(true),
                    extra,
                })
                .unwrap()
            },
        )
    })
}

proptest! {
    // Few cases, since each one waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn are_read_back_bit_for_bit(trajectories in trajectories()) {
        let folder = tempfile::tempdir().unwrap();
        let (path, again) = (folder.path().join("a.npz"), folder.path().join("b.npz"));
        trajectories.write_npz(&path).unwrap();
        let read = Trajectories::read_npz(&path).unwrap();
        prop_assert_eq!(&read, &trajectories);
        // -0.0 == 0.0, so equality alone would not show every bit.
        read.write_npz(&again).unwrap();
        prop_assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    }
}

proptest! {
    #[test]
    fn episodes_cover_every_row_once_and_end_where_they_say(trajectories in trajectories()) {
        let mut next = 0;
        for episode in trajectories.episodes() {
            prop_assert_eq!(episode.start, next);
            prop_assert!(!episode.is_empty());
            for row in episode.clone() {
                let marked = trajectories.terminals[row] || trajectories.timeouts[row];
                let last = row + 1 == trajectories.rows();
                prop_assert_eq!(row + 1 == episode.end, marked || last);
            }
            next = episode.end;
        }
        prop_assert_eq!(next, trajectories.rows());
    }
}

#[test]
fn a_file_from_numpy_is_understood() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/gymnasium_like.npz");
    let read = Trajectories::read_npz(path).unwrap();
    let Frames::U8 { shape, values } = &read.observations else {
        panic!("frames")
    };
    assert_eq!(shape, &[2, 2, 3]);
    assert!(values.iter().copied().eq(0..72));
    assert_eq!(
        read.rewards,
        Some(Values::F64(vec![0.0, 0.5, 1.0, 1.5, 2.0, 2.5]))
    );
    assert_eq!(read.episodes().collect::<Vec<_>>(), [0..3, 3..6]);
    assert_eq!(
        read.actions,
        Actions::Discrete {
            count: 3,
            ids: vec![0, 2, 0, 1, 0, 0]
        }
    );
    assert_eq!(
        read.extra["shape_ids"].values,
        Values::I16(vec![0, 1, 2, 3, 4, 5])
    );
    let left_out: Vec<_> = read.left_out().iter().map(|out| &out.name[..]).collect();
    assert_eq!(left_out, ["seed", "author"]);
    assert_eq!(read.column("shape_ids").unwrap().values[5], 5.0);
    let message = read.column("colors").unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no array `colors`; these can be used: rewards, shape_ids (left out: seed: it is a single value, author: it holds no numbers)"
    );
}

/// Writes a good recording of 100 rows, with one array replaced or left out.
fn write_with(folder: &Path, name: &str, replacement: Option<Array>) -> PathBuf {
    let n = 100;
    let array = |shape: &[usize], values: Values| Array::new(shape.to_vec(), values).unwrap();
    let mut arrays = BTreeMap::from([
        (
            "observations",
            array(&[n, 2, 2, 1], Values::U8(vec![0; n * 4])),
        ),
        ("actions", array(&[n], Values::I64(vec![1; n]))),
        ("rewards", array(&[n], Values::F64(vec![0.5; n]))),
        (
            "terminals",
            array(
                &[n],
                Values::Bool((0..n).map(|row| row % 10 == 9).collect()),
            ),
        ),
        ("timeouts", array(&[n], Values::Bool(vec![false; n]))),
    ]);
    arrays.remove(name);
    arrays.extend(replacement.map(|array| (name, array)));
    let path = folder.join("data.npz");
    let mut writer = ArchiveWriter::create(&path).unwrap();
    for (name, array) in &arrays {
        writer.add(name, array).unwrap();
    }
    writer.finish().unwrap();
    path
}

#[test]
fn what_is_wrong_is_named_by_file_array_and_row() {
    let floats = |count: usize, row: usize, wrong: f64| {
        let mut values = vec![0.0; count];
        values[row] = wrong;
        Values::F64(values)
    };
    let cases: Vec<(&str, Vec<usize>, Values, &str)> = vec![
        (
            "actions",
            vec![99],
            Values::I64(vec![0; 99]),
            "array `actions` has 99 rows, but `observations` has 100",
        ),
        (
            "rewards",
            vec![100, 2],
            floats(200, 0, 0.0),
            "array `rewards` has shape [100, 2]",
        ),
        (
            "aux",
            vec![],
            Values::F32(vec![1.0]),
            "array `aux` has shape []",
        ),
        (
            "terminals",
            vec![100],
            Values::U8(vec![2; 100]),
            "array `terminals`, row 0: 2 (uint8), but a bool",
        ),
        (
            "terminals",
            vec![100],
            floats(100, 0, 0.5),
            "array `terminals`, row 0: 0.5 (float64)",
        ),
        (
            "timeouts",
            vec![50, 2],
            Values::Bool(vec![false; 100]),
            "array `timeouts` has shape [50, 2]",
        ),
        (
            "actions",
            vec![100],
            Values::I64(vec![-1; 100]),
            "array `actions`, row 0: -1 (int64)",
        ),
        (
            "actions",
            vec![100],
            Values::U32(vec![4_000_000_000; 100]),
            "array `actions`, row 0: 4000000001",
        ),
        (
            "actions",
            vec![100],
            floats(100, 3, f64::NAN),
            "array `actions`, row 3: NaN",
        ),
        (
            "action_count",
            vec![],
            Values::U64(vec![1]),
            "array `actions`, row 0: 1, but an action id below 1",
        ),
        (
            "action_count",
            vec![],
            Values::U64(vec![1 << 31]),
            "array `action_count`, row 0: 2147483648 actions",
        ),
        (
            "observations",
            vec![100, 1],
            floats(100, 42, f64::NAN),
            "array `observations`, row 42: NaN",
        ),
        (
            "observations",
            vec![0, 4],
            Values::U8(vec![]),
            "`observations` has no rows",
        ),
        (
            "observations",
            vec![100, 0],
            Values::U8(vec![]),
            "array `observations` has shape",
        ),
        (
            "state_ids",
            vec![100],
            Values::I32(vec![-5; 100]),
            "array `state_ids`, row 0: -5 (int32)",
        ),
        (
            "splits",
            vec![100],
            Values::I32(vec![256; 100]),
            "array `splits`, row 0: 256",
        ),
        (
            "splits",
            vec![100],
            Values::U8((0..100).map(|row| u8::from(row > 54)).collect()),
            "array `splits`, row 55: 1",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, shape, values, part) in cases {
        let array = Array::new(shape, values).unwrap();
        let path = write_with(folder.path(), name, Some(array));
        let message = Trajectories::read_npz(&path).unwrap_err().to_string();
        assert!(message.contains(part), "{name}: {message}");
        assert!(message.starts_with(path.to_str().unwrap()), "{message}");
    }
}

#[test]
fn actions_mean_nothing_where_an_episode_ends() {
    let folder = tempfile::tempdir().unwrap();
    let ends = |row: usize| row % 10 == 9;
    let ids = (0..100).map(|row| if ends(row) { -1 } else { 1 }).collect();
    let array = Array::new(vec![100], Values::I64(ids)).unwrap();
    let read = Trajectories::read_npz(write_with(folder.path(), "actions", Some(array))).unwrap();
    assert!(matches!(&read.actions, Actions::Discrete { count: 2, ids } if ids[9] == 0));

    // Without a number of actions, and with one that the mark is beyond.
    let ids: Vec<u8> = (0..100)
        .map(|row| if ends(row) { 255 } else { row as u8 % 3 })
        .collect();
    for count in [None, Some(3)] {
        let path = folder.path().join("marked.npz");
        let mut writer = ArchiveWriter::create(&path).unwrap();
        let terminals: Vec<bool> = (0..100).map(ends).collect();
        writer
            .add_slice("observations", &[100, 1], &[0.0_f32; 100])
            .unwrap();
        writer.add_slice("actions", &[100], &ids).unwrap();
        if let Some(count) = count {
            writer.add_slice("action_count", &[], &[count]).unwrap();
        }
        writer.add_slice("terminals", &[100], &terminals).unwrap();
        writer.finish().unwrap();
        let read = Trajectories::read_npz(path).unwrap();
        assert!(matches!(&read.actions, Actions::Discrete { count: 3, ids } if ids[9] == 0));
    }

    let values = (0..100)
        .map(|row| if ends(row) { f32::NAN } else { 0.5 })
        .collect();
    let array = Array::new(vec![100], Values::F32(values)).unwrap();
    let read = Trajectories::read_npz(write_with(folder.path(), "actions", Some(array))).unwrap();
    let two_episodes = 0..20;
    let batch = read
        .batch(&[two_episodes], &read.column("rewards").unwrap())
        .unwrap();
    assert_eq!(batch.actions[8..11], [0.5, 0.0, 0.5]);
}

#[test]
fn some_arrays_may_be_absent_and_some_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name| Trajectories::read_npz(write_with(folder.path(), name, None));
    assert!(read("rewards").unwrap().rewards.is_none());
    assert_eq!(read("timeouts").unwrap().episodes().count(), 10);
    assert_eq!(read("terminals").unwrap().episodes().count(), 1);
    for name in ["observations", "actions"] {
        let message = read(name).unwrap_err().to_string();
        assert!(
            message.contains(&format!("no array `{name}`; it has")),
            "{message}"
        );
    }
    let missing = Trajectories::read_npz(folder.path().join("none.npz"));
    assert!(missing.unwrap_err().to_string().contains("no such file"));
    assert!(matches!(
        Trajectories::read_npz(folder.path()),
        Err(DataError::File(_))
    ));
}

#[test]
fn truncated_files_are_errors_wherever_they_end() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(write_with(folder.path(), "none", None)).unwrap();
    for length in (0..bytes.len()).step_by(13) {
        let opened = Archive::from_bytes("data.npz", bytes[..length].to_vec());
        let read = opened
            .map_err(DataError::from)
            .and_then(|mut archive| Trajectories::read_archive(&mut archive));
        assert!(read.is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn names_of_the_format_are_not_additional_arrays() {
    let parts = TrajectoryParts {
        observations: Frames::U8 {
            shape: vec![1],
            values: vec![0],
        },
        actions: Actions::Discrete {
            count: 1,
            ids: vec![0],
        },
        terminals: vec![true],
        timeouts: vec![false],
        ..TrajectoryParts::default()
    };
    let with = |name: &str, shape: Vec<usize>| {
        let array = Array {
            shape,
            values: Values::U8(vec![0]),
        };
        let extra = BTreeMap::from([(name.to_owned(), array)]);
        Trajectories::new(TrajectoryParts {
            extra,
            ..parts.clone()
        })
    };
    assert!(with("colors", vec![1]).is_ok());
    assert!(matches!(
        with("rewards", vec![1]),
        Err(DataError::ReservedName { .. })
    ));
    assert!(matches!(
        with("colors", vec![2]),
        Err(DataError::Shape { .. })
    ));
    assert!(matches!(
        with("colors", vec![]),
        Err(DataError::Shape { .. })
    ));
}

/// A name that others use must not say anything about the world.
#[test]
fn only_our_name_says_what_the_world_is() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, flags: &[bool]| {
        let path = write_with(folder.path(), "none", None);
        let whole = Trajectories::read_npz(&path).unwrap();
        let mut writer = ArchiveWriter::create(&path).unwrap();
        let (rows, width) = (whole.rows(), whole.observations.len() / whole.rows());
        let numbers = whole.observations.numbers(0..rows);
        writer
            .add_slice("observations", &[rows, width], &numbers)
            .unwrap();
        writer
            .add_slice("actions", &[rows], &vec![0_u8; rows])
            .unwrap();
        writer
            .add_slice("terminals", &[rows], &whole.terminals)
            .unwrap();
        let shape = if flags.len() == 1 {
            vec![]
        } else {
            vec![flags.len()]
        };
        writer.add_slice(name, &shape, flags).unwrap();
        writer.finish().unwrap();
        Trajectories::read_npz(&path)
    };
    let found = read("world_is_deterministic", &[true]).unwrap();
    assert_eq!(found.world_is_deterministic, Some(true));
    let error = read("world_is_deterministic", &[true; 100])
        .unwrap_err()
        .to_string();
    assert!(error.contains("one single bool"), "{error}");
    for flags in [&[true][..], &[true; 100]] {
        let found = read("deterministic", flags).unwrap();
        assert_eq!(found.world_is_deterministic, None);
        assert_eq!(found.extra.contains_key("deterministic"), flags.len() > 1);
    }
}

#[test]
fn a_second_array_of_a_meaning_is_named_and_must_agree_on_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.npz");
    let read = |dones: [bool; 4]| {
        let mut writer = ArchiveWriter::create(&path).unwrap();
        writer
            .add_slice("observations", &[4, 1], &[0.0_f32; 4])
            .unwrap();
        writer.add_slice("actions", &[4], &[0_u8; 4]).unwrap();
        for name in ["rewards", "next.reward"] {
            writer.add_slice(name, &[4], &[0.5_f32; 4]).unwrap();
        }
        let terminals = [false, true, false, false];
        writer.add_slice("terminals", &[4], &terminals).unwrap();
        writer.add_slice("dones", &[4], &dones).unwrap();
        writer.finish().unwrap();
        Trajectories::read_npz(&path)
    };
    let found = read([false, true, false, true]).unwrap();
    let reasons: Vec<_> = found
        .left_out()
        .iter()
        .map(|out| (&out.name[..], &out.reason[..]))
        .collect();
    assert!(
        reasons
            .iter()
            .any(|(name, reason)| *name == "next.reward" && reason.contains("`rewards`"))
    );
    assert!(
        reasons.iter().any(|(name, _)| *name == "dones"),
        "{reasons:?}"
    );
    assert!(
        found
            .auxiliary("next.reward", BelongsTo::Observation)
            .is_ok()
    );
    // The name in the file will do as well as that of the format.
    let array = |values: Values| Array::new(vec![2], values).unwrap();
    let arrays = [
        ("observations", array(Values::F32(vec![0.0, 1.0]))),
        ("next.reward", array(Values::F32(vec![0.0, 1.0]))),
        ("actions", array(Values::U8(vec![0, 1]))),
        ("done", array(Values::U8(vec![0, 1]))),
    ];
    let arrays = arrays.map(|(name, array)| (name.to_owned(), array));
    let found = Trajectories::from_arrays(BTreeMap::from(arrays), None).unwrap();
    assert_eq!(found.belongs_to("next.reward"), BelongsTo::Step);
    let values = found.auxiliary("next.reward", BelongsTo::Observation);
    assert_eq!(values.unwrap().ids(), [0, 1]);
    let error = read([true, true, false, true]).unwrap_err().to_string();
    assert!(error.contains("array `dones`, row 0: an end"), "{error}");
}
