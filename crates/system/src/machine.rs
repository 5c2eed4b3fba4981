//! The Moore machine: two flat tables and, where known, the meaning of the ids.

use crate::meaning::OutputMeaning;
use crate::outputs::{DistinctRows, comparison_bits};
use crate::table::IdSlice;
use crate::{ActionId, OutputId, StateId, SystemError};

/// Largest number of states of a system: ids are `u32`, and the last one marks "none" while
/// building.
pub(crate) const MAX_STATES: u64 = u32::MAX as u64 - 1;

/// A deterministic system with an output per state.
///
/// It has `states() >= 1` states, `actions() >= 1` actions, a total successor function and an
/// [`OutputId`] per state. Output ids are numbered `0..outputs()` without gaps. Equal ids mean
/// equal outputs, and nothing else about outputs matters to bisimulation. The machine is immutable.
///
/// Memory: `4 * states * (actions + 1)` bytes, plus the known meaning of outputs and actions. A
/// machine from a mapped file ([`crate::read::tsys`]) shares the bytes of the file instead. The
/// table is state-major: the successors of one state under all actions lie together.
#[derive(Clone, Debug, PartialEq)]
pub struct MooreMachine {
    actions: u32,
    outputs: u32,
    initial: StateId,
    next: IdSlice<StateId>,
    output: IdSlice<OutputId>,
    meaning: OutputMeaning,
    action_names: Vec<String>,
}

impl MooreMachine {
    /// Makes a machine from whole tables: `next[state * actions + action]` and `output[state]`.
    ///
    /// The initial state is 0, actions have no names, outputs no values. Cost: one pass.
    ///
    /// # Errors
    /// No states or actions, tables that do not fit each other, a successor out of range, or a gap
    /// in the numbering of outputs.
    pub fn from_table(
        actions: usize,
        next: Vec<StateId>,
        output: Vec<OutputId>,
    ) -> Result<Self, SystemError> {
        let states = output.len();
        check_size(states as u64, actions as u64)?;
        if states.checked_mul(actions) != Some(next.len()) {
            return Err(SystemError::TableShape {
                entries: next.len(),
                states,
                actions,
            });
        }
        if let Some(entry) = next.iter().position(|target| target.index() >= states) {
            return Err(SystemError::TargetOutOfRange {
                state: entry / actions,
                action: entry % actions,
                target: i128::from(next[entry].get()),
                states,
            });
        }
        let outputs = count_outputs(&output)?;
        Ok(Self {
            actions: actions as u32,
            outputs,
            initial: StateId::new(0),
            next: next.into(),
            output: output.into(),
            meaning: OutputMeaning::default(),
            action_names: Vec::new(),
        })
    }

    /// Makes a machine with `outputs` distinct outputs from tables that passed the checks of
    /// [`MooreMachine::from_table`] already.
    pub(crate) fn from_checked(
        actions: u32,
        outputs: u32,
        next: IdSlice<StateId>,
        output: IdSlice<OutputId>,
    ) -> Self {
        Self {
            actions,
            outputs,
            initial: StateId::new(0),
            next,
            output,
            meaning: OutputMeaning::default(),
            action_names: Vec::new(),
        }
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

    /// Returns the state that `action` leads to from `state`.
    ///
    /// # Panics
    /// If either id is out of range, as indexing a slice does; see [`MooreMachine::state`].
    #[inline]
    pub fn successor(&self, state: StateId, action: ActionId) -> StateId {
        self.successors(state)[action.index()]
    }

    /// Returns the state that each action leads to from `state`, `actions()` entries.
    ///
    /// # Panics
    /// If `state` is out of range.
    #[inline]
    pub fn successors(&self, state: StateId) -> &[StateId] {
        let actions = self.actions();
        &self.next[state.index() * actions..][..actions]
    }

    /// Returns the output of `state`.
    ///
    /// # Panics
    /// If `state` is out of range.
    #[inline]
    pub fn output(&self, state: StateId) -> OutputId {
        self.output[state.index()]
    }

    /// Returns the state that a word of actions leads to from `state`.
    ///
    /// # Panics
    /// If an id is out of range.
    pub fn run(&self, state: StateId, word: &[ActionId]) -> StateId {
        word.iter()
            .fold(state, |state, &action| self.successor(state, action))
    }

    /// Returns the whole successor table, state-major: `next_table()[state * actions() + action]`.
    #[inline]
    pub fn next_table(&self) -> &[StateId] {
        &self.next
    }

    /// Returns the output of every state.
    #[inline]
    pub fn output_table(&self) -> &[OutputId] {
        &self.output
    }

    /// Returns the vector that an output stands for, where the source of the system gave any.
    pub fn output_value(&self, output: OutputId) -> Option<&[f64]> {
        self.meaning.values.as_ref()?.get(output.index())
    }

    /// Largest distance between the values of states with one output, where a tolerance merged
    /// outputs ([`MooreMachine::with_tolerance`]); `None` where the values are equal.
    pub fn output_tolerance(&self) -> Option<f64> {
        self.meaning.tolerance
    }

    /// Returns the actions, ascending, that a state with this output has in the partial system that
    /// this machine completes. `None` unless the machine came from a labeled transition system
    /// ([`crate::read::aut`]).
    pub fn enabled_actions(&self, output: OutputId) -> Option<&[ActionId]> {
        self.meaning.enabled.as_ref()?.get(output.index())
    }

    /// Returns the labels that states with this output carry. `None` unless the source of the
    /// system gave labels to states ([`crate::read::prism`]).
    pub fn output_labels(&self, output: OutputId) -> Option<impl ExactSizeIterator<Item = &str>> {
        let labels = self.meaning.labels.as_ref()?;
        let names = labels.sets.get(output.index())?.iter();
        Some(names.map(|&label| labels.names[label as usize].as_str()))
    }

    /// Name of an action (the label of an Aldebaran file), where it has one.
    pub fn action_name(&self, action: ActionId) -> Option<&str> {
        self.action_names.get(action.index()).map(String::as_str)
    }

    /// Names of all actions; empty where they have none.
    pub(crate) fn action_names(&self) -> &[String] {
        &self.action_names
    }

    /// Initial state: 0 unless the source says otherwise. Bisimulation does not depend on it.
    pub fn initial(&self) -> StateId {
        self.initial
    }

    /// Checks the number of a state, such as one that a user typed, and returns its id.
    ///
    /// # Errors
    /// [`SystemError::StateOutOfRange`].
    pub fn state(&self, index: usize) -> Result<StateId, SystemError> {
        if index < self.states() {
            Ok(StateId::from_index(index))
        } else {
            Err(SystemError::StateOutOfRange {
                state: index as u64,
                states: self.states(),
            })
        }
    }

    /// Iterates over all state ids, ascending.
    pub fn state_ids(&self) -> impl ExactSizeIterator<Item = StateId> + use<> {
        (0..self.states() as u32).map(StateId::new)
    }

    /// Iterates over all action ids, ascending.
    pub fn action_ids(&self) -> impl ExactSizeIterator<Item = ActionId> + use<> {
        (0..self.actions).map(ActionId::new)
    }

    /// Gives values to the outputs of the machine: output `i` is `values[i * width..][..width]`.
    ///
    /// # Errors
    /// A wrong number of values, NaN, or two outputs with one value.
    pub fn with_output_values(
        mut self,
        width: usize,
        values: Vec<f64>,
    ) -> Result<Self, SystemError> {
        let expected = self.outputs().saturating_mul(width);
        if values.len() != expected {
            let found = values.len();
            return Err(SystemError::Count {
                what: "values of outputs",
                expected,
                found,
            });
        }
        let mut distinct = DistinctRows::new(width);
        let mut row = vec![0; width];
        for output in (0..self.outputs).map(OutputId::new) {
            for (column, bits) in row.iter_mut().enumerate() {
                *bits =
                    comparison_bits(values[output.index() * width + column]).ok_or_else(|| {
                        let state = self
                            .output
                            .iter()
                            .position(|&o| o == output)
                            .unwrap_or_default();
                        SystemError::NanOutput { state, column }
                    })?;
            }
            let first = distinct.id(&row);
            if first != output {
                let (first, second) = (first.index(), output.index());
                return Err(SystemError::DuplicateOutputValue { first, second });
            }
        }
        self.meaning = OutputMeaning::of_values(width, values);
        Ok(self)
    }

    /// Gives names to the actions of the machine.
    ///
    /// # Errors
    /// A wrong number of names, or two equal ones.
    pub fn with_action_names(mut self, names: Vec<String>) -> Result<Self, SystemError> {
        if names.len() != self.actions() {
            let (expected, found) = (self.actions(), names.len());
            return Err(SystemError::Count {
                what: "names of actions",
                expected,
                found,
            });
        }
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|&a, &b| names[a].cmp(&names[b]).then(a.cmp(&b)));
        if let Some(pair) = order
            .windows(2)
            .find(|pair| names[pair[0]] == names[pair[1]])
        {
            let name = names[pair[0]].clone();
            return Err(SystemError::DuplicateActionName {
                name,
                first: pair[0],
                second: pair[1],
            });
        }
        self.action_names = names;
        Ok(self)
    }

    /// Replaces the initial state of the machine.
    ///
    /// # Errors
    /// [`SystemError::StateOutOfRange`].
    pub fn with_initial(mut self, initial: StateId) -> Result<Self, SystemError> {
        self.initial = self.state(initial.index())?;
        Ok(self)
    }

    /// Makes a machine with other states, transitions and outputs over the same actions and
    /// outputs, whose names and values are kept. For quotients and renumberings.
    ///
    /// # Errors
    /// The errors of [`MooreMachine::from_table`]; also when the new states do not use all of the
    /// outputs.
    pub fn with_states(
        &self,
        next: Vec<StateId>,
        output: Vec<OutputId>,
        initial: StateId,
    ) -> Result<Self, SystemError> {
        let mut machine = Self::from_table(self.actions(), next, output)?.with_initial(initial)?;
        if machine.outputs != self.outputs {
            let (expected, found) = (self.outputs(), machine.outputs());
            return Err(SystemError::Count {
                what: "distinct outputs",
                expected,
                found,
            });
        }
        machine.meaning = self.meaning.clone();
        machine.action_names.clone_from(&self.action_names);
        Ok(machine)
    }

    /// Replaces the outputs of all states, and their meaning.
    pub(crate) fn with_outputs(
        self,
        output: Vec<OutputId>,
        meaning: OutputMeaning,
    ) -> Result<Self, SystemError> {
        Ok(Self {
            outputs: count_outputs(&output)?,
            output: output.into(),
            meaning,
            ..self
        })
    }

    pub(crate) fn meaning(&self) -> &OutputMeaning {
        &self.meaning
    }

    pub(crate) fn with_meaning(mut self, meaning: OutputMeaning) -> Self {
        self.meaning = meaning;
        self
    }
}

/// Refuses sizes that cannot be numbered.
pub(crate) fn check_size(states: u64, actions: u64) -> Result<(), SystemError> {
    if states == 0 {
        return Err(SystemError::NoStates);
    }
    if actions == 0 {
        return Err(SystemError::NoActions);
    }
    if states > MAX_STATES {
        return Err(SystemError::TooManyStates { states });
    }
    let limit = isize::MAX as u64 / 4;
    if actions > u64::from(u32::MAX) || states.checked_mul(actions).is_none_or(|size| size > limit)
    {
        return Err(SystemError::TableTooLarge {
            states,
            actions,
            limit,
        });
    }
    Ok(())
}

/// Counts the distinct outputs, which must be numbered without gaps.
pub(crate) fn count_outputs(output: &[OutputId]) -> Result<u32, SystemError> {
    let largest = output.iter().copied().max().unwrap_or_default().index();
    // Ids beyond the number of states cannot be gapless, so the table below stays as small as the
    // input.
    let mut present = vec![false; (largest + 1).min(output.len() + 1)];
    for id in output {
        if let Some(slot) = present.get_mut(id.index()) {
            *slot = true;
        }
    }
    match present.iter().position(|&present| !present) {
        Some(missing) => Err(SystemError::OutputGap {
            missing,
            used: largest,
        }),
        None => Ok(present.len() as u32),
    }
}
