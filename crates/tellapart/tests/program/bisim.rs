use serde_json::json;
use tellapart::files::{ArchiveWriter, Array, Values};
use tellapart::system::{ActionId, MooreMachineBuilder, StateId, generate, read, write};

use crate::run::{Folder, assert_snapshot};

/// 90 states, 9 classes of unequal sizes.
fn with_nuisances(folder: &Folder) {
    let machine = generate::with_nuisances(&generate::counter(9).unwrap(), 10, 7).unwrap();
    write::npz(&machine, folder.path("system.npz")).unwrap();
}

const LIFT: &str =
    "des (0, 5, 4)\n(0, \"up\", 1)\n(1, \"down\", 0)\n(2, up, 3)\n(3, down, 2)\n(3, \"ring\", 3)\n";

#[test]
fn the_counting_world_has_nine_classes() {
    let folder = Folder::new();
    assert_snapshot(
        "bisim-counting",
        &folder.fine("bisim counting --witness 0 8"),
    );
    assert_eq!(
        folder.json("bisim counting --witness 0 8 --classes --json"),
        json!({
            "schema": "tellapart.bisim/1",
            "states": 9, "actions": 2, "outputs": 2, "classes": 9,
            "action_names": ["remove", "add"],
            "class_of": [0, 1, 2, 3, 4, 5, 6, 7, 8],
            "bisimilar": false,
            "witness": { "a": 0, "b": 8, "word": [0, 0, 0, 0], "leads_to": [0, 4] },
        })
    );
    assert_eq!(folder.json("bisim counting --json")["witness"], json!(null));
    let dense = folder.json("bisim counting value=dense actions=one-hot-3 --json");
    assert_eq!(
        (&dense["actions"], &dense["outputs"]),
        (&json!(3), &json!(5))
    );
}

#[test]
fn the_gridworld_has_a_class_for_each_cell() {
    let folder = Folder::new();
    assert_snapshot(
        "bisim-gridworld",
        &folder.fine("bisim gridworld --witness 0 21"),
    );
    // Two closed rooms with a goal each: what is the same in both is bisimilar.
    let rooms = folder.json("bisim gridworld layout=.G#.G,..#.. stay=true --json");
    assert_eq!(
        (&rooms["states"], &rooms["classes"]),
        (&json!(8), &json!(4))
    );
    assert_eq!(
        rooms["action_names"],
        json!(["up", "down", "left", "right", "stay"])
    );
}

#[test]
fn a_file_with_nuisances_is_reduced_to_nine_classes() {
    let folder = Folder::new();
    with_nuisances(&folder);
    let ran = folder.run("bisim system.npz --witness 0 1 --quotient small.npz");
    assert_eq!(ran.err, "small.npz: the quotient was written\n");
    assert_snapshot("bisim-npz", &ran.out);
    assert_eq!(read::npz(folder.path("small.npz")).unwrap().states(), 9);
    assert_eq!(folder.json("bisim small.npz --json")["classes"], json!(9));
    let document = folder.json("bisim system.npz --witness 0 1 --classes --json");
    assert_eq!(document["class_of"].as_array().unwrap().len(), 90);
    assert_eq!(
        (&document["bisimilar"], &document["witness"]),
        (&json!(true), &json!(null))
    );
}

#[test]
fn outputs_are_equal_within_a_tolerance_and_results_are_verified() {
    let folder = Folder::new();
    let noise = [0.0, 0.01, 1.0, 0.02];
    let mut builder = MooreMachineBuilder::new(4, 1).unwrap();
    for (state, value) in (0..).map(StateId::new).zip(noise) {
        let next = StateId::new((state.get() + 1) % 4);
        builder.transition(state, ActionId::new(0), next).unwrap();
        builder.output_value(state, &[value]).unwrap();
    }
    write::npz(&builder.build().unwrap(), folder.path("noisy.npz")).unwrap();
    let text = folder.fine("bisim noisy.npz --tolerance 0.05 --verify");
    assert!(text.contains("2 outputs (equal within 0.05)"), "{text}");
    assert!(text.contains("\nverified: "), "{text}");
    let document = folder.json("bisim noisy.npz --tolerance 0.05 --verify --json");
    assert_eq!(document["tolerance"], json!(0.05));
    assert_eq!(document["verified"], json!(true));
    let plain = folder.json("bisim noisy.npz --json");
    assert!(plain.get("tolerance").is_none() && plain.get("verified").is_none());

    let message = folder.error(2, "bisim noisy.npz --tolerance 0.015");
    assert!(
        message.contains("state 0 has [0] and state 1 has [0.01]") && message.contains("state 3"),
        "{message}"
    );
    let message = folder.error(2, "bisim gridworld --tolerance much");
    assert!(message.contains("'much'"), "{message}");
}

#[test]
fn labels_of_aldebaran_files_are_actions() {
    let folder = Folder::new();
    folder.write("lift.aut", LIFT);
    assert_snapshot(
        "bisim-aut",
        &folder.fine("bisim lift.aut --witness 0 2 --classes"),
    );
    folder.fine("bisim lift.aut --quotient small.aut");
    assert_eq!(folder.json("bisim small.aut --json")["states"], json!(4));
    // The same state, and outputs that differ at once.
    assert!(
        folder
            .fine("bisim lift.aut --witness 2 2")
            .contains("2 and 2 are bisimilar")
    );
    assert!(
        folder
            .fine("bisim lift.aut --witness 0 1")
            .contains("told apart at once")
    );
}

#[test]
fn long_lists_are_cut() {
    let folder = Folder::new();
    let machine = generate::chain(300).unwrap();
    write::npz(&machine, folder.path("chain.npz")).unwrap();
    let text = folder.fine("bisim chain.npz --witness 0 1");
    assert!(text.contains(" more\n") && text.len() < 1000, "{text}");
    let word = folder.json("bisim chain.npz --witness 0 1 --json")["witness"]["word"].clone();
    assert!(word.as_array().unwrap().len() > 200);
}

#[test]
fn an_older_quotient_is_kept_unless_forced() {
    let folder = Folder::new();
    folder.write("old.aut", "mine");
    let message = folder.error(2, "bisim counting --quotient old.aut");
    assert_eq!(
        message,
        "error: old.aut: exists already; name another file, or replace it with --force\n"
    );
    assert_eq!(std::fs::read(folder.path("old.aut")).unwrap(), b"mine");
    folder.fine("bisim counting --quotient old.aut --force");
    assert_ne!(std::fs::read(folder.path("old.aut")).unwrap(), b"mine");
}

#[test]
fn bad_systems_are_named() {
    let folder = Folder::new();
    with_nuisances(&folder);
    folder.write("branching.aut", "des (0, 2, 2)\n(0, a, 0)\n(0, a, 1)\n");
    folder.write("text.dat", "hello");
    let bytes = std::fs::read(folder.path("system.npz")).unwrap();
    folder.write("cut.npz", &bytes[..bytes.len() / 2]);
    let mut archive = ArchiveWriter::create(folder.path("wild.npz")).unwrap();
    for (name, shape, values) in [
        ("next", vec![2, 1], vec![0, 7]),
        ("output", vec![2], vec![0, 1]),
    ] {
        archive
            .add(
                name,
                &Array {
                    shape,
                    values: Values::I64(values),
                },
            )
            .unwrap();
    }
    archive.finish().unwrap();

    for (words, parts) in [
        ("bisim missing.npz", &["missing.npz: no such file"][..]),
        ("bisim .", &[".: is a folder"]),
        ("bisim text.dat", &["text.dat", ".npz", ".aut"]),
        ("bisim cut.npz", &["cut.npz", "truncated"]),
        ("bisim wild.npz", &["wild.npz", "state 1", "action 0", "7"]),
        (
            "bisim branching.aut",
            &["branching.aut:3", "state 0", "\"a\"", "deterministic"],
        ),
        (
            "bisim system.npz --witness 0 90",
            &["--witness", "state 90", "0 to 89"],
        ),
        ("bisim system.npz --witness 0", &["2 values required"]),
        ("bisim system.npz --witness 0 one", &["'one'"]),
        ("bisim system.npz --witness 0 -1", &["-1"]),
        ("bisim system.npz value=dense", &["value=dense", "built-in"]),
        (
            "bisim counting valu=dense",
            &["`valu`", "did you mean `value`?"],
        ),
        ("bisim countin", &["no such file", "counting, gridworld"]),
        ("bisim counting --quotient q.txt", &["q.txt", ".npz, .aut"]),
        (
            "bisim counting --quotient no/q.aut",
            &["no/q.aut", "no folder"],
        ),
    ] {
        let message = folder.error(2, words);
        for part in parts {
            assert!(message.contains(part), "{words}: {message}");
        }
    }
}
