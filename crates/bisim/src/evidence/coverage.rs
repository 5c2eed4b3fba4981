//! Separation by coverage: a transition that was never recorded counts as an outcome of its own.

use std::collections::HashMap;

use tellapart_progress::{Progress, Stopped};
use tellapart_system::{ActionId, OutputId, PartialMachine, StateId, SystemError};
use thiserror::Error;

use super::episodes::ValueOf;
use super::recording::Recording;
use crate::{Partition, separated_by_coverage, separated_by_coverage_with};

/// Partition of recorded rows in which a transition that was not recorded counts as an outcome of
/// its own. Two rows are together iff the same words were recorded from both, with equal values of
/// `p`.
///
/// **Not** what the data distinguishes ([`super::Distinguished`]): two rows may be apart here
/// merely because something was tried at one of them only. It is an equivalence, though, and shows
/// how far the data could ever merge anything: nothing recorded separates rows that are together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeparatedByCoverage {
    transitions: Transitions,
    classes: Partition,
}

/// The partial deterministic system that a recording shows, as flat lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transitions {
    /// Number of actions.
    pub actions: usize,
    /// State of every row; states are numbered by first occurrence.
    pub state_of: Vec<StateId>,
    /// Value of `p` of every state. Values are numbered by first occurrence, and compared by id
    /// even with a tolerance; an unknown one counts as a value of its own. Where values belong to
    /// steps, it stands for those of all recorded actions together.
    pub output: Vec<OutputId>,
    /// Recorded transitions (from, action, to), by ascending state and action.
    pub recorded: Vec<(StateId, ActionId, StateId)>,
}

/// Reason why a recording was not partitioned by [`SeparatedByCoverage::with_progress`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CoverageError {
    /// There is not a single row, or there are more states than can be numbered.
    #[error(transparent)]
    System(#[from] SystemError),
    /// The work was stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl SeparatedByCoverage {
    /// Computes the partition. Values of `p` are compared by id, even if the recording has a
    /// tolerance: equality up to a tolerance is no equivalence.
    ///
    /// # Errors
    /// If there is not a single row, or there are more states than can be numbered.
    pub fn new(recording: &Recording) -> Result<Self, SystemError> {
        let transitions = recording.transitions();
        let classes = separated_by_coverage(&transitions.machine()?);
        Ok(Self {
            transitions,
            classes,
        })
    }

    /// Computes the partition of [`SeparatedByCoverage::new`], unless `progress` says to stop.
    ///
    /// # Errors
    /// Those of [`SeparatedByCoverage::new`], and [`CoverageError::Stopped`], soon after `progress`
    /// says so.
    pub fn with_progress(
        recording: &Recording,
        progress: &dyn Progress,
    ) -> Result<Self, CoverageError> {
        progress.check()?;
        let transitions = recording.transitions();
        progress.check()?;
        let machine = transitions.machine()?;
        let classes = separated_by_coverage_with(&machine, progress)?;
        Ok(Self {
            transitions,
            classes,
        })
    }

    /// Returns the partition of the states of [`SeparatedByCoverage::transitions`].
    #[must_use]
    pub fn classes(&self) -> &Partition {
        &self.classes
    }

    /// Returns the system that is partitioned.
    #[must_use]
    pub fn transitions(&self) -> &Transitions {
        &self.transitions
    }

    /// Whether two rows are separated.
    ///
    /// # Panics
    /// If a row is out of range.
    #[must_use]
    pub fn separates(&self, a: usize, b: usize) -> bool {
        let class = |row: usize| self.classes.block_of(self.transitions.state_of[row]);
        class(a) != class(b)
    }
}

impl Transitions {
    fn machine(&self) -> Result<PartialMachine, SystemError> {
        PartialMachine::from_transitions(self.actions, &self.recorded, self.output.clone())
    }
}

impl Recording {
    /// Returns the partial deterministic system that the rows show. One pass; 4 bytes a row, 16 a
    /// state and its steps.
    #[must_use]
    pub fn transitions(&self) -> Transitions {
        let (mut first_rows, mut number) = (Vec::new(), vec![0; self.rows()]);
        let mut state_of = Vec::with_capacity(self.rows());
        for row in 0..self.rows() as u32 {
            // A state is named by its first row.
            let state = self.state(row);
            if state == row {
                number[row as usize] = first_rows.len() as u32;
                first_rows.push(row);
            }
            state_of.push(StateId::new(number[state as usize]));
        }
        let mut recorded = Vec::new();
        for (state, &row) in first_rows.iter().enumerate() {
            let steps = self.steps(row).map(|(action, row)| {
                let to = state_of[row as usize + 1];
                (StateId::from_index(state), ActionId::new(action), to)
            });
            recorded.extend(steps);
        }
        let values = Partition::from_labels(&self.value_labels(&first_rows));
        let output = values
            .as_slice()
            .iter()
            .map(|value| OutputId::new(value.get()))
            .collect();
        Transitions {
            actions: self.actions(),
            state_of,
            output,
            recorded,
        }
    }

    /// Labels states: equal labels mean equal values of `p`.
    fn value_labels(&self, states: &[u32]) -> Vec<u32> {
        match self.value_of() {
            ValueOf::Observation => states
                .iter()
                .map(|&state| self.value_of_state(state))
                .collect(),
            ValueOf::Step => {
                let mut labels = HashMap::new();
                let of_state = |&state: &u32| {
                    let steps = self.steps(state);
                    let outputs: Vec<_> = steps
                        .map(|(action, row)| (action, self.value(row)))
                        .collect();
                    let fresh = labels.len() as u32;
                    *labels.entry(outputs).or_insert(fresh)
                };
                states.iter().map(of_state).collect()
            }
        }
    }
}
