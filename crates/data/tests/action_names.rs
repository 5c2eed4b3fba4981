//! Names of actions: what a recording may hold, and where they are used.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::path::{Path, PathBuf};

use tellapart_data::{ActionRule, Actions, DataError, Frames, Trajectories, TrajectoryParts};
use tellapart_files::Values;
use tellapart_files::{Archive, ArchiveWriter};

/// Makes a recording of one episode of three rows.
fn recording(actions: Actions, names: &[&str]) -> Result<Trajectories, DataError> {
    Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![1],
            values: vec![0.0; 3],
        },
        actions,
        action_names: Some(names.iter().map(|&name| name.to_owned()).collect()),
        terminals: vec![false, false, true],
        timeouts: vec![false; 3],
        ..TrajectoryParts::default()
    })
}

fn ids(count: usize) -> Actions {
    Actions::Discrete {
        count,
        ids: vec![0, 1, 0],
    }
}

#[test]
fn actions_go_by_their_recorded_names() {
    let found = recording(ids(3), &["up", "down", "no-op"]).unwrap();
    let actions = found.finite_actions(None).unwrap();
    let names = [0, 1, 2].map(|action| actions.name(action));
    assert_eq!(names, ["up", "down", "no-op"]);
}

#[test]
fn no_rule_for_vectors_takes_the_names_for_its_own_actions() {
    let vectors = Actions::Vectors {
        width: 1,
        values: Values::F32(vec![-1.0, 1.0, 0.0]),
    };
    let found = recording(vectors, &["remove", "add"]).unwrap();
    for (rule, expected) in [("sign", ["<0", ">=0"]), ("distinct", ["-1", "1"])] {
        let rule: ActionRule = rule.parse().unwrap();
        let actions = found.finite_actions(Some(&rule)).unwrap();
        assert_eq!([0, 1].map(|action| actions.name(action)), expected);
    }
}

#[test]
fn names_that_would_mislead_are_refused() {
    let long = "a".repeat(101);
    for (names, part) in [
        (&["up"][..], "has 1 names, but there are 2 actions"),
        (&["up", "down", "left"], "has 3 names"),
        (&["up", ""], "row 1: \"\""),
        (&[" ", "down"], "row 0: \" \""),
        (&["up ", "down"], "blanks at either end"),
        (&["up", "up"], "the name of action 0"),
        (&["up", "do\nwn"], "control characters"),
        (&["up", "\u{1b}[31mred"], "control characters"),
        (&["up", "\u{202e}nwod"], "control characters"),
        (&["up", &long], "at most 100"),
    ] {
        let message = recording(ids(2), names).unwrap_err().to_string();
        assert!(message.contains(part), "{names:?}: {message}");
        assert!(message.contains("`action_names`"), "{message}");
    }
}

/// Writes a recording of the ids 0 and 1, without `action_count`, and these names as text.
fn written(folder: &Path, names: &[&str]) -> PathBuf {
    let path = folder.join("named.npz");
    let mut writer = ArchiveWriter::create(&path).unwrap();
    writer
        .add_slice("observations", &[3, 1], &[0.0_f32; 3])
        .unwrap();
    writer.add_slice("actions", &[3], &[0_i64, 1, -1]).unwrap();
    writer
        .add_slice("terminals", &[3], &[false, false, true])
        .unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    writer.add_strings("action_names", &names).unwrap();
    writer.finish().unwrap();
    path
}

#[test]
fn names_state_the_number_of_actions_if_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &["up", "down", "never taken"]);
    let found = Trajectories::read_npz(path).unwrap();
    assert!(matches!(found.actions, Actions::Discrete { count: 3, .. }));
    assert!(found.left_out().is_empty());
    let path = written(folder.path(), &["up"]);
    let message = Trajectories::read_npz(path).unwrap_err().to_string();
    assert!(message.contains("named.npz"), "{message}");
    assert!(
        message.contains("1 names, but there are 2 actions"),
        "{message}"
    );
}

#[test]
fn names_that_are_no_list_of_text_say_how_to_save_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.npz");
    let mut writer = ArchiveWriter::create(&path).unwrap();
    writer
        .add_slice("observations", &[3, 1], &[0.0_f32; 3])
        .unwrap();
    writer.add_slice("actions", &[3], &[0_i64, 1, -1]).unwrap();
    writer
        .add_slice("terminals", &[3], &[false, false, true])
        .unwrap();
    writer.add_slice("action_names", &[2], &[1_i64, 2]).unwrap();
    writer.finish().unwrap();
    let message = Trajectories::read_npz(&path).unwrap_err().to_string();
    for part in ["numbers.npz", "`action_names`", "dtype=str"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn truncated_names_are_errors_wherever_they_end() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(written(folder.path(), &["up", "down"])).unwrap();
    assert!(bytes.len() > 100);
    for length in 0..bytes.len() {
        let opened = Archive::from_bytes("data.npz", bytes[..length].to_vec());
        let read = opened
            .map_err(DataError::from)
            .and_then(|mut archive| Trajectories::read_archive(&mut archive));
        assert!(read.is_err(), "{length} of {} bytes", bytes.len());
    }
}
