//! Tests of the forms of PRISM, Storm and MRMC, and of probabilities.

use tellapart_system::{OutputId, StateId};

use crate::files::{Files, labels, outputs, values};

#[test]
fn labels_declared_by_name() {
    let tra = "3 3\n0 1 1\n1 2 1\n2 0 1\n";
    let storm = "#DECLARATION\ninit deadlock one\n& even\n#END\n\n0 even\n# nothing\n1 init one\n2 even\t& \n";
    let files = Files::new(&[("m.tra", tra), ("m.lab", storm)]);
    let machine = files.read();
    assert_eq!(machine.initial(), StateId::new(1));
    assert_eq!(labels(&machine, 0), ["even"]);
    assert_eq!(labels(&machine, 1), ["one"]);
    assert_eq!(labels(&machine, 2), ["&", "even"]);
    // The same in PRISM's form.
    let prism = "0=\"init\" 1=\"deadlock\" 2=\"one\" 3=\"&\" 4=\"even\"\n0: 4\n1: 0 2\n2: 4 3\n";
    assert_eq!(
        Files::new(&[("m.tra", tra), ("m.lab", prism)]).read(),
        machine
    );
    for (text, expected) in [
        (
            "#DECLARATION\na b\n",
            "m.lab:3:1: the file ends before `#END` of its declaration",
        ),
        (
            "#DECLARATION\na a\n#END\n",
            "m.lab:2:3: label \"a\" is there already",
        ),
        (
            "#DECLARATION\na\n#END\n0 a b\n",
            "m.lab:4:5: label \"b\" is not declared",
        ),
        (
            "#DECLARATION\na\n#END\n3 a\n",
            "m.lab:4:1: state 3 does not exist",
        ),
        (
            "#DECLARATION\na\n#END\n0 a\n0 a\n",
            "m.lab:5:1: state 0 has a line already",
        ),
        (
            "#DECLARATION\na\n#END\na 0\n",
            "m.lab:4:1: expected a state, a whole number",
        ),
        (
            "#DECLARATON\na\n#END\n0 a\n",
            "m.lab:2:1: expected the number of a label",
        ),
    ] {
        let message = Files::new(&[("m.tra", tra), ("m.lab", text)]).message();
        assert!(message.starts_with(expected), "{text:?}: {message}");
    }
}

#[test]
fn models_of_storm_count_nothing() {
    let files = Files::new(&[
        ("m.tra", "dTmC\n0 0 0\n0 1 1\n\n1 0 0.5\n1 0 0.5\n"),
        ("m.lab", "#DECLARATION\ninit a\n#END\n0 init\n1 a\n"),
        ("m.state.rew", "0 2\n"),
        ("m.flips.trans.rew", "1 0 3\n0 0 7\n"),
    ]);
    let machine = files.read();
    assert_eq!((machine.states(), machine.actions()), (2, 1));
    assert_eq!(machine.next_table(), [StateId::new(1), StateId::new(0)]);
    assert_eq!(values(&machine), [[2.0, 0.0], [0.0, 3.0]]);
    assert_eq!(labels(&machine, 1), ["a"]);

    let machine = Files::new(&[
        (
            "m.tra",
            "mdp\n0 0 1 1\n0 1 2 0.5\n0 1 2 0.5\n1 0 0 1\n2 1 2 1\n2 0 0 1.0\n",
        ),
        ("m.trew", "0 1 2 5\n2 0 0 1\n"),
    ])
    .read();
    assert_eq!((machine.states(), machine.actions()), (3, 2));
    assert_eq!(values(&machine), [[0.0, 5.0], [0.0, 0.0], [1.0, 0.0]]);
    assert_eq!(
        machine.successors(StateId::new(0)),
        [StateId::new(1), StateId::new(2)]
    );

    for (text, expected) in [
        ("dtmc\n", "m.tra:2:1: the file has no transitions"),
        (
            "dtmc\n0 1 0.5\n0 0 0.5\n1 1 1\n",
            "m.tra:2:5: state 0 reaches 1 with probability 0.5 and 0 with",
        ),
        (
            "mdp\n0 9 0 1\n",
            "m.tra:2:3: choice 9 does not exist: the model has 1",
        ),
        (
            "mdp\n0 0 4000000000 1\n",
            "m.tra:3:1: 1 transitions name state 4000000000",
        ),
        (
            "mdp\n0 0 99999999999 1\n",
            "m.tra:2:5: at most 4294967294 states are supported",
        ),
    ] {
        let message = Files::new(&[("m.tra", text)]).message();
        assert!(message.starts_with(expected), "{text:?}: {message}");
    }
}

#[test]
fn models_of_mrmc_count_from_one() {
    let files = Files::new(&[
        (
            "m.tra",
            "STATES 3\nTRANSITIONS 4\n1 2 1\n2 3 0.25\n2 3 0.75\n3 1 1\n",
        ),
        (
            "m.lab",
            "#DECLARATION\ninit deadlock end\n#END\n2 init\n3 end\n",
        ),
        ("m.rew", "1 1.5\n3 2\n"),
        ("m.rewi", "STATES 3\nTRANSITIONS 1\n3 1 4\n"),
    ]);
    let machine = files.read();
    let expected = [1, 2, 0].map(StateId::new);
    assert_eq!(machine.next_table(), expected);
    assert_eq!(machine.initial(), StateId::new(1));
    assert_eq!(labels(&machine, 2), ["end"]);
    assert_eq!(values(&machine), [[1.5, 0.0], [0.0, 0.0], [2.0, 4.0]]);
    // PRISM writes these forms, too, and calls them its own names.
    let renamed = Files::new(&[
        ("m.tra", "STATES 1\nTRANSITIONS 1\n1 1 1\n"),
        ("m.srew", "1 3\n"),
        ("m.trew", "STATES 1\nTRANSITIONS 1\n1 1 4\n"),
    ]);
    assert_eq!(values(&renamed.read()), [[3.0, 4.0]]);
    for (tra, lab, expected) in [
        (
            "STATES 2\nTRANSITIONS 1\n0 1 1\n",
            "",
            "m.tra:3:1: state 0 does not exist: by the header the states are 1 to 2",
        ),
        (
            "STATES 2\n1 2 1\n",
            "",
            "m.tra:2:1: expected `TRANSITIONS n` after `STATES n`",
        ),
        (
            "STATES 2\nTRANSITIONS 2\n1 2 0.5\n1 1 0.5\n",
            "",
            "m.tra:3:5: state 1 reaches 2 with probability 0.5 and 1 with",
        ),
        (
            "STATES 2\nTRANSITIONS 2\n1 2 1\n1 1 1\n",
            "",
            "m.tra:4: state 1 leads to both 2 (line 3) and 1 under",
        ),
        (
            "STATES 1\nTRANSITIONS 1\n1 1 1\n",
            "#DECLARATION\na\n#END\n0 a\n",
            "m.lab:4:1: state 0 does not exist",
        ),
    ] {
        let message = Files::new(&[
            ("m.tra", tra),
            ("m.lab", if lab.is_empty() { "0=\"x\"\n" } else { lab }),
        ])
        .message();
        assert!(message.starts_with(expected), "{tra:?}: {message}");
    }
}

#[test]
fn probabilities_that_add_up_to_one() {
    let certain = [
        "2 3\n0 1 0.5\n0 1 0.5\n1 0 1\n",
        "2 3\n0 1 1/3\n1 0 1\n0 1 2/3\n",
        "2 12\n0 1 0.1\n0 1 0.1\n0 1 0.1\n0 1 0.1\n0 1 0.1\n0 1 0.1\n0 1 0.1\n0 1 0.1\n0 1 0.1\n0 1 0.1\n1 0 1\n0 0 0\n",
        "2 3\n0 0 0.0\n0 1 1\n1 0 1e0\n",
        "2 4\n0 1 0.3333333333333333\n0 1 0.3333333333333333\n0 1 0.3333333333333333\n1 0 1\n",
        "2 2\n0 1 0.9999999999999999\n1 0 1\n",
        "2 2\n0 1 1/1\n1 0 3/3\n",
    ];
    let expected = [1, 0].map(StateId::new);
    for tra in certain {
        let machine = Files::new(&[("m.tra", tra)]).read();
        assert_eq!(machine.next_table(), expected, "{tra:?}");
        assert_eq!((machine.actions(), machine.outputs()), (1, 1), "{tra:?}");
    }
    // Sums are those of a choice, and choices of one action must agree.
    let tra = "2 3 5\n0 0 1 0.5 a\n0 1 1 0.5 b\n0 0 1 0.5 a\n0 1 1 0.5 b\n1 0 1 1 a\n";
    let machine = Files::new(&[("m.tra", tra)]).read();
    assert_eq!(machine.successors(StateId::new(0)), [StateId::new(1); 2]);
    let half = "0 reaches 1 with probability 0.5 and 1 with probability 0.4 under choice 0; the \
                probabilities add up to 0.9, and must add up to 1 (within 1e-9)";
    for (tra, expected) in [
        ("2 3\n0 1 0.5\n0 1 0.4\n1 1 1\n", half),
        (
            "2 2\n0 1 0\n1 1 1\n",
            "0 reaches 1 with probability 0 under choice 0; the probabilities add up to 0,",
        ),
        (
            "2 3\n0 1 0.999999\n0 0 0.000001\n1 1 1\n",
            "0 reaches 1 with probability 0.999999 and 0 with probability 0.000001",
        ),
        (
            "2 3\n0 1 1\n0 0 0.5\n1 1 1\n",
            "0 reaches 1 with probability 1 and 0 with probability 0.5 under choice 0; only",
        ),
        (
            "2 3 3\n0 0 1 0.5 a\n0 1 1 0.5 a\n1 0 1 1 a\n",
            "0 reaches 1 with probability 0.5 under \"a\"; the probabilities",
        ),
        (
            "2 3 4\n0 0 1 0.5 a\n0 0 1 0.5 a\n0 1 0 1 a\n1 0 1 1 a\n",
            "0 leads to both 1 (line 2) and 0 under \"a\"",
        ),
    ] {
        let message = Files::new(&[("m.tra", tra)]).message();
        assert!(
            message.contains(&format!("state {expected}")),
            "{tra:?}: {message}"
        );
    }
}

#[test]
fn without_transitions_all_states_stay() {
    for tra in ["3 0\n", "3 0 0\n"] {
        let machine = Files::new(&[("m.tra", tra), ("m.srew", "3 1\n1 1\n")]).read();
        assert_eq!((machine.states(), machine.actions()), (3, 1));
        assert_eq!(outputs(&machine), [0, 1, 0]);
        assert_eq!(machine.enabled_actions(OutputId::new(0)), Some(&[][..]));
    }
}
