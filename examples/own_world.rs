//! Moves through a world of one's own, and asks which of its states must be kept apart.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::env::{Action, ActionSpace, EnvError, Environment};
use tellapart::{ActionId, BatchEnvironment, Environments, Rollout, StateId, WorldRules};

const CELLS: u32 = 12;

/// Ring of cells, seen as images of one row; every third cell is rewarded.
struct Ring;

impl WorldRules for Ring {
    type Nuisances = ();

    fn new_nuisances(&self) {}

    fn observation_shape(&self) -> [usize; 3] {
        [1, CELLS as usize, 1]
    }

    fn action_space(&self) -> ActionSpace {
        ActionSpace::one_hot(2)
    }

    fn num_states(&self) -> usize {
        CELLS as usize
    }

    /// Action 0 moves on, action 1 back.
    fn successor(&self, cell: StateId, action: ActionId) -> StateId {
        StateId::new((cell.get() + [1, CELLS - 1][action.index()]) % CELLS)
    }

    fn value(&self, cell: StateId) -> f32 {
        f32::from(u8::from(cell.get().is_multiple_of(3)))
    }

    fn paint(&self, environment: &mut Environment<()>, frame: &mut [u8]) {
        frame.fill(0);
        frame[environment.state().index()] = 255;
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Of twelve cells, three classes must be kept apart: how far is it to the reward?
    let world = Environments::new(Ring, 0, 2);
    let truth = world.ground_truth()?;
    let classes = tellapart::largest_bisimulation(&truth);
    println!("{} cells, {} classes", truth.states(), classes.blocks());
    assert_eq!(classes.blocks(), 3);

    // Two environments under a policy that goes back where the last cell is shown.
    let turn = |frames: &[u8], actions: &mut [Action]| {
        let frames = frames.chunks_exact(CELLS as usize);
        for (action, frame) in actions.iter_mut().zip(frames) {
            *action = Action::OneHot(u32::from(frame[CELLS as usize - 1] == 255));
        }
    };
    let starts = [0, 9].map(StateId::new).to_vec();
    let mut rollout = Rollout::new(Box::new(world), turn).starting_at(starts);
    let mut seen = Vec::new();
    rollout.run(5, |row| -> Result<(), EnvError> {
        seen.push([0, 1].map(|copy: usize| row.outcomes[copy].state.get()));
        Ok(())
    })?;
    println!("{seen:?}");
    assert_eq!(seen, [[0, 9], [1, 10], [2, 11], [3, 10], [4, 11]]);
    Ok(())
}
