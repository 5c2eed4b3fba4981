//! Random policy that moves a world while data is collected.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::{Action, ActionSpace};

/// Chooses the action of every environment of a batch.
///
/// A closure from observations to actions is a policy, too.
pub trait Policy {
    /// Writes the next action of every environment. `frames` holds what the environments show, as
    /// in [`BatchEnvironment`](crate::BatchEnvironment).
    fn act(&mut self, frames: &[u8], actions: &mut [Action]);
}

impl<F: FnMut(&[u8], &mut [Action])> Policy for F {
    fn act(&mut self, frames: &[u8], actions: &mut [Action]) {
        self(frames, actions);
    }
}

impl Policy for RepeatedRandom {
    fn act(&mut self, _frames: &[u8], actions: &mut [Action]) {
        for (action, &next) in actions.iter_mut().zip(self.next_actions()) {
            *action = next;
        }
    }
}

/// Policy of uniformly random actions, each repeated for some consecutive steps (5 in the paper).
///
/// Environment `i` draws from its own stream, distinct from every stream that worlds draw from. The
/// same seed may therefore be given to both. Steps are counted through ends of episodes. A step
/// that begins an episode, whose action is ignored, counts too.
#[derive(Debug, Clone)]
pub struct RepeatedRandom {
    space: ActionSpace,
    repeat_steps: u32,
    /// Number of steps for which the current actions are still repeated.
    left_steps: u32,
    streams: Vec<ChaCha8Rng>,
    present: Vec<Action>,
}

/// Bit that marks the streams of policies. Worlds use the streams numbered by their environments;
/// policies set this bit as well.
const POLICY_STREAMS: u64 = 1 << 63;

impl RepeatedRandom {
    /// Default number of steps for which an action is repeated: the paper's choice.
    pub const REPEAT_STEPS: u32 = 5;

    /// Creates a policy for `num_envs` environments that repeats each action for
    /// [`Self::REPEAT_STEPS`] steps.
    pub fn new(space: ActionSpace, seed: u64, num_envs: usize) -> Self {
        Self::with_repeat(space, seed, num_envs, Self::REPEAT_STEPS)
    }

    /// Creates a policy that repeats each action for `repeat_steps` steps; 0 is taken as 1.
    pub fn with_repeat(space: ActionSpace, seed: u64, num_envs: usize, repeat_steps: u32) -> Self {
        let streams: Vec<_> = (0..num_envs as u64)
            .map(|copy| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(POLICY_STREAMS | copy);
                rng
            })
            .collect();
        let neutral = match space {
            ActionSpace::Continuous { .. } => Action::Continuous(0.0),
            ActionSpace::OneHot { .. } => Action::OneHot(0),
        };
        Self {
            space,
            repeat_steps: repeat_steps.max(1),
            left_steps: 0,
            present: vec![neutral; num_envs],
            streams,
        }
    }

    /// Returns the next action of every environment, in order.
    pub fn next_actions(&mut self) -> &[Action] {
        if self.left_steps == 0 {
            for (action, rng) in self.present.iter_mut().zip(&mut self.streams) {
                *action = self.space.sample(rng);
            }
            self.left_steps = self.repeat_steps;
        }
        self.left_steps -= 1;
        &self.present
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaces() -> impl Iterator<Item = ActionSpace> {
        let names = ["continuous-2", "continuous-3", "one-hot-2", "one-hot-5"];
        names.into_iter().map(|name| name.parse().unwrap())
    }

    #[test]
    fn an_action_lasts_five_steps_and_copies_differ() {
        for space in spaces() {
            let mut policy = RepeatedRandom::new(space, 3, 40);
            let steps: Vec<Vec<Action>> = (0..50).map(|_| policy.next_actions().to_vec()).collect();
            for block in steps.chunks(5) {
                assert!(block.iter().all(|actions| actions == &block[0]), "{space}");
            }
            assert!(steps.chunks(5).any(|block| block[0] != steps[0]), "{space}");
            assert!(
                steps[0].iter().any(|action| action != &steps[0][0]),
                "{space}"
            );
        }
    }

    #[test]
    fn every_distinct_action_is_equally_likely() {
        for space in spaces() {
            let mut policy = RepeatedRandom::with_repeat(space, 11, 1000, 1);
            let mut tally = vec![0; space.distinct()];
            for _ in 0..30 {
                for &action in policy.next_actions() {
                    tally[space.index_of(action).unwrap().index()] += 1;
                }
            }
            let fair = 30_000 / space.distinct();
            for count in tally {
                // The standard deviation is below 87; the tolerance is six of them.
                assert!(
                    fair.abs_diff(count) < 520,
                    "{space}: {count} of a fair {fair}"
                );
            }
        }
    }

    #[test]
    fn a_copy_acts_the_same_in_any_company() {
        let space = ActionSpace::one_hot(4);
        let mut few = RepeatedRandom::new(space, 9, 2);
        let mut many = RepeatedRandom::new(space, 9, 5);
        for _ in 0..12 {
            assert_eq!(few.next_actions(), &many.next_actions()[..2]);
        }
    }
}
