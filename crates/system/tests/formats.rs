//! Tests of all formats: names, round trips of random machines, lost data, drawings.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::io::Cursor;
use std::path::Path;

use tellapart_system::{
    Format, MooreMachine, RewardKind, StateId, SystemError, generate, read, write,
};

#[test]
fn the_end_of_a_name_tells_the_format() {
    for (format, end) in Format::ALL {
        assert_eq!(Format::of(format!("some/where/x{end}")), Some(format));
        assert_eq!(Format::of(format!("X{}", end.to_uppercase())), Some(format));
    }
    for name in ["", "..", "x", "x.txt", "tsys", "x.tsys.gz", "x.boa"] {
        assert_eq!(Format::of(name), None, "{name}");
    }
    assert_eq!(
        Format::of_output("x.csv").unwrap_err().to_string(),
        "x.csv: systems are written as .npz, .aut, .tra, .boa.txt, .tsys or .dot; name a file that ends in \
         one of them"
    );
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // Files of other models are not replaced.
    for name in [
        "x.srew", "x2.srew", "x.a.trew", "x3.tra", "x3.srew", "y.srew",
    ] {
        std::fs::write(at(name), "").unwrap();
    }
    let expected = ["x.tra", "x.lab", "x.srew", "x2.srew", "x.a.trew"].map(at);
    assert_eq!(Format::Prism.files(at("x.tra")).unwrap(), expected);
    assert_eq!(Format::Aut.files(at("x.aut")).unwrap(), [at("x.aut")]);
}

/// Numbers the outputs of the states by first occurrence, so that machines with other ids compare
/// equal.
fn outputs_by_first_occurrence(machine: &MooreMachine) -> Vec<usize> {
    let mut seen = Vec::new();
    let number = |output| {
        let known = seen.iter().position(|&other| other == output);
        known.unwrap_or_else(|| {
            seen.push(output);
            seen.len() - 1
        })
    };
    machine.output_table().iter().copied().map(number).collect()
}

fn partial() -> MooreMachine {
    let text = "des (1, 4, 3)\n(0, \"a\", 1)\n(0, \"b\", 0)\n(1, \"b\", 2)\n(2, \"c d\", 2)\n";
    read::aut_from(Cursor::new(text), Path::new("m.aut"), 1 << 20).unwrap()
}

fn with_names(machine: MooreMachine, names: &[&str]) -> MooreMachine {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    machine.with_action_names(names).unwrap()
}

#[test]
fn random_machines_keep_what_the_format_holds() {
    let folder = tempfile::tempdir().unwrap();
    for (format, end) in Format::ALL {
        let path = folder.path().join(format!("m{end}"));
        if matches!(format, Format::Dot | Format::Aut) {
            continue;
        }
        for seed in 0..60 {
            let (n, a, o) = (
                1 + seed as usize * 7 % 60,
                1 + seed as usize % 4,
                1 + seed as usize % 5,
            );
            let machine = generate::random(seed, n, a, o).unwrap();
            write::any(&machine, &path).unwrap();
            let back = read::any(&path).unwrap();
            assert_eq!(
                back.next_table(),
                machine.next_table(),
                "{end}, seed {seed}"
            );
            assert_eq!(
                back.output_table(),
                machine.output_table(),
                "{end}, seed {seed}"
            );
        }
    }
}

/// Aldebaran has no outputs: they become actions, and equal outputs stay equal.
#[test]
fn aldebaran_keeps_outputs_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.aut");
    for seed in 0..60 {
        let machine = generate::random(seed, 1 + seed as usize % 30, 2, 3).unwrap();
        write::any(&machine, &path).unwrap();
        let back = read::any(&path).unwrap();
        let [found, expected] = [&back, &machine].map(outputs_by_first_occurrence);
        assert_eq!(found, expected, "seed {seed}");
        for state in machine.state_ids() {
            assert_eq!(
                &back.successors(state)[..2],
                machine.successors(state),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn where_nothing_is_lost_the_same_machine_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let last = StateId::new(4);
    let counter = || generate::counter(5).unwrap();
    let vectors = generate::random(4, 9, 2, 2).unwrap();
    let vectors = vectors
        .with_output_values(2, vec![1.0, 2.0, 1.0, f64::INFINITY])
        .unwrap();
    let rewards = ["2 1\n1 2\n", "2 1\n0 1/4\n"].map(|text| read::RewardInput {
        reader: Cursor::new(text),
        path: Path::new("m.srew"),
        kind: RewardKind::States,
    });
    let prism = read::PrismInput {
        transitions: (
            Cursor::new("2 3 3\n0 0 1 1 a\n0 1 0 1 b\n1 0 1 1 b\n"),
            Path::new("m.tra"),
        ),
        labels: Some((
            Cursor::new("0=\"init\" 1=\"x\" 2=\"y\"\n0: 1 2\n1: 0 1\n"),
            Path::new("m.lab"),
        )),
        rewards: rewards.into(),
    };
    let prism = read::prism_from(prism, 1 << 20);
    let machines = [
        counter(),
        with_names(counter().with_initial(last).unwrap(), &["fewer", "more"]),
        with_names(counter(), &["one less", "\u{1f980}"]),
        generate::random(1, 40, 3, 1).unwrap(),
        vectors,
        partial(),
        prism.unwrap(),
    ];
    let mut kept = [0; Format::ALL.len()];
    for machine in &machines {
        for ((format, end), kept) in Format::ALL.into_iter().zip(&mut kept) {
            let path = folder.path().join(format!("m{end}"));
            if write::lost(machine, format).is_empty() {
                write::any(machine, &path).unwrap();
                let back = read::any(&path).unwrap();
                assert_eq!(back.next_table(), machine.next_table(), "{end}");
                assert_eq!(
                    outputs_by_first_occurrence(&back),
                    outputs_by_first_occurrence(machine)
                );
                assert_eq!(back.initial(), machine.initial(), "{end}");
                assert_known(machine, &back, end);
                *kept += 1;
            }
        }
    }
    // In the order npz, aut, tra, boa, tsys, dot.
    assert_eq!(kept, [3, 2, 5, 2, 7, 0]);
}

/// Checks that all known data is still known. Formats may add to it: Aldebaran adds names, Boa
/// tags.
fn assert_known(machine: &MooreMachine, back: &MooreMachine, end: &str) {
    for action in machine.action_ids() {
        if let Some(name) = machine.action_name(action) {
            assert_eq!(back.action_name(action), Some(name), "{end}");
        }
    }
    for state in machine.state_ids() {
        let (old, new) = (machine.output(state), back.output(state));
        if let Some(value) = machine.output_value(old) {
            assert_eq!(back.output_value(new), Some(value), "{end}, state {state}");
        }
        if let Some(enabled) = machine.enabled_actions(old) {
            assert_eq!(
                back.enabled_actions(new),
                Some(enabled),
                "{end}, state {state}"
            );
        }
        if let Some(labels) = machine.output_labels(old) {
            let found: Vec<&str> = back.output_labels(new).unwrap().collect();
            assert_eq!(found, labels.collect::<Vec<_>>(), "{end}, state {state}");
        }
    }
}

#[test]
fn what_is_lost_is_said() {
    let counter = generate::counter(5)
        .unwrap()
        .with_initial(StateId::new(2))
        .unwrap();
    let counter = with_names(counter, &["one less", "one more"]);
    let lost = |machine: &MooreMachine, format| write::lost(machine, format).join("; ");
    assert_eq!(lost(&counter, Format::Tsys), "");
    assert_eq!(
        lost(&counter, Format::Npz),
        "the names of actions (the format has none); the initial state"
    );
    assert_eq!(
        lost(&counter, Format::Aut),
        "the values of outputs (outputs are written as self-loops labeled output=ID)"
    );
    assert_eq!(
        lost(&counter, Format::Prism),
        "the names of actions (not all are identifiers of PRISM)"
    );
    assert_eq!(
        lost(&partial(), Format::Npz),
        "the names of actions (the format has none); which actions were enabled (missing transitions are \
         written as self-loops); the initial state"
    );
    assert_eq!(lost(&partial(), Format::Aut), "");
    assert_eq!(
        lost(&counter, Format::Dot),
        "a way back (a drawing is not read)"
    );
}

#[test]
fn drawings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.dot");
    let counter = with_names(generate::counter(3).unwrap(), &["less", "say \"more\""]);
    write::any(&counter, &path).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "digraph system {\n  rankdir=LR;\n  node [shape=ellipse];\n  start [shape=point];\n  start -> 0;\n  \
         0 [label=\"0\\n0\"];\n  1 [label=\"1\\n1\"];\n  2 [label=\"2\\n0\"];\n  \
         0 -> 0 [label=\"less\"];\n  0 -> 1 [label=\"say \\\"more\\\"\"];\n  \
         1 -> 0 [label=\"less\"];\n  1 -> 2 [label=\"say \\\"more\\\"\"];\n  \
         2 -> 1 [label=\"less\"];\n  2 -> 2 [label=\"say \\\"more\\\"\"];\n}\n"
    );
    write::any(&partial(), &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("start -> 1;") && text.contains("  2 [label=\"2\"];"),
        "{text}"
    );
    assert_eq!(
        text.matches("->").count(),
        5,
        "only enabled actions are drawn: {text}"
    );

    let large = generate::counter(501).unwrap();
    std::fs::write(&path, "old").unwrap();
    let error = write::any(&large, &path).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a drawing of 501 states is more than anybody can read; at most 500 are drawn"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    write::dot(&large, &path, usize::MAX).unwrap();
    let error = read::any(&path).unwrap_err();
    assert!(matches!(error, SystemError::Drawing { .. }), "{error}");
}

#[test]
fn content_tells_the_format_where_the_name_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let counter = generate::counter(5).unwrap();
    for end in [".npz", ".boa.txt", ".tsys"] {
        let (named, bare) = (
            folder.path().join(format!("m{end}")),
            folder.path().join("m"),
        );
        write::any(&counter, &named).unwrap();
        std::fs::rename(&named, &bare).unwrap();
        assert_eq!(read::any(&bare).unwrap(), counter, "{end}");
    }
}

/// A failed write leaves no file behind.
#[test]
fn failures_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let counter = generate::counter(5).unwrap();
    for (_, end) in Format::ALL {
        let path = folder.path().join("no").join(format!("m{end}"));
        let message = write::any(&counter, &path).unwrap_err().to_string();
        assert!(message.contains("no such file or folder"), "{message}");
        let path = folder.path().join(format!("d{end}"));
        std::fs::create_dir(&path).unwrap();
        let message = write::any(&counter, &path).unwrap_err().to_string();
        assert!(message.contains("is a folder"), "{message}");
    }
    let names = std::fs::read_dir(folder.path()).unwrap();
    let files = names.filter(|entry| entry.as_ref().unwrap().path().is_file());
    // None of PRISM's files exists, either: they are all written before one takes its place.
    assert_eq!(files.count(), 0);
}
