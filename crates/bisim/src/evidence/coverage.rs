//! Separation by coverage: a transition that was never recorded counts as an outcome of its own.

use tellapart_system::{ActionId, OutputId, PartialMachine, StateId, SystemError};

use super::recording::Recording;
use crate::{Partition, separated_by_coverage};

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
    /// even with a tolerance.
    pub output: Vec<OutputId>,
    /// Recorded transitions (from, action, to), by ascending state and action.
    pub recorded: Vec<(StateId, ActionId, StateId)>,
}

impl SeparatedByCoverage {
    /// Computes the partition. Values of `p` are compared by id, even if the recording has a
    /// tolerance: equality up to a tolerance is no equivalence.
    ///
    /// # Errors
    /// If there is not a single row, or there are more states than can be numbered.
    pub fn new(recording: &Recording) -> Result<Self, SystemError> {
        let transitions = recording.transitions();
        let classes = classes(&transitions)?;
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

fn classes(transitions: &Transitions) -> Result<Partition, SystemError> {
    let Transitions {
        actions,
        output,
        recorded,
        ..
    } = transitions;
    let machine = PartialMachine::from_transitions(*actions, recorded, output.clone())?;
    Ok(separated_by_coverage(&machine))
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
        let values: Vec<u32> = first_rows.iter().map(|&row| self.value(row)).collect();
        let values = Partition::from_labels(&values);
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
}
