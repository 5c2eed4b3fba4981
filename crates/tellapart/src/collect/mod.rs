//! Records a world as trajectories.

use std::collections::BTreeMap;

use tellapart_data::{Actions, DataError, Frames, Trajectories, TrajectoryParts};
use tellapart_env::{
    Action, ActionSpace, BatchEnvironment, End, EnvError, Nuisance, NuisanceKind, Outcome,
    RepeatedRandom, Rollout, Row, ValidWorld,
};
use tellapart_files::{Array, Values};

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
    /// World to record.
    pub world: ValidWorld,
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
    pub fn new(world: impl Into<ValidWorld>, episodes: usize, seed: u64) -> Self {
        let world = world.into();
        Self {
            repeat_steps: world.world().repeat_steps(),
            world,
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
    /// | `action_names` | `[actions]` text | what the distinct actions are called, by id |
    /// | `state_ids` | `[N]` u32 | state of the ground truth: the true count, or the cell |
    /// | counting: `shape_ids` | `[N]` u8 | [`Shape::id`](tellapart_env::counting::Shape::id) |
    /// | `colors` | `[N, 3]` u8 | red, green, blue of the objects |
    /// | `positions` | `[N, max_count, 2]` i16 | centers `[x, y]`, then `[-1, -1]` |
    /// | gridworld, torus: `positions` | `[N, 2]` i16 | column and row |
    /// | `tint_ids` | `[N]` u8 | floor color of the episode |
    /// | gridworld: `view_ids` | `[N]` u32 | [`view_of`](tellapart_env::Grid::view_of): equal where the views are alike |
    ///
    /// Memory: the frames, and up to as much again while their buffer grows.
    ///
    /// # Errors
    /// [`CollectError::NoEpisodes`]; [`CollectError::TooLarge`] or [`CollectError::OutOfMemory`]
    /// when there is no room for the frames.
    pub fn record(&self, mut progress: impl FnMut(usize)) -> Result<Trajectories, CollectError> {
        if self.episodes == 0 {
            return Err(CollectError::NoEpisodes);
        }
        let world = self.world.build(self.seed, 1);
        // An episode has at least two frames, so hopeless requests are refused before any work.
        let least = (2 * world.frame_bytes() as u64).saturating_mul(self.episodes as u64);
        if least > self.max_frame_bytes {
            return Err(self.too_large(1));
        }
        let space = world.action_space();
        let policy = RepeatedRandom::with_repeat(space, self.seed, 1, self.repeat_steps);
        let mut rollout = Rollout::new(world, policy);
        let mut rows = RecordedRows::default();
        let mut complete = 0;
        while complete < self.episodes {
            let row = rollout.next_row()?;
            self.make_room(&mut rows.frames, row.frames.len(), complete + 1)?;
            rows.push(row);
            if row.outcomes[0].end != End::Continues {
                complete += 1;
                progress(complete);
            }
        }
        rows.into_trajectories(rollout.world())
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
    fn make_room(
        &self,
        frames: &mut Vec<u8>,
        bytes: usize,
        reached: usize,
    ) -> Result<(), CollectError> {
        if frames.len() as u64 + bytes as u64 > self.max_frame_bytes {
            return Err(self.too_large(reached));
        }
        let reserved = frames.try_reserve(bytes);
        reserved.map_err(|_| CollectError::OutOfMemory { reached })
    }
}

/// Columns of the recording of a single environment while they grow.
#[derive(Default)]
struct RecordedRows {
    frames: Vec<u8>,
    actions: Vec<Action>,
    outcomes: Vec<Outcome>,
    /// All nuisances of a row, row after row.
    nuisances: Vec<f32>,
}

impl RecordedRows {
    fn push(&mut self, row: Row<'_>) {
        self.frames.extend_from_slice(row.frames);
        self.actions.extend_from_slice(row.actions);
        self.outcomes.extend_from_slice(row.outcomes);
        row.world.push_nuisances(0, &mut self.nuisances);
    }

    fn into_trajectories(self, world: &dyn BatchEnvironment) -> Result<Trajectories, CollectError> {
        let rows = self.outcomes.len();
        let each = |what: fn(&Outcome) -> bool| self.outcomes.iter().map(what).collect();
        let parts = TrajectoryParts {
            observations: Frames::U8 {
                shape: world.observation_shape().to_vec(),
                values: self.frames,
            },
            actions: columns_of(world.action_space(), &self.actions)?,
            rewards: Some(Values::F32(
                self.outcomes.iter().map(|outcome| outcome.value).collect(),
            )),
            // All built-in worlds are: what is drawn anew is a nuisance.
            world_is_deterministic: Some(true),
            terminals: each(|outcome| outcome.end == End::Terminal),
            timeouts: each(|outcome| outcome.end == End::Timeout),
            state_ids: Some(
                self.outcomes
                    .iter()
                    .map(|outcome| outcome.state.get())
                    .collect(),
            ),
            action_names: Some(action_names(world)?),
            extra: arrays(&world.nuisances(), &self.nuisances, rows),
            ..TrajectoryParts::default()
        };
        Ok(Trajectories::new(parts)?)
    }
}

/// Returns the names of the actions of a world, by id.
fn action_names(world: &dyn BatchEnvironment) -> Result<Vec<String>, EnvError> {
    let truth = world.ground_truth()?;
    let names = truth.action_ids().map(|id| match truth.action_name(id) {
        Some(name) => name.to_owned(),
        None => id.to_string(),
    });
    Ok(names.collect())
}

/// Splits the nuisances of all rows into named arrays. Their values are whole numbers that fit the
/// type of their kind.
fn arrays(nuisances: &[Nuisance], values: &[f32], rows: usize) -> BTreeMap<String, Array> {
    let all: usize = nuisances.iter().map(Nuisance::width).sum();
    let mut start = 0;
    let mut arrays = BTreeMap::new();
    for nuisance in nuisances {
        let columns = start..start + nuisance.width();
        start = columns.end;
        let Some(name) = nuisance.array else { continue };
        let own = values
            .chunks_exact(all)
            .flat_map(|row| row[columns.clone()].iter().copied());
        let values = match nuisance.kind {
            NuisanceKind::Category | NuisanceKind::Byte => {
                Values::U8(own.map(|value| value as u8).collect())
            }
            NuisanceKind::Index => Values::U32(own.map(|value| value as u32).collect()),
            NuisanceKind::Integer => Values::I16(own.map(|value| value as i16).collect()),
            NuisanceKind::Real => Values::F32(own.collect()),
        };
        let shape = std::iter::once(rows).chain(nuisance.shape.iter().copied());
        let shape = shape.collect();
        arrays.insert(name.to_owned(), Array { shape, values });
    }
    arrays
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
                values: Values::F32(values),
            }
        }
    })
}

#[cfg(test)]
mod tests;
