//! The one driver of environments: a policy moves a batch, row by row.

use tellapart_system::StateId;

use crate::{Action, BatchEnvironment, EnvError, Outcome, Policy};

/// Batch of environments with the policy that moves it, stepped one row at a time.
///
/// A row holds what every environment shows, and the action that the policy takes there. The first
/// row begins an episode in every environment.
pub struct Rollout<P> {
    world: Box<dyn BatchEnvironment>,
    policy: P,
    frames: Vec<u8>,
    outcomes: Vec<Outcome>,
    actions: Vec<Action>,
    /// States in which the first episodes begin; empty if the world chooses.
    starts: Vec<StateId>,
    begun: bool,
}

/// One row of every environment of a batch.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Frames `[num_envs, height, width, channels]`.
    pub frames: &'a [u8],
    /// Outcomes `[num_envs]`: value, state, and end of what the frames show.
    pub outcomes: &'a [Outcome],
    /// Actions `[num_envs]`, taken at these frames. Ignored where an episode ends.
    pub actions: &'a [Action],
    /// World of the environments, to ask for nuisances.
    pub world: &'a dyn BatchEnvironment,
}

impl<P: Policy> Rollout<P> {
    /// Joins a world and a policy. Nothing moves yet.
    pub fn new(world: Box<dyn BatchEnvironment>, policy: P) -> Self {
        let num_envs = world.len();
        let neutral = match world.action_space() {
            crate::ActionSpace::Continuous { .. } => Action::Continuous(0.0),
            crate::ActionSpace::OneHot { .. } => Action::OneHot(0),
        };
        Self {
            frames: vec![0; num_envs * world.frame_bytes()],
            outcomes: vec![Outcome::default(); num_envs],
            actions: vec![neutral; num_envs],
            starts: Vec::new(),
            begun: false,
            world,
            policy,
        }
    }

    /// Lets the first episode of environment `i` begin in state `states[i]`.
    #[must_use]
    pub fn starting_at(mut self, states: Vec<StateId>) -> Self {
        self.starts = states;
        self
    }

    /// Returns the world.
    pub fn world(&self) -> &dyn BatchEnvironment {
        &*self.world
    }

    /// Moves every environment by one row and asks the policy for its action there. Allocates
    /// nothing.
    ///
    /// # Errors
    /// Start states that do not exist, or an action of the policy outside the action space.
    pub fn next_row(&mut self) -> Result<Row<'_>, EnvError> {
        let (frames, outcomes) = (&mut self.frames[..], &mut self.outcomes[..]);
        if self.begun {
            self.world.step(&self.actions, frames, outcomes)?;
        } else if self.starts.is_empty() {
            self.world.reset(frames, outcomes)?;
        } else {
            self.world.reset_to(&self.starts, frames, outcomes)?;
        }
        self.begun = true;
        self.policy.act(frames, &mut self.actions);
        Ok(Row {
            frames: &self.frames,
            outcomes: &self.outcomes,
            actions: &self.actions,
            world: &*self.world,
        })
    }

    /// Hands the next `rows` rows to `sink`, one after the other.
    ///
    /// # Errors
    /// The first error of [`next_row`](Self::next_row) or of `sink`.
    pub fn run<E: From<EnvError>>(
        &mut self,
        rows: usize,
        mut sink: impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        (0..rows).try_for_each(|_| sink(self.next_row()?))
    }
}

impl<P> std::fmt::Debug for Rollout<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rollout")
            .field("num_envs", &self.outcomes.len())
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RepeatedRandom, World};

    #[test]
    fn rows_are_those_of_a_world_driven_by_hand() {
        for kind in World::ALL {
            let valid = kind.default_options().validate().unwrap();
            let space = valid.build(3, 4).action_space();
            let mut rollout = Rollout::new(valid.build(3, 4), RepeatedRandom::new(space, 3, 4));

            let (mut world, mut policy) = (valid.build(3, 4), RepeatedRandom::new(space, 3, 4));
            let mut frames = vec![0; 4 * world.frame_bytes()];
            let mut outcomes = vec![Outcome::default(); 4];
            world.reset(&mut frames, &mut outcomes).unwrap();
            for row in 0..30 {
                let actions = policy.next_actions().to_vec();
                let found = rollout.next_row().unwrap();
                assert_eq!(found.frames, frames, "{kind}, row {row}");
                assert_eq!(found.outcomes, outcomes, "{kind}, row {row}");
                assert_eq!(found.actions, actions, "{kind}, row {row}");
                world.step(&actions, &mut frames, &mut outcomes).unwrap();
            }
        }
    }

    #[test]
    fn a_closure_is_a_policy_and_episodes_begin_where_asked() {
        let valid = World::Torus.default_options().validate().unwrap();
        let right = |_: &[u8], actions: &mut [Action]| actions.fill(Action::OneHot(3));
        let starts = [5, 0].map(StateId::new).to_vec();
        let mut rollout = Rollout::new(valid.build(0, 2), right).starting_at(starts);
        let mut seen = Vec::new();
        let sink = |row: Row<'_>| -> Result<(), EnvError> {
            seen.push([0, 1].map(|copy: usize| row.outcomes[copy].state.get()));
            Ok(())
        };
        rollout.run(3, sink).unwrap();
        assert_eq!(seen, [[5, 0], [6, 1], [7, 2]]);
    }
}
