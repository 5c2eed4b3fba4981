use serde_json::json;
use tellapart::data::{Actions, Frames};
use tellapart::files::{Array, Values};
use tellapart::{Trajectories, TrajectoryParts};

use crate::run::{Folder, assert_snapshot};

/// Three episodes of a world with one contradiction: observation 9 is seen with two values of
/// `aux`, and from observation 1 action 0 leads to 2 and to 3.
fn recording(folder: &Folder) {
    let trajectories = Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![1],
            values: vec![1.0, 2.0, 9.0, 1.0, 3.0, 9.0, 4.0, 5.0, 6.0],
        },
        actions: Actions::Discrete {
            count: 3,
            ids: vec![0, 1, 0, 0, 1, 0, 0, 2, 0],
        },
        rewards: Some(Values::F32(vec![
            0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.5,
        ])),
        aux: Some(Array {
            shape: vec![9, 1],
            values: Values::U16((0..9).collect()),
        }),
        terminals: vec![false, false, true, false, false, true, false, false, true],
        timeouts: vec![false; 9],
        ..TrajectoryParts::default()
    });
    trajectories
        .unwrap()
        .write_npz(folder.path("data.npz"))
        .unwrap();
}

#[test]
fn a_recording_says_what_it_shows_and_what_it_leaves_open() {
    let folder = Folder::new();
    recording(&folder);
    let mut text = String::new();
    for pair in ["0 1", "0 2", "0 6", "2 5"] {
        text += &folder.fine(&format!("evidence data.npz --pair {pair}"));
        text += "\n";
    }
    text += &folder.fine("evidence data.npz --p aux --tolerance 3.5 --pair 0 6");
    assert_snapshot("evidence", &text);

    let found = folder.json("evidence data.npz --pair 0 2 --json");
    assert_eq!(
        found,
        json!({
            "schema": "tellapart.evidence/2",
            "p": "rewards", "p_of": "observation", "p_unknown": 0, "notes": [],
            "world": {
                "kind": "cannot-be-told", "said_by": "data", "compared": 1, "expected_by_chance": 0.0,
                "steps": 6, "differing": 0,
                "example": null, "example_actions": null, "cut_off": null,
            },
            "rows": 9, "episodes": 3, "observations": 7, "actions": 3, "action_names": ["0", "1", "2"],
            "recorded_steps": 5, "coverage": 5.0 / 21.0, "classes_separated_by_coverage": 6,
            "contradictions": [
                { "observation": 0, "kind": "successor", "action": 0, "rows": [0, 3] },
            ],
            "unmerged_observations": 1,
            "pair": {
                "i": 0, "j": 2, "says": "distinguished", "separated_by_coverage": true,
                "witness": { "word": [], "rows": [0, 2], "p": [[0.0], [1.0]] },
                "depth": 0, "missing": 0, "missing_words": [],
            },
        })
    );
    let found = folder.json("evidence data.npz --pair 0 6 --json");
    assert_eq!(
        found["pair"]["missing_words"],
        json!([
            { "recorded_from": 0, "word": [0, 1], "leads_to": 2, "p": [1.0] },
            { "recorded_from": 6, "word": [0, 2], "leads_to": 8, "p": [0.5] },
        ])
    );
}

#[test]
fn a_recording_of_the_counting_world_needs_a_rule_for_its_actions() {
    let folder = Folder::new();
    folder.fine("collect counting --episodes 200 --seed 1 --out counting.npz");
    let message = folder.error(2, "evidence counting.npz");
    assert!(
        message.contains("counting.npz") && message.contains("sign"),
        "{message}"
    );
    let found = folder.json("evidence counting.npz --action-rule sign --json");
    assert_eq!(found["action_names"], json!(["<0", ">=0"]));
    // No objects look alike in every episode, and to add one leads to many different pictures.
    let contradictions = found["contradictions"].as_array().unwrap();
    assert!(
        contradictions
            .iter()
            .any(|found| found["kind"] == "successor")
    );
}

#[test]
fn bad_questions_are_refused() {
    let folder = Folder::new();
    recording(&folder);
    folder.write("text.npz", "hello");
    for (words, parts) in [
        ("evidence missing.npz", &["missing.npz: no such file"][..]),
        ("evidence text.npz", &["text.npz"]),
        (
            "evidence data.npz --pair 0 9",
            &["--pair", "row 9", "0 to 8"],
        ),
        ("evidence data.npz --pair 0", &["2 values required"]),
        (
            "evidence data.npz --p reward",
            &["data.npz", "`reward`", "rewards, aux"],
        ),
        ("evidence data.npz --tolerance -1", &["-1"]),
        ("evidence data.npz --tolerance NaN", &["NaN", "distance"]),
        ("evidence data.npz --action-rule sign", &["data.npz", "ids"]),
        ("evidence data.npz --action-rule some", &["some", "`sign`"]),
    ] {
        let message = folder.error(2, words);
        for part in parts {
            assert!(message.contains(part), "{words}: {message}");
        }
    }
}
