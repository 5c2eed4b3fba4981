//! Batches of environments, common to all worlds. Each environment has its own random stream, and
//! buffers are checked before anything moves.

use std::ops::Range;

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use tellapart_system::StateId;

use crate::{Action, ActionSpace, End, EnvError, Outcome};

/// Move of an environment in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move<Start, Act> {
    /// Begins a new episode, from this state or a random one.
    Begin(Option<Start>),
    /// Acts within the current episode.
    Act(Act),
}

/// One environment of a world: its random stream and its current episode.
pub(crate) trait Replica {
    /// Data that all environments share.
    type Shared;
    /// State in which an episode may begin.
    type StartState: Copy;
    /// Effect of an action.
    type Act: Copy;

    /// Whether the next step begins an episode. True for a new environment.
    fn ended(&self) -> bool;

    /// Moves, and paints the whole new frame.
    fn step(
        &mut self,
        world: &Self::Shared,
        what: Move<Self::StartState, Self::Act>,
        frame: &mut [u8],
    ) -> Outcome;
}

/// Environments and their planned moves, kept so that a step allocates nothing.
#[derive(Debug, Clone)]
pub(crate) struct ReplicaBatch<R: Replica> {
    replicas: Vec<R>,
    moves: Vec<Move<R::StartState, R::Act>>,
}

impl<R: Replica> ReplicaBatch<R> {
    /// Builds one environment for each stream of `seed`.
    pub(crate) fn new(seed: u64, streams: Range<u64>, replica: impl Fn(ChaCha8Rng) -> R) -> Self {
        let replicas: Vec<_> = streams
            .map(|stream| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(stream);
                replica(rng)
            })
            .collect();
        let moves = replicas.iter().map(|_| Move::Begin(None)).collect();
        Self { replicas, moves }
    }

    pub(crate) fn len(&self) -> usize {
        self.replicas.len()
    }

    /// Returns environment `copy`. Panics if there is no such environment.
    pub(crate) fn replica(&self, copy: usize) -> &R {
        &self.replicas[copy]
    }

    /// Plans a new episode in every environment.
    pub(crate) fn begin(&mut self, start: Option<R::StartState>) {
        self.moves.fill(Move::Begin(start));
    }

    /// Plans a new episode in environment `i` from state `states[i]`, one of `count`.
    pub(crate) fn begin_each(
        &mut self,
        states: &[StateId],
        count: usize,
        start_of: impl Fn(StateId) -> R::StartState,
    ) -> Result<(), EnvError> {
        self.check_length("states", states.len(), 1)?;
        let mut asked = states.iter().enumerate();
        if let Some((copy, &state)) = asked.find(|(_, state)| state.index() >= count) {
            return Err(EnvError::BadState {
                copy,
                state,
                states: count,
            });
        }
        for (what, &state) in self.moves.iter_mut().zip(states) {
            *what = Move::Begin(Some(start_of(state)));
        }
        Ok(())
    }

    /// Plans the action of every environment, or an episode from `start` if the last one has ended.
    pub(crate) fn act(
        &mut self,
        space: ActionSpace,
        act_of: impl Fn(Action) -> Option<R::Act>,
        start: Option<R::StartState>,
        actions: &[Action],
    ) -> Result<(), EnvError> {
        self.check_length("actions", actions.len(), 1)?;
        for (copy, &action) in actions.iter().enumerate() {
            self.moves[copy] = if self.replicas[copy].ended() {
                Move::Begin(start)
            } else {
                let bad = EnvError::BadAction {
                    copy: Some(copy),
                    action,
                    space,
                };
                Move::Act(act_of(action).ok_or(bad)?)
            };
        }
        Ok(())
    }

    /// Executes the planned moves.
    pub(crate) fn run(
        &mut self,
        world: &R::Shared,
        frame_bytes: usize,
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        self.check_length("frames", frames.len(), frame_bytes)?;
        self.check_length("outcomes", outcomes.len(), 1)?;

        let frames = frames.chunks_exact_mut(frame_bytes);
        for (((replica, &what), frame), outcome) in self
            .replicas
            .iter_mut()
            .zip(&self.moves)
            .zip(frames)
            .zip(outcomes)
        {
            *outcome = replica.step(world, what, frame);
        }
        Ok(())
    }

    pub(crate) fn check_length(
        &self,
        buffer: &'static str,
        found: usize,
        each: usize,
    ) -> Result<(), EnvError> {
        let num_envs = self.replicas.len();
        let expected = num_envs * each;
        if found == expected {
            return Ok(());
        }
        Err(EnvError::WrongLength {
            buffer,
            num_envs,
            expected,
            found,
        })
    }
}

/// Clock of the current episode of an environment.
#[derive(Debug, Clone)]
pub(crate) struct EpisodeClock {
    steps: u32,
    pub(crate) ended: bool,
}

impl EpisodeClock {
    /// Creates the clock of an environment without an episode.
    pub(crate) fn new() -> Self {
        Self {
            steps: 0,
            ended: true,
        }
    }

    /// Begins a new episode.
    pub(crate) fn begin(&mut self) -> End {
        self.steps = 0;
        self.ended = false;
        End::Continues
    }

    /// Counts a step within the episode, which the world ends if `terminal`.
    pub(crate) fn step(&mut self, terminal: bool, max_steps: u32) -> End {
        self.steps += 1;
        let end = if terminal {
            End::Terminal
        } else if self.steps >= max_steps {
            End::Timeout
        } else {
            End::Continues
        };
        self.ended = end != End::Continues;
        end
    }
}
