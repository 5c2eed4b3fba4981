//! A world that states only what every world must, and rules that do not fit together.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use tellapart_env::{
    Action, ActionSpace, BatchEnvironment, End, Environment, Environments, WorldRules,
};
use tellapart_system::{ActionId, StateId};

use shown::Shown;

mod shown;

/// Ring of five cells, each seen as its number. Action 1 goes on by two, modulo `wrap`.
#[derive(Clone)]
struct Ring {
    wrap: u32,
    names: Vec<&'static str>,
}

const RING: Ring = Ring {
    wrap: 5,
    names: Vec::new(),
};

impl WorldRules for Ring {
    type Nuisances = ();

    fn new_nuisances(&self) {}

    fn observation_shape(&self) -> [usize; 3] {
        [1, 1, 1]
    }

    fn action_space(&self) -> ActionSpace {
        ActionSpace::one_hot(2)
    }

    fn num_states(&self) -> usize {
        5
    }

    fn successor(&self, cell: StateId, action: ActionId) -> StateId {
        match action.index() {
            0 => cell,
            _ => StateId::new((cell.get() + 2) % self.wrap),
        }
    }

    fn value(&self, cell: StateId) -> f32 {
        cell.get() as f32 / 4.0
    }

    fn paint(&self, environment: &mut Environment<()>, frame: &mut [u8]) {
        let by = environment
            .action()
            .map_or(0, |action| 10 * (1 + action.get()));
        frame[0] = (environment.state().get() + by) as u8;
    }

    fn action_names(&self) -> Vec<&'static str> {
        self.names.clone()
    }
}

#[test]
fn by_default_episodes_never_end_and_begin_anywhere() {
    let mut shown = Shown::new(Environments::new(RING, 3, 1000));
    shown.reset();
    let mut tally = [0_usize; 5];
    for &cell in &shown.frames {
        tally[usize::from(cell)] += 1;
    }
    // The standard deviation is below 13; the tolerance is six of them.
    assert!(
        tally.iter().all(|&count| count.abs_diff(200) < 78),
        "{tally:?}"
    );
    let truth = shown.world.ground_truth().unwrap();
    assert_eq!(
        (truth.states(), truth.actions(), truth.outputs()),
        (5, 2, 5)
    );
    assert_eq!(truth.action_name(ActionId::new(0)), None);
    for step in 0..100 {
        let before = shown.outcomes.clone();
        shown.step(&[Action::OneHot(step % 2); 1000]);
        for (copy, outcome) in shown.outcomes.iter().enumerate() {
            let next = truth.successor(before[copy].state, ActionId::new(step % 2));
            assert_eq!((outcome.state, outcome.end), (next, End::Continues));
            assert_eq!(outcome.value, next.get() as f32 / 4.0);
            assert_eq!(
                u32::from(shown.frame(copy)[0]),
                next.get() + 10 * (1 + step % 2)
            );
        }
    }
}

#[test]
fn rules_that_do_not_fit_together_have_no_truth() {
    let error = |rules: Ring| {
        let error = Environments::new(rules, 0, 0).ground_truth().unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    let far = error(Ring { wrap: 7, ..RING });
    assert!(far.contains('5') && far.contains("states"), "{far}");
    let names = error(Ring {
        names: vec!["stay"],
        ..RING
    });
    assert!(names.contains("names of actions"), "{names}");
}
