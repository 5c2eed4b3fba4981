//! The built-in worlds, stepped in batches.

use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArrayMethods as _, PyReadonlyArray1};
use pyo3::prelude::*;
use tellapart::env::{Action, ActionSpace, BatchEnvironment, End, EnvError, Outcome};
use tellapart::settings::world_options;
use tellapart::{ActionId, ValidWorld, World};

use crate::errors::data_error;
use crate::system::System;

/// A batch of environments of one world.
#[pyclass(frozen, module = "tellapart._tellapart")]
pub(crate) struct Worlds {
    world: ValidWorld,
    num_envs: usize,
    batch: Mutex<Batch>,
}

struct Batch {
    environment: Box<dyn BatchEnvironment>,
    frames: Vec<u8>,
    outcomes: Vec<Outcome>,
}

/// Frames, values, hidden states, and the two kinds of ends.
type Seen<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<bool>>,
);

#[pymethods]
impl Worlds {
    #[new]
    fn new(world: &str, settings: Vec<String>, num_envs: usize, seed: u64) -> PyResult<Self> {
        let world: World = world.parse().map_err(data_error)?;
        let world = world_options(world, settings).map_err(data_error)?;
        let environment = world.build(seed, num_envs);
        Ok(Self {
            batch: Mutex::new(Batch {
                frames: vec![0; num_envs * environment.frame_bytes()],
                outcomes: vec![Outcome::default(); num_envs],
                environment,
            }),
            world,
            num_envs,
        })
    }

    /// Returns height, width and channels of an observation.
    #[getter]
    fn observation_shape(&self) -> [usize; 3] {
        self.lock().environment.observation_shape()
    }

    /// Returns the number of distinct actions.
    #[getter]
    fn actions(&self) -> usize {
        self.lock().environment.action_space().distinct()
    }

    /// Whether an action is a number from -1 to 1, and not an index.
    #[getter]
    fn is_continuous(&self) -> bool {
        let space = self.lock().environment.action_space();
        matches!(space, ActionSpace::Continuous { .. })
    }

    /// Returns the finite system behind the observations.
    fn system(&self) -> PyResult<System> {
        let truth = self.lock().environment.ground_truth();
        Ok(truth.map_err(data_error)?.into())
    }

    /// Begins an episode everywhere; with a seed, as new environments with that one would.
    #[pyo3(signature = (seed=None))]
    fn reset<'py>(&self, py: Python<'py>, seed: Option<u64>) -> PyResult<Seen<'py>> {
        self.moved(py, |environment, frames, outcomes| {
            if let Some(seed) = seed {
                *environment = self.world.build(seed, self.num_envs);
            }
            environment.reset(frames, outcomes)
        })
    }

    /// Moves every environment; those that ended begin anew and ignore their action.
    fn step<'py>(&self, py: Python<'py>, actions: &Bound<'py, PyAny>) -> PyResult<Seen<'py>> {
        let space = self.lock().environment.action_space();
        let actions: Vec<Action> = match space {
            ActionSpace::Continuous { .. } => {
                let actions: PyReadonlyArray1<'_, f32> = actions.extract()?;
                actions
                    .as_slice()?
                    .iter()
                    .map(|&at| Action::Continuous(at))
                    .collect()
            }
            ActionSpace::OneHot { .. } => {
                let actions: PyReadonlyArray1<'_, i64> = actions.extract()?;
                let id = |&id: &i64| u32::try_from(id).unwrap_or(u32::MAX);
                actions
                    .as_slice()?
                    .iter()
                    .map(|at| Action::OneHot(id(at)))
                    .collect()
            }
        };
        self.moved(py, |environment, frames, outcomes| {
            environment.step(&actions, frames, outcomes)
        })
    }

    /// Returns names of the actions.
    #[getter]
    fn action_names(&self) -> PyResult<Vec<String>> {
        let truth = self.lock().environment.ground_truth().map_err(data_error)?;
        let name = |id: u32| truth.action_name(ActionId::new(id)).map(str::to_owned);
        let names = 0..truth.actions() as u32;
        Ok(names
            .map(|id| name(id).unwrap_or_else(|| id.to_string()))
            .collect())
    }
}

impl Worlds {
    fn lock(&self) -> std::sync::MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a move of all environments, with the interpreter released, and copies what is shown.
    fn moved<'py>(
        &self,
        py: Python<'py>,
        make: impl FnOnce(
            &mut Box<dyn BatchEnvironment>,
            &mut [u8],
            &mut [Outcome],
        ) -> Result<(), EnvError>
        + Send,
    ) -> PyResult<Seen<'py>> {
        let done = py.detach(|| {
            let Batch {
                environment,
                frames,
                outcomes,
            } = &mut *self.lock();
            make(environment, frames, outcomes)
        });
        done.map_err(data_error)?;
        self.seen(py)
    }

    /// Copies what is shown.
    fn seen<'py>(&self, py: Python<'py>) -> PyResult<Seen<'py>> {
        let batch = self.lock();
        let mut shape = vec![self.num_envs];
        shape.extend(batch.environment.observation_shape());
        let frames = PyArray1::from_slice(py, &batch.frames).reshape(shape)?;
        let of = |end: End| batch.outcomes.iter().map(move |outcome| outcome.end == end);
        let values = batch
            .outcomes
            .iter()
            .map(|outcome| f64::from(outcome.value));
        let states = batch
            .outcomes
            .iter()
            .map(|outcome| i64::from(outcome.state.get()));
        Ok((
            frames.into_any(),
            PyArray1::from_iter(py, values),
            PyArray1::from_iter(py, states),
            PyArray1::from_iter(py, of(End::Terminal)),
            PyArray1::from_iter(py, of(End::Timeout)),
        ))
    }
}
