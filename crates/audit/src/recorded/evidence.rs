//! Trajectories as evidence: what a recording itself says must be told apart.

use tellapart_bisim::evidence::{Distinguished, Episodes, EvidenceError, Recording, Tolerance};
use tellapart_data::{ActionRule, Columns, DataError, FiniteActions, Trajectories};
use thiserror::Error;

/// How trajectories are read as evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedOptions {
    /// The array that is the auxiliary function `p`: `rewards`, `aux`, or another one.
    pub value: String,
    /// How far apart two values of `p` may be (Euclidean distance) and still count as equal; `None`: they
    /// are equal iff all their numbers are.
    pub tolerance: Option<f64>,
    /// Which action vectors count as the same action; needed iff actions are vectors.
    pub action_rule: Option<ActionRule>,
}

impl Default for RecordedOptions {
    /// Rewards, compared exactly; actions that are ids.
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
/// Rows are those of the trajectories. Rows with identical observations are one observation; hidden
/// state ids are not looked at (unless they are chosen as the value).
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Which rows the data tells apart.
    pub oracle: Distinguished,
    /// The actions of the words that the oracle speaks of.
    pub actions: FiniteActions,
    /// The value of `p` of every row.
    pub values: Columns,
}

/// Trajectories that cannot be evidence.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// An array is missing, or actions need a rule.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A tolerance that is no distance, or too many rows.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl Recorded {
    /// Finds equal observations, actions and values of `p`, and builds the oracle.
    ///
    /// Cost: every observation is hashed once, and compared with the first one that it equals; then as
    /// [`Distinguished::append`].
    ///
    /// # Errors
    /// No such array, actions without a rule, a tolerance that is no distance.
    pub fn new(
        trajectories: &Trajectories,
        options: &RecordedOptions,
    ) -> Result<Self, RecordedError> {
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
        recording.append(&Episodes {
            observations: &trajectories.observations.distinct().ids,
            actions: &actions.ids,
            values: &distinct.ids,
            ends: &ends,
            vectors: &vectors,
        })?;
        Ok(Self {
            oracle: Distinguished::new(recording),
            actions,
            values,
        })
    }

    /// The names of the actions of a word.
    #[must_use]
    pub fn names(&self, word: &[u32]) -> Vec<String> {
        word.iter()
            .map(|&action| self.actions.name(action))
            .collect()
    }
}
