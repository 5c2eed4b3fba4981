//! Recordings, and what they show.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use numpy::PyArray1;
use pyo3::prelude::*;
use serde_json::{Value, json};
use tellapart::Trajectories;
use tellapart::audit::recorded::{Alignment, WorldKind, WorldOption};
use tellapart::audit::{Recorded, RecordedOptions};
use tellapart::bisim::evidence::{Comparison, ContradictionKind, Path};
use tellapart::data::{ActionRule, BelongsTo, Frames};

use crate::arrays::{array, shaped, to_numpy};
use crate::errors::data_error;
use crate::work::work;

/// Number of words listed for a pair that the data leaves open.
const MOST_MISSING: usize = 10;

/// Recorded episodes.
#[pyclass(frozen, module = "tellapart._tellapart")]
pub(crate) struct Recording {
    pub(crate) trajectories: Arc<Trajectories>,
}

#[pymethods]
impl Recording {
    #[new]
    #[pyo3(signature = (arrays, action_names=None))]
    fn new(
        arrays: BTreeMap<String, Bound<'_, PyAny>>,
        action_names: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let arrays = arrays.into_iter().map(|(name, values)| {
            let values = array(&name, &values)?;
            Ok((name, values))
        });
        let arrays = arrays.collect::<PyResult<_>>()?;
        let trajectories = Trajectories::from_arrays(arrays, action_names);
        Ok(trajectories.map_err(data_error)?.into())
    }

    #[staticmethod]
    #[pyo3(signature = (path, observations=None))]
    fn load(py: Python<'_>, path: PathBuf, observations: Option<String>) -> PyResult<Self> {
        let found = py.detach(|| Trajectories::read(path, observations.as_deref()));
        Ok(found.map_err(data_error)?.into())
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.trajectories.write_npz(path))
            .map_err(data_error)
    }

    #[getter]
    fn rows(&self) -> usize {
        self.trajectories.rows()
    }

    #[getter]
    fn observation_shape(&self) -> Vec<usize> {
        self.trajectories.observations.shape().to_vec()
    }

    /// Copies the observations, `[rows, ...]`.
    #[getter]
    fn observations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut shape = vec![self.trajectories.rows()];
        shape.extend(self.trajectories.observations.shape());
        match &self.trajectories.observations {
            Frames::U8 { values, .. } => shaped(py, values, shape),
            Frames::F32 { values, .. } => shaped(py, values, shape),
            Frames::Other { values, .. } => to_numpy(py, values, shape),
        }
    }

    /// Returns the first row of every episode.
    #[getter]
    fn episode_starts<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        let starts = self.trajectories.episodes().map(|rows| rows.start as u64);
        PyArray1::from_vec(py, starts.collect())
    }

    /// Returns what is said of how the arrays were read.
    #[getter]
    fn notes(&self) -> Vec<String> {
        let read_as = self.trajectories.read_as().iter();
        let read_as = read_as.map(|(name, meaning)| format!("`{name}` is read as `{meaning}`"));
        let left_out = self.trajectories.left_out().iter();
        let left_out = left_out.map(|out| format!("`{}` is left out: {}", out.name, out.reason));
        read_as.chain(left_out).collect()
    }

    fn belongs_to(&self, array: &str) -> String {
        self.trajectories.belongs_to(array).to_string()
    }

    /// Counts the contradictions of every reading, as JSON.
    #[pyo3(signature = (p, action_rule=None))]
    fn align(
        &self,
        py: Python<'_>,
        p: Option<String>,
        action_rule: Option<&str>,
    ) -> PyResult<String> {
        let rule = rule(action_rule)?;
        let found = py.detach(|| Alignment::of(&self.trajectories, p.as_deref(), rule.as_ref()));
        text(&found.map_err(data_error)?)
    }

    /// Builds the oracle of what the recording distinguishes.
    #[pyo3(signature = (p, p_of, tolerance=None, action_rule=None, world=None, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "named in Python")]
    fn evidence(
        &self,
        py: Python<'_>,
        p: String,
        p_of: Option<&str>,
        tolerance: Option<f64>,
        action_rule: Option<&str>,
        world: Option<&str>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Evidence> {
        let value_of = match p_of {
            Some(of) => of.parse::<BelongsTo>().map_err(data_error)?,
            None => self.trajectories.belongs_to(&p),
        };
        let options = RecordedOptions {
            value: p,
            value_of,
            world: world_option(world)?,
            tolerance,
            action_rule: rule(action_rule)?,
        };
        let found = work(py, progress.as_ref(), |progress| {
            Recorded::new(&self.trajectories, &options, progress)
        })?;
        Ok(Evidence {
            trajectories: Arc::clone(&self.trajectories),
            recorded: found.map_err(data_error)?,
            options,
        })
    }
}

impl From<Trajectories> for Recording {
    fn from(trajectories: Trajectories) -> Self {
        Self {
            trajectories: Arc::new(trajectories),
        }
    }
}

fn rule(rule: Option<&str>) -> PyResult<Option<ActionRule>> {
    rule.map(str::parse).transpose().map_err(data_error)
}

fn world_option(world: Option<&str>) -> PyResult<WorldOption> {
    match world {
        None => Ok(WorldOption::Recording),
        Some("auto") => Ok(WorldOption::Data),
        Some("deterministic") => Ok(WorldOption::Declared(WorldKind::Deterministic)),
        Some("stochastic") => Ok(WorldOption::Declared(WorldKind::Stochastic)),
        Some(other) => Err(data_error(format!(
            "world={other:?}: expected \"auto\", \"deterministic\" or \"stochastic\""
        ))),
    }
}

/// Returns a document as JSON.
pub(crate) fn text(document: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(document).map_err(data_error)
}

/// What a recording shows: the oracle of which rows it distinguishes.
#[pyclass(frozen, module = "tellapart._tellapart")]
pub(crate) struct Evidence {
    pub(crate) trajectories: Arc<Trajectories>,
    pub(crate) recorded: Recorded,
    pub(crate) options: RecordedOptions,
}

#[pymethods]
impl Evidence {
    /// Returns what it says of the whole recording, as JSON.
    fn summary(&self) -> PyResult<String> {
        let recording = self.recorded.oracle.recording();
        let contradictions = recording.contradictions().iter().map(|found| {
            let (kind, action) = match found.kind {
                ContradictionKind::Value => ("value", None),
                ContradictionKind::Output { action } => ("output", Some(action)),
                ContradictionKind::Successor { action } => ("successor", Some(action)),
            };
            json!({ "rows": found.rows, "kind": kind, "action": action })
        });
        text(&json!({
            "p": self.options.value,
            "p_of": self.options.value_of.to_string(),
            "p_unknown": self.recorded.values.unknown(),
            "world": self.recorded.world,
            "world_in_words": self.recorded.world.in_words(),
            "notes": self.recorded.notes(&self.trajectories, &self.options),
            "rows": recording.rows(),
            "episodes": recording.episodes(),
            "observations": recording.observations(),
            "actions": (0..recording.actions() as u32)
                .map(|action| self.recorded.actions.name(action))
                .collect::<Vec<_>>(),
            "recorded_steps": recording.recorded_steps(),
            "contradictions": contradictions.collect::<Vec<_>>(),
        }))
    }

    /// Compares two rows, and returns what was found as JSON.
    fn compare(&self, py: Python<'_>, i: usize, j: usize) -> PyResult<String> {
        let rows = self.recorded.oracle.recording().rows();
        if let Some(row) = [i, j].into_iter().find(|&row| row >= rows) {
            return Err(pyo3::exceptions::PyIndexError::new_err(format!(
                "there is no row {row}: the rows are 0 to {}",
                rows - 1
            )));
        }
        text(&py.detach(|| self.compared(i, j)))
    }
}

impl Evidence {
    fn compared(&self, i: usize, j: usize) -> Value {
        let oracle = &self.recorded.oracle;
        let along = |path: &Path| {
            json!({
                "rows": path.rows().collect::<Vec<_>>(),
                "p": self.recorded.p_along(path),
            })
        };
        match oracle.compare(i, j) {
            Comparison::Same => json!({ "says": "same" }),
            Comparison::Distinguished(witness) => {
                let word = oracle.recording().word(witness.path_of_a());
                json!({
                    "says": "distinguished",
                    "word": word,
                    "names": self.recorded.names(&word),
                    "rows": witness.rows(),
                    "p": witness.rows().map(|row| self.recorded.p(row).to_vec()),
                    "paths": [along(witness.path_of_a()), along(witness.path_of_b())],
                })
            }
            Comparison::NotDistinguished(agreement) => {
                let missing = oracle.missing(i, j, MOST_MISSING).unwrap_or_default();
                let missing = missing.into_iter().map(|missing| {
                    json!({
                        "record_from": i + j - missing.recorded_from,
                        "word": missing.word,
                        "names": self.recorded.names(&missing.word),
                    })
                });
                json!({
                    "says": "not-distinguished",
                    "depth": agreement.depth,
                    "missing": missing.collect::<Vec<_>>(),
                })
            }
            Comparison::Undecided(undecided) => json!({
                "says": "undecided",
                "depth": undecided.depth,
            }),
        }
    }
}
