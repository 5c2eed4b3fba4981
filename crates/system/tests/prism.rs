//! Tests of PRISM's explicit files: what is read, what is refused and where, and what is written.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::io::Cursor;
use std::path::Path;

use tellapart_system::read::{self, PrismInput, RewardInput, prism_from};
use tellapart_system::{
    ActionId, MooreMachine, OutputId, RewardKind, StateId, SystemError, generate, write,
};

fn parse(tra: &str, lab: Option<&str>, srew: Option<&str>) -> Result<MooreMachine, SystemError> {
    let rewards = srew.map(|text| RewardInput {
        reader: Cursor::new(text),
        path: Path::new("m.srew"),
        kind: RewardKind::States,
    });
    let input = PrismInput {
        transitions: (Cursor::new(tra), Path::new("m.tra")),
        labels: lab.map(|text| (Cursor::new(text), Path::new("m.lab"))),
        rewards: rewards.into_iter().collect(),
    };
    prism_from(input, 1 << 20)
}

fn message(tra: &str) -> String {
    parse(tra, None, None).unwrap_err().to_string()
}

/// Returns the labels of a state, in the order of their ids.
fn labels(machine: &MooreMachine, state: u32) -> Vec<&str> {
    let output = machine.output(StateId::new(state));
    machine.output_labels(output).unwrap().collect()
}

#[test]
fn an_mdp_with_labels_and_rewards() {
    let tra = "# Transitions (MDP)\n3 6 6\n0 0 1 1 go\n0 1 0 1 stay\n1 0 1 1 stay\r\n\n 1  1 2 1.0 go \n\
               2 0 2 1 go\n2 1 2 1e0 stay\n";
    let lab = "# Labels\n0=\"init\" 1=\"deadlock\" 2=\"goal\" 3=\"odd\"\n1: 3 0\n2: 2 1\n";
    let srew = "# Reward structure: \"r\"\n# State rewards\n3 1\n2 0.5\n";
    let machine = parse(tra, Some(lab), Some(srew)).unwrap();
    let (go, stay) = (ActionId::new(0), ActionId::new(1));
    assert_eq!(
        (machine.states(), machine.actions(), machine.outputs()),
        (3, 2, 3)
    );
    assert_eq!(machine.action_name(go), Some("go"));
    assert_eq!(machine.action_name(stay), Some("stay"));
    assert_eq!(machine.initial(), StateId::new(1));
    assert_eq!(machine.successor(StateId::new(1), go), StateId::new(2));
    assert_eq!(machine.successor(StateId::new(1), stay), StateId::new(1));
    assert_eq!(labels(&machine, 0), Vec::<&str>::new());
    assert_eq!(labels(&machine, 1), ["odd"]);
    assert_eq!(labels(&machine, 2), ["goal"]);
    assert_eq!(machine.output_value(OutputId::new(2)), Some(&[0.5][..]));
    assert_eq!(machine.output_value(OutputId::new(0)), Some(&[0.0][..]));
    assert_eq!(
        machine.enabled_actions(OutputId::new(0)),
        None,
        "every state has both"
    );
}

#[test]
fn a_markov_chain_has_one_action_without_a_name() {
    let machine = parse("3 3\n0 1 1\n2 0 1\n1 2 1\n", Some("0=\"a\"\n1: 0\n"), None).unwrap();
    assert_eq!(
        (machine.states(), machine.actions(), machine.outputs()),
        (3, 1, 2)
    );
    assert_eq!(machine.action_name(ActionId::new(0)), None);
    assert_eq!(machine.output_value(OutputId::new(0)), None);
}

/// The example of PRISM's manual for labeled transition systems.
#[test]
fn a_transition_system_without_probabilities() {
    let lab = "0=\"init\" 1=\"deadlock\" 2=\"a\" 3=\"b\"\n0: 0 2 3\n1: 2\n3: 3\n";
    let tra = "4 6 6\n0 0 1\n0 1 2\n1 0 1\n1 1 3\n2 0 1\n3 0 3\n";
    let machine = parse(tra, Some(lab), None).unwrap();
    assert_eq!((machine.actions(), machine.outputs()), (2, 4));
    // State 2 lacks the second choice: it leads to itself, and its output shows the choice missing.
    let second = ActionId::new(1);
    assert_eq!(machine.successor(StateId::new(2), second), StateId::new(2));
    let enabled = machine.enabled_actions(machine.output(StateId::new(2)));
    assert_eq!(enabled, Some(&[ActionId::new(0)][..]));
    assert_eq!(labels(&machine, 0), ["a", "b"]);
    // With actions, the probability may be left out.
    let with = "2 2 2\n0 0 1 1 up\n1 0 0 1 down\n";
    let without = "2 2 2\n0 0 1 up\n1 0 0 down\n";
    assert_eq!(
        parse(with, None, None).unwrap(),
        parse(without, None, None).unwrap()
    );
}

#[test]
fn choices_without_actions_are_their_numbers() {
    // The first state lists its choices backwards.
    let machine = parse("2 4 4\n0 1 1 1\n0 0 0 1\n1 0 0 1\n1 1 1 1\n", None, None).unwrap();
    assert_eq!(
        machine.successors(StateId::new(0)),
        [StateId::new(0), StateId::new(1)]
    );
    assert_eq!(machine.action_name(ActionId::new(0)), None);
    // Mixed: numbers first, then actions by occurrence.
    let machine = parse("2 3 3\n0 0 1 1 b\n0 1 0 1 a\n1 0 1 1\n", None, None).unwrap();
    let names = machine
        .action_ids()
        .map(|action| machine.action_name(action).unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["0", "b", "a"]);
    assert_eq!(
        machine.successor(StateId::new(0), ActionId::new(1)),
        StateId::new(1)
    );
    let enabled = machine.enabled_actions(machine.output(StateId::new(1)));
    assert_eq!(enabled, Some(&[ActionId::new(0)][..]));
}

#[test]
fn what_is_not_deterministic_names_state_and_action() {
    let robot = "6 10 16\n0 0 1 0.1 south\n0 0 3 0.8 south\n";
    assert_eq!(
        message(robot),
        "m.tra:2:7: state 0 reaches 1 with probability 0.1 and 3 with probability 0.8 under \"south\"; only \
         deterministic systems are supported: under every action a state must reach one state, with \
         probability 1"
    );
    // Lines of one choice may lie apart.
    let apart = "2 2 4\n1 0 0 1/3\n0 0 1 1\n1 0 1 2/3\n0 1 0 1\n";
    let expected = "m.tra:2:7: state 1 reaches 0 with probability 1/3 and 1 with probability 2/3 under \
                    choice 0;";
    assert!(message(apart).starts_with(expected), "{}", message(apart));
    let many: String = (0..20).map(|to| format!("0 0 {to} 0.05 roll\n")).collect();
    let found = message(&format!("20 1 20\n{many}"));
    assert!(
        found.contains(", 7 with probability 0.05 and 12 more under \"roll\"; only"),
        "{found}"
    );
    let same = "#\n2 3 3\n0 0 1 1 a\n0 1 1 1 a\n1 0 0 1 b\n";
    assert!(
        parse(same, None, None).is_ok(),
        "two choices that lead to one state"
    );
    assert_eq!(
        message("# x\n\n2 3 3\n0 0 1 1 a\n1 0 0 1 a\n0 1 0 1 a\n"),
        "m.tra:6: state 0 leads to both 1 (line 4) and 0 under \"a\"; only deterministic systems are \
         supported: give the two transitions different labels or remove one"
    );
    assert!(
        message("2 2\n0 1 1\n0 0 1\n")
            .contains("m.tra:3: state 0 leads to both 1 (line 2) and 0 under \"choice 0\"")
    );
}

#[test]
fn malformed_transitions_are_placed() {
    let cases = [
        (
            "",
            "1:1: the file ends without a first line; expected `states transitions` or",
        ),
        ("# only this\n", "2:1: the file ends without a first line"),
        (
            "model\n0 0 1 1\n",
            "1:1: expected `states transitions` or `states choices transitions` in numbers",
        ),
        (
            "ctmc\n0 0 1\n",
            "1:1: a model of type CTMC is no deterministic system",
        ),
        ("x y", "1:1: expected `states transitions`"),
        (
            "# Transitions (CTMC)\n1 1\n0 0 1",
            "1:1: a model of type CTMC is no deterministic system",
        ),
        ("0 1\n", "1:1: a system needs at least one state"),
        (
            "4294967295 1\n",
            "1:1: at most 4294967294 states are supported",
        ),
        (
            "4000000000 1\n0 0 1",
            "1:1: the first line claims 4000000000 states, but 1 transitions mention at most 3",
        ),
        (
            "1 99999999 1\n0 0 0 1",
            "1:1: the second number claims more choices than the file has bytes",
        ),
        (
            "3",
            "1:2: expected the number of choices or transitions, a whole number",
        ),
        (
            "1 2 3 4\n",
            "1:7: expected two numbers (a Markov chain) or three",
        ),
        ("1 1\n0 0\n", "2:4: expected a probability"),
        ("1 1\n0 0 one\n", "2:5: expected a probability, a number"),
        (
            "1 1\n0 0 2.5\n",
            "2:5: state 0 reaches 0 with probability 2.5 under choice 0; the probabilities add up to 2.5, \
             and must add up to 1",
        ),
        ("1 1\n0 0 NaN\n", "2:5: expected a probability, a number"),
        (
            "1 1\n0 0 -1\n",
            "2:5: expected a probability, which is not negative",
        ),
        (
            "1 1\n0 0 1/0\n",
            "2:5: expected a probability, a number, not a division",
        ),
        (
            "1 1\n0 0 [0.5,1]\n",
            "2:5: this is an interval of probabilities",
        ),
        ("1 1\n1 0 1\n", "2:1: state 1 does not exist"),
        ("1 1\n0 7 1\n", "2:3: state 7 does not exist"),
        (
            "1 1\n-1 0 1\n",
            "2:1: expected the state that the transition leaves, a whole number",
        ),
        ("1 1\n0 1:0\n", "2:3: this is PRISM's row form"),
        ("1 1\n0 0 1 a b\n", "2:9: expected the end of the line"),
        (
            "1 1 1\n0 1 0 1\n",
            "2:3: choice 1 does not exist: the model has 1",
        ),
        (
            "1 1 1\n0 0 0 1 a\n0 0 0 1 a\n",
            "3:1: more transitions than the 1 that the first line promises",
        ),
        (
            "1 2\n0 0 1\n\n",
            "4:1: the file ends after 1 transitions, the first line promises 2",
        ),
        (
            "1048576 2 2\n0 0 0 1 a\n0 1 0 1 b\n",
            "a table of 1048576 states x 2 actions",
        ),
    ];
    for (text, expected) in cases {
        let found = message(text);
        assert!(found.contains(expected), "{text:?}: {found}");
        assert!(found.starts_with("m.tra:"), "{found}");
    }
}

#[test]
fn malformed_labels_and_rewards_are_placed() {
    let tra = "2 2\n0 1 1\n1 0 1\n";
    let labels = [
        (
            "",
            "m.lab:1:1: the file ends without a first line; expected labels",
        ),
        (
            "1=\"a\"",
            "m.lab:1:1: expected label 0, labels are numbered 0, 1, 2, ...",
        ),
        ("0=a", "m.lab:1:2: expected `=\"` and the name of the label"),
        (
            "0=\"a",
            "m.lab:1:3: the quote that opens the name is not closed",
        ),
        ("0=\"\"", "m.lab:1:4: the name of the label is empty"),
        (
            "0=\"a\" 1=\"a\"",
            "m.lab:1:10: label \"a\" is there already",
        ),
        (
            "x=\"a\"",
            "m.lab:1:1: expected the number of a label, a whole number",
        ),
        ("0=\"a\"\n2: 0", "m.lab:2:1: state 2 does not exist"),
        ("0=\"a\"\n1 0", "m.lab:2:3: expected `:` after the state"),
        (
            "0=\"a\"\n\n1: 0 1",
            "m.lab:3:6: label 1 does not exist: the first line has 1 labels",
        ),
        (
            "0=\"a\"\n1: b",
            "m.lab:2:4: expected the number of a label, a whole number",
        ),
        (
            "0=\"a\"\n1: 0\n1: 0\n",
            "m.lab:3:1: state 1 has a line already; join the two",
        ),
    ];
    for (text, expected) in labels {
        let found = parse(tra, Some(text), None).unwrap_err().to_string();
        assert!(found.starts_with(expected), "{text:?}: {found}");
    }
    let rewards = [
        (
            "",
            "m.srew:1:1: the file ends without a first line; expected `states rewards`",
        ),
        (
            "3 0\n",
            "m.srew:1:1: 3 states, but the transitions are of 2",
        ),
        (
            "2\n",
            "m.srew:1:2: expected the number of rewards, a whole number",
        ),
        (
            "2 1\n0 much\n",
            "m.srew:2:3: expected the reward of the state, a number",
        ),
        (
            "2 1\n0 NaN\n",
            "m.srew:2:3: expected the reward of the state, a number",
        ),
        (
            "2 1\n0\n",
            "m.srew:2:2: expected the reward of the state, a number",
        ),
        ("2 1\n2 1\n", "m.srew:2:1: state 2 does not exist"),
        (
            "2 2\n0 1\n0 1\n",
            "m.srew:3:1: state 0 has a reward already",
        ),
        (
            "2 2\n0 1\n",
            "m.srew:3:1: the file has 1 rewards, its first line promises 2",
        ),
        ("2 1\n0 1 2\n", "m.srew:2:5: expected the end of the line"),
    ];
    for (text, expected) in rewards {
        let found = parse(tra, None, Some(text)).unwrap_err().to_string();
        assert!(found.starts_with(expected), "{text:?}: {found}");
    }
}

#[test]
fn damaged_files_never_panic() {
    let prism = [
        "2 3 4\n0 0 1 0.5 a\n0 0 1 1/2 a\n0 1 0 1 b\n1 0 1 1 a\n",
        "0=\"init\" 1=\"x\"\n0: 0 1\n1: 1\n",
        "# Reward structure \"r\"\n# State rewards\n2 1\n1 0.5\n",
        "2 3 1\n0 1 0 1/3\n",
    ];
    let storm = [
        "mdp\n0 0 1 1\n0 0 0 0\n1 0 1 1\n",
        "#DECLARATION\ninit x\n#END\n0 init x\n",
        "1 0.5\n",
        "0 0 1 1/3\n0 0 0 2\n",
    ];
    let mrmc = [
        "STATES 2\nTRANSITIONS 2\n1 2 1\n2 1 1\n",
        "#DECLARATION\nx\n#END\n2 x\n",
        "1 0.5\n",
        "STATES 2\nTRANSITIONS 1\n1 2 3\n",
    ];
    for texts in [prism, storm, mrmc] {
        assert!(try_all(texts.map(|text| text.as_bytes().to_vec())).is_ok());
        for which in 0..texts.len() {
            for cut in 0..texts[which].len() {
                for byte in [
                    0, b'\n', b' ', b':', b'"', b'=', b'9', b'-', b'/', b'#', 0xff,
                ] {
                    let mut bytes = texts.map(|text| text.as_bytes().to_vec());
                    bytes[which][cut] = byte;
                    let mut cuts = texts.map(|text| text.as_bytes().to_vec());
                    cuts[which].truncate(cut);
                    let _ = (try_all(bytes), try_all(cuts));
                }
            }
        }
    }
}

/// Reads transitions, labels, rewards of states and rewards of transitions.
fn try_all([tra, lab, srew, trew]: [Vec<u8>; 4]) -> Result<MooreMachine, SystemError> {
    let rewards = |text, path, kind| RewardInput {
        reader: Cursor::new(text),
        path: Path::new(path),
        kind,
    };
    let input = PrismInput {
        transitions: (Cursor::new(tra), Path::new("m.tra")),
        labels: Some((Cursor::new(lab), Path::new("m.lab"))),
        rewards: vec![
            rewards(srew, "m.srew", RewardKind::States),
            rewards(trew, "m.trew", RewardKind::Transitions),
        ],
    };
    prism_from(input, 1 << 10)
}

#[test]
fn values_of_outputs_are_bounded() {
    let lines: String = (0..9).map(|state| format!("{state} {state}\n")).collect();
    let lines = format!("9 9\n{lines}");
    let rewards = || RewardInput {
        reader: Cursor::new(&lines[..]),
        path: Path::new("m.srew"),
        kind: RewardKind::States,
    };
    let ring: String = (0..9)
        .map(|state| format!("{state} {} 1\n", (state + 1) % 9))
        .collect();
    let ring = format!("9 9\n{ring}");
    let read = |limit| {
        let input = PrismInput {
            transitions: (Cursor::new(&ring[..]), Path::new("m.tra")),
            labels: None,
            rewards: vec![rewards(), rewards()],
        };
        prism_from(input, limit)
    };
    assert_eq!(read(18).unwrap().outputs(), 9);
    assert_eq!(
        read(17).unwrap_err().to_string(),
        "m.tra: 9 outputs of 2 rewards each are more than the 17 values allowed; leave some files of \
         rewards out"
    );
}

#[test]
fn files_beside_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("m.tra"), "2 2\n0 1 1\n1 0 1\n").unwrap();
    assert_eq!(read::any(at("m.tra")).unwrap().outputs(), 1);
    std::fs::write(at("m.lab"), "0=\"init\"\n1: 0\n").unwrap();
    let machine = read::any(at("m.tra")).unwrap();
    assert_eq!((machine.outputs(), machine.initial()), (1, StateId::new(1)));
    assert!(machine.output_labels(OutputId::new(0)).is_none());
    std::fs::write(at("m.srew"), "2 1\n1 3\n").unwrap();
    assert_eq!(read::any(at("m.tra")).unwrap().outputs(), 2);
    std::fs::create_dir(at("f.lab")).unwrap();
    std::fs::write(at("f.tra"), "1 1\n0 0 1\n").unwrap();
    let message = read::any(at("f.tra")).unwrap_err().to_string();
    assert!(message.contains("f.lab: is a folder"), "{message}");
}

#[test]
fn what_is_written_is_what_prism_reads() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| std::fs::read_to_string(at(name)).unwrap();
    write::prism(&generate::counter(3).unwrap(), at("c.tra")).unwrap();
    assert_eq!(
        text("c.tra"),
        "3 6 6\n0 0 0 1\n0 1 1 1\n1 0 0 1\n1 1 2 1\n2 0 1 1\n2 1 2 1\n"
    );
    assert_eq!(text("c.lab"), "0=\"init\"\n0: 0\n");
    assert_eq!(text("c.srew"), "3 1\n1 1\n");
    assert_eq!(
        read::prism(at("c.tra")).unwrap(),
        generate::counter(3).unwrap()
    );

    // Outputs without values become labels; an older file of rewards would not belong to them.
    let machine = generate::random(3, 4, 1, 2).unwrap();
    write::prism(&machine, at("c.tra")).unwrap();
    assert!(!at("c.srew").exists());
    assert!(text("c.lab").starts_with("0=\"init\" 1=\"output_0\" 2=\"output_1\"\n0: 0 1\n"));
    let back = read::prism(at("c.tra")).unwrap();
    assert_eq!(back.next_table(), machine.next_table());
    assert_eq!(back.output_table(), machine.output_table());

    let lab = "0=\"init\" 1=\"x\" 2=\"y\"\n0: 1 2\n1: 0 1\n";
    let tra = "2 3 3\n0 0 1 1 a\n0 1 0 1 b\n1 0 1 1 b\n";
    let machine = parse(tra, Some(lab), Some("2 1\n0 -0.125\n")).unwrap();
    write::prism(&machine, at("p.tra")).unwrap();
    assert_eq!(text("p.tra"), tra);
    assert_eq!(text("p.lab"), lab);
    assert_eq!(text("p.srew"), "2 1\n0 -0.125\n");
    assert_eq!(read::prism(at("p.tra")).unwrap(), machine);
}

/// Else the transitions of the older model would be read with labels of the newer one.
#[test]
fn a_model_that_cannot_be_written_leaves_the_older_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let older = generate::random(3, 4, 1, 2).unwrap();
    write::prism(&older, at("c.tra")).unwrap();
    let texts = || ["c.tra", "c.lab"].map(|name| std::fs::read_to_string(at(name)).unwrap());
    let before = texts();
    std::fs::create_dir(at("c.srew")).unwrap();
    let error = write::prism(&generate::counter(3).unwrap(), at("c.tra")).unwrap_err();
    assert!(error.to_string().contains("c.srew"), "{error}");
    assert_eq!(texts(), before);
    // The two files, and the folder in the way.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}
