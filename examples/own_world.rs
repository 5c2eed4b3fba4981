//! Moves through a world of one's own, and asks which of its states must be kept apart.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::env::{Action, ActionSpace, EnvError, Outcome};
use tellapart::largest_bisimulation;
use tellapart::{ActionId, BatchEnvironment, MooreMachine, MooreMachineBuilder, Rollout, StateId};

const CELLS: u32 = 12;

/// Ring of cells, seen as images of one row; every third cell is rewarded. Holds the cell of each
/// environment. Buffers are not checked here: `Rollout` makes them as they must be.
struct Ring(Vec<u32>);

/// Action 0 moves on, action 1 back.
fn next(cell: u32, action: ActionId) -> u32 {
    (cell + [1, CELLS - 1][action.index()]) % CELLS
}

fn value(cell: u32) -> f32 {
    f32::from(u8::from(cell.is_multiple_of(3)))
}

impl Ring {
    fn show(&self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        frames.fill(0);
        let frames = frames.chunks_exact_mut(CELLS as usize);
        for ((&cell, frame), outcome) in self.0.iter().zip(frames).zip(outcomes) {
            frame[cell as usize] = 255;
            (outcome.value, outcome.state) = (value(cell), StateId::new(cell));
        }
        Ok(())
    }
}

impl BatchEnvironment for Ring {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn observation_shape(&self) -> [usize; 3] {
        [1, CELLS as usize, 1]
    }

    fn action_space(&self) -> ActionSpace {
        ActionSpace::one_hot(2)
    }

    fn reset(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        self.0.fill(0);
        self.show(frames, outcomes)
    }

    fn reset_to(
        &mut self,
        states: &[StateId],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        self.0 = states.iter().map(|state| state.get()).collect();
        self.show(frames, outcomes)
    }

    fn step(
        &mut self,
        actions: &[Action],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        for (cell, &action) in self.0.iter_mut().zip(actions) {
            let bad = EnvError::BadAction {
                copy: None,
                action,
                space: ActionSpace::one_hot(2),
            };
            *cell = next(*cell, ActionSpace::one_hot(2).index_of(action).ok_or(bad)?);
        }
        self.show(frames, outcomes)
    }

    fn num_states(&self) -> usize {
        CELLS as usize
    }

    fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        let mut builder = MooreMachineBuilder::new(self.num_states(), 2)?;
        for cell in 0..CELLS {
            builder.output_value(StateId::new(cell), &[f64::from(value(cell))])?;
            for action in [0, 1].map(ActionId::new) {
                builder.transition(StateId::new(cell), action, StateId::new(next(cell, action)))?;
            }
        }
        Ok(builder.build()?)
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Of twelve cells, three classes must be kept apart: how far is it to the reward?
    let truth = Ring(Vec::new()).ground_truth()?;
    let classes = largest_bisimulation(&truth);
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
    let mut rollout = Rollout::new(Box::new(Ring(vec![0; 2])), turn).starting_at(starts);
    let mut seen = Vec::new();
    rollout.run(5, |row| -> Result<(), EnvError> {
        seen.push([0, 1].map(|copy: usize| row.outcomes[copy].state.get()));
        Ok(())
    })?;
    println!("{seen:?}");
    assert_eq!(seen, [[0, 9], [1, 10], [2, 11], [3, 10], [4, 11]]);
    Ok(())
}
