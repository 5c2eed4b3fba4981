//! Impossible requests to the counting world, and the errors they give.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use tellapart_env::{
    Action, ActionSpace, BatchEnvironment, Counting, EnvError, Outcome,
    counting::{Options, Shape},
};
use tellapart_system::StateId;

fn refusal(options: Options) -> String {
    options.validate().unwrap_err().to_string()
}

#[test]
fn an_impossible_option_is_named_with_what_would_do() {
    let base = Options::default;
    for (options, name) in [
        (
            Options {
                max_count: 0,
                ..base()
            },
            "max_count",
        ),
        (
            Options {
                target: 9,
                ..base()
            },
            "target",
        ),
        (
            Options {
                actions: ActionSpace::one_hot(4),
                ..base()
            },
            "actions",
        ),
        (
            Options {
                start_count: Some(9),
                ..base()
            },
            "start_count",
        ),
        (
            Options {
                max_steps: 0,
                ..base()
            },
            "max_steps",
        ),
        (
            Options {
                shapes: vec![],
                ..base()
            },
            "shapes",
        ),
        (
            Options {
                shapes: vec![Shape::Line, Shape::Line],
                ..base()
            },
            "shapes",
        ),
        (
            Options {
                color_min: 226,
                ..base()
            },
            "color_min",
        ),
        (
            Options {
                radius: 128,
                ..base()
            },
            "radius",
        ),
        (
            Options {
                radius: u32::MAX,
                ..base()
            },
            "radius",
        ),
        (
            Options {
                image_side: 6,
                ..base()
            },
            "image_side",
        ),
        (
            Options {
                image_side: 1025,
                ..base()
            },
            "image_side",
        ),
        (
            Options {
                placement_tries: 0,
                ..base()
            },
            "placement_tries",
        ),
    ] {
        let text = refusal(options);
        assert!(
            text.starts_with(&format!("option `{name}` is ")),
            "{name}: {text}"
        );
        assert!(text.contains(": expected "), "{text}");
    }
    let text = refusal(Options {
        target: 9,
        ..base()
    });
    assert_eq!(text, "option `target` is 9: expected at most max_count = 8");
}

#[test]
fn the_extremes_that_are_allowed_work() {
    for options in [
        Options {
            max_count: 255,
            target: 255,
            image_side: 255,
            ..Options::default()
        },
        Options {
            radius: 127,
            image_side: 255,
            ..Options::default()
        },
        Options {
            radius: 0,
            image_side: 1,
            min_distance: u32::MAX,
            ..Options::default()
        },
        Options {
            color_min: 0,
            color_max: 255,
            image_side: 1024,
            ..Options::default()
        },
    ] {
        let mut world = Counting::new(options.validate().unwrap(), 0, 1);
        let mut frame = vec![0; world.frame_bytes()];
        let most = world.rules().max_count;
        world
            .reset_to(
                &[usize::from(most)].map(StateId::from_index),
                &mut frame,
                &mut [Outcome::default()],
            )
            .unwrap();
        world.ground_truth().unwrap();
    }
}

#[test]
fn options_survive_a_round_trip_and_unknown_keys_do_not() {
    let options = Options {
        start_count: Some(3),
        ..Options::default()
    };
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
    assert_eq!(
        serde_json::from_str::<Options>("{}").unwrap(),
        Options::default()
    );

    let some = r#"{"actions": "one-hot-3", "value": "dense", "shapes": ["line"], "target": 2}"#;
    let read: Options = serde_json::from_str(some).unwrap();
    assert_eq!(
        (read.actions.distinct(), read.target, read.shapes),
        (3, 2, vec![Shape::Line])
    );

    let unknown = serde_json::from_str::<Options>(r#"{"targt": 2}"#)
        .unwrap_err()
        .to_string();
    assert!(
        unknown.contains("targt") && unknown.contains("`target`"),
        "{unknown}"
    );
    let space = serde_json::from_str::<Options>(r#"{"actions": "two"}"#)
        .unwrap_err()
        .to_string();
    assert!(space.contains("continuous-2"), "{space}");
}

#[test]
fn a_wrong_buffer_or_action_is_named_and_nothing_moves() {
    let mut world = Counting::new(Options::default().validate().unwrap(), 1, 3);
    let (mut frames, mut outcomes) = (vec![0; 3 * 12_288], [Outcome::default(); 3]);
    let up = Action::Continuous(1.0);
    world
        .reset_to(
            &[0, 1, 7].map(StateId::from_index),
            &mut frames,
            &mut outcomes,
        )
        .unwrap();
    let before = (frames.clone(), outcomes);

    let error = world
        .reset(&mut frames[1..], &mut outcomes)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "`frames` holds 36863 items: this world of 3 environments needs 36864"
    );
    let error = world
        .step(&[up; 3], &mut frames, &mut outcomes[1..])
        .unwrap_err();
    assert!(
        matches!(
            error,
            EnvError::WrongLength {
                buffer: "outcomes",
                ..
            }
        ),
        "{error}"
    );
    let error = world
        .step(&[up; 4], &mut frames, &mut outcomes)
        .unwrap_err();
    assert!(
        matches!(
            error,
            EnvError::WrongLength {
                buffer: "actions",
                ..
            }
        ),
        "{error}"
    );
    let error = world
        .reset_to(&[1].map(StateId::from_index), &mut frames, &mut outcomes)
        .unwrap_err();
    assert!(
        matches!(
            error,
            EnvError::WrongLength {
                buffer: "states",
                ..
            }
        ),
        "{error}"
    );
    let error = world
        .reset_to(
            &[1, 2, 9].map(StateId::from_index),
            &mut frames,
            &mut outcomes,
        )
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "copy 2 cannot begin in state 9: the states are 0 to 8"
    );
    for (wrong, text) in [
        (Action::Continuous(f32::NAN), "the action NaN"),
        (Action::Continuous(1.5), "the action 1.5"),
        (Action::OneHot(1), "the action with index 1"),
    ] {
        let error = world
            .step(&[up, wrong, up], &mut frames, &mut outcomes)
            .unwrap_err();
        let expected = format!("{text} for copy 1 is not in the space continuous-2");
        assert_eq!(error.to_string(), expected);
    }

    assert!((frames, outcomes) == before);
    let counts: Vec<u8> = (0..3).map(|copy| world.count(copy)).collect();
    assert_eq!(counts, [0, 1, 7]);
}
