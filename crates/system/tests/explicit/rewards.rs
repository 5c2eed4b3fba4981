//! Tests of rewards: what is read of them, compared and written.

use tellapart_system::read::{self, Content, RewardChoice};
use tellapart_system::{Format, OutputId, SystemError, write};

use crate::files::{Files, RING, TWO_WAYS, labels, outputs, values};

#[test]
fn every_structure_is_a_part_of_the_output() {
    // The name says the number of the structure, and numbers are sorted as numbers.
    let names = [
        "m.srew",
        "m1.srew",
        "m2.srew",
        "m10.srew",
        "m.time.srew",
        "m.rews",
        "m.old.state.rew",
    ];
    for name in names {
        let text = match name.contains("state") {
            true => "1 5\n3 5\n",
            false => "4 2\n1 5\n3 5\n",
        };
        let machine = Files::new(&[("m.tra", RING), (name, text)]).read();
        assert_eq!(outputs(&machine), [0, 1, 0, 1], "{name}");
        assert_eq!(
            machine.output_value(OutputId::new(1)),
            Some(&[5.0][..]),
            "{name}"
        );
    }
    let machine = Files::new(&[
        ("m.tra", RING),
        ("m10.srew", "4 1\n3 10\n"),
        ("m2.srew", "4 2\n0 2\n1 2\n"),
        ("m1.srew", "4 1\n1 1\n"),
        ("M.srew", "nothing of this model"),
        ("mm.srew", "nothing of this model"),
        ("m_1.srew", "nothing of this model"),
    ])
    .read();
    let expected = [
        [0.0, 2.0, 0.0],
        [1.0, 2.0, 0.0],
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 10.0],
    ];
    assert_eq!(values(&machine), expected);
    assert_eq!(machine.outputs(), 4);
}

#[test]
fn rewards_of_transitions_belong_to_state_and_action() {
    let files = Files::new(&[
        ("m.tra", TWO_WAYS),
        ("m1.srew", "3 1\n2 7\n"),
        (
            "m2.trew",
            "# Reward structure \"energy\"\n# Transition rewards\n3 6 2\n0 1 2 1/2\n1 1 0 0.5\n",
        ),
        ("m1.trew", "3 6 0\n"),
    ]);
    let found = read::any_with(files.at("m.tra"), &RewardChoice::All).unwrap();
    // Only `back` is rewarded, and only by the second structure.
    assert_eq!(found.columns, ["m1.srew", "energy(back)"]);
    assert_eq!(values(&found.machine), [[0.0, 0.5], [0.0, 0.5], [7.0, 0.0]]);
    assert_eq!(outputs(&found.machine), [0, 0, 1]);
    let parts: Vec<(String, Content)> = found
        .parts
        .iter()
        .map(|part| {
            (
                part.path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                part.content,
            )
        })
        .collect();
    let expected = [
        ("m1.srew", Content::StateRewards),
        ("m1.trew", Content::TransitionRewards),
        ("m2.trew", Content::TransitionRewards),
    ];
    assert_eq!(
        parts,
        expected.map(|(name, content)| (name.to_owned(), content))
    );

    // In a Markov chain a transition has no choice.
    for name in ["m.trew", "m.rewt", "m3.trew", "m.trans.rew", "m.tra.rew"] {
        let text = match name.ends_with(".rew") {
            true => "0 1 3\n2 3 3.0\n",
            false => "4 2\n0 1 3\n2 3 3.0\n",
        };
        let machine = Files::new(&[("m.tra", RING), (name, text)]).read();
        assert_eq!(values(&machine), [[3.0], [0.0], [3.0], [0.0]], "{name}");
    }
    // Choices without actions.
    let machine = Files::new(&[
        ("m.tra", "2 3 3\n0 0 1 1\n0 1 0 1\n1 1 0 1\n"),
        ("m.trew", "2 3 1\n1 1 0 4\n"),
    ])
    .read();
    assert_eq!(values(&machine), [[0.0], [4.0]]);
}

#[test]
fn rewards_of_transitions_that_mean_nothing_are_refused() {
    let cases = [
        (
            "3 6 1\n0 0 2 1\n",
            "m.trew:2:5: state 0 does not lead to 2 under choice 0",
        ),
        ("3 6 1\n0 2 1 1\n", "m.trew:2:3: state 0 has no choice 2"),
        (
            "3 6 2\n0 0 1 1\n0 0 1 1\n",
            "m.trew:3:1: transition 0 0 1 has a reward already",
        ),
        (
            "3 6 2\n0 0 1 1\n",
            "m.trew:3:1: the file has 1 rewards, its first line promises 2",
        ),
        (
            "3 5 0\n",
            "m.trew:1:3: 5 choices, but the transitions are of 6",
        ),
        (
            "4 6 0\n",
            "m.trew:1:1: 4 states, but the transitions are of 3",
        ),
        (
            "3 6\n",
            "m.trew:1:4: expected the number of rewards, a whole number",
        ),
        (
            "3 6 0 0\n",
            "m.trew:1:7: expected the end of the line, after `states choices rewards`",
        ),
        (
            "",
            "m.trew:1:1: the file ends without a first line; expected `states choices rewards`",
        ),
        (
            "3 6 1\n0 0 1 x\n",
            "m.trew:2:7: expected the reward of the transition, a number",
        ),
        ("3 6 1\n0 0.5 1:2\n", "m.trew:2:4: expected the state"),
        (
            "# Reward structure\n# State rewards\n3 0\n",
            "m.trew:2:1: these are rewards of states",
        ),
    ];
    for (text, expected) in cases {
        let message = Files::new(&[("m.tra", TWO_WAYS), ("m.trew", text)]).message();
        assert!(message.starts_with(expected), "{text:?}: {message}");
    }
    let swapped = "# Reward structure \"a\"\n# Transition rewards\n3 6 0\n";
    let message = Files::new(&[("m.tra", TWO_WAYS), ("m.srew", swapped)]).message();
    assert!(
        message.starts_with("m.srew:2:1: these are rewards of transitions"),
        "{message}"
    );

    // Two choices of one action, and one state: the reward must be that of both.
    let same = "2 3 3\n0 0 1 1 a\n0 1 1 1 a\n1 0 0 1 a\n";
    let both = [("m.tra", same), ("m.trew", "2 3 2\n0 1 1 2\n0 0 1 4/2\n")];
    assert_eq!(values(&Files::new(&both).read()), [[2.0], [0.0]]);
    for one in ["2 3 1\n0 1 1 2\n", "2 3 2\n0 1 1 2\n0 0 1 0\n"] {
        let message = Files::new(&[("m.tra", same), ("m.trew", one)]).message();
        let expected = "m.trew: state 0 has two choices of \"a\" with rewards 0 and 2, so that the reward \
                        is not determined; give them different actions or equal rewards";
        assert_eq!(message, expected);
    }
    // What happens with probability 0 is never rewarded.
    let never = "2 2 3\n0 0 1 1 a\n0 0 0 0 a\n1 0 0 1 a\n";
    let files = Files::new(&[("m.tra", never), ("m.trew", "2 2 1\n0 0 0 9\n")]);
    assert_eq!(files.read().outputs(), 1);
}

#[test]
fn rewards_compare_exactly() {
    let of = |rewards: [&str; 4]| {
        let lines = (0..)
            .zip(rewards)
            .map(|(state, reward)| format!("{state} {reward}\n"));
        let text = format!("4 4\n{}", lines.collect::<String>());
        Files::new(&[("m.tra", RING), ("m.srew", &text)]).read()
    };
    let machine = of(["1/2", "0.5", "2/4", "5e-1"]);
    assert_eq!((machine.outputs(), values(&machine)[0][0]), (1, 0.5));
    let machine = of(["1/3", "2/6", "0.25", "1/4"]);
    assert_eq!(outputs(&machine), [0, 0, 1, 1]);
    assert_eq!(values(&machine)[0], [1.0 / 3.0]);
    assert_eq!(outputs(&of(["0", "-0", "0/5", "0.0"])), [0; 4]);
    assert_eq!(
        outputs(&of(["inf", "-inf", "Infinity", "1e308"])),
        [0, 1, 0, 2]
    );

    // No `f64` tells the first two apart, so they become labels; everything else stays.
    let machine = of(["1/3", "0.3333333333333333", "0", "2/6"]);
    assert_eq!(outputs(&machine), [0, 1, 2, 0]);
    assert_eq!(machine.output_value(OutputId::new(0)), None);
    assert_eq!(labels(&machine, 0), ["m.srew=1/3"]);
    assert_eq!(labels(&machine, 1), ["m.srew=0.3333333333333333"]);
    assert_eq!(labels(&machine, 2), Vec::<String>::new());
    let files = Files::new(&[
        ("m.tra", RING),
        ("m.lab", "0=\"init\" 1=\"x\"\n2: 0 1\n"),
        ("m1.srew", "4 2\n0 9007199254740992\n1 9007199254740993\n"),
        ("m2.srew", "4 1\n2 3\n"),
    ]);
    let machine = files.read();
    assert_eq!(outputs(&machine), [0, 1, 2, 3]);
    assert_eq!(values(&machine), [[0.0], [0.0], [3.0], [0.0]]);
    assert_eq!(labels(&machine, 1), ["m1.srew=9007199254740993"]);
    assert_eq!(labels(&machine, 2), ["x"]);
    // Nothing is lost on the way through any format that keeps outputs apart.
    for name in ["c.tsys", "c.tra", "c.npz", "c.boa.txt"] {
        write::any(&machine, files.at(name)).unwrap();
        let back = read::any(files.at(name)).unwrap();
        assert_eq!(back.output_table(), machine.output_table(), "{name}");
    }
    assert_eq!(read::any(files.at("c.tsys")).unwrap(), machine);

    let long = format!("4 1\n0 {}\n", "12345678901".repeat(4));
    let message = Files::new(&[("m.tra", RING), ("m.srew", &long)]).message();
    assert!(
        message.contains("m.srew:2:3: expected the reward of the state, a number of at most 38"),
        "{message}"
    );
}

#[test]
fn rewards_are_chosen_by_file_number_or_structure() {
    let files = Files::new(&[
        ("m.tra", RING),
        (
            "m1.srew",
            "# Reward structure \"time\"\n# State rewards\n4 1\n0 1\n",
        ),
        (
            "m2.srew",
            "# Reward structure \"cost\"\n# State rewards\n4 1\n1 1\n",
        ),
        (
            "m2.trew",
            "# Reward structure \"cost\"\n# Transition rewards\n4 1\n2 3 1\n",
        ),
    ]);
    for (words, columns, expected) in [
        ("all", &["time", "cost", "cost(0)"][..], &[0, 1, 2, 3][..]),
        ("none", &[], &[0, 0, 0, 0]),
        ("time", &["time"], &[0, 1, 1, 1]),
        ("1", &["time"], &[0, 1, 1, 1]),
        ("cost", &["cost", "cost(0)"], &[0, 1, 2, 0]),
        ("m2.trew", &["cost(0)"], &[0, 0, 1, 0]),
        ("m2.trew, time", &["time", "cost(0)"], &[0, 1, 2, 1]),
    ] {
        let choice = words.parse().unwrap();
        let found = read::any_with(files.at("m.tra"), &choice).unwrap();
        assert_eq!(found.columns, columns, "{words}");
        assert_eq!(outputs(&found.machine), expected, "{words}");
        let left = found.parts.iter().filter(|part| part.unread.is_some());
        assert_eq!(
            left.count()
                + found
                    .parts
                    .iter()
                    .filter(|part| part.unread.is_none())
                    .count(),
            3
        );
    }
    let choice: RewardChoice = "tim".parse().unwrap();
    let error = read::any_with(files.at("m.tra"), &choice)
        .unwrap_err()
        .to_string();
    let expected = "no rewards beside it are called \"tim\"; there are m1.srew (time), m2.srew (cost), \
                    m2.trew (cost)";
    assert!(error.ends_with(expected), "{error}");
    std::fs::write(files.at("m.aut"), "des (0,0,1)").unwrap();
    let error = read::any_with(files.at("m.aut"), &RewardChoice::None).unwrap_err();
    assert!(
        matches!(error, SystemError::NoRewardsBeside { .. }),
        "{error}"
    );
}

#[test]
fn vectors_are_written_as_several_structures() {
    let files = Files::new(&[
        ("m.tra", TWO_WAYS),
        ("m1.srew", "3 1\n2 7\n"),
        ("m2.trew", "3 6 2\n0 1 2 1/2\n1 1 0 0.5\n"),
        ("c.trew", "of an older model"),
        ("c2.srew", "of an older model"),
        ("c3.srew", "of an older model"),
        ("d1.tra", "1 1\n0 0 1\n"),
    ]);
    let machine = files.read();
    assert!(write::lost(&machine, Format::Prism).is_empty());
    write::prism(&machine, files.at("c.tra")).unwrap();
    let text = |name: &str| std::fs::read_to_string(files.at(name)).unwrap();
    assert_eq!(text("c1.srew"), "3 1\n2 7\n");
    assert_eq!(text("c2.srew"), "3 2\n0 0.5\n1 0.5\n");
    assert!(!files.at("c.trew").exists() && !files.at("c3.srew").exists());
    assert_eq!(read::any(files.at("c.tra")).unwrap(), machine);
    // `d1.srew` would be taken for a part of `d1.tra`.
    let error = write::prism(&machine, files.at("d.tra"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("d1.srew: rewards of") && error.contains("choose another name"),
        "{error}"
    );
    assert!(!files.at("d.tra").exists() && !files.at("d.lab").exists());
}
