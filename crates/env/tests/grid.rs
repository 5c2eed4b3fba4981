//! The gridworld as users see it: pixels, aliasing, nuisances, ends of episodes, determinism.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::{collections::HashSet, ops::Range, thread};

use proptest::prelude::*;
use tellapart_env::{Action, BatchEnvironment, End, Grid, Outcome, RepeatedRandom, grid::Options};
use tellapart_system::{ActionId, StateId};

use shown::Shown;

mod shown;

/// Helpers for the gridworld.
impl Shown<Grid> {
    /// Returns one environment in every state, in order, of a world with one tint.
    fn everywhere(options: Options) -> Self {
        let options = Options {
            tints: 1,
            ..options
        }
        .validate()
        .unwrap();
        let states = Grid::new(options.clone(), 0, 0)
            .ground_truth()
            .unwrap()
            .states();
        let mut shown = Self::new(Grid::new(options, 1, states));
        let all: Vec<_> = (0..states).map(StateId::from_index).collect();
        shown
            .world
            .reset_to(&all, &mut shown.frames, &mut shown.outcomes)
            .unwrap();
        shown
    }
}

fn layout(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn some_options() -> impl Strategy<Value = Options> {
    let size = (1_usize..7, 1_usize..7);
    let cells = size.prop_flat_map(|(width, height)| {
        let cell = prop::sample::select(vec!['.', '.', '.', '#', 'G']);
        let row = prop::collection::vec(cell, width).prop_map(String::from_iter);
        prop::collection::vec(row, height)
    });
    let view = (0_u32..4, 1_u32..4, any::<bool>());
    let steps = (1_u32..9, any::<bool>(), any::<bool>());
    (cells, view, steps, 1_u8..=8, 0_u8..3).prop_map(
        |(mut layout, (view_radius, cell_side, goal_visible), steps, tints, noise)| {
            let (max_steps, end_at_goal, stay) = steps;
            if !layout.concat().contains('G') {
                layout[0].replace_range(0..1, "G");
            }
            Options {
                layout,
                view_radius,
                cell_side,
                goal_visible,
                stay,
                tints,
                noise,
                max_steps,
                end_at_goal,
            }
        },
    )
}

/// Returns the letter at `[x, y]` of a layout; outside is wall.
fn letter(layout: &[String], x: i32, y: i32) -> char {
    let row = usize::try_from(y).ok().and_then(|y| layout.get(y));
    let cell = usize::try_from(x).ok().zip(row);
    cell.and_then(|(x, row)| row.chars().nth(x)).unwrap_or('#')
}

/// Returns a floor color, read off a floor cell without walls in sight.
fn floor_of(tint: u8) -> [u8; 3] {
    let options = Options {
        layout: layout(".G"),
        view_radius: 0,
        cell_side: 1,
        tints: 8,
        ..Options::default()
    };
    let mut shown = Shown::new(Grid::new(options.validate().unwrap(), 0, 200));
    let start = vec![StateId::new(0); 200];
    shown
        .world
        .reset_to(&start, &mut shown.frames, &mut shown.outcomes)
        .unwrap();
    let copy = (0..200).find(|&copy| shown.world.tint(copy) == tint);
    shown.frame(copy.unwrap()).try_into().unwrap()
}

/// Reference implementation: asks the layout for every pixel.
fn slow_twin(options: &Options, [x, y]: [i16; 2], floor: [u8; 3]) -> Vec<u8> {
    let (radius, cell) = (options.view_radius as i32, options.cell_side as i32);
    let side = (2 * radius + 1) * cell;
    let pixels = (0..side * side).map(|i| (i % side, i / side));
    pixels
        .flat_map(|(column, row)| {
            let x = i32::from(x) - radius + column / cell;
            let y = i32::from(y) - radius + row / cell;
            match letter(&options.layout, x, y) {
                '#' => [40, 40, 40],
                'G' if options.goal_visible => [220, 40, 40],
                _ => floor,
            }
        })
        .collect()
}

proptest! {
    /// Within an episode, the ground truth follows every step, and its output is the value shown.
    /// The frame is what the layout says, up to noise.
    #[test]
    fn every_step_follows_the_truth_and_every_frame_the_layout(
        options in some_options(),
        seed: u64,
        word in prop::collection::vec(0_u32..60, 1..40),
    ) {
        let valid = options.clone().validate().unwrap();
        let mut world = Grid::new(valid, seed, 1);
        let truth = world.ground_truth().unwrap();
        let space = world.action_space();
        prop_assert_eq!(space.distinct(), truth.actions());
        let mut frame = vec![0xAB; world.frame_bytes()];
        let mut outcome = [Outcome::default()];
        world.reset(&mut frame, &mut outcome).unwrap();
        let (mut steps, mut tint) = (0, world.tint(0));

        for id in word {
            let shown = outcome[0];
            let [x, y] = world.position(0);
            let here = letter(&options.layout, i32::from(x), i32::from(y));
            prop_assert_eq!(shown.value, f32::from(u8::from(here == 'G')));
            let output = truth.output(shown.state);
            prop_assert_eq!(truth.output_value(output), Some(&[f64::from(shown.value)][..]));
            let expected = slow_twin(&options, [x, y], floor_of(world.tint(0)));
            let off = frame.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
            prop_assert!(off <= Some(options.noise), "{off:?}");

            let action = Action::OneHot(id % space.distinct() as u32);
            world.step(&[action], &mut frame, &mut outcome).unwrap();
            if shown.end == End::Continues {
                steps += 1;
                let predicted = truth.successor(shown.state, space.index_of(action).unwrap());
                prop_assert_eq!(outcome[0].state, predicted);
                prop_assert_eq!(world.tint(0), tint, "a tint lasts for the episode");
                let end = if options.end_at_goal && outcome[0].value == 1.0 {
                    End::Terminal
                } else if steps == options.max_steps {
                    End::Timeout
                } else {
                    End::Continues
                };
                prop_assert_eq!(outcome[0].end, end);
            } else {
                prop_assert_eq!(outcome[0].end, End::Continues, "an episode just began");
                (steps, tint) = (0, world.tint(0));
            }
        }
    }

    #[test]
    fn views_are_numbered_alike_iff_they_are_the_same_image(options in some_options()) {
        let shown = Shown::everywhere(Options { noise: 0, ..options });
        let mut numbers = Vec::new();
        for a in 0..shown.world.len() {
            let view = shown.world.view_of(StateId::from_index(a));
            for (b, &other) in numbers.iter().enumerate() {
                prop_assert_eq!(view == other, shown.frame(a) == shown.frame(b), "{} {}", a, b);
            }
            prop_assert!(view as usize <= numbers.iter().collect::<HashSet<_>>().len());
            numbers.push(view);
        }
    }
}

#[test]
fn by_default_40_cells_look_27_ways() {
    let shown = Shown::everywhere(Options::default());
    let truth = shown.world.ground_truth().unwrap();
    assert_eq!(
        (truth.states(), truth.actions(), truth.outputs()),
        (40, 4, 2)
    );
    let names: Vec<_> = truth
        .action_ids()
        .map(|action| truth.action_name(action).unwrap())
        .collect();
    assert_eq!(names, ["up", "down", "left", "right"]);
    let views: Vec<u32> = (0..40)
        .map(|state| shown.world.view_of(StateId::new(state)))
        .collect();
    assert_eq!(views.iter().collect::<HashSet<_>>().len(), 27);
    let has_twin = |&state: &usize| views.iter().filter(|&&v| v == views[state]).count() > 1;
    assert_eq!((0..40).filter(has_twin).count(), 22);
    // The top left corners of three rooms.
    assert!(
        [3, 21]
            .iter()
            .all(|&state| shown.frame(state) == shown.frame(0))
    );
    assert_eq!(shown.world.observation_shape(), [24, 24, 3]);
    let value = |state| {
        truth
            .output_value(truth.output(StateId::new(state)))
            .unwrap()[0]
    };
    assert_eq!((0..40).filter(|&state| value(state) == 1.0).count(), 1);
    assert_eq!(value(39), 1.0);
}

#[test]
fn walls_and_edges_stop_and_stay_stays() {
    let options = Options {
        layout: layout(".#,.G"),
        stay: true,
        ..Options::default()
    };
    let truth = Shown::everywhere(options).world.ground_truth().unwrap();
    let next = |state: u32| -> Vec<u32> {
        let ids = (0..5).map(ActionId::from_index);
        ids.map(|action| truth.successor(StateId::new(state), action).get())
            .collect()
    };
    // State 0 is above state 1; state 2, the goal, is to the right of state 1.
    assert_eq!(next(0), [0, 1, 0, 0, 0]);
    assert_eq!(next(1), [0, 1, 1, 2, 1]);
    assert_eq!(next(2), [2, 2, 1, 2, 2]);
}

#[test]
fn an_invisible_goal_looks_like_floor() {
    for goal_visible in [true, false] {
        let shown = Shown::everywhere(Options {
            layout: layout("...,.G.,..."),
            goal_visible,
            view_radius: 0,
            ..Options::default()
        });
        let alike = shown.frame(4) == shown.frame(0);
        assert_eq!(alike, !goal_visible);
        assert_eq!(shown.outcomes[4].value, 1.0);
    }
}

#[test]
fn first_cells_and_tints_are_uniform() {
    let num_envs = 20_000;
    let options = Options {
        layout: layout("...,.G#"),
        view_radius: 0,
        cell_side: 1,
        ..Options::default()
    };
    let mut shown = Shown::new(Grid::new(options.validate().unwrap(), 21, num_envs));
    shown.reset();
    let (mut states, mut tints) = ([0; 5], [0; 4]);
    for copy in 0..num_envs {
        states[shown.outcomes[copy].state.index()] += 1;
        tints[usize::from(shown.world.tint(copy))] += 1;
    }
    // Six standard deviations of a binomial count are below 3 sqrt(num_envs).
    let fair = |tally: &[usize]| {
        tally
            .iter()
            .all(|count| count.abs_diff(num_envs / tally.len()) < 424)
    };
    assert!(fair(&states) && fair(&tints), "{states:?} {tints:?}");
}

#[test]
fn noise_is_drawn_anew_at_every_step_and_reaches_both_ends() {
    let options = Options {
        noise: 3,
        stay: true,
        max_steps: 100,
        end_at_goal: false,
        ..Options::default()
    };
    let clean = Shown::everywhere(Options {
        noise: 0,
        ..options.clone()
    });
    let mut shown = Shown::everywhere(options);
    let mut found = HashSet::new();
    for _ in 0..20 {
        let before = shown.frames.clone();
        shown.step(&[Action::OneHot(4); 40]);
        assert!(shown.frames != before);
        let pairs = shown.frames.iter().zip(&clean.frames);
        found.extend(pairs.map(|(&now, &clean)| i16::from(now) - i16::from(clean)));
    }
    assert_eq!(found, (-3..=3).collect());
}

/// Returns every frame and outcome of `streams` over 60 steps, by environment within each step.
fn walk(streams: Range<u64>, num_envs: usize) -> Vec<(Vec<u8>, Outcome)> {
    let options = Options {
        noise: 5,
        ..Options::default()
    };
    let part = streams.start as usize..streams.end as usize;
    let world = Grid::with_streams(options.validate().unwrap(), 31, streams);
    let mut shown = Shown::new(world);
    let mut policy = RepeatedRandom::with_repeat(shown.world.action_space(), 31, num_envs, 2);
    let mut seen = Vec::new();
    for _ in 0..60 {
        shown.step(&policy.next_actions()[part.clone()]);
        seen.extend((0..part.len()).map(|i| (shown.frame(i).to_vec(), shown.outcomes[i])));
    }
    seen
}

#[test]
fn a_copy_is_the_same_in_any_batch_and_on_any_number_of_threads() {
    let num_envs = 5;
    let whole = walk(0..5, num_envs);
    let parts: Vec<_> = thread::scope(|scope| {
        let running =
            [0..2, 2..3, 3..5].map(|streams| scope.spawn(move || walk(streams, num_envs)));
        running.map(|part| part.join().unwrap()).into()
    });
    for (step, expected) in whole.chunks(num_envs).enumerate() {
        let found = parts.iter().flat_map(|part| {
            let share = part.len() / 60;
            &part[step * share..][..share]
        });
        assert!(found.eq(expected), "step {step}");
    }
}

/// Guards against a silent change of all recorded values: the first episode of seed 0.
#[test]
fn the_stream_of_a_seed_does_not_change() {
    let world = Grid::new(Options::default().validate().unwrap(), 0, 3);
    let mut shown = Shown::new(world);
    shown.step(&[Action::OneHot(0); 3]);
    let seen: Vec<_> = (0..3)
        .map(|copy| (shown.world.position(copy), shown.world.tint(copy)))
        .collect();
    assert_eq!(format!("{seen:?}"), FIRST_CELLS);
}

const FIRST_CELLS: &str = "[([0, 5], 2), ([2, 5], 3), ([1, 2], 0)]";
