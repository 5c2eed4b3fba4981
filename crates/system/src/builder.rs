//! Builds a machine one transition at a time, and names every mistake.

use crate::machine::{MooreMachine, check_size};
use crate::meaning::OutputMeaning;
use crate::outputs::{DistinctRows, comparison_bits};
use crate::{ActionId, OutputId, StateId, SystemError};

/// Marks an entry that is not declared yet.
const NONE: u32 = u32::MAX;

/// Collects transitions and outputs in any order; [`build`](Self::build) checks that none is
/// missing.
///
/// Declaring the same transition or output twice is allowed; declaring two different ones is an
/// error.
pub struct MooreMachineBuilder {
    actions: usize,
    next: Vec<StateId>,
    output: Vec<OutputId>,
    values: Option<DistinctRows>,
    has_ids: bool,
    row: Vec<u64>,
}

impl MooreMachineBuilder {
    /// Creates a builder for `states` states and `actions` actions; takes
    /// `4 * states * (actions + 1)` bytes.
    ///
    /// # Errors
    /// No states, no actions, or too many of them to number.
    pub fn new(states: usize, actions: usize) -> Result<Self, SystemError> {
        check_size(states as u64, actions as u64)?;
        Ok(Self {
            actions,
            next: vec![StateId::new(NONE); states * actions],
            output: vec![OutputId::new(NONE); states],
            values: None,
            has_ids: false,
            row: Vec::new(),
        })
    }

    /// Declares that `action` leads from `from` to `to`.
    ///
    /// # Errors
    /// An id out of range, or a different target declared before.
    pub fn transition(
        &mut self,
        from: StateId,
        action: ActionId,
        to: StateId,
    ) -> Result<&mut Self, SystemError> {
        self.check_state(from)?;
        if action.index() >= self.actions {
            let (action, actions) = (u64::from(action.get()), self.actions);
            return Err(SystemError::ActionOutOfRange { action, actions });
        }
        let (state, action, states) = (from.index(), action.index(), self.output.len());
        if to.index() >= states {
            let target = i128::from(to.get());
            return Err(SystemError::TargetOutOfRange {
                state,
                action,
                target,
                states,
            });
        }
        let entry = &mut self.next[state * self.actions + action];
        if entry.get() != NONE && *entry != to {
            let (first, second) = (entry.index(), to.index());
            return Err(SystemError::ConflictingTransition {
                state,
                action,
                first,
                second,
            });
        }
        *entry = to;
        Ok(self)
    }

    /// Declares the output of a state by id. The ids of all states must have no gaps: 0, 1, 2, ...
    ///
    /// # Errors
    /// A state out of range, a different output declared before, or outputs declared by value.
    pub fn output(&mut self, state: StateId, output: OutputId) -> Result<&mut Self, SystemError> {
        self.check_state(state)?;
        if self.values.is_some() {
            return Err(SystemError::MixedOutputs {
                state: state.index(),
            });
        }
        self.has_ids = true;
        self.set_output(state, output)
    }

    /// Declares the output of a state by its value. Equal values (by bits, but -0.0 equals 0.0) get
    /// equal ids, numbered by first declaration.
    ///
    /// # Errors
    /// A state out of range, NaN, a width unlike the first one, a different output declared before,
    /// or outputs declared by id.
    pub fn output_value(
        &mut self,
        state: StateId,
        value: &[f64],
    ) -> Result<&mut Self, SystemError> {
        self.check_state(state)?;
        if self.has_ids {
            return Err(SystemError::MixedOutputs {
                state: state.index(),
            });
        }
        self.row.clear();
        for (column, &number) in value.iter().enumerate() {
            let bits = comparison_bits(number).ok_or(SystemError::NanOutput {
                state: state.index(),
                column,
            })?;
            self.row.push(bits);
        }
        let values = self
            .values
            .get_or_insert_with(|| DistinctRows::new(value.len()));
        if value.len() != values.width() {
            let (expected, found) = (values.width(), value.len());
            return Err(SystemError::OutputWidth {
                state: state.index(),
                expected,
                found,
            });
        }
        let id = values.id(&self.row);
        self.set_output(state, id)
    }

    /// Builds the machine, with initial state 0.
    ///
    /// # Errors
    /// A missing transition or output (the first one is named), or a gap in the output ids.
    pub fn build(self) -> Result<MooreMachine, SystemError> {
        if let Some(entry) = self.next.iter().position(|target| target.get() == NONE) {
            let (state, action) = (entry / self.actions, entry % self.actions);
            return Err(SystemError::MissingTransition { state, action });
        }
        if let Some(state) = self.output.iter().position(|output| output.get() == NONE) {
            return Err(SystemError::MissingOutput { state });
        }
        let machine = MooreMachine::from_table(self.actions, self.next, self.output)?;
        Ok(match self.values {
            Some(values) => {
                let width = values.width();
                let values = values.into_rows().into_iter().map(f64::from_bits).collect();
                machine.with_meaning(OutputMeaning::of_values(width, values))
            }
            None => machine,
        })
    }

    fn set_output(&mut self, state: StateId, output: OutputId) -> Result<&mut Self, SystemError> {
        let entry = &mut self.output[state.index()];
        if entry.get() != NONE && *entry != output {
            return Err(SystemError::ConflictingOutput {
                state: state.index(),
            });
        }
        *entry = output;
        Ok(self)
    }

    fn check_state(&self, state: StateId) -> Result<(), SystemError> {
        if state.index() < self.output.len() {
            Ok(())
        } else {
            let (state, states) = (u64::from(state.get()), self.output.len());
            Err(SystemError::StateOutOfRange { state, states })
        }
    }
}
