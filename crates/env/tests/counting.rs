//! The counting world as users see it: pixels, distributions, ends of episodes, determinism.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::{ops::Range, thread};

use tellapart_env::{
    Action, BatchEnvironment, Counting, End, Outcome, RepeatedRandom,
    counting::{Options, Shape},
};
use tellapart_system::StateId;

use shown::Shown;

mod shown;

/// Helpers for the counting world.
impl Shown<Counting> {
    fn of(options: Options, seed: u64, num_envs: usize) -> Self {
        Self::new(Counting::new(options.validate().unwrap(), seed, num_envs))
    }

    fn reset_with(&mut self, counts: &[u8]) -> &mut Self {
        let states: Vec<StateId> = counts
            .iter()
            .map(|&count| StateId::new(count.into()))
            .collect();
        self.world
            .reset_to(&states, &mut self.frames, &mut self.outcomes)
            .unwrap();
        self
    }

    fn step_all(&mut self, action: f32) -> &mut Self {
        self.step(&vec![Action::Continuous(action); self.world.len()])
    }

    fn counts(&self) -> Vec<u8> {
        (0..self.world.len())
            .map(|copy| self.world.count(copy))
            .collect()
    }
}

fn endless() -> Options {
    Options {
        end_at_target: false,
        max_steps: u32::MAX,
        ..Options::default()
    }
}

#[test]
fn a_frame_shows_its_objects_in_their_color_on_black() {
    let mut shown = Shown::of(endless(), 5, 64);
    shown.reset();
    for copy in 0..shown.world.len() {
        let color = shown.world.color(copy);
        assert!(color.iter().all(|channel| (30..=225).contains(channel)));
        let lit = |x: i16, y: i16| {
            let at = (y as usize * 64 + x as usize) * 3;
            let pixel = &shown.frame(copy)[at..at + 3];
            assert!(pixel == color || pixel == [0; 3]);
            pixel == color
        };
        let (objects, rest) = shown
            .world
            .positions(copy)
            .split_at(usize::from(shown.world.count(copy)));
        assert!(
            rest.iter().all(|&position| position == [-1, -1]) && rest.len() + objects.len() == 8
        );
        // A pixel that every shape has, one pixel below the center, and no pixel outside the boxes.
        let near = |x: i16, y: i16| {
            objects
                .iter()
                .any(|&[cx, cy]| (x - cx).abs() <= 3 && (y - cy).abs() <= 3)
        };
        assert!(objects.iter().all(|&[x, y]| lit(x, y)));
        for (x, y) in (0..64 * 64).map(|i| (i % 64, i / 64)) {
            assert!(
                near(x, y) || !lit(x, y),
                "copy {copy}: a stray pixel at {x}, {y}"
            );
            let square = shown.world.shape(copy) == Shape::Square;
            assert!(
                !square || near(x, y) == lit(x, y),
                "copy {copy}: not a square at {x}, {y}"
            );
        }
    }
}

#[test]
fn objects_keep_their_distance_and_stay_inside() {
    let mut shown = Shown::of(endless(), 6, 32);
    let mut policy = RepeatedRandom::new(shown.world.action_space(), 6, 32);
    shown.reset();
    let (mut low, mut high) = (64, 0);
    for _ in 0..300 {
        for copy in 0..32 {
            let objects = &shown.world.positions(copy)[..usize::from(shown.world.count(copy))];
            for (i, a) in objects.iter().enumerate() {
                assert!(a.iter().all(|axis| (3..61).contains(axis)), "{a:?}");
                (low, high) = (low.min(a[0].min(a[1])), high.max(a[0].max(a[1])));
                for b in &objects[..i] {
                    let squared = (a[0] - b[0]).pow(2) + (a[1] - b[1]).pow(2);
                    assert!(squared >= 49, "{a:?} and {b:?} are too near");
                }
            }
        }
        shown.step(policy.next_actions());
    }
    assert_eq!((low, high), (3, 60), "both ends of the range occur");
}

#[test]
fn overlap_is_allowed_once_the_tries_are_used_up() {
    let crowded = Options {
        min_distance: 60,
        placement_tries: 3,
        ..endless()
    };
    let mut shown = Shown::of(crowded, 1, 4);
    shown.reset_with(&[8; 4]);
    assert!((0..4).all(|copy| !shown.world.positions(copy).contains(&[-1, -1])));
    let no_room = Options {
        image_side: 7,
        ..endless()
    };
    let mut shown = Shown::of(no_room, 1, 1);
    shown.reset_with(&[8]);
    assert_eq!(shown.world.positions(0), [[3, 3]; 8]);
}

#[test]
fn shapes_colors_and_first_counts_are_uniform() {
    let num_envs = 20_000;
    let small = Options {
        image_side: 7,
        placement_tries: 1,
        ..Options::default()
    };
    let mut shown = Shown::of(small, 21, num_envs);
    shown.reset();
    let (mut counts, mut shapes, mut thirds) = ([0; 9], [0; 4], [[0; 2]; 3]);
    for copy in 0..num_envs {
        counts[usize::from(shown.world.count(copy))] += 1;
        shapes[usize::from(shown.world.shape(copy).id())] += 1;
        for (channel, value) in shown.world.color(copy).into_iter().enumerate() {
            // 30..=225 in two halves of 98 values.
            thirds[channel][usize::from(value > 127)] += 1;
        }
    }
    // Six standard deviations of a binomial count are below 3 sqrt(num_envs).
    let fair = |tally: &[usize]| {
        tally
            .iter()
            .all(|count| count.abs_diff(num_envs / tally.len()) < 424)
    };
    assert!(fair(&counts) && fair(&shapes), "{counts:?} {shapes:?}");
    assert!(thirds.iter().all(|halves| fair(halves)), "{thirds:?}");
}

#[test]
fn counts_are_clipped_and_positions_drawn_anew_all_the_same() {
    for (count, action) in [(0, -1.0), (8, 1.0)] {
        let mut shown = Shown::of(endless(), 2, 3);
        shown.reset_with(&[count; 3]);
        let before = (0..3)
            .map(|copy| shown.world.positions(copy).to_vec())
            .collect::<Vec<_>>();
        shown.step_all(action);
        assert_eq!(shown.counts(), [count; 3]);
        for (copy, before) in before.iter().enumerate() {
            assert_eq!(shown.world.positions(copy) != before, count > 0);
        }
    }
}

#[test]
fn a_no_op_shows_the_very_same_frame() {
    for (actions, action) in [
        ("continuous-3", Action::Continuous(0.3)),
        ("one-hot-3", Action::OneHot(1)),
    ] {
        let options = Options {
            actions: actions.parse().unwrap(),
            ..endless()
        };
        let mut shown = Shown::of(options, 8, 20);
        let before = shown.reset().frames.clone();
        shown.frames.fill(0xFF);
        assert!(shown.step(&[action; 20]).frames == before, "{actions}");
    }
}

#[test]
fn an_episode_keeps_shape_and_color_and_the_next_one_draws_them() {
    let mut shown = Shown::of(
        Options {
            end_at_target: false,
            ..Options::default()
        },
        3,
        50,
    );
    let looks = |shown: &Shown<Counting>| -> Vec<_> {
        (0..50)
            .map(|copy| (shown.world.shape(copy), shown.world.color(copy)))
            .collect()
    };
    let first = looks(shown.reset());
    for step in 1..=4 {
        let end = if step == 4 {
            End::Timeout
        } else {
            End::Continues
        };
        shown.step_all(1.0);
        assert!(
            shown.outcomes.iter().all(|outcome| outcome.end == end),
            "step {step}"
        );
        assert_eq!(looks(&shown), first);
    }
    // The step after the end ignores its action, which may be anything.
    shown.step(&[Action::OneHot(9); 50]);
    assert!(
        shown
            .outcomes
            .iter()
            .all(|outcome| outcome.end == End::Continues)
    );
    assert!(
        looks(&shown)
            .iter()
            .zip(&first)
            .all(|(now, then)| now != then)
    );
}

#[test]
fn reaching_the_target_ends_the_episode_and_beginning_there_does_not() {
    let mut shown = Shown::of(Options::default(), 4, 3);
    shown.reset_with(&[2, 3, 4]);
    assert_eq!(
        shown.outcomes.iter().map(|o| o.value).collect::<Vec<_>>(),
        [0.0, 0.0, 1.0]
    );
    let ends = |shown: &Shown<Counting>| shown.outcomes.iter().map(|o| o.end).collect::<Vec<_>>();
    assert_eq!(ends(&shown), [End::Continues; 3]);
    shown.step_all(1.0);
    assert_eq!(shown.counts(), [3, 4, 5]);
    assert_eq!(
        ends(&shown),
        [End::Continues, End::Terminal, End::Continues]
    );
    assert_eq!(shown.outcomes[1].value, 1.0);
    // At the target on the last step, the world ends the episode, not the clock.
    let short = Options {
        max_steps: 1,
        ..Options::default()
    };
    let mut shown = Shown::of(short, 4, 2);
    shown.reset_with(&[3, 2]).step_all(1.0);
    assert_eq!(ends(&shown), [End::Terminal, End::Timeout]);
}

#[test]
fn without_a_reset_the_first_step_begins_the_episodes() {
    let mut reset = Shown::of(Options::default(), 12, 5);
    let mut stepped = Shown::of(Options::default(), 12, 5);
    reset.reset();
    stepped.step_all(1.0);
    assert!(reset.frames == stepped.frames && reset.outcomes == stepped.outcomes);
}

#[test]
fn a_fixed_first_count_is_kept_to() {
    let mut shown = Shown::of(
        Options {
            start_count: Some(6),
            ..Options::default()
        },
        0,
        9,
    );
    assert_eq!(shown.reset().counts(), [6; 9]);
}

/// Returns every frame and outcome of `streams` over 40 steps, by environment within each step.
fn walk(streams: Range<u64>, num_envs: usize) -> Vec<(Vec<u8>, Outcome)> {
    let options = Options::default().validate().unwrap();
    let part = streams.start as usize..streams.end as usize;
    let mut shown = Shown::new(Counting::with_streams(options, 31, streams));
    let mut policy = RepeatedRandom::new(shown.world.action_space(), 31, num_envs);
    let mut seen = Vec::new();
    shown.reset();
    for _ in 0..40 {
        seen.extend((0..part.len()).map(|i| (shown.frame(i).to_vec(), shown.outcomes[i])));
        shown.step(&policy.next_actions()[part.clone()]);
    }
    seen
}

#[test]
fn a_copy_is_the_same_in_any_batch_and_on_any_number_of_threads() {
    let num_envs = 7;
    let whole = walk(0..7, num_envs);
    for threads in [2, 3, 7] {
        let share = num_envs.div_ceil(threads);
        let parts: Vec<_> = thread::scope(|scope| {
            let spawn = |start: usize| {
                let streams = start as u64..num_envs.min(start + share) as u64;
                scope.spawn(move || walk(streams, num_envs))
            };
            let running: Vec<_> = (0..num_envs).step_by(share).map(spawn).collect();
            running
                .into_iter()
                .map(|part| part.join().unwrap())
                .collect()
        });
        for (step, expected) in whole.chunks(num_envs).enumerate() {
            let found = parts.iter().flat_map(|part| {
                let share = part.len() / 40;
                &part[step * share..][..share]
            });
            assert!(found.eq(expected), "step {step} on {threads} threads");
        }
    }
}

#[test]
fn another_seed_is_another_world() {
    let [one, other] = [0, 1].map(|seed| {
        Shown::of(Options::default(), seed, 3)
            .reset()
            .frames
            .clone()
    });
    assert!(one != other);
}

/// Guards against a silent change of all recorded values: the first episode of seed 0.
#[test]
fn the_stream_of_a_seed_does_not_change() {
    let mut shown = Shown::of(Options::default(), 0, 1);
    shown.reset_with(&[2]);
    let seen = (
        shown.world.shape(0),
        shown.world.color(0),
        shown.world.positions(0)[..2].to_vec(),
    );
    assert_eq!(format!("{seen:?}"), FIRST_EPISODE);
}

const FIRST_EPISODE: &str = "(Triangle, [168, 173, 121], [[32, 43], [35, 6]])";
