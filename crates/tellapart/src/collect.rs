//! Recording a world into trajectories.

use tellapart_data::{Actions, DataError, Frames, Trajectories, TrajectoryParts};
use tellapart_env::counting::ValidOptions;
use tellapart_env::{
    Action, ActionSpace, BatchEnvironment, Counting, End, EnvError, Outcome, RepeatedRandom,
};
use tellapart_files::{Array, Values};

/// How the counting world is recorded: whole episodes, one after the other, under
/// [`RepeatedRandom`], from one seed.
///
/// The same seed gives the same episodes on every machine, and a longer recording begins with the
/// shorter one.
///
/// ```
/// use tellapart::{collect::Recording, counting};
///
/// let options = counting::Options::default().validate()?;
/// let recorded = Recording::new(options, 20, 7).record(|_episodes| {})?;
/// assert_eq!(recorded.episodes().count(), 20);
/// assert_eq!(recorded.extra["positions"].shape, [recorded.rows(), 8, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The world.
    pub options: ValidOptions,
    /// How many episodes, at least 1.
    pub episodes: usize,
    /// Of the world and of the policy, which draw from streams of their own.
    pub seed: u64,
    /// The most bytes of frames that are kept, since a recording is held in memory as a whole.
    /// Default: [`Recording::MAX_FRAME_BYTES`].
    pub max_frame_bytes: u64,
}

/// A recording that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// Nothing to record.
    #[error("0 episodes were asked for, but a recording needs at least 1")]
    NoEpisodes,
    /// More frames than may be kept in memory.
    #[error(
        "the frames of {episodes} episodes take more than {} MiB, from episode {reached} on; record \
         fewer, or several files with different seeds", limit / (1 << 20)
    )]
    TooLarge {
        /// How many were asked for.
        episodes: usize,
        /// During which one, from 1, there was no more room; 1 if that was plain from the start.
        reached: usize,
        /// The most bytes of frames.
        limit: u64,
    },
    /// The memory that would be allowed is not there.
    #[error(
        "out of memory during episode {reached}: record fewer, or several files with different \
         seeds"
    )]
    OutOfMemory {
        /// During which episode, from 1.
        reached: usize,
    },
    /// The world refused a request.
    #[error(transparent)]
    World(#[from] EnvError),
    /// What was recorded does not make trajectories.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl Recording {
    /// 4 GiB: about 75 000 episodes of the default world.
    pub const MAX_FRAME_BYTES: u64 = 4 << 30;

    /// `episodes` episodes of the counting world.
    #[must_use]
    pub fn new(options: ValidOptions, episodes: usize, seed: u64) -> Self {
        Self {
            options,
            episodes,
            seed,
            max_frame_bytes: Self::MAX_FRAME_BYTES,
        }
    }

    /// Records; `progress` is told after each episode how many are complete.
    ///
    /// | array | shape | what it is |
    /// | --- | --- | --- |
    /// | `observations` | `[N, height, width, 3]` u8 | the frames |
    /// | `actions` | `[N]` ids, or `[N, 1]` numbers in `[-1, 1]` | taken at the frame; without meaning where an episode ends |
    /// | `rewards` | `[N]` f32 | the value `p` of the frame |
    /// | `terminals`, `timeouts` | `[N]` bool | the last frame of an episode, by its cause |
    /// | `state_ids` | `[N]` u32 | the true count |
    /// | `shape_ids` | `[N]` u8 | [`Shape::id`](tellapart_env::counting::Shape::id) |
    /// | `colors` | `[N, 3]` u8 | red, green, blue of the objects |
    /// | `positions` | `[N, max_count, 2]` i16 | centres `[x, y]`, then `[-1, -1]` |
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
        let mut world = Counting::new(self.options.clone(), self.seed, 1);
        // An episode shows two frames at the least: what is hopeless is refused before any work.
        let least = (2 * world.frame_bytes() as u64).saturating_mul(self.episodes as u64);
        if least > self.max_frame_bytes {
            return Err(self.too_large(1));
        }
        let mut policy = RepeatedRandom::new(world.action_space(), self.seed, 1);
        let mut outcome = [Outcome::default()];
        let mut rows = Rows::default();
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

    /// Room for one more frame.
    fn frame<'a>(
        &self,
        rows: &'a mut Rows,
        world: &Counting,
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

/// The columns while they grow.
#[derive(Default)]
struct Rows {
    frames: Vec<u8>,
    actions: Vec<Action>,
    outcomes: Vec<Outcome>,
    shape_ids: Vec<u8>,
    colors: Vec<u8>,
    positions: Vec<i16>,
}

impl Rows {
    /// What belongs to the frame that the only copy of `world` shows.
    fn push(&mut self, world: &Counting, outcome: Outcome, actions: &[Action]) {
        self.actions.extend(actions);
        self.outcomes.push(outcome);
        self.shape_ids.push(world.shape(0).id());
        self.colors.extend(world.color(0));
        self.positions.extend(world.positions(0).as_flattened());
    }

    fn into_trajectories(self, world: &Counting) -> Result<Trajectories, CollectError> {
        let rows = self.outcomes.len();
        let each = |what: fn(&Outcome) -> bool| self.outcomes.iter().map(what).collect();
        let max_count = usize::from(world.options().max_count);
        let extra = [
            ("shape_ids", vec![rows], Values::U8(self.shape_ids)),
            ("colors", vec![rows, 3], Values::U8(self.colors)),
            (
                "positions",
                vec![rows, max_count, 2],
                Values::I16(self.positions),
            ),
        ];
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
            extra: extra
                .into_iter()
                .map(|(name, shape, values)| (name.to_owned(), Array { shape, values }))
                .collect(),
            ..TrajectoryParts::default()
        };
        Ok(Trajectories::new(parts)?)
    }
}

/// Actions in the form of their space: ids, or numbers.
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
mod tests {
    use tellapart_env::counting::Options;

    use super::*;

    fn recording(actions: &str, episodes: usize, seed: u64) -> Recording {
        let actions = actions.parse().unwrap();
        let options = Options {
            actions,
            max_steps: 9,
            image_side: 16,
            ..Options::default()
        };
        Recording::new(options.validate().unwrap(), episodes, seed)
    }

    #[test]
    fn recorded_rows_follow_the_ground_truth() {
        for space in ActionSpace::ALL {
            let recording = recording(&space.to_string(), 200, 3);
            let truth = Counting::new(recording.options.clone(), 0, 0)
                .ground_truth()
                .unwrap();
            let recorded = recording.record(|_| {}).unwrap();
            let states = recorded.state_ids.clone().unwrap();
            let rewards = recorded.rewards.clone().unwrap();
            for episode in recorded.episodes() {
                for row in episode.start..episode.end - 1 {
                    let action = match &recorded.actions {
                        Actions::Discrete { ids, .. } => Action::OneHot(ids[row]),
                        Actions::Vectors { values, .. } => Action::Continuous(values[row]),
                    };
                    let action = space.index_of(action).unwrap();
                    let here = truth.state(states[row] as usize).unwrap();
                    let next = truth.successor(here, action);
                    assert_eq!(next.get(), states[row + 1], "{space}, row {row}");
                    let value = truth.output_value(truth.output(here)).unwrap();
                    assert_eq!(value, [f64::from(rewards[row])], "{space}, row {row}");
                }
            }
            let mut present = states;
            present.sort_unstable();
            present.dedup();
            assert_eq!(present.len(), 9, "{space}: all counts are visited");
        }
    }

    #[test]
    fn nuisances_are_those_of_the_frames() {
        let recorded = recording("one-hot-2", 50, 8).record(|_| {}).unwrap();
        let Frames::U8 { values, .. } = &recorded.observations else {
            panic!("frames are u8")
        };
        let Values::I16(positions) = &recorded.extra["positions"].values else {
            panic!("i16")
        };
        let Values::U8(colors) = &recorded.extra["colors"].values else {
            panic!("u8")
        };
        let states = recorded.state_ids.as_ref().unwrap();
        for row in 0..recorded.rows() {
            let frame = &values[row * 16 * 16 * 3..][..16 * 16 * 3];
            let centers = &positions.as_chunks::<2>().0[row * 8..][..8];
            let shown = centers.iter().filter(|center| center[0] >= 0);
            assert_eq!(shown.clone().count(), states[row] as usize);
            for &[x, y] in shown {
                // The centre belongs to every shape.
                let pixel = &frame[(y as usize * 16 + x as usize) * 3..][..3];
                assert_eq!(pixel, &colors[row * 3..][..3], "row {row}");
            }
        }
    }

    #[test]
    fn the_seed_decides_and_a_longer_recording_begins_with_the_shorter() {
        let long = recording("continuous-3", 30, 5).record(|_| {}).unwrap();
        let mut told = Vec::new();
        let short = recording("continuous-3", 10, 5)
            .record(|n| told.push(n))
            .unwrap();
        assert_eq!(told, (1..=10).collect::<Vec<_>>());
        let rows = short.rows();
        assert_eq!(
            short.state_ids.as_deref(),
            long.state_ids.as_deref().map(|ids| &ids[..rows])
        );
        assert_eq!(short.terminals, long.terminals[..rows]);
        let other = recording("continuous-3", 10, 6).record(|_| {}).unwrap();
        assert_ne!(other.observations, short.observations);
    }

    #[test]
    fn no_episodes_and_too_many_are_refused() {
        let none = recording("one-hot-2", 0, 0).record(|_| {});
        assert!(matches!(none, Err(CollectError::NoEpisodes)), "{none:?}");
        let hopeless = recording("one-hot-2", usize::MAX, 0).record(|_| panic!("nothing is done"));
        assert!(matches!(
            hopeless,
            Err(CollectError::TooLarge { reached: 1, .. })
        ));
        let tight = Recording {
            max_frame_bytes: 25 * 768,
            ..recording("one-hot-2", 10, 0)
        };
        let error = tight.record(|_| {}).unwrap_err();
        let CollectError::TooLarge { reached, .. } = error else {
            panic!("{error}")
        };
        assert!((2..=10).contains(&reached), "{reached}");
    }
}
