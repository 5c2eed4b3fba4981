//! Records a world as trajectories.

use tellapart_data::{Actions, DataError, Frames, Trajectories, TrajectoryParts};
use tellapart_env::{
    Action, ActionSpace, Counting, End, EnvError, Grid, Outcome, RepeatedRandom, WorldOptions,
};

use self::hidden::Recordable;

mod hidden;

/// Records whole episodes of a world, one after the other, under [`RepeatedRandom`], from one seed.
///
/// The same seed gives the same episodes on every machine, and a longer recording begins with the
/// shorter one.
///
/// ```
/// use tellapart::{collect::Recorder, counting};
///
/// let options = counting::Options::default().validate()?;
/// let recorded = Recorder::new(options, 20, 7).record(|_episodes| {})?;
/// assert_eq!(recorded.episodes().count(), 20);
/// assert_eq!(recorded.extra["positions"].shape, [recorded.rows(), 8, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Recorder {
    /// Options of the world.
    pub options: WorldOptions,
    /// Number of episodes, at least 1.
    pub episodes: usize,
    /// Seed of the world and of the policy, which draw from separate streams.
    pub seed: u64,
    /// Number of steps for which the policy repeats each action. Default:
    /// [`World::repeat_steps`](tellapart_env::World::repeat_steps).
    pub repeat_steps: u32,
    /// Largest size of all frames in bytes; the whole recording is held in memory. Default:
    /// [`Recorder::MAX_FRAME_BYTES`].
    pub max_frame_bytes: u64,
}

/// A recording that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// No episodes.
    #[error("0 episodes were asked for, but a recording needs at least 1")]
    NoEpisodes,
    /// More frames than may be kept in memory.
    #[error(
        "the frames of {episodes} episodes take more than {} MiB, from episode {reached} on; record \
         fewer, or several files with different seeds", limit / (1 << 20)
    )]
    TooLarge {
        /// Requested number of episodes.
        episodes: usize,
        /// Episode, counted from 1, that exceeded the limit; 1 if even the shortest episodes would.
        reached: usize,
        /// Largest size of the frames in bytes.
        limit: u64,
    },
    /// The system has less memory than the limit allows.
    #[error(
        "out of memory during episode {reached}: record fewer, or several files with different \
         seeds"
    )]
    OutOfMemory {
        /// Episode, counted from 1, in which memory ran out.
        reached: usize,
    },
    /// A request that the world refused.
    #[error(transparent)]
    World(#[from] EnvError),
    /// Recorded data that does not make trajectories.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl Recorder {
    /// Default limit of the frames: 4 GiB, about 75 000 episodes of the default counting world.
    pub const MAX_FRAME_BYTES: u64 = 4 << 30;

    /// Makes a recorder of `episodes` episodes of a world.
    #[must_use]
    pub fn new(options: impl Into<WorldOptions>, episodes: usize, seed: u64) -> Self {
        let options = options.into();
        Self {
            repeat_steps: options.world().repeat_steps(),
            options,
            episodes,
            seed,
            max_frame_bytes: Self::MAX_FRAME_BYTES,
        }
    }

    /// Records the episodes; calls `progress` after each one with the number of complete episodes.
    ///
    /// | array | shape | content |
    /// | --- | --- | --- |
    /// | `observations` | `[N, height, width, 3]` u8 | frames |
    /// | `actions` | `[N]` ids, or `[N, 1]` in `[-1, 1]` | at the frame; meaningless at ends |
    /// | `rewards` | `[N]` f32 | value `p` of the frame |
    /// | `terminals`, `timeouts` | `[N]` bool | last frame of an episode, by its cause |
    /// | `state_ids` | `[N]` u32 | state of the ground truth: the true count, or the cell |
    /// | counting: `shape_ids` | `[N]` u8 | [`Shape::id`](tellapart_env::counting::Shape::id) |
    /// | `colors` | `[N, 3]` u8 | red, green, blue of the objects |
    /// | `positions` | `[N, max_count, 2]` i16 | centers `[x, y]`, then `[-1, -1]` |
    /// | gridworld: `positions` | `[N, 2]` i16 | column and row of the agent |
    /// | `view_ids` | `[N]` u32 | [`Grid::view_of`]: equal where the views are alike |
    /// | `tint_ids` | `[N]` u8 | [`Grid::tint`] |
    ///
    /// Memory: the frames, and up to as much again while their buffer grows.
    ///
    /// # Errors
    /// [`CollectError::NoEpisodes`]; [`CollectError::TooLarge`] or [`CollectError::OutOfMemory`]
    /// when there is no room for the frames.
    pub fn record(&self, progress: impl FnMut(usize)) -> Result<Trajectories, CollectError> {
        match self.options.clone() {
            WorldOptions::Counting(options) => {
                self.record_from(Counting::new(options, self.seed, 1), progress)
            }
            WorldOptions::Grid(options) => {
                self.record_from(Grid::new(options, self.seed, 1), progress)
            }
        }
    }

    /// Records the single environment of `world`.
    fn record_from<W: Recordable>(
        &self,
        mut world: W,
        mut progress: impl FnMut(usize),
    ) -> Result<Trajectories, CollectError> {
        if self.episodes == 0 {
            return Err(CollectError::NoEpisodes);
        }
        // An episode has at least two frames, so hopeless requests are refused before any work.
        let least = (2 * world.frame_bytes() as u64).saturating_mul(self.episodes as u64);
        if least > self.max_frame_bytes {
            return Err(self.too_large(1));
        }
        let space = world.action_space();
        let mut policy = RepeatedRandom::with_repeat(space, self.seed, 1, self.repeat_steps);
        let mut outcome = [Outcome::default()];
        let mut rows = RecordedRows::<W::Hidden>::default();
        let mut complete = 0;

        world.reset(self.frame(&mut rows, &world, complete)?, &mut outcome)?;
        loop {
            let actions = policy.next_actions();
            rows.push(&world, outcome[0], actions);
            if outcome[0].end != End::Continues {
                complete += 1;
                progress(complete);
            }
            if complete == self.episodes {
                return rows.into_trajectories(&world);
            }
            world.step(
                actions,
                self.frame(&mut rows, &world, complete)?,
                &mut outcome,
            )?;
        }
    }

    fn too_large(&self, reached: usize) -> CollectError {
        let (episodes, limit) = (self.episodes, self.max_frame_bytes);
        CollectError::TooLarge {
            episodes,
            reached,
            limit,
        }
    }

    /// Makes room for one more frame.
    fn frame<'a, W: Recordable>(
        &self,
        rows: &'a mut RecordedRows<W::Hidden>,
        world: &W,
        complete: usize,
    ) -> Result<&'a mut [u8], CollectError> {
        let frames = &mut rows.frames;
        let (start, bytes, reached) = (frames.len(), world.frame_bytes(), complete + 1);
        if start as u64 + bytes as u64 > self.max_frame_bytes {
            return Err(self.too_large(reached));
        }
        frames
            .try_reserve(bytes)
            .map_err(|_| CollectError::OutOfMemory { reached })?;
        frames.resize(start + bytes, 0);
        Ok(&mut frames[start..])
    }
}

/// Columns of the recording while they grow.
#[derive(Default)]
struct RecordedRows<H> {
    frames: Vec<u8>,
    actions: Vec<Action>,
    outcomes: Vec<Outcome>,
    hidden: H,
}

impl<H> RecordedRows<H> {
    /// Adds the row of the frame that the single environment of `world` shows, except the frame
    /// itself.
    fn push<W: Recordable<Hidden = H>>(&mut self, world: &W, outcome: Outcome, actions: &[Action]) {
        self.actions.extend(actions);
        self.outcomes.push(outcome);
        world.push_hidden(outcome.state, &mut self.hidden);
    }

    fn into_trajectories<W: Recordable<Hidden = H>>(
        self,
        world: &W,
    ) -> Result<Trajectories, CollectError> {
        let rows = self.outcomes.len();
        let each = |what: fn(&Outcome) -> bool| self.outcomes.iter().map(what).collect();
        let parts = TrajectoryParts {
            observations: Frames::U8 {
                shape: world.observation_shape().to_vec(),
                values: self.frames,
            },
            actions: columns_of(world.action_space(), &self.actions)?,
            rewards: Some(self.outcomes.iter().map(|outcome| outcome.value).collect()),
            terminals: each(|outcome| outcome.end == End::Terminal),
            timeouts: each(|outcome| outcome.end == End::Timeout),
            state_ids: Some(
                self.outcomes
                    .iter()
                    .map(|outcome| outcome.state.get())
                    .collect(),
            ),
            extra: W::arrays(self.hidden, rows),
            ..TrajectoryParts::default()
        };
        Ok(Trajectories::new(parts)?)
    }
}

/// Converts actions to the form of their space: ids or vectors.
fn columns_of(space: ActionSpace, actions: &[Action]) -> Result<Actions, EnvError> {
    let ids = actions.iter().filter_map(|action| match action {
        Action::OneHot(id) => Some(*id),
        Action::Continuous(_) => None,
    });
    Ok(match space {
        ActionSpace::OneHot { .. } => Actions::Discrete {
            count: space.distinct(),
            ids: ids.collect(),
        },
        ActionSpace::Continuous { .. } => {
            let mut values = Vec::with_capacity(actions.len());
            for &action in actions {
                space.push_vector(action, &mut values)?;
            }
            Actions::Vectors {
                width: space.vector_width(),
                values,
            }
        }
    })
}

#[cfg(test)]
mod tests;
