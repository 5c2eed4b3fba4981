//! Live environments under the random policy of the paper's reference.

use rand_chacha::ChaCha8Rng;
use tellapart_data::{Batch, ObservationSpec, ObservationValues, ReplayBuffer, ReplayOptions};
use tellapart_env::{Action, ActionSpace, End, RepeatedRandom, Rollout, ValidWorld};
use tellapart_model::IoSpec;
use tellapart_system::StateId;

use crate::config::{Sampling, TargetKind, ValidConfig};
use crate::error::TrainError;
use crate::seeds::{Purpose, derived_seed, generator};
use crate::target::RandomFunction;

/// Number of frames that set the scale of the random function.
const CALIBRATION_FRAMES: usize = 512;

/// Live environment with a replay buffer: steps the environment and serves windows of its rows.
#[derive(Debug)]
pub struct Live {
    rollout: Rollout<RepeatedRandom>,
    random: Option<RandomFunction>,
    replay: ReplayBuffer,
    window: usize,
    windows: usize,
    sampling: Sampling,
    /// Columns of one row, kept so that a step allocates little.
    columns: ActionColumns,
}

#[derive(Debug, Default)]
struct ActionColumns {
    vectors: Vec<f32>,
    ids: Vec<u32>,
}

impl Live {
    pub(super) fn new(config: &ValidConfig) -> Result<Self, TrainError> {
        let num_envs = config.data.num_envs;
        let seed = derived_seed(config.seed, Purpose::Experience);
        let repeat = config.world().world().repeat_steps();
        let rollout = behavior(config.world(), seed, num_envs, repeat);
        let random = random_function(config)?;
        let options = ReplayOptions {
            observation: ObservationSpec::Image(rollout.world().observation_shape()),
            streams: num_envs,
            action_width: rollout.world().action_space().vector_width(),
            target_width: random.as_ref().map_or(1, RandomFunction::width),
            max_bytes: 0,
        };
        let rows = match config.data.sampling {
            Sampling::Latest => config.data.window * num_envs,
            Sampling::Uniform => config.data.replay_rows.max(config.data.window * num_envs),
        };
        let max_bytes = options
            .row_bytes()
            .unwrap_or(usize::MAX)
            .saturating_mul(rows);
        let replay = ReplayBuffer::new(ReplayOptions {
            max_bytes,
            ..options
        });
        Ok(Self {
            rollout,
            random,
            replay: replay.map_err(|source| TrainError::Replay {
                rows,
                num_envs,
                source,
            })?,
            window: config.data.window,
            windows: config.data.windows,
            sampling: config.data.sampling,
            columns: ActionColumns::default(),
        })
    }

    pub(super) fn interface(&self) -> IoSpec {
        let world = self.rollout.world();
        let space = world.action_space();
        IoSpec {
            observation: ObservationSpec::Image(world.observation_shape()),
            actions: space.distinct(),
            action_width: space.vector_width(),
            target_width: self.random.as_ref().map_or(1, RandomFunction::width),
            p_of_step: false,
        }
    }

    pub(super) fn next_batch(&mut self, rng: &mut ChaCha8Rng) -> Result<Batch, TrainError> {
        self.collect_window()?;
        Ok(match self.sampling {
            // The buffer holds one window, which is not needed again.
            Sampling::Latest => self.replay.drain()?,
            Sampling::Uniform => self.replay.uniform(self.windows, self.window, rng)?,
        })
    }

    /// Steps the environment through `batches` windows. Collects only the rows that the buffer
    /// would still hold.
    pub(super) fn skip(&mut self, batches: u64) -> Result<(), TrainError> {
        let kept = (self.replay.capacity_per_stream() / self.window + 1) as u64;
        for _ in 0..batches.saturating_sub(kept) {
            for _ in 0..self.window {
                self.rollout.next_row()?;
            }
        }
        (0..batches.min(kept)).try_for_each(|_| self.collect_window())
    }

    /// Pushes as many new rows as one window has into the replay buffer.
    fn collect_window(&mut self) -> Result<(), TrainError> {
        let space = self.rollout.world().action_space();
        let ActionColumns { vectors, ids } = &mut self.columns;
        self.rollout.run(self.window, |row| {
            describe_actions(space, row.actions, vectors, ids)?;
            let targets = match &self.random {
                Some(function) => function.evaluate(row.frames),
                None => row.outcomes.iter().map(|outcome| outcome.value).collect(),
            };
            let ends: Vec<bool> = row
                .outcomes
                .iter()
                .map(|outcome| outcome.end != End::Continues)
                .collect();
            Ok(self.replay.push(tellapart_data::Step {
                observations: ObservationValues::Images(row.frames),
                actions: vectors,
                action_ids: ids,
                targets: &targets,
                ends: &ends,
            })?)
        })
    }
}

/// Builds `num_envs` environments under the random policy, which repeats each action for
/// `repeat_steps` steps.
pub(crate) fn behavior(
    world: &ValidWorld,
    seed: u64,
    num_envs: usize,
    repeat_steps: u32,
) -> Rollout<RepeatedRandom> {
    let world = world.build(seed, num_envs);
    let space = world.action_space();
    let policy = RepeatedRandom::with_repeat(space, seed, num_envs, repeat_steps);
    Rollout::new(world, policy)
}

/// Returns every state `per_state` times, one round of all states after another.
///
/// Where their number is even, each round begins one state later than the one before. Probes fit
/// even rows and score odd ones, and would otherwise never see half of the states.
pub(crate) fn balanced(world: &ValidWorld, per_state: usize) -> Vec<StateId> {
    let states = world.build(0, 0).num_states();
    let shift = usize::from(states.is_multiple_of(2));
    (0..states * per_state)
        .map(|row| StateId::from_index((row + shift * (row / states)) % states))
        .collect()
}

/// Converts actions to the vectors that a network takes and the ids that a finite system takes.
pub(crate) fn describe_actions(
    space: ActionSpace,
    chosen: &[Action],
    vectors: &mut Vec<f32>,
    ids: &mut Vec<u32>,
) -> Result<(), TrainError> {
    vectors.clear();
    ids.clear();
    for &action in chosen {
        space.push_vector(action, vectors)?;
        ids.push(space.index_of(action).map_or(0, |id| id.index() as u32));
    }
    Ok(())
}

/// Returns the random auxiliary function of a run, if that is its target.
pub(crate) fn random_function(config: &ValidConfig) -> Result<Option<RandomFunction>, TrainError> {
    if config.target.kind != TargetKind::Random {
        return Ok(None);
    }
    let seed = derived_seed(config.seed, Purpose::Target);
    let mut rollout = behavior(config.world(), seed, CALIBRATION_FRAMES, 1);
    let frame_bytes = rollout.world().frame_bytes();
    let calibration = rollout.next_row()?.frames;
    let mut rng = generator(config.seed, Purpose::Target);
    let width = config.target.width;
    RandomFunction::new(&mut rng, frame_bytes, width, calibration).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tellapart_env::World;

    #[test]
    fn every_state_comes_equally_often_in_even_and_in_odd_rows() {
        for world in World::ALL {
            let valid = world.default_options().validate().unwrap();
            let states = valid.build(0, 0).num_states();
            let rows = balanced(&valid, 4);
            let mut counts = vec![[0; 2]; states];
            for (row, state) in rows.iter().enumerate() {
                counts[state.index()][row % 2] += 1;
            }
            assert_eq!(counts, vec![[2, 2]; states], "{world}");
        }
    }
}
