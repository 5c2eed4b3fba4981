//! Tests of the files beside a system: which belong to it, and which are refused.

use tellapart_system::read::{self, FilePart, RewardChoice};

use crate::files::{Files, RING, values};

#[test]
fn what_is_left_out_is_said() {
    let files = Files::new(&[
        ("m.tra", RING),
        ("m.sta", "(s)\n0:(0)\n"),
        ("m.drn", "@type: DTMC\n"),
        ("m1.tra", "1 1\n0 0 1\n"),
        ("m1.srew", "1 1\n0 1\n"),
        ("m2.srew", "4 1\n0 1\n"),
        ("m.old.tra", "1 1\n0 0 1\n"),
        ("m.old.srew", "1 1\n0 1\n"),
    ]);
    let found = read::any_with(files.at("m.tra"), &RewardChoice::All).unwrap();
    let name = |part: &FilePart| {
        let name = part
            .path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        (name, part.unread.is_none())
    };
    let parts: Vec<(String, bool)> = found.parts.iter().map(name).collect();
    let expected = [
        ("m2.srew", true),
        ("m.drn", false),
        ("m.sta", false),
        ("m1.srew", false),
    ];
    let expected = expected.map(|(name, is_read)| (name.to_owned(), is_read));
    let sorted = |mut parts: Vec<(String, bool)>| {
        parts.sort();
        parts
    };
    assert_eq!(sorted(parts), sorted(expected.to_vec()));
    assert_eq!(values(&found.machine)[..2], [[1.0], [0.0]]);
}

#[test]
fn outputs_that_are_not_read_are_errors() {
    let message = Files::new(&[("m.tra", RING), ("m.obs", "(o)\n0:(0)\n")]).message();
    assert!(
        message.starts_with("m.obs: observations of a partially observable model"),
        "{message}"
    );
    let message = Files::new(&[("m.tra", RING), ("m.2.lab", "0=\"a\"\n")]).message();
    assert_eq!(
        message,
        "m.2.lab: labels are read from m.lab only; rename the file, or move it elsewhere"
    );
    for name in ["m.lab", "m.srew", "m.trew", "m.rew", "m.rewi"] {
        let files = Files::new(&[("m.aut", "des (0,0,1)"), (name, "")]);
        let message = files.message_of("m.aut");
        let expected = format!(
            "{name}: labels and rewards are read beside a .tra only, and m.aut is none; move the file \
             elsewhere to do without it"
        );
        assert_eq!(message, expected);
        // They belong to the transitions, if there are any.
        std::fs::write(files.at("m.tra"), RING).unwrap();
        assert!(read::any(files.at("m.aut")).is_ok());
    }
    for (name, expected) in [
        (
            "m.drn",
            "m.drn: DRN, the explicit format of Storm, is not read;",
        ),
        ("m.pexp", "m.pexp: PRISM's single file is not read;"),
        (
            "m.prism",
            "m.prism: models in PRISM's language are not read;",
        ),
        ("m.fsm", "m.fsm: FSM is not read; `ltsconvert"),
        ("m.lab", "m.lab: this is a part of a model; name its .tra"),
        (
            "m1.trew",
            "m1.trew: this is a part of a model; name its .tra",
        ),
    ] {
        let message = Files::new(&[(name, "some text")]).message_of(name);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn names_are_found_in_upper_and_lower_case() {
    let files = Files::new(&[
        ("m.TRA", RING),
        ("m.Lab", "0=\"init\" 1=\"x\"\n1: 1\n"),
        ("m.SREW", "4 1\n2 1\n"),
    ]);
    let machine = read::any(files.at("m.TRA")).unwrap();
    assert_eq!(machine.outputs(), 3);
    std::fs::write(files.at("m.lab"), "0=\"x\"\n").unwrap();
    let message = files.message_of("m.TRA");
    assert!(
        message.starts_with("m.Lab: there are labels whose name differs in upper"),
        "{message}"
    );
}

#[test]
fn a_byte_order_mark_may_begin_every_file() {
    let files = [
        ("m.tra", RING),
        ("m.lab", "0=\"init\" 1=\"x\"\n1: 1\n"),
        ("m.srew", "# Reward structure \"a\"\n4 1\n2 1\n"),
        ("m.trew", "4 1\n3 0 1\n"),
    ];
    let plain = Files::new(&files);
    let marked = files.map(|(name, text)| (name, format!("\u{feff}{text}")));
    let marked = Files::new(&[0, 1, 2, 3].map(|i| (marked[i].0, &marked[i].1[..])));
    assert_eq!(marked.read(), plain.read());
    let found = read::any_with(marked.at("m.tra"), &RewardChoice::All).unwrap();
    assert_eq!(found.columns, ["a", "m.trew(0)"]);
    for (name, text) in files {
        let bytes = text.encode_utf16().flat_map(u16::to_le_bytes);
        std::fs::write(plain.at(name), bytes.collect::<Vec<u8>>()).unwrap();
        let message = plain.message();
        assert_eq!(
            message,
            format!("{name}:1:1: this is UTF-16 text; save it as UTF-8")
        );
        std::fs::write(plain.at(name), text).unwrap();
    }
}
