//! Finite systems and their largest bisimulations.

use numpy::{PyArray1, PyArray2, PyArrayMethods as _, ToPyArray as _};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use tellapart::bisim::{largest_bisimulation_with, verify_coarsest_with, witness_with};
use tellapart::system::{read, write};
use tellapart::{MooreMachine, Partition, StateId, quotient};

use crate::arrays::array;
use crate::errors::data_error;
use crate::work::work;

/// A finite deterministic system.
#[pyclass(frozen, module = "tellapart._tellapart")]
pub(crate) struct System {
    machine: Arc<MooreMachine>,
}

#[pymethods]
impl System {
    #[new]
    fn new(next: &Bound<'_, PyAny>, output: &Bound<'_, PyAny>) -> PyResult<Self> {
        let machine = read::table(array("next", next)?, array("output", output)?);
        Ok(machine.map_err(data_error)?.into())
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let machine = py.detach(|| read::any(path));
        Ok(machine.map_err(data_error)?.into())
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| write::any(&self.machine, path))
            .map_err(data_error)
    }

    fn with_action_names(&self, names: Vec<String>) -> PyResult<Self> {
        let machine = MooreMachine::clone(&self.machine).with_action_names(names);
        Ok(machine.map_err(data_error)?.into())
    }

    #[getter]
    fn states(&self) -> usize {
        self.machine.states()
    }

    #[getter]
    fn actions(&self) -> usize {
        self.machine.actions()
    }

    #[getter]
    fn outputs(&self) -> usize {
        self.machine.outputs()
    }

    #[getter]
    fn action_names(&self) -> Option<Vec<String>> {
        let names = self.machine.action_ids();
        let names = names.map(|action| self.machine.action_name(action).map(str::to_owned));
        names.collect()
    }

    #[getter]
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<u32>>> {
        let table = self.machine.next_table().iter().map(|state| state.get());
        let table: Vec<u32> = table.collect();
        PyArray1::from_vec(py, table).reshape([self.machine.states(), self.machine.actions()])
    }

    #[getter]
    fn output<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        let ids = self
            .machine
            .output_table()
            .iter()
            .map(|output| output.get());
        PyArray1::from_vec(py, ids.collect())
    }

    /// Returns the values of an output; `None` if outputs have no values.
    fn output_value(&self, output: u32) -> Option<Vec<f64>> {
        let known = (output as usize) < self.machine.outputs();
        let value = known.then(|| self.machine.output_value(tellapart::OutputId::new(output)));
        value.flatten().map(<[f64]>::to_vec)
    }

    #[pyo3(signature = (progress=None))]
    fn largest_bisimulation(
        &self,
        py: Python<'_>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bisimulation> {
        let found = work(py, progress.as_ref(), |progress| {
            largest_bisimulation_with(&self.machine, progress)
        })?;
        Ok(Bisimulation {
            machine: Arc::clone(&self.machine),
            partition: found.map_err(data_error)?,
        })
    }
}

impl From<MooreMachine> for System {
    fn from(machine: MooreMachine) -> Self {
        Self {
            machine: Arc::new(machine),
        }
    }
}

/// The largest bisimulation of a system.
#[pyclass(frozen, module = "tellapart._tellapart")]
pub(crate) struct Bisimulation {
    machine: Arc<MooreMachine>,
    partition: Partition,
}

#[pymethods]
impl Bisimulation {
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        let labels = self.partition.as_slice().iter().map(|block| block.get());
        PyArray1::from_vec(py, labels.collect())
    }

    #[getter]
    fn sizes<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        self.partition.sizes().to_pyarray(py)
    }

    #[getter]
    fn n_classes(&self) -> usize {
        self.partition.blocks()
    }

    /// Returns the actions of a shortest witness, the states that it leads to, and their outputs.
    #[pyo3(signature = (a, b, progress=None))]
    #[allow(
        clippy::type_complexity,
        reason = "a tuple of Python, taken apart there"
    )]
    fn witness(
        &self,
        py: Python<'_>,
        a: usize,
        b: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Option<(Vec<u32>, [u32; 2], [u32; 2])>> {
        let [a, b] = [self.state(a)?, self.state(b)?];
        let found = work(py, progress.as_ref(), |progress| {
            witness_with(&self.machine, a, b, progress)
        })?;
        let word = found.map_err(data_error)?;
        Ok(word.map(|word| {
            let ends = [a, b].map(|state| self.machine.run(state, &word));
            let outputs = ends.map(|state| self.machine.output(state).get());
            let actions = word.iter().map(|action| action.get()).collect();
            (actions, ends.map(StateId::get), outputs)
        }))
    }

    fn quotient(&self, py: Python<'_>) -> PyResult<System> {
        let found = py.detach(|| quotient(&self.machine, &self.partition));
        Ok(found.map_err(data_error)?.into())
    }

    #[pyo3(signature = (progress=None))]
    fn verify(&self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<()> {
        let checked = work(py, progress.as_ref(), |progress| {
            verify_coarsest_with(&self.machine, &self.partition, progress)
        })?;
        checked.map_err(data_error)
    }
}

impl Bisimulation {
    fn state(&self, index: usize) -> PyResult<StateId> {
        let state = self.machine.state(index);
        state.map_err(|error| PyIndexError::new_err(error.to_string()))
    }
}
