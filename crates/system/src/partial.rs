//! Moore machines in which transitions may be missing.

use std::ops::Range;

use crate::machine::{check_size, count_outputs};
use crate::{ActionId, OutputId, StateId, SystemError};

/// A deterministic system with an output per state, whose transition function may be partial: the
/// transitions that a recording covers, or a protocol allows.
///
/// It has `states() >= 1` states, `actions() >= 1` actions, outputs numbered `0..outputs()` without
/// gaps, and any number of transitions, at most one for each state and action. The system is
/// immutable.
///
/// Memory: `4 * outputs + 8 * transitions + 8 * states` bytes; a missing transition takes none.
#[derive(Clone, Debug, PartialEq)]
pub struct PartialMachine {
    actions: u32,
    outputs: u32,
    /// Bounds of the transitions of each state: `bounds[state]..bounds[state + 1]`, by ascending
    /// action.
    bounds: Vec<usize>,
    action: Vec<ActionId>,
    target: Vec<StateId>,
    output: Vec<OutputId>,
}

impl PartialMachine {
    /// Makes a machine from its transitions (from, action, to), in any order, and the output of
    /// every state.
    ///
    /// Giving the same transition twice is allowed. Cost: one pass, and sorting within states.
    ///
    /// # Errors
    /// No states or actions, an id out of range, two targets for one state and action, or a gap in
    /// the numbering of outputs.
    pub fn from_transitions(
        actions: usize,
        transitions: &[(StateId, ActionId, StateId)],
        output: Vec<OutputId>,
    ) -> Result<Self, SystemError> {
        let states = output.len();
        check_size(states as u64, actions as u64)?;
        for &(from, action, to) in transitions {
            check_transition(states, actions, from, action, to)?;
        }
        let outputs = count_outputs(&output)?;
        let mut next = vec![0_usize; states + 1];
        for (from, ..) in transitions {
            next[from.index() + 1] += 1;
        }
        for state in 0..states {
            next[state + 1] += next[state];
        }
        let given_bounds = next.clone();
        let mut given = vec![(ActionId::new(0), StateId::new(0)); transitions.len()];
        for &(from, action, to) in transitions {
            given[next[from.index()]] = (action, to);
            next[from.index()] += 1;
        }
        let mut machine = Self {
            actions: actions as u32,
            outputs,
            bounds: Vec::with_capacity(states + 1),
            action: Vec::with_capacity(given.len()),
            target: Vec::with_capacity(given.len()),
            output,
        };
        machine.bounds.push(0);
        for (state, bounds) in given_bounds.windows(2).enumerate() {
            // The sort is stable, so that an error names the target given first as the first.
            let row = &mut given[bounds[0]..bounds[1]];
            row.sort_by_key(|&(action, _)| action);
            machine.push_row(state, row)?;
        }
        Ok(machine)
    }

    fn push_row(&mut self, state: usize, row: &[(ActionId, StateId)]) -> Result<(), SystemError> {
        let begin = self.action.len();
        for &(action, target) in row {
            if self.action.len() > begin && self.action.last() == Some(&action) {
                let first = self.target.last().copied().unwrap_or_default();
                if first != target {
                    return Err(SystemError::ConflictingTransition {
                        state,
                        action: action.index(),
                        first: first.index(),
                        second: target.index(),
                    });
                }
            } else {
                self.action.push(action);
                self.target.push(target);
            }
        }
        self.bounds.push(self.action.len());
        Ok(())
    }

    /// Number of states, at least 1.
    #[inline]
    pub fn states(&self) -> usize {
        self.output.len()
    }

    /// Number of actions, at least 1.
    #[inline]
    pub fn actions(&self) -> usize {
        self.actions as usize
    }

    /// Number of distinct outputs, at least 1.
    #[inline]
    pub fn outputs(&self) -> usize {
        self.outputs as usize
    }

    /// Number of transitions, at most `states() * actions()`.
    #[inline]
    pub fn transitions(&self) -> usize {
        self.target.len()
    }

    /// Returns the actions that lead anywhere from `state`, ascending.
    ///
    /// # Panics
    /// If `state` is out of range.
    #[inline]
    pub fn enabled(&self, state: StateId) -> &[ActionId] {
        &self.action[self.bounds[state.index()]..self.bounds[state.index() + 1]]
    }

    /// Returns the states that the actions of [`PartialMachine::enabled`] lead to from `state`, in
    /// the same order.
    ///
    /// # Panics
    /// If `state` is out of range.
    #[inline]
    pub fn successors(&self, state: StateId) -> &[StateId] {
        &self.target[self.bounds[state.index()]..self.bounds[state.index() + 1]]
    }

    /// Returns the [`PartialMachine::successors`] of a range of states, one after the other.
    ///
    /// # Panics
    /// If a state is out of range, or the range ends before it begins.
    #[inline]
    pub fn successors_of(&self, states: Range<usize>) -> &[StateId] {
        &self.target[self.bounds[states.start]..self.bounds[states.end]]
    }

    /// Returns the state that `action` leads to from `state`, if any. Cost: a binary search.
    ///
    /// # Panics
    /// If `state` is out of range.
    pub fn successor(&self, state: StateId, action: ActionId) -> Option<StateId> {
        let place = self.enabled(state).binary_search(&action).ok()?;
        Some(self.successors(state)[place])
    }

    /// Returns the output of `state`.
    ///
    /// # Panics
    /// If `state` is out of range.
    #[inline]
    pub fn output(&self, state: StateId) -> OutputId {
        self.output[state.index()]
    }

    /// Returns the output of every state.
    #[inline]
    pub fn output_table(&self) -> &[OutputId] {
        &self.output
    }

    /// Iterates over all state ids, ascending.
    pub fn state_ids(&self) -> impl ExactSizeIterator<Item = StateId> + use<> {
        (0..self.states() as u32).map(StateId::new)
    }

    /// Iterates over all action ids, ascending.
    pub fn action_ids(&self) -> impl ExactSizeIterator<Item = ActionId> + use<> {
        (0..self.actions).map(ActionId::new)
    }
}

fn check_transition(
    states: usize,
    actions: usize,
    from: StateId,
    action: ActionId,
    to: StateId,
) -> Result<(), SystemError> {
    if from.index() >= states {
        let state = u64::from(from.get());
        return Err(SystemError::StateOutOfRange { state, states });
    }
    if action.index() >= actions {
        let action = u64::from(action.get());
        return Err(SystemError::ActionOutOfRange { action, actions });
    }
    if to.index() >= states {
        return Err(SystemError::TargetOutOfRange {
            state: from.index(),
            action: action.index(),
            target: i128::from(to.get()),
            states,
        });
    }
    Ok(())
}
