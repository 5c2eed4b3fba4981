//! Tests of Aldebaran files: what is read, what is refused and where, and what is written.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::io::{Cursor, Write as _};
use std::path::Path;

use tellapart_system::read::{self, aut_from};
use tellapart_system::{ActionId, MooreMachine, OutputId, StateId, SystemError, generate, write};

fn parse(text: &str) -> Result<MooreMachine, SystemError> {
    aut_from(Cursor::new(text), Path::new("test.aut"), 1 << 20)
}

fn message(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn a_partial_system() {
    let machine = parse(
        "des (1, 3, 3)\r\n(0,\"up, and away\",1)\r\n\r\n( 1 , down , 0 )\n(1, \"up, and away\", 2)",
    )
    .unwrap();
    let (up, down) = (ActionId::new(0), ActionId::new(1));
    assert_eq!(
        (machine.states(), machine.actions(), machine.outputs()),
        (3, 2, 3)
    );
    assert_eq!(machine.initial(), StateId::new(1));
    assert_eq!(machine.action_name(up), Some("up, and away"));
    assert_eq!(machine.action_name(down), Some("down"));
    assert_eq!(machine.successor(StateId::new(1), up), StateId::new(2));
    assert_eq!(
        machine.successor(StateId::new(0), down),
        StateId::new(0),
        "missing: stays"
    );
    assert_eq!(machine.enabled_actions(OutputId::new(0)), Some(&[up][..]));
    assert_eq!(
        machine.enabled_actions(OutputId::new(1)),
        Some(&[up, down][..])
    );
    assert_eq!(machine.enabled_actions(OutputId::new(2)), Some(&[][..]));
    assert_eq!(machine.output_value(OutputId::new(0)), None);
}

#[test]
fn non_determinism_names_everything() {
    let text = "\ndes (0, 4, 3)\n(0, a, 1)\n\n(1, a, 1)\n(0, a, 1)\n(0, a, 2)\n";
    assert_eq!(
        message(text),
        "test.aut:7: state 0 leads to both 1 (line 3) and 2 under \"a\"; only deterministic systems \
         are supported: give the two transitions different labels or remove one"
    );
}

#[test]
fn malformed_lines_are_placed() {
    let cases = [
        ("", "1:1: the file ends without a header"),
        ("\n\n", "3:1: the file ends without a header"),
        (
            "dos (0,0,1)",
            "1:1: expected `des (first, transitions, states)`",
        ),
        ("des 0,0,1", "1:5: expected `(` after `des`"),
        (
            "des (x,0,1)",
            "1:6: expected the initial state, a whole number",
        ),
        ("des (0,0,1) x", "1:13: expected the end of the line"),
        ("des (0,0,0)", "1:10: a system needs at least one state"),
        (
            "des (5,0,5)",
            "1:6: state 5 does not exist: by the header the states are 0 to 4",
        ),
        (
            "des (0,0,99999999999999999999999)",
            "1:10: the number of states is too large",
        ),
        ("des (0,0,4294967295)", "1:10: at most 4294967294 states"),
        (
            "des (0,99999999999,1)",
            "1:8: at most 4294967295 transitions",
        ),
        (
            "des (0,1,1)\n0,a,0",
            "2:1: expected a transition `(from, label, to)`",
        ),
        (
            "des (0,1,1)\n(-1,a,0)",
            "2:2: expected the state that the transition leaves",
        ),
        ("des (0,1,1)\n(0,a,0", "2:7: expected `)` after the state"),
        (
            "des (0,1,1)\n(0,a)",
            "2:6: expected `, to)` after the label",
        ),
        ("des (0,1,1)\n(0)", "2:3: expected `,` after the state"),
        ("des (0,1,1)\n(0,,0)", "2:4: the label is missing"),
        (
            "des (0,1,1)\n(0, \"a, 0)",
            "2:5: the quote that opens the label is not closed",
        ),
        ("des (0,1,1)\n(0,a,1)", "2:6: state 1 does not exist"),
        ("des (0,1,1)\n(7,a,0)", "2:2: state 7 does not exist"),
        (
            "des (0,1,1)\n(0,a,0)\n(0,b,0)",
            "3:1: more transitions than the 1",
        ),
        (
            "des (0,2,1)\n(0,a,0)\n",
            "3:1: the file ends after 1 transitions, the header promises 2",
        ),
        (
            "des (0,1,4000000000)\n(0,a,0)",
            "1:1: the header claims 4000000000 states",
        ),
        (
            "des (0,1,1048576)\n(0,a,0)\n(0,b,0)",
            "3:1: more transitions",
        ),
        (
            "des (0,2,1048576)\n(0,a,0)\n(0,b,0)",
            "a table of 1048576 states x 2 actions",
        ),
    ];
    for (text, expected) in cases {
        let found = message(text);
        assert!(found.contains(expected), "{text:?}: {found}");
        assert!(found.starts_with("test.aut:"), "{found}");
    }
    let bytes = b"des (0,1,1)\n(0,\"a\xff\",0)";
    let error = aut_from(Cursor::new(&bytes), Path::new("test.aut"), 8).unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.aut:2:6: the label is not valid UTF-8"
    );
}

#[test]
fn a_system_without_transitions() {
    for (text, states) in [("des (0,0,1)", 1), ("des (2,0,3)\n\n", 3)] {
        let machine = parse(text).unwrap();
        assert_eq!((machine.states(), machine.outputs()), (states, 1));
        // One action, which no state enables.
        let only = ActionId::new(0);
        assert_eq!((machine.actions(), machine.action_name(only)), (1, None));
        assert_eq!(machine.enabled_actions(OutputId::new(0)), Some(&[][..]));
        assert_eq!(
            machine.next_table(),
            machine.state_ids().collect::<Vec<_>>()
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.aut");
        write::aut(&machine, &path).unwrap();
        assert_eq!(read::aut(&path).unwrap(), machine);
    }
}

#[test]
fn probabilistic_systems_are_named() {
    let initial = "test.aut:1:6: the initial state is drawn from the distribution \"0 1/2 1\"; this is a \
                   probabilistic .aut file, as mCRL2 writes them, and only deterministic systems are \
                   supported";
    assert_eq!(message("des (0 1/2 1, 1, 2)\n(0,\"a\",1)\n"), initial);
    let target = message("des (0, 2, 4)\n(0,\"go, on\", 1 1/2 2 0.25 3)\n(1,\"a\",0)\n");
    let expected = "test.aut:2:14: state 0 leads to the distribution \"1 1/2 2 0.25 3\" under \"go, on\"; \
                    this is a probabilistic";
    assert!(target.starts_with(expected), "{target}");
    // What merely looks odd is a mistake.
    assert!(message("des (0 x 1, 1, 2)\n").contains("expected `,` after the initial state"));
    assert!(message("des (0, 1, 2)\n(0,a,1 2)\n").contains("expected `)` after the state"));
}

#[test]
fn a_byte_order_mark_is_skipped_and_other_encodings_are_named() {
    let text = "des (0,1,2)\n(0,\"\u{e9}\",1)\n";
    let marked = format!("\u{feff}{text}");
    assert_eq!(parse(&marked).unwrap(), parse(text).unwrap());
    assert!(message("\u{feff}dos").starts_with("test.aut:1:1: expected `des"));
    let folder = tempfile::tempdir().unwrap();
    for name in ["m.aut", "m"] {
        let path = folder.path().join(name);
        std::fs::write(&path, &marked).unwrap();
        assert_eq!(read::any(&path).unwrap(), parse(text).unwrap());
        for (mark, swap) in [(true, false), (true, true), (false, false), (false, true)] {
            let text = if mark { &marked } else { text };
            let bytes = text.encode_utf16().map(|unit| match swap {
                true => unit.to_be_bytes(),
                false => unit.to_le_bytes(),
            });
            std::fs::write(&path, bytes.flatten().collect::<Vec<u8>>()).unwrap();
            let message = read::any(&path).unwrap_err().to_string();
            let expected = format!("{name}:1:1: this is UTF-16 text; save it as UTF-8");
            assert!(message.ends_with(&expected), "{message}");
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    let good = b"des (0, 3, 3)\n(0, \"a\", 1)\n(1, b, 2 1/2 0)\n(2, \"a,b\", 0)\n";
    for cut in 0..good.len() {
        let _ = aut_from(Cursor::new(&good[..cut]), Path::new("test.aut"), 1 << 10);
        for byte in [0, b'\n', b'"', b',', b'(', b')', b'9', 0xff] {
            let mut bytes = good.to_vec();
            bytes[cut] = byte;
            let _ = aut_from(Cursor::new(&bytes), Path::new("test.aut"), 1 << 10);
        }
    }
}

#[test]
fn an_endless_line_is_refused() {
    let line = vec![b' '; (1 << 20) + 1];
    let error = aut_from(Cursor::new(&line), Path::new("test.aut"), 8).unwrap_err();
    assert!(
        error.to_string().contains("longer than 1048576 bytes"),
        "{error}"
    );
}

#[test]
fn labeled_systems_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.aut");
    let text = "des (2, 4, 3)\n(0, \"a\", 1)\n(0, \"b\", 0)\n(1, \"b\", 2)\n(2, \"c d\", 2)\n";
    std::fs::write(&path, text).unwrap();
    let machine = read::any(&path).unwrap();
    write::aut(&machine, &path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(read::aut(&path).unwrap(), machine);
}

#[test]
fn outputs_become_loops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counter.aut");
    write::aut(&generate::counter(3).unwrap(), &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("des (0, 9, 3)\n(0, \"a0\", 0)\n(0, \"a1\", 1)\n(0, \"output=0\", 0)\n")
    );
    let machine = read::aut(&path).unwrap();
    assert_eq!((machine.actions(), machine.outputs()), (4, 2));
}

#[test]
fn impossible_labels_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.aut");
    for name in ["say \"hi\"", "two\nlines", "output=0"] {
        let names = vec![name.to_owned(), "fine".to_owned()];
        let machine = generate::counter(3)
            .unwrap()
            .with_action_names(names)
            .unwrap();
        let error = write::aut(&machine, &path).unwrap_err();
        assert!(error.to_string().contains("rename the action"), "{error}");
        assert!(!path.exists());
    }
}

#[test]
fn any_looks_at_the_name_then_the_content() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("plain"), "des (0,1,1)\n(0,a,0)\n").unwrap();
    assert_eq!(read::any(at("plain")).unwrap().states(), 1);
    write::npz(&generate::counter(5).unwrap(), at("table.npz")).unwrap();
    std::fs::rename(at("table.npz"), at("table")).unwrap();
    assert_eq!(read::any(at("table")).unwrap().states(), 5);
    std::fs::File::create(at("notes.txt"))
        .unwrap()
        .write_all(b"hello")
        .unwrap();
    let error = read::any(at("notes.txt")).unwrap_err();
    assert!(
        matches!(error, SystemError::UnknownFormat { .. }),
        "{error}"
    );
    for missing in ["none.aut", "none.npz", "none"] {
        assert!(
            read::any(at(missing))
                .unwrap_err()
                .to_string()
                .contains("no such file")
        );
    }
    std::fs::create_dir(at("folder.aut")).unwrap();
    assert!(
        read::any(at("folder.aut"))
            .unwrap_err()
            .to_string()
            .contains("folder")
    );
}
