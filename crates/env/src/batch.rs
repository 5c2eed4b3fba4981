//! The one batch of environments, for the rules of any world.

use std::ops::Range;

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use tellapart_system::{ActionId, MooreMachine, MooreMachineBuilder, StateId};

use crate::{Action, ActionSpace, BatchEnvironment, End, EnvError, Nuisance, Outcome, WorldRules};

/// Batch of environments that follow the rules `R`, stepped together. A step allocates nothing
/// unless the rules do.
#[derive(Debug, Clone)]
pub struct Environments<R: WorldRules> {
    rules: R,
    environments: Vec<Environment<R::Nuisances>>,
}

/// One environment of a batch: its state, its nuisances and its random stream.
#[derive(Debug, Clone)]
pub struct Environment<N> {
    /// Present values of what it shows next to its state.
    pub nuisances: N,
    /// Random stream, for nuisances only.
    pub rng: ChaCha8Rng,
    state: StateId,
    action: Option<ActionId>,
    /// Number of steps in the current episode.
    steps: u32,
    /// Whether the next step begins an episode.
    ended: bool,
    /// Kept here so that all moves are checked before any is made, without allocation.
    planned: Move,
}

/// Move of an environment in one step.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// Begins a new episode, in this state or where the rules say.
    Begin(Option<StateId>),
    /// Acts within the current episode.
    Act(ActionId),
}

impl<R: WorldRules> Environments<R> {
    /// Creates `num_envs` environments; environment `i` draws from stream `i` of `seed`. Call
    /// [`reset`](BatchEnvironment::reset) to see the first observations.
    pub fn new(rules: R, seed: u64, num_envs: usize) -> Self {
        Self::with_streams(rules, seed, 0..num_envs as u64)
    }

    /// Creates one environment for each stream. An environment does not depend on the others. A
    /// batch may therefore be divided among threads, each with a range of the streams and its part
    /// of the buffers.
    ///
    /// A batch starts no threads itself: a step is bound by memory, and starting a thread takes
    /// about as long as drawing a hundred frames.
    pub fn with_streams(rules: R, seed: u64, streams: Range<u64>) -> Self {
        let environment = |stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            Environment {
                nuisances: rules.new_nuisances(),
                rng,
                state: StateId::new(0),
                action: None,
                steps: 0,
                ended: true,
                planned: Move::Begin(None),
            }
        };
        let environments = streams.map(environment).collect();
        Self {
            rules,
            environments,
        }
    }

    /// Returns the rules of the world, which for a built-in world are its options.
    pub fn rules(&self) -> &R {
        &self.rules
    }

    /// Returns environment `copy`. Panics if there is no such environment.
    pub fn environment(&self, copy: usize) -> &Environment<R::Nuisances> {
        &self.environments[copy]
    }

    /// Makes the planned moves.
    fn run(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        let frame_bytes = self.frame_bytes();
        self.check_length("frames", frames.len(), frame_bytes)?;
        self.check_length("outcomes", outcomes.len(), 1)?;

        let frames = frames.chunks_exact_mut(frame_bytes);
        for ((environment, frame), outcome) in
            self.environments.iter_mut().zip(frames).zip(outcomes)
        {
            let end = environment.advance(&self.rules);
            self.rules.paint(environment, frame);
            *outcome = Outcome {
                value: self.rules.value(environment.state),
                state: environment.state,
                end,
            };
        }
        Ok(())
    }

    fn check_length(
        &self,
        buffer: &'static str,
        found: usize,
        each: usize,
    ) -> Result<(), EnvError> {
        let num_envs = self.environments.len();
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

impl<N> Environment<N> {
    /// Returns the state that is shown; before the first episode, state 0.
    pub fn state(&self) -> StateId {
        self.state
    }

    /// Returns the action that led to the state; `None` where an episode begins.
    pub fn action(&self) -> Option<ActionId> {
        self.action
    }

    /// Makes the planned move.
    fn advance(&mut self, rules: &impl WorldRules<Nuisances = N>) -> End {
        let end = match self.planned {
            Move::Begin(start) => {
                (self.action, self.steps) = (None, 0);
                rules.begin_episode(&mut self.nuisances, &mut self.rng);
                self.state = start.unwrap_or_else(|| rules.first_state(&mut self.rng));
                End::Continues
            }
            Move::Act(action) => {
                (self.action, self.steps) = (Some(action), self.steps + 1);
                self.state = rules.successor(self.state, action);
                if rules.is_terminal(self.state) {
                    End::Terminal
                } else if self.steps >= rules.max_steps() {
                    End::Timeout
                } else {
                    End::Continues
                }
            }
        };
        self.ended = end != End::Continues;
        end
    }
}

impl<R: WorldRules> BatchEnvironment for Environments<R> {
    fn len(&self) -> usize {
        self.environments.len()
    }

    fn observation_shape(&self) -> [usize; 3] {
        self.rules.observation_shape()
    }

    fn action_space(&self) -> ActionSpace {
        self.rules.action_space()
    }

    fn reset(&mut self, frames: &mut [u8], outcomes: &mut [Outcome]) -> Result<(), EnvError> {
        for environment in &mut self.environments {
            environment.planned = Move::Begin(None);
        }
        self.run(frames, outcomes)
    }

    fn reset_to(
        &mut self,
        states: &[StateId],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        self.check_length("states", states.len(), 1)?;
        let count = self.num_states();
        for (copy, (environment, &state)) in self.environments.iter_mut().zip(states).enumerate() {
            if state.index() >= count {
                return Err(EnvError::BadState {
                    copy,
                    state,
                    states: count,
                });
            }
            environment.planned = Move::Begin(Some(state));
        }
        self.run(frames, outcomes)
    }

    fn step(
        &mut self,
        actions: &[Action],
        frames: &mut [u8],
        outcomes: &mut [Outcome],
    ) -> Result<(), EnvError> {
        self.check_length("actions", actions.len(), 1)?;
        let space = self.action_space();
        for (copy, (environment, &action)) in self.environments.iter_mut().zip(actions).enumerate()
        {
            environment.planned = if environment.ended {
                Move::Begin(None)
            } else {
                let bad = EnvError::BadAction {
                    copy: Some(copy),
                    action,
                    space,
                };
                Move::Act(space.index_of(action).ok_or(bad)?)
            };
        }
        self.run(frames, outcomes)
    }

    fn num_states(&self) -> usize {
        self.rules.num_states()
    }

    fn ground_truth(&self) -> Result<MooreMachine, EnvError> {
        let (states, actions) = (self.num_states(), self.action_space().distinct());
        let mut builder = MooreMachineBuilder::new(states, actions)?;
        for state in (0..states).map(StateId::from_index) {
            builder.output_value(state, &[f64::from(self.rules.value(state))])?;
            for action in (0..actions).map(ActionId::from_index) {
                builder.transition(state, action, self.rules.successor(state, action))?;
            }
        }
        let (truth, names) = (builder.build()?, self.rules.action_names());
        if names.is_empty() {
            return Ok(truth);
        }
        Ok(truth.with_action_names(names.into_iter().map(str::to_owned).collect())?)
    }

    fn state_noun(&self) -> &'static str {
        self.rules.state_noun()
    }

    fn nuisances(&self) -> Vec<Nuisance> {
        self.rules.nuisances()
    }

    fn push_nuisances(&self, copy: usize, values: &mut Vec<f32>) {
        self.rules.push_nuisances(&self.environments[copy], values);
    }
}
