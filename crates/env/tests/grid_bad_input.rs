//! Impossible requests to the gridworld, and the errors they give.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use tellapart_env::{Action, BatchEnvironment, Grid, Outcome, grid::Options};
use tellapart_system::StateId;

fn refusal(change: impl Fn(&mut Options)) -> String {
    let mut options = Options::default();
    change(&mut options);
    options.validate().unwrap_err().to_string()
}

fn layout(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|&row| row.to_owned()).collect()
}

#[test]
fn an_impossible_option_is_named_with_what_would_do() {
    let too_long = ".".repeat(65);
    for (text, expected) in [
        (
            refusal(|o| o.view_radius = 65),
            "option `view_radius` is 65: expected at most 64 cells",
        ),
        (
            refusal(|o| o.cell_side = 0),
            "option `cell_side` is 0: expected 1 to 341 pixels, so that the image has at most 1024 \
             each way",
        ),
        (refusal(|o| o.cell_side = 342), "option `cell_side` is 342"),
        (
            refusal(|o| o.tints = 0),
            "option `tints` is 0: expected 1 to 8",
        ),
        (refusal(|o| o.tints = 9), "option `tints` is 9"),
        (
            refusal(|o| o.noise = 128),
            "option `noise` is 128: expected at most 127",
        ),
        (
            refusal(|o| o.max_steps = 0),
            "option `max_steps` is 0: expected at least 1",
        ),
        (
            refusal(|o| o.layout.clear()),
            "option `layout` is of 0 rows: expected 1 to 64 rows",
        ),
        (
            refusal(|o| o.layout = vec!["G".to_owned(); 65]),
            "option `layout` is of 65 rows",
        ),
        (
            refusal(|o| o.layout = layout(&["G..", "..", "..."])),
            "option `layout` is \"..\" in row 1, which has 2 cells: expected rows of one length, \
             of 1 to 64 cells",
        ),
        (
            refusal(|o| o.layout = layout(&[""])),
            "option `layout` is \"\" in row 0, which has 0 cells",
        ),
        (
            refusal(|o| o.layout = layout(&[&too_long])),
            "in row 0, which has 65 cells",
        ),
        (
            refusal(|o| o.layout = layout(&["G.", ".g"])),
            "option `layout` is \".g\" in row 1, with 'g' in column 1: expected only . (floor), # \
             (wall) and G (goal)",
        ),
        (
            refusal(|o| o.layout = layout(&["..", ".#"])),
            "option `layout` is ..,.#: expected at least one goal, G",
        ),
    ] {
        assert!(text.contains(expected), "{text}\n{expected}");
    }
}

#[test]
fn the_extremes_that_are_allowed_work() {
    let widest = ["G".repeat(64), "#".repeat(64)];
    for options in [
        Options {
            layout: layout(&["G"]),
            view_radius: 64,
            cell_side: 7,
            tints: 8,
            noise: 127,
            ..Options::default()
        },
        Options {
            layout: widest.to_vec(),
            view_radius: 0,
            cell_side: 1024,
            ..Options::default()
        },
    ] {
        let mut world = Grid::new(options.validate().unwrap(), 0, 1);
        let mut frame = vec![0; world.frame_bytes()];
        world.reset(&mut frame, &mut [Outcome::default()]).unwrap();
        world.ground_truth().unwrap();
    }
}

#[test]
fn options_survive_a_round_trip_and_unknown_keys_do_not() {
    let options = Options {
        stay: true,
        ..Options::default()
    };
    let text = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
    let defaults: Options = serde_json::from_str("{}").unwrap();
    assert_eq!(defaults, Options::default());
    let unknown = serde_json::from_str::<Options>(r#"{"goal": 2}"#).unwrap_err();
    assert!(unknown.to_string().contains("`goal_visible`"), "{unknown}");
}

#[test]
fn a_wrong_buffer_state_or_action_is_named_and_nothing_moves() {
    let mut world = Grid::new(Options::default().validate().unwrap(), 1, 2);
    let (mut frames, mut outcomes) = (vec![0; 2 * 1728], [Outcome::default(); 2]);
    let states = [3, 30].map(StateId::new);
    world.reset_to(&states, &mut frames, &mut outcomes).unwrap();
    let before = (frames.clone(), outcomes);

    let bad = [3, 40].map(StateId::new);
    let error = world.reset_to(&bad, &mut frames, &mut outcomes);
    assert_eq!(
        error.unwrap_err().to_string(),
        "copy 1 cannot begin in state 40: the states are 0 to 39"
    );
    let error = world.reset_to(&bad[..1], &mut frames, &mut outcomes);
    assert_eq!(
        error.unwrap_err().to_string(),
        "`states` holds 1 items: this world of 2 environments needs 2"
    );
    for (wrong, text) in [
        (Action::OneHot(4), "the action with index 4"),
        (Action::Continuous(0.5), "the action 0.5"),
    ] {
        let error = world.step(&[Action::OneHot(0), wrong], &mut frames, &mut outcomes);
        assert_eq!(
            error.unwrap_err().to_string(),
            format!("{text} for copy 1 is not in the space one-hot-4")
        );
    }
    let error = world.step(&[Action::OneHot(0)], &mut frames, &mut outcomes);
    assert_eq!(
        error.unwrap_err().to_string(),
        "`actions` holds 1 items: this world of 2 environments needs 2"
    );

    assert!((frames, outcomes) == before);
    let positions = [0, 1].map(|copy| world.position(copy));
    assert_eq!(positions, [[4, 0], [2, 5]]);
}
