//! Live environments under the random policy of the paper's reference.

use rand_chacha::ChaCha8Rng;
use tellapart_data::{Batch, ReplayBuffer, ReplayOptions};
use tellapart_env::{
    Action, ActionSpace, BatchEnvironment, Counting, End, Outcome, RepeatedRandom,
};
use tellapart_model::IoSpec;

use crate::config::{Sampling, TargetKind, ValidConfig};
use crate::error::TrainError;
use crate::seeds::{Purpose, derived_seed, generator};
use crate::target::RandomFunction;

/// Number of frames that set the scale of the random function.
const CALIBRATION_FRAMES: usize = 512;

/// Live environment with a replay buffer: steps the environment and serves windows of its rows.
#[derive(Debug)]
pub struct Live {
    stream: Stream,
    random: Option<RandomFunction>,
    replay: ReplayBuffer,
    window: usize,
    windows: usize,
    sampling: Sampling,
}

/// Environment and policy, stepped one row at a time.
#[derive(Debug)]
pub struct Stream {
    world: Counting,
    policy: RepeatedRandom,
    frames: Vec<u8>,
    outcomes: Vec<Outcome>,
    chosen: Vec<Action>,
    actions: Vec<f32>,
    action_ids: Vec<u32>,
    begun: bool,
}

/// One row of every environment.
#[derive(Debug, Clone, Copy)]
pub struct LiveStep<'a> {
    /// Frames `[num_envs, height, width, channels]`.
    pub frames: &'a [u8],
    /// Outcomes `[num_envs]`.
    pub outcomes: &'a [Outcome],
    /// Actions `[num_envs, action width]`, taken at these frames. Meaningless where an episode
    /// ends.
    pub actions: &'a [f32],
    /// Index of the distinct action of each environment, `[num_envs]`.
    pub action_ids: &'a [u32],
    /// World of the environments, for further questions about their states.
    pub world: &'a Counting,
}

impl Live {
    pub(super) fn new(config: &ValidConfig) -> Result<Self, TrainError> {
        let num_envs = config.data.num_envs;
        let stream = Stream::new(
            config,
            derived_seed(config.seed, Purpose::Experience),
            num_envs,
        )?;
        let random = random_function(config)?;
        let options = ReplayOptions {
            frame_shape: stream.world.observation_shape(),
            streams: num_envs,
            action_width: stream.world.action_space().vector_width(),
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
        Ok(Self {
            stream,
            random,
            replay: ReplayBuffer::new(ReplayOptions {
                max_bytes,
                ..options
            })
            .map_err(|source| TrainError::Replay {
                rows,
                num_envs,
                source,
            })?,
            window: config.data.window,
            windows: config.data.windows,
            sampling: config.data.sampling,
        })
    }

    pub(super) fn interface(&self) -> IoSpec {
        let space = self.stream.world.action_space();
        IoSpec {
            observation: self.stream.world.observation_shape(),
            actions: space.distinct(),
            action_width: space.vector_width(),
            target_width: self.random.as_ref().map_or(1, RandomFunction::width),
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
                self.stream.next_row()?;
            }
        }
        (0..batches.min(kept)).try_for_each(|_| self.collect_window())
    }

    /// Pushes as many new rows as one window has into the replay buffer.
    fn collect_window(&mut self) -> Result<(), TrainError> {
        for _ in 0..self.window {
            let step = self.stream.next_row()?;
            let targets = match &self.random {
                Some(function) => function.evaluate(step.frames),
                None => step.outcomes.iter().map(|outcome| outcome.value).collect(),
            };
            let ends: Vec<bool> = step
                .outcomes
                .iter()
                .map(|outcome| outcome.end != End::Continues)
                .collect();
            self.replay.push(tellapart_data::Step {
                frames: step.frames,
                actions: step.actions,
                action_ids: step.action_ids,
                targets: &targets,
                ends: &ends,
            })?;
        }
        Ok(())
    }
}

impl Stream {
    /// Builds `num_envs` copies of the configured environment under the random policy.
    ///
    /// # Errors
    /// Options that no environment can have (a [`ValidConfig`] has none).
    pub fn new(config: &ValidConfig, seed: u64, num_envs: usize) -> Result<Self, TrainError> {
        let options = config.environment.clone().validate()?;
        let world = Counting::new(options, seed, num_envs);
        let space = world.action_space();
        Ok(Self {
            policy: RepeatedRandom::new(space, seed, num_envs),
            frames: vec![0; num_envs * world.frame_bytes()],
            outcomes: vec![Outcome::default(); num_envs],
            chosen: Vec::with_capacity(num_envs),
            actions: Vec::with_capacity(num_envs * space.vector_width()),
            action_ids: Vec::with_capacity(num_envs),
            world,
            begun: false,
        })
    }

    /// Moves every environment by one row and chooses its next action.
    ///
    /// # Errors
    /// None that a user can cause: the policy draws from the actions of the world.
    pub fn next_row(&mut self) -> Result<LiveStep<'_>, TrainError> {
        if self.begun {
            self.world
                .step(&self.chosen, &mut self.frames, &mut self.outcomes)?;
        } else {
            self.world.reset(&mut self.frames, &mut self.outcomes)?;
            self.begun = true;
        }
        self.chosen.clear();
        self.chosen.extend_from_slice(self.policy.next_actions());
        let space = self.world.action_space();
        describe_actions(space, &self.chosen, &mut self.actions, &mut self.action_ids)?;
        Ok(LiveStep {
            frames: &self.frames,
            outcomes: &self.outcomes,
            actions: &self.actions,
            action_ids: &self.action_ids,
            world: &self.world,
        })
    }
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
    let mut stream = Stream::new(config, seed, CALIBRATION_FRAMES)?;
    let frame_bytes = stream.world.frame_bytes();
    let calibration = stream.next_row()?.frames;
    let mut rng = generator(config.seed, Purpose::Target);
    Ok(Some(RandomFunction::new(
        &mut rng,
        frame_bytes,
        config.target.width,
        calibration,
    )))
}
