//! Explicit models with labels and rewards beside them: what the commands read, and say of it.

use std::path::Path;

use serde_json::{Value, json};
use tellapart::files::{ArchiveWriter, Array, Values};

use crate::run::Folder;

/// A ring of four states. The labels alone make two classes, and each structure splits one.
fn ring(folder: &Folder) {
    folder.write("m.tra", "4 4\n0 1 1\n1 2 1\n2 3 1\n3 0 1\n");
    folder.write("m.lab", "0=\"init\" 1=\"x\"\n0: 0\n1: 1\n3: 1\n");
    folder.write(
        "m1.srew",
        "# Reward structure \"time\"\n# State rewards\n4 2\n0 1\n2 1\n",
    );
    folder.write(
        "m2.trew",
        "# Reward structure \"cost\"\n# Transition rewards\n4 1\n3 0 1/3\n",
    );
    folder.write("m.sta", "(s)\n0:(0)\n1:(1)\n2:(2)\n3:(3)\n");
}

#[test]
fn states_with_different_rewards_are_told_apart() {
    let folder = Folder::new();
    ring(&folder);
    let text = folder.fine("bisim m.tra --witness 0 2");
    assert_eq!(
        text,
        "m.tra: 4 states, 1 action (0), 3 outputs\n\
         read with it: m.lab (labels), m1.srew (rewards of states, \"time\"), m2.trew (rewards of \
         transitions, \"cost\")\n\
         values of outputs: time, cost(0)\n\
         not read: m.sta (variables of states are no outputs)\n\
         largest bisimulation: 4 classes, each state in its own\n\
         states 0 and 2 are told apart by 1 action: 0\n  \
         from state 0 to state 1: output [0, 0]; label x\n  \
         from state 2 to state 3: output [0, 0.3333333333333333]; label x\n"
    );
    for (words, classes) in [
        ("all", 4),
        ("none", 2),
        ("time", 2),
        ("m2.trew", 4),
        ("2,1", 4),
    ] {
        let document = folder.json(&format!("bisim m.tra --rewards {words} --json"));
        assert_eq!(document["classes"], json!(classes), "{words}");
    }
}

#[test]
fn json_says_what_was_read() {
    let folder = Folder::new();
    ring(&folder);
    let part = |path: &str, holds: &str, structure: Value, why: Value| {
        let read = why.is_null();
        json!({"path": path, "holds": holds, "structure": structure, "read": read, "why": why})
    };
    let none = || Value::Null;
    let files = json!([
        part("m.lab", "labels", none(), none()),
        part("m2.trew", "transition-rewards", json!("cost"), none()),
        part(
            "m.sta",
            "other",
            none(),
            json!("variables of states are no outputs")
        ),
        part(
            "m1.srew",
            "state-rewards",
            none(),
            json!("left out, as asked for")
        ),
    ]);
    for command in ["bisim", "inspect"] {
        let document = folder.json(&format!("{command} m.tra --rewards cost --json"));
        assert_eq!(document["files"], files, "{command}");
        assert_eq!(document["columns"], json!(["cost(0)"]), "{command}");
    }
    folder.write("alone.tra", "1 1\n0 0 1\n");
    let document = folder.json("bisim alone.tra --json");
    assert!(document.get("files").is_none() && document.get("columns").is_none());
    let text = folder.fine("inspect alone.tra");
    assert!(
        text.contains("note: no labels and no rewards beside it"),
        "{text}"
    );
    let text = folder.fine("inspect m.tra");
    assert!(
        text.contains("\nread with it: m.lab (labels), m1.srew"),
        "{text}"
    );
}

#[test]
fn converted_models_keep_their_rewards() {
    let folder = Folder::new();
    ring(&folder);
    let ran = folder.run("convert m.tra c.tra");
    assert!(
        ran.err
            .starts_with("m.tra: read with it: m.lab (labels), m1.srew")
            && ran.err.ends_with("c.tra: 4 states, 1 action, 3 outputs\n"),
        "{ran:?}"
    );
    let expected = ["c.lab", "c.tra", "c1.srew", "c2.srew"];
    let names = folder.names();
    let written: Vec<_> = names.iter().filter(|name| name.starts_with('c')).collect();
    assert_eq!(written, expected);
    assert_eq!(folder.json("bisim c.tra --json")["classes"], json!(4));
    // A file of rewards that would be removed is kept unless forced.
    folder.fine("convert m.tra d.tra --rewards none");
    folder.write("d1.trew", "mine");
    let message = folder.error(2, "convert m.tra d.tra --rewards none");
    assert!(message.contains("d.tra: exists already"), "{message}");
    std::fs::remove_file(folder.path("d.tra")).unwrap();
    std::fs::remove_file(folder.path("d.lab")).unwrap();
    let message = folder.error(2, "convert m.tra d.tra --rewards none");
    assert!(message.contains("d1.trew: exists already"), "{message}");
    folder.fine("convert m.tra d.tra --rewards none --force");
    assert!(!folder.path("d1.trew").exists());
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = Folder::new();
    ring(&folder);
    folder.write("die.tra", "3 4\n0 1 1/6\n0 2 5/6\n1 1 1\n2 2 1\n");
    folder.write("coin.aut", "des (0,1,3)\n(0,\"flip\",1 1/2 2)\n");
    folder.write("wide.aut", b"\xff\xfed\0e\0s\0");
    folder.write("a.aut", "des (0,0,1)\n");
    folder.write("a.lab", "0=\"init\"\n");
    folder.write("o.tra", "1 1\n0 0 1\n");
    folder.write("o.obs", "(o)\n");
    folder.write("m.drn", "@type: DTMC\n");
    for (words, part) in [
        (
            "die.tra",
            "state 0 reaches 1 with probability 1/6 and 2 with probability 5/6 under choice 0",
        ),
        (
            "coin.aut",
            "state 0 leads to the distribution \"1 1/2 2\" under \"flip\"",
        ),
        (
            "wide.aut",
            "wide.aut:1:1: this is UTF-16 text; save it as UTF-8",
        ),
        (
            "a.aut",
            "a.lab: labels and rewards are read beside a .tra only",
        ),
        ("o.tra", "o.obs: observations"),
        (
            "m.drn",
            "m.drn: DRN, the explicit format of Storm, is not read",
        ),
        (
            "m1.srew",
            "m1.srew: this is a part of a model; name its .tra",
        ),
        (
            "m.tra --rewards tim",
            "m.tra: no rewards beside it are called \"tim\"; there are m1.srew (time), ",
        ),
    ] {
        for command in ["bisim", "inspect"] {
            let message = folder.error(2, &format!("{command} {words}"));
            assert!(message.contains(part), "{command} {words}: {message}");
        }
    }
    for words in [
        "bisim counting --rewards none",
        "bisim coin.aut --rewards 1",
        "inspect coin.aut --rewards 1",
    ] {
        let message = folder.error(2, words);
        assert!(
            message.contains("rewards can be chosen beside a .tra only"),
            "{words}: {message}"
        );
    }
    // One state and nothing to do is a system.
    std::fs::remove_file(folder.path("a.lab")).unwrap();
    let document = folder.json("bisim a.aut --verify --classes --json");
    assert_eq!(
        (&document["states"], &document["class_of"]),
        (&json!(1), &json!([0]))
    );
    folder.write("b.aut", "\u{feff}des (0,0,2)\n");
    let text = folder.fine("bisim b.aut --witness 0 1 --quotient one.aut");
    assert!(text.contains("0 and 1 are bisimilar"), "{text}");
    let quotient = std::fs::read_to_string(folder.path("one.aut")).unwrap();
    assert_eq!(quotient, "des (0, 0, 1)\n");
}

#[test]
fn arrays_that_are_not_read_are_named() {
    let folder = Folder::new();
    let mut archive = ArchiveWriter::create(folder.path("s.npz")).unwrap();
    for name in ["next", "output", "rewards"] {
        let shape = if name == "next" { vec![2, 1] } else { vec![2] };
        let values = Values::U8(vec![1, 0]);
        archive.add(name, &Array { shape, values }).unwrap();
    }
    archive.finish().unwrap();
    let text = folder.fine("bisim s.npz");
    assert!(text.contains("\nnot read: array `rewards`\n"), "{text}");
    assert_eq!(
        folder.json("bisim s.npz --json")["unread_arrays"],
        json!(["rewards"])
    );
    let ran = folder.run("convert s.npz s.tsys");
    assert!(
        ran.err.starts_with("s.npz: not read: array `rewards`\n"),
        "{ran:?}"
    );
    let document = folder.json("inspect s.npz --json");
    assert_eq!(document["notes"], json!(["`rewards` is not read"]));
}

/// Storm counted the classes of the models in `tests/data/storm` (see `make.py` there).
#[test]
fn classes_are_those_of_storm() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/storm");
    let counted = std::fs::read_to_string(data.join("classes.txt")).unwrap();
    let folder = Folder::new();
    for line in counted.lines() {
        let [model, numbers @ ..] = &line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let numbers: Vec<u64> = numbers
            .iter()
            .map(|number| number.parse().unwrap())
            .collect();
        let states_only = format!("{model}.state.rew");
        for (rewards, classes) in ["none", &states_only, "all"].into_iter().zip(&numbers[1..]) {
            let path = data.join(format!("{model}.tra"));
            let words = format!("bisim {} --json --rewards {rewards}", path.display());
            let document = folder.json(&words);
            assert_eq!(document["states"], json!(numbers[0]), "{line}");
            assert_eq!(document["classes"], json!(classes), "{line}: {rewards}");
        }
    }
    assert_eq!(counted.lines().count(), 12);
}
