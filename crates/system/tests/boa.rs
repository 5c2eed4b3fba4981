//! Tests of Boa's text format: what is read, what is refused and where, and what is written.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::path::Path;

use tellapart_system::read::{self, boa_from};
use tellapart_system::{ActionId, MooreMachine, OutputId, StateId, SystemError, generate, write};

fn parse(text: &str) -> Result<MooreMachine, SystemError> {
    boa_from(text.as_bytes(), Path::new("m.boa.txt"), 1 << 16)
}

#[test]
fn an_automaton() {
    // From the tests of Boa.
    let machine =
        parse("List[0]{@1,@2}\nList[0]{@3,@2}\nList[0]{@4,@2}\nList[1]{@4,@3}\nList[1]{@3,@3}")
            .unwrap();
    assert_eq!(
        (machine.states(), machine.actions(), machine.outputs()),
        (5, 2, 2)
    );
    assert_eq!(
        machine.successors(StateId::new(3)),
        [StateId::new(4), StateId::new(3)]
    );
    assert_eq!(
        machine.output_value(machine.output(StateId::new(4))),
        Some(&[1.0][..])
    );
    // Another spelling of the tags, and other line ends.
    let other = parse(
        "List[00]{@1,@2}\r\nList[0]{@3,@2}\r\nList[0]{@4,@2}\nList[001]{@4,@3}\nList[1]{@3,@3}\n",
    );
    assert_eq!(other.unwrap(), machine);
}

#[test]
fn lists_in_lists_are_outputs_and_further_successors() {
    let text = "List[0]{List[3]{},@1,@0}\nList[0]{List[4]{},@1,@0}\nList[0]{List[3]{@1},@0}\n";
    let machine = parse(text).unwrap();
    assert_eq!(
        (machine.states(), machine.actions(), machine.outputs()),
        (3, 2, 3)
    );
    assert_eq!(
        machine.successors(StateId::new(2)),
        [StateId::new(1), StateId::new(0)]
    );
    assert_eq!(machine.output_value(OutputId::new(0)), None);
}

#[test]
fn states_with_fewer_successors_stay() {
    let machine = parse("List[0]{@1,@1}\nList[0]{@0}\nList[0]{}\nList[0]{@2,@0}\n").unwrap();
    assert_eq!((machine.actions(), machine.outputs()), (2, 3));
    assert_eq!(
        machine.successors(StateId::new(1)),
        [StateId::new(0), StateId::new(1)]
    );
    assert_eq!(
        machine.successors(StateId::new(2)),
        [StateId::new(2), StateId::new(2)]
    );
    assert_eq!(
        machine.output(StateId::new(0)),
        machine.output(StateId::new(3))
    );
    let enabled = machine.enabled_actions(OutputId::new(1));
    assert_eq!(enabled, Some(&[ActionId::new(0)][..]));
    // Outputs with equal numbers of successors in several shapes have no meaning.
    let machine = parse("List[0]{@1,@1}\nList[0]{@0}\nList[1]{@0}\n").unwrap();
    assert_eq!(machine.outputs(), 3);
    assert_eq!(machine.enabled_actions(OutputId::new(0)), None);
}

#[test]
fn malformed_lines_are_placed() {
    let deep = format!("{}{}", "List[0]{".repeat(17), "}".repeat(17));
    let wide = format!(
        "List[0]{{@0{}}}\n{}",
        ",@0".repeat(299),
        "List[0]{}\n".repeat(300)
    );
    let cases = [
        ("", ": the system has no states; it needs at least one"),
        (
            "List[0]{}\n",
            ": the system has no actions; it needs at least one",
        ),
        (
            "\n",
            ":1:1: expected the node of a state; lines must not be blank",
        ),
        (
            "List[0]{@0}\n\nList[0]{@0}",
            ":2:1: expected the node of a state",
        ),
        (
            "@0",
            ":1:1: a state that is another state describes no Moore machine; expected `List`",
        ),
        (
            "Set[0]{@0}",
            ":1:1: `Set` describes a system that is not deterministic or has weights; only `List` is supported",
        ),
        ("List[0]{Add[1]{@0:2}}", ":1:9: `Add` describes a system"),
        ("Liste[0]{@0}", ":1:5: expected `[`"),
        (
            "list[0]{@0}",
            ":1:1: expected `List` or a state such as `@0`",
        ),
        (
            "List[256]{@0}",
            ":1:6: expected a tag, a whole number from 0 to 255",
        ),
        ("List[]{@0}", ":1:6: expected a tag"),
        ("List[0{@0}", ":1:7: expected `]`"),
        ("List[0]@0}", ":1:8: expected `{`"),
        ("List[0]{@0", ":1:11: expected `,`"),
        ("List[0]{@0,", ":1:12: expected `List` or a state"),
        ("List[0]{@0 ,@0}", ":1:11: expected `,`"),
        (
            "List[0]{@x}",
            ":1:10: expected a state, a whole number below 1000000000",
        ),
        ("List[0]{@0}}", ":1:12: expected the end of the line"),
        (
            "List[0]{@0}\nList[0]{@0}\nList[0]{@7}\nList[0]{@2}\n",
            ":3:10: state 7 does not exist: the file has 4 lines, so the states are 0 to 3",
        ),
        ("List[0]{@1}", ":1:10: state 1 does not exist"),
        (&deep, ":1:129: lists lie in more than 16 lists"),
        (&wide, ": a table of 301 states x 300 actions"),
    ];
    for (text, expected) in cases {
        let found = parse(text).unwrap_err().to_string();
        let expected = format!("m.boa.txt{expected}");
        assert!(found.starts_with(&expected), "{text:?}: {found}");
    }
}

#[test]
fn damaged_files_never_panic() {
    let good = b"List[0]{@1,@2}\nList[0]{List[1]{},@2}\nList[0]{@0,@2}\n";
    for cut in 0..good.len() {
        let _ = boa_from(&good[..cut], Path::new("m"), 1 << 10);
        for byte in [0, b'\n', b'@', b',', b'{', b'}', b'[', b'9', 0xff] {
            let mut bytes = good.to_vec();
            bytes[cut] = byte;
            let _ = boa_from(&bytes[..], Path::new("m"), 1 << 10);
        }
    }
}

/// Lines mean the same whether or not the reader guesses them, in any order.
#[test]
fn lines_mean_the_same_in_any_company() {
    let lines = [
        "List[0]{@1,@2}",
        "List[0]{@1}",
        "List[7]{@3,@4}",
        "List[07]{@3,@4}",
        "List[7]{List[0]{},@5,@6}",
        "List[7]{List[0]{@5},@6}",
        "List[7]{@3,@4,List[0]{}}",
    ];
    let mut seed = 7_u64;
    for _ in 0..300 {
        let mut draw = |choices: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % choices
        };
        let drawn: Vec<usize> = (0..20).map(|_| draw(lines.len())).collect();
        let text: Vec<&str> = drawn.iter().map(|&line| lines[line]).collect();
        let machine = parse(&text.join("\n")).unwrap();
        // `[07]` equals `[7]`.
        let kind = |line: usize| if line == 3 { 2 } else { line };
        for (a, &line_a) in drawn.iter().enumerate() {
            for (b, &line_b) in drawn.iter().enumerate() {
                let [a, b] = [a, b].map(|state| machine.output(StateId::from_index(state)));
                assert_eq!(a == b, kind(line_a) == kind(line_b), "{text:?}");
            }
            let found = machine.successors(StateId::from_index(a))[0].get();
            let expected = [1, 1, 3, 3, 5, 5, 3][line_a];
            assert_eq!(found, expected, "{text:?}");
        }
    }
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.boa.txt");
    let text = || std::fs::read_to_string(&path).unwrap();
    let counter = generate::counter(3).unwrap();
    write::boa(&counter, &path).unwrap();
    assert_eq!(text(), "List[0]{@0,@1}\nList[1]{@0,@2}\nList[0]{@1,@2}\n");
    assert_eq!(read::any(&path).unwrap(), counter);
    // More outputs than tags.
    let many = generate::random(1, 2000, 2, 900).unwrap();
    write::boa(&many, &path).unwrap();
    assert!(text().lines().all(|line| line.matches("List").count() == 2));
    let back = read::boa(&path).unwrap();
    assert_eq!(back.next_table(), many.next_table());
    assert_eq!(back.output_table(), many.output_table());
    for outputs in [1, 255, 256, 257] {
        let machine = generate::random(5, 5000, 1, outputs).unwrap();
        write::boa(&machine, &path).unwrap();
        assert_eq!(
            read::boa(&path).unwrap().output_table(),
            machine.output_table()
        );
    }
}
