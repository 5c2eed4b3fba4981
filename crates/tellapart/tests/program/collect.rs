use tellapart::Trajectories;
use tellapart::data::Actions;

use crate::run::Folder;

#[test]
fn a_recording_has_the_episodes_and_the_hidden_truth() {
    let folder = Folder::new();
    let ran = folder.run("collect counting --episodes 20 --seed 4 --out a.npz");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    let recorded = Trajectories::read_npz(folder.path("a.npz")).unwrap();
    assert_eq!(
        ran.err,
        format!("a.npz: 20 episodes, {} observations\n", recorded.rows())
    );
    assert_eq!(recorded.episodes().count(), 20);
    assert_eq!(recorded.observations.shape(), [64, 64, 3]);
    assert!(recorded.state_ids.is_some() && recorded.rewards.is_some());
    let rows = recorded.rows();
    assert_eq!(recorded.extra["colors"].shape, [rows, 3]);
    assert_eq!(recorded.extra["positions"].shape, [rows, 8, 2]);
    assert_eq!(recorded.extra["shape_ids"].shape, [rows]);
    assert_eq!(folder.names(), ["a.npz"]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = Folder::new();
    for (name, seed) in [("a.npz", 1), ("b.npz", 1), ("c.npz", 2)] {
        folder.fine(&format!(
            "-q collect counting --episodes 5 --seed {seed} --out {name}"
        ));
    }
    let [a, b, c] =
        ["a.npz", "b.npz", "c.npz"].map(|name| std::fs::read(folder.path(name)).unwrap());
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn options_of_the_world_can_be_given() {
    let folder = Folder::new();
    folder.fine(
        "collect counting actions=one-hot-3 max_steps=10 value=dense shapes=line --episodes 8 \
         end_at_target=false --out a.npz",
    );
    let recorded = Trajectories::read_npz(folder.path("a.npz")).unwrap();
    assert!(recorded.episodes().all(|episode| episode.len() == 11));
    assert!(matches!(
        recorded.actions,
        Actions::Discrete { count: 3, .. }
    ));
    let rewards = recorded.rewards.as_ref().unwrap();
    assert!((0..rewards.len()).any(|row| rewards.number(row) > 1.0));
}

#[test]
fn the_gridworld_is_recorded_with_its_hidden_truth() {
    let folder = Folder::new();
    folder.fine("collect gridworld layout=..#,..G view_radius=2 --episodes 30 --out a.npz");
    let recorded = Trajectories::read_npz(folder.path("a.npz")).unwrap();
    assert_eq!(recorded.frame_shape().unwrap(), [40, 40, 3]);
    assert!(matches!(
        recorded.actions,
        Actions::Discrete { count: 4, .. }
    ));
    let states = recorded.state_ids.as_ref().unwrap();
    assert_eq!(states.iter().max(), Some(&4));
    let names: Vec<_> = recorded.extra.keys().collect();
    assert_eq!(names, ["positions", "tint_ids", "view_ids"]);
}

#[test]
fn the_policy_repeats_as_often_as_it_is_told() {
    let folder = Folder::new();
    for (flag, repeat) in [("", 1), ("--repeat 5", 5), ("--repeat 2", 2)] {
        folder.fine(&format!(
            "collect gridworld end_at_goal=false max_steps=29 --episodes 9 {flag} --out a.npz --force"
        ));
        let recorded = Trajectories::read_npz(folder.path("a.npz")).unwrap();
        let Actions::Discrete { ids, .. } = &recorded.actions else {
            panic!("ids")
        };
        // Nowhere shorter, and somewhere no longer.
        let runs = ids.chunk_by(|a, b| a == b).map(<[u32]>::len);
        assert!(runs.clone().all(|run| run % repeat == 0), "{flag}: {ids:?}");
        assert_eq!(runs.min(), Some(repeat), "{flag}: {ids:?}");
    }
    let message = folder.error(2, "collect gridworld --repeat 0 --episodes 1 --out b.npz");
    assert!(message.contains("--repeat"), "{message}");
}

#[test]
fn an_older_file_is_kept_unless_forced() {
    let folder = Folder::new();
    folder.write("a.npz", "mine");
    let message = folder.error(2, "collect counting --episodes 1 --out a.npz");
    assert!(
        message.contains("a.npz: exists already") && message.contains("--force"),
        "{message}"
    );
    assert_eq!(std::fs::read(folder.path("a.npz")).unwrap(), b"mine");
    folder.fine("collect counting --episodes 1 --out a.npz --force");
    assert!(Trajectories::read_npz(folder.path("a.npz")).is_ok());
}

#[test]
fn bad_requests_are_named_and_leave_nothing_behind() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("folder.npz")).unwrap();
    for (words, parts) in [
        (
            "collect counting --episodes 0 --out a.npz",
            &["'0'", "--episodes"][..],
        ),
        ("collect counting --episodes -3 --out a.npz", &["-3"]),
        (
            "collect counting --episodes 4000000000 --out a.npz",
            &["MiB", "record fewer"],
        ),
        ("collect counting --out a.npz", &["--episodes"]),
        ("collect counting --episodes 1", &["--out"]),
        (
            "collect conting --episodes 1 --out a.npz",
            &["conting", "counting"],
        ),
        (
            "collect counting max_step=3 --episodes 1 --out a.npz",
            &["did you mean `max_steps`?"],
        ),
        (
            "collect gridworld target=3 --episodes 1 --out a.npz",
            &["`target`", "layout"],
        ),
        (
            "collect gridworld layout=...,.. --episodes 1 --out a.npz",
            &["layout", "row 1", "2 cells"],
        ),
        (
            "collect counting max_steps --episodes 1 --out a.npz",
            &["key=value"],
        ),
        (
            "collect counting max_steps=0 --episodes 1 --out a.npz",
            &["max_steps", "at least 1"],
        ),
        (
            "collect counting max_steps=x --episodes 1 --out a.npz",
            &["max_steps=x: ", "a whole number"],
        ),
        (
            "collect counting --episodes 1 --out a.csv",
            &["a.csv", ".npz"],
        ),
        (
            "collect counting --episodes 1 --out no/a.npz",
            &["no/a.npz", "no folder"],
        ),
        (
            "collect counting --episodes 1 --out folder.npz",
            &["folder.npz: is a folder"],
        ),
    ] {
        let message = folder.error(2, words);
        for part in parts {
            assert!(message.contains(part), "{words}: {message}");
        }
    }
    assert_eq!(folder.names(), ["folder.npz"]);
}

/// Nobody may write there, not even the superuser.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let ran = Folder::new().run("collect counting --episodes 1 --out /proc/a.npz");
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
    assert!(ran.err.starts_with("error: /proc/a.npz: "), "{ran:?}");
}
