//! What the batches of all worlds have in common: copies with streams of their own, buffers that are
//! checked before anything moves, ends of episodes.

use std::ops::Range;

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::{Action, ActionSpace, End, EnvError, Outcome};

/// What a step does to a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move<Start, Act> {
    /// A new episode, from this state or a random one.
    Begin(Option<Start>),
    /// Within the present one.
    Act(Act),
}

/// One copy of a world: its random stream, its present episode.
pub(crate) trait Replica {
    /// What all copies share.
    type World;
    /// Where an episode may begin.
    type Start: Copy;
    /// What an action does.
    type Act: Copy;

    /// Whether the next step begins an episode. True of a new copy.
    fn ended(&self) -> bool;

    /// Moves, and paints the whole new frame.
    fn step(
        &mut self,
        world: &Self::World,
        what: Move<Self::Start, Self::Act>,
        frame: &mut [u8],
    ) -> Outcome;
}

/// Many copies, and what each is about to do: kept so that a step allocates nothing.
#[derive(Debug, Clone)]
pub(crate) struct Batch<R: Replica> {
    replicas: Vec<R>,
    moves: Vec<Move<R::Start, R::Act>>,
}

impl<R: Replica> Batch<R> {
    /// One copy for each stream of `seed`.
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

    /// Panics if there is no such copy.
    pub(crate) fn replica(&self, copy: usize) -> &R {
        &self.replicas[copy]
    }

    /// Plans a new episode in every copy.
    pub(crate) fn begin(&mut self, start: Option<R::Start>) {
        self.moves.fill(Move::Begin(start));
    }

    /// Plans a new episode in copy `i` from `starts[i]`.
    pub(crate) fn begin_each(&mut self, starts: &[R::Start]) {
        for (what, &start) in self.moves.iter_mut().zip(starts) {
            *what = Move::Begin(Some(start));
        }
    }

    /// Plans the action of every copy, or an episode from `start` where the last one has ended.
    pub(crate) fn act(
        &mut self,
        space: ActionSpace,
        act_of: impl Fn(Action) -> Option<R::Act>,
        start: Option<R::Start>,
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

    /// Carries out what is planned.
    pub(crate) fn run(
        &mut self,
        world: &R::World,
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
        let copies = self.replicas.len();
        let expected = copies * each;
        if found == expected {
            return Ok(());
        }
        Err(EnvError::WrongLength {
            buffer,
            copies,
            expected,
            found,
        })
    }
}

/// How far the present episode of a copy has come.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    steps: u32,
    pub(crate) ended: bool,
}

impl Clock {
    /// Of a copy that has no episode yet.
    pub(crate) fn new() -> Self {
        Self {
            steps: 0,
            ended: true,
        }
    }

    /// A new episode.
    pub(crate) fn begin(&mut self) -> End {
        self.steps = 0;
        self.ended = false;
        End::Continues
    }

    /// A step within it, which the world ends if `terminal`.
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
