//! Trajectories as evidence: what a recording itself distinguishes.

use tellapart_bisim::evidence::{Distinguished, Episodes, EvidenceError, Recording, Tolerance};
use tellapart_data::{ActionRule, Columns, DataError, FiniteActions, Trajectories};
use tellapart_progress::{Progress, Stopped};
use thiserror::Error;

/// Options of how trajectories are read as evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedOptions {
    /// Name of the array that is the auxiliary function `p`: `rewards`, `aux`, or another one.
    pub value: String,
    /// Largest Euclidean distance at which two values of `p` count as equal. `None`: only if all
    /// their elements are equal.
    pub tolerance: Option<f64>,
    /// Rule by which action vectors count as the same action; required iff actions are vectors.
    pub action_rule: Option<ActionRule>,
}

impl Default for RecordedOptions {
    /// Returns the default: rewards, compared exactly; actions that are ids.
    fn default() -> Self {
        Self {
            value: "rewards".to_owned(),
            tolerance: None,
            action_rule: None,
        }
    }
}

/// A recording together with the oracle of what it distinguishes.
///
/// Rows are those of the trajectories. Rows with identical observations are one observation. Hidden
/// state ids are not used, unless they are chosen as the value.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Oracle of which rows the data distinguishes.
    pub oracle: Distinguished,
    /// Actions that the words of the oracle refer to.
    pub actions: FiniteActions,
    /// Value of `p` in every row.
    pub values: Columns,
}

/// Error for trajectories that cannot be evidence.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// An array is missing, or actions need a rule.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A tolerance that is not a distance, or too many rows.
    #[error(transparent)]
    Evidence(EvidenceError),
    /// The work was stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<EvidenceError> for RecordedError {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Stopped(stopped) => stopped.into(),
            error => Self::Evidence(error),
        }
    }
}

impl Recorded {
    /// Finds equal observations, actions and values of `p`, and builds the oracle.
    ///
    /// Cost: every observation is hashed once, and compared with the first one that it equals; then
    /// the cost of [`Distinguished::append`].
    ///
    /// # Errors
    /// If there is no such array, actions lack a rule, or the tolerance is not a distance;
    /// [`RecordedError::Stopped`], soon after `progress` says so.
    pub fn new(
        trajectories: &Trajectories,
        options: &RecordedOptions,
        progress: &dyn Progress,
    ) -> Result<Self, RecordedError> {
        progress.check()?;
        let actions = trajectories.finite_actions(options.action_rule.as_ref())?;
        let values = trajectories.column(&options.value)?;
        let distinct = values.distinct();
        let (mut recording, mut vectors) = (Recording::new(actions.count)?, Vec::new());
        if let Some(distance) = options.tolerance {
            let tolerance = Tolerance::new(values.width, distance)?;
            recording = Recording::with_tolerance(actions.count, tolerance)?;
            let rows = distinct.first_rows.iter();
            vectors = rows
                .flat_map(|&row| values.rows(row..row + 1))
                .copied()
                .collect();
        }
        let ends: Vec<bool> = (0..trajectories.rows())
            .map(|row| trajectories.ends(row))
            .collect();
        let observations = trajectories.observations.distinct().ids;
        let episodes = Episodes {
            observations: &observations,
            actions: &actions.ids,
            values: &distinct.ids,
            ends: &ends,
            vectors: &vectors,
        };
        let recording = recording.appended(&episodes, progress)?;
        Ok(Self {
            oracle: Distinguished::with_progress(recording, progress)?,
            actions,
            values,
        })
    }

    /// Returns the names of the actions of a word.
    #[must_use]
    pub fn names(&self, word: &[u32]) -> Vec<String> {
        word.iter()
            .map(|&action| self.actions.name(action))
            .collect()
    }
}
