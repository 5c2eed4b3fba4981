//! The ground truth, compared with the steps of the world.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use proptest::prelude::*;
use tellapart_env::{
    Action, ActionSpace, BatchEnvironment, Counting, End, Outcome,
    counting::{Options, Value},
};
use tellapart_system::{ActionId, StateId};

fn some_options() -> impl Strategy<Value = Options> {
    let space = prop::sample::select(Options::ACTIONS.to_vec());
    let value = prop::sample::select(vec![Value::Sparse, Value::Dense]);
    (
        1_u8..12,
        any::<prop::sample::Index>(),
        space,
        value,
        1_u32..9,
        any::<bool>(),
    )
        .prop_map(
            |(max_count, target, actions, value, max_steps, end_at_target)| Options {
                max_count,
                target: target.index(usize::from(max_count) + 1) as u8,
                actions,
                value,
                max_steps,
                end_at_target,
                image_side: 16,
                ..Options::default()
            },
        )
}

proptest! {
    /// Within an episode, the ground truth follows every step, and its output is the value shown.
    #[test]
    fn the_ground_truth_predicts_every_count_and_value(
        options in some_options(),
        seed: u64,
        word in prop::collection::vec((-1.0_f32..=1.0, 0_u32..6), 1..60),
    ) {
        let options = options.validate().unwrap();
        let mut world = Counting::new(options.clone(), seed, 1);
        let truth = world.ground_truth().unwrap();
        let mut frame = vec![0; world.frame_bytes()];
        let mut outcome = [Outcome::default()];
        world.reset(&mut frame, &mut outcome).unwrap();

        for (number, id) in word {
            let shown = outcome[0];
            let output = truth.output(shown.state);
            prop_assert_eq!(truth.output_value(output), Some(&[f64::from(shown.value)][..]));
            prop_assert_eq!(shown.state.index(), usize::from(world.count(0)));

            let space = options.actions;
            let action = match space {
                ActionSpace::Continuous { .. } => Action::Continuous(number),
                ActionSpace::OneHot { count } => Action::OneHot(id % count),
            };
            world.step(&[action], &mut frame, &mut outcome).unwrap();
            if shown.end == End::Continues {
                let predicted = truth.successor(shown.state, space.index_of(action).unwrap());
                prop_assert_eq!(outcome[0].state, predicted);
            } else {
                prop_assert_eq!(outcome[0].end, End::Continues, "an episode just began");
            }
        }
    }
}

#[test]
fn by_default_there_are_nine_states_and_the_middle_one_is_rewarded() {
    let world = Counting::new(Options::default().validate().unwrap(), 0, 0);
    let truth = world.ground_truth().unwrap();
    assert_eq!(
        (truth.states(), truth.actions(), truth.outputs()),
        (9, 2, 2)
    );
    let names: Vec<_> = truth
        .action_ids()
        .map(|action| truth.action_name(action))
        .collect();
    assert_eq!(names, [Some("remove"), Some("add")]);
    for count in 0..9 {
        let state = StateId::from_index(count);
        let value = truth.output_value(truth.output(state)).unwrap()[0];
        assert_eq!(value, f64::from(u8::from(count == 4)));
        let [fewer, more] = [0, 1].map(|a| truth.successor(state, ActionId::from_index(a)).index());
        assert_eq!((fewer, more), (count.saturating_sub(1), (count + 1).min(8)));
    }
}

#[test]
fn the_dense_value_falls_with_the_distance_and_jumps_at_the_target() {
    let options = Options {
        value: Value::Dense,
        ..Options::default()
    };
    let values: Vec<f32> = (0..9).map(|count| options.value_of(count)).collect();
    assert_eq!(
        values,
        [0.5, 0.625, 0.75, 0.875, 2.0, 0.875, 0.75, 0.625, 0.5]
    );
}
