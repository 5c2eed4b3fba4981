use serde_json::json;
use tellapart::system::{generate, read, write};

use crate::run::Folder;

/// Three counts, of which the middle one is rewarded.
const COUNTER: &str = "List[0]{@0,@1}\nList[1]{@0,@2}\nList[0]{@1,@2}\n";

#[test]
fn every_format_goes_into_every_other() {
    let folder = Folder::new();
    folder.write("start.boa.txt", COUNTER);
    let expected = read::boa(folder.path("start.boa.txt")).unwrap();
    let ends = ["tsys", "npz", "tra", "boa.txt"];
    for from in ends {
        folder.fine(&format!("convert start.boa.txt from.{from} --force"));
        for to in ends {
            let ran = folder.run(&format!("convert from.{from} to.{to} --force"));
            assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
            let read = match from {
                "tra" => {
                    "from.tra: read with it: from.lab (labels), from.srew (rewards of states)\n"
                }
                _ => "",
            };
            assert_eq!(
                ran.err,
                format!("{read}to.{to}: 3 states, 2 actions, 2 outputs\n")
            );
            let found = read::any(folder.path(&format!("to.{to}"))).unwrap();
            assert_eq!(found, expected, "{from} to {to}");
        }
    }
    // Classes are the same wherever the system is kept, outputs turned into actions included.
    folder.fine("convert start.boa.txt from.aut");
    for end in ["tsys", "npz", "tra", "boa.txt", "aut"] {
        let document = folder.json(&format!("bisim from.{end} --json"));
        assert_eq!(document["classes"], json!(3), "{end}");
        let found = folder.json(&format!("inspect from.{end} --json"));
        assert_eq!(found["format"], json!("system"), "{end}");
        assert_eq!(found["system"]["states"], json!(3), "{end}");
    }
}

#[test]
fn what_is_lost_is_said_unless_quiet() {
    let folder = Folder::new();
    folder.write(
        "lift.aut",
        "des (1, 2, 2)\n(0, \"up\", 1)\n(1, \"down\", 0)\n",
    );
    let ran = folder.run("convert lift.aut lift.npz");
    assert_eq!(
        ran.err,
        "lift.npz: 2 states, 2 actions, 2 outputs\n\
         lift.npz: without the names of actions (the format has none)\n\
         lift.npz: without which actions were enabled (missing transitions are written as self-loops)\n\
         lift.npz: without the initial state\n"
    );
    assert_eq!(folder.run("convert lift.aut lift.tsys -q").err, "");
    assert_eq!(
        read::any(folder.path("lift.tsys")).unwrap(),
        read::any(folder.path("lift.aut")).unwrap()
    );
}

#[test]
fn large_drawings_must_be_asked_for() {
    let folder = Folder::new();
    write::tsys(&generate::counter(501).unwrap(), folder.path("c.tsys")).unwrap();
    let message = folder.error(2, "convert c.tsys c.dot");
    assert_eq!(
        message,
        "error: a drawing of 501 states is more than anybody can read; at most 500 are drawn\n  (convert \
         draws it all the same with --any-size)\n"
    );
    assert_eq!(folder.names(), ["c.tsys"]);
    folder.fine("convert c.tsys c.dot --any-size");
    assert!(folder.names().contains(&"c.dot".to_owned()));
    // A quotient of one state is small enough.
    folder.write("loop.aut", "des (0, 1, 1)\n(0, \"a\", 0)\n");
    let ran = folder.run("bisim loop.aut --quotient loop.dot");
    assert_eq!(
        ran.err,
        "loop.dot: the quotient was written\nloop.dot: without a way back (a drawing is not read)\n"
    );
}

#[test]
fn an_older_file_is_kept_unless_forced_and_so_are_those_beside() {
    let folder = Folder::new();
    folder.write("c.boa.txt", COUNTER);
    folder.write("c.npz", "mine");
    folder.write("c.srew", "mine");
    for (out, file) in [("c.npz", "c.npz"), ("c.tra", "c.srew")] {
        let message = folder.error(2, &format!("convert c.boa.txt {out}"));
        let expected = format!(
            "error: {file}: exists already; name another file, or replace it with --force\n"
        );
        assert_eq!(message, expected);
        assert_eq!(std::fs::read(folder.path(file)).unwrap(), b"mine");
        folder.fine(&format!("convert c.boa.txt {out} --force"));
        assert_ne!(std::fs::read(folder.path(file)).unwrap(), b"mine");
    }
    // Onto itself.
    folder.fine("convert c.boa.txt c.tsys");
    folder.fine("convert c.tsys c.tsys --force");
    assert_eq!(read::tsys(folder.path("c.tsys")).unwrap().states(), 3);
}

#[test]
fn bad_requests_are_named_and_leave_nothing_behind() {
    let folder = Folder::new();
    folder.write("c.boa.txt", COUNTER);
    folder.write("die.tra", "3 4\n0 1 0.5\n0 2 0.5\n1 1 1\n2 2 1\n");
    folder.write("c.csv", "1,2");
    std::fs::create_dir(folder.path("folder.aut")).unwrap();
    folder.fine("-q convert c.boa.txt whole.tsys");
    let mut bytes = std::fs::read(folder.path("whole.tsys")).unwrap();
    bytes[130] ^= 1;
    folder.write("damaged.tsys", &bytes);
    folder.write("cut.tsys", &bytes[..200]);
    let before = folder.names();
    for (words, parts) in [
        (
            "convert missing.aut out.tsys",
            &["missing.aut: no such file"][..],
        ),
        ("convert folder.aut out.tsys", &["folder.aut: is a folder"]),
        ("convert c.boa.txt folder.aut", &["folder.aut: is a folder"]),
        (
            "convert c.boa.txt folder.aut --force",
            &["folder.aut: is a folder"],
        ),
        (
            "convert c.boa.txt out.txt",
            &["out.txt: systems are written as", ".tsys", ".dot"],
        ),
        ("convert c.boa.txt out", &["out: systems are written as"]),
        (
            "convert c.csv out.tsys",
            &["c.csv: not a system file that is known", ".tra"],
        ),
        (
            "convert out.dot out.tsys",
            &["out.dot: a drawing cannot be read"],
        ),
        (
            "convert c.boa.txt no/out.tsys",
            &["no/out.tsys", "no folder"],
        ),
        (
            "convert die.tra out.tsys",
            &["die.tra:2:5: state 0 reaches 1 with probability 0.5"],
        ),
        (
            "convert damaged.tsys out.npz",
            &["damaged.tsys: is damaged: its checksum"],
        ),
        ("convert cut.tsys out.npz", &["cut.tsys: is truncated"]),
        ("convert c.boa.txt", &["<OUT>"]),
    ] {
        let message = folder.error(2, words);
        for part in parts {
            assert!(message.contains(part), "{words}: {message}");
        }
    }
    assert_eq!(folder.names(), before);
}
