//! Names of actions in a recording, wherever the program prints a word.

use serde_json::json;
use tellapart::data::{Actions, Frames};
use tellapart::files::{Array, Values, write_npy};
use tellapart::{Trajectories, TrajectoryParts};

use crate::run::Folder;

/// Number of rows: episodes of three.
const ROWS: usize = 60;

/// Two worlds that look different and differ in `p` only after two steps. The embeddings keep the
/// first observations of both at one place.
fn recording(folder: &Folder, actions: Actions) {
    let kind = |row: usize| row / 3 % 2;
    let values = (0..ROWS).map(|row| (10 * kind(row) + row % 3) as f32);
    let ends = |row: usize| row % 3 == 2;
    Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![1],
            values: values.collect(),
        },
        actions,
        action_names: Some(["lift", "drop <all>"].map(str::to_owned).to_vec()),
        rewards: Some(Values::F32(
            (0..ROWS)
                .map(|row| f32::from(u8::from(ends(row) && kind(row) == 1)))
                .collect(),
        )),
        terminals: (0..ROWS).map(ends).collect(),
        timeouts: vec![false; ROWS],
        world_is_deterministic: Some(true),
        ..TrajectoryParts::default()
    })
    .unwrap()
    .write_npz(folder.path("data.npz"))
    .unwrap();
    let place = |row: usize| match row % 3 {
        0 => 0.0,
        step => (step + 4 * kind(row)) as f32,
    };
    let values = (0..ROWS).map(|row| place(row) + 1e-3 * (row % 7) as f32);
    let values = Values::F32(values.collect());
    write_npy(
        folder.path("z.npy"),
        &Array {
            shape: vec![ROWS, 1],
            values,
        },
    )
    .unwrap();
}

#[test]
fn words_of_a_recording_are_printed_by_the_names_of_its_actions() {
    let folder = Folder::new();
    recording(
        &folder,
        Actions::Discrete {
            count: 2,
            ids: (0..ROWS as u32).map(|row| row % 3 % 2).collect(),
        },
    );
    let said = folder.fine("inspect data.npz");
    assert!(said.contains("action_names            text"), "{said}");
    assert!(said.contains("2 named actions: lift, drop <all>"), "{said}");
    let names = json!(["lift", "drop <all>"]);
    assert_eq!(
        folder.json("inspect data.npz --json")["action_names"],
        names
    );

    let said = folder.fine("evidence data.npz --pair 0 3");
    assert!(said.contains("2 actions (lift, drop <all>)"), "{said}");
    assert!(said.contains("lift, drop <all>"), "{said}");
    assert_eq!(
        folder.json("evidence data.npz --json")["action_names"],
        names
    );

    let ran = folder.run("audit --data data.npz --embeddings z.npy --out page.html");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("lift"), "{ran:?}");
    let page = std::fs::read_to_string(folder.path("page.html")).unwrap();
    assert!(page.contains("drop &lt;all&gt;"), "no name, or not escaped");
    assert!(!page.contains("drop <all>"), "not escaped");
}

#[test]
fn names_of_vectors_are_not_those_of_the_bins_of_a_rule() {
    let folder = Folder::new();
    recording(
        &folder,
        Actions::Vectors {
            width: 1,
            values: Values::F32((0..ROWS).map(|row| [1.0, -1.0][row % 3 % 2]).collect()),
        },
    );
    let said = folder.fine("evidence data.npz --action-rule sign");
    assert!(said.contains("<0") && !said.contains("lift"), "{said}");
    assert!(
        folder
            .fine("inspect data.npz")
            .contains("2 named actions: lift")
    );
}
