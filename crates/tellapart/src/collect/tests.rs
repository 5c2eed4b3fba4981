//! Tests of recordings: rows follow the ground truth, nuisances match the frames, and limits hold.

use tellapart_env::{counting::Options, grid};
use tellapart_files::Values;

use super::*;

fn recording(actions: &str, episodes: usize, seed: u64) -> Recorder {
    let actions = actions.parse().unwrap();
    let options = Options {
        actions,
        max_steps: 9,
        image_side: 16,
        ..Options::default()
    };
    Recorder::new(options.validate().unwrap(), episodes, seed)
}

fn of_the_grid(options: grid::Options, episodes: usize) -> Recorder {
    Recorder::new(options.validate().unwrap(), episodes, 3)
}

/// Checks that all steps within episodes and all values are those of the ground truth, and that
/// each action occurs in each state.
fn follows_the_truth(recording: &Recorder, space: ActionSpace) {
    let truth = recording.world.ground_truth().unwrap();
    let recorded = recording.record(|_| {}).unwrap();
    let states = recorded.state_ids.clone().unwrap();
    let rewards = recorded.rewards.clone().unwrap();
    let mut taken = vec![false; truth.states() * truth.actions()];
    for episode in recorded.episodes() {
        for row in episode.start..episode.end {
            let here = truth.state(states[row] as usize).unwrap();
            let value = truth.output_value(truth.output(here)).unwrap();
            assert_eq!(value, [rewards.number(row)], "{space}, row {row}");
            if row + 1 == episode.end {
                continue;
            }
            let action = match &recorded.actions {
                Actions::Discrete { ids, .. } => Action::OneHot(ids[row]),
                Actions::Vectors { values, .. } => Action::Continuous(values.number(row) as f32),
            };
            let action = space.index_of(action).unwrap();
            let next = truth.successor(here, action);
            assert_eq!(next.get(), states[row + 1], "{space}, row {row}");
            taken[here.index() * truth.actions() + action.index()] = true;
        }
    }
    let missing = taken.iter().position(|&taken| !taken);
    assert_eq!(missing, None, "{space}: state and action");
}

#[test]
fn recorded_rows_follow_the_ground_truth() {
    for space in Options::ACTIONS {
        follows_the_truth(&recording(&space.to_string(), 400, 3), space);
    }
    for stay in [false, true] {
        let options = grid::Options {
            stay,
            noise: 3,
            ..grid::Options::default()
        };
        let space = ActionSpace::one_hot(4 + u32::from(stay));
        follows_the_truth(&of_the_grid(options, 1000), space);
    }
}

#[test]
fn rows_of_the_grid_with_equal_views_and_tints_are_the_same_image() {
    let recorded = of_the_grid(grid::Options::default(), 100)
        .record(|_| {})
        .unwrap();
    let Frames::U8 { values, shape } = &recorded.observations else {
        panic!("frames are u8")
    };
    assert_eq!(shape, &[24, 24, 3]);
    let (Values::U32(views), Values::U8(tints), Values::I16(positions)) = (
        &recorded.extra["view_ids"].values,
        &recorded.extra["tint_ids"].values,
        &recorded.extra["positions"].values,
    ) else {
        panic!("other types")
    };
    let frames: Vec<&[u8]> = values.chunks(24 * 24 * 3).collect();
    let states = recorded.state_ids.as_ref().unwrap();
    let positions = positions.as_chunks::<2>().0;
    let mut aliased = 0;
    for a in 0..recorded.rows() {
        for b in 0..a {
            let alike = (views[a], tints[a]) == (views[b], tints[b]);
            assert_eq!(frames[a] == frames[b], alike, "rows {a} and {b}");
            assert_eq!(positions[a] == positions[b], states[a] == states[b]);
            aliased += usize::from(alike && states[a] != states[b]);
        }
    }
    assert!(aliased > 0, "some cells look like others");
}

#[test]
fn nuisances_are_those_of_the_frames() {
    let recorded = recording("one-hot-2", 50, 8).record(|_| {}).unwrap();
    let Frames::U8 { values, .. } = &recorded.observations else {
        panic!("frames are u8")
    };
    let Values::I16(positions) = &recorded.extra["positions"].values else {
        panic!("i16")
    };
    let Values::U8(colors) = &recorded.extra["colors"].values else {
        panic!("u8")
    };
    let states = recorded.state_ids.as_ref().unwrap();
    for row in 0..recorded.rows() {
        let frame = &values[row * 16 * 16 * 3..][..16 * 16 * 3];
        let centers = &positions.as_chunks::<2>().0[row * 8..][..8];
        let shown = centers.iter().filter(|center| center[0] >= 0);
        assert_eq!(shown.clone().count(), states[row] as usize);
        for &[x, y] in shown {
            // The center belongs to every shape.
            let pixel = &frame[(y as usize * 16 + x as usize) * 3..][..3];
            assert_eq!(pixel, &colors[row * 3..][..3], "row {row}");
        }
    }
}

#[test]
fn the_seed_decides_and_a_longer_recording_begins_with_the_shorter() {
    let long = recording("continuous-3", 30, 5).record(|_| {}).unwrap();
    let mut told = Vec::new();
    let short = recording("continuous-3", 10, 5)
        .record(|n| told.push(n))
        .unwrap();
    assert_eq!(told, (1..=10).collect::<Vec<_>>());
    let rows = short.rows();
    assert_eq!(
        short.state_ids.as_deref(),
        long.state_ids.as_deref().map(|ids| &ids[..rows])
    );
    assert_eq!(short.terminals, long.terminals[..rows]);
    let other = recording("continuous-3", 10, 6).record(|_| {}).unwrap();
    assert_ne!(other.observations, short.observations);
}

#[test]
fn no_episodes_and_too_many_are_refused() {
    let none = recording("one-hot-2", 0, 0).record(|_| {});
    assert!(matches!(none, Err(CollectError::NoEpisodes)), "{none:?}");
    let hopeless = recording("one-hot-2", usize::MAX, 0).record(|_| panic!("nothing is done"));
    assert!(matches!(
        hopeless,
        Err(CollectError::TooLarge { reached: 1, .. })
    ));
    let tight = Recorder {
        max_frame_bytes: 25 * 768,
        ..recording("one-hot-2", 10, 0)
    };
    let error = tight.record(|_| {}).unwrap_err();
    let CollectError::TooLarge { reached, .. } = error else {
        panic!("{error}")
    };
    assert!((2..=10).contains(&reached), "{reached}");
}
