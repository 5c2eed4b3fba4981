//! The partial system that a recording shows: states, their values of `p`, their steps.

use std::ops::Range;

use super::{END, Recording};
use crate::evidence::episodes::{UNKNOWN, ValueOf};
use crate::evidence::recurring::Recurring;

impl Recording {
    pub(in crate::evidence) fn symbols(&self) -> &[u64] {
        &self.symbols
    }

    /// Iterates over the rows of every episode, from one that begins at `start` on.
    pub(in crate::evidence) fn episodes_from(
        &self,
        mut start: usize,
    ) -> impl Iterator<Item = Range<usize>> + '_ {
        (start..self.rows())
            .filter(|&row| self.action(row as u32).is_none())
            .map(move |row| std::mem::replace(&mut start, row + 1)..row + 1)
    }

    /// Returns the number of rows from this one to the next stop after it.
    pub(in crate::evidence) fn until_stop(&self, row: u32) -> u32 {
        self.stops.after(row as usize).unwrap_or(self.rows()) as u32 - row
    }

    /// Whether two rows have equal actions, and values of `p` that do not differ.
    pub(in crate::evidence) fn agree(&self, a: u32, b: u32) -> bool {
        self.action(a) == self.action(b) && !self.differ(self.value(a), self.value(b))
    }

    pub(in crate::evidence) fn value(&self, row: u32) -> u32 {
        (self.symbols[row as usize] >> 32) as u32
    }

    pub(in crate::evidence) fn action(&self, row: u32) -> Option<u32> {
        let action = self.symbols[row as usize] as u32;
        (action != END).then_some(action)
    }

    /// Returns the value of `p` of a state; unknown where values belong to steps.
    pub(in crate::evidence) fn value_of_state(&self, state: u32) -> u32 {
        match self.value_of {
            ValueOf::Step => UNKNOWN,
            ValueOf::Observation => self.value(self.value_row(state)),
        }
    }

    /// Returns the row that holds the value of a state.
    pub(in crate::evidence) fn value_row(&self, state: u32) -> u32 {
        let merged = self.merged_at(state);
        merged.map_or(state, |(_, recurring)| recurring.value_row)
    }

    /// Returns the row whose value of `p` counts for a row: another one of the same state, if the
    /// value in the row itself is not known.
    ///
    /// # Panics
    /// If the row is out of range.
    #[must_use]
    pub fn row_of_value(&self, row: usize) -> usize {
        match self.value_id(row) {
            UNKNOWN if self.value_of == ValueOf::Observation => self.value_row(row as u32) as usize,
            _ => row,
        }
    }

    /// Whether an action, taken at these two rows, has different values of `p`.
    pub(in crate::evidence) fn outputs_differ(&self, a: u32, b: u32) -> bool {
        self.value_of == ValueOf::Step && self.differ(self.value(a), self.value(b))
    }

    /// Returns the number of the observation of a row among those that recur.
    pub(super) fn number_at(&self, row: u32) -> Option<u32> {
        let recurs = self.recurs.contains(row as usize);
        recurs.then(|| self.number(self.observation_of[row as usize]))
    }

    /// Returns the number and record of the recurring observation of a row, unless its rows are
    /// states of their own.
    fn merged_at(&self, row: u32) -> Option<(u32, &Recurring)> {
        let number = self.number_at(row)?;
        let recurring = self.recurring.get(number)?;
        (!recurring.is_unmerged).then_some((number, recurring))
    }

    /// Returns the state of a row, named by its first row.
    pub(in crate::evidence) fn state(&self, row: u32) -> u32 {
        let first = |_| self.observations[self.observation_of[row as usize] as usize].first;
        self.merged_at(row).map_or(row, first)
    }

    /// Returns the row to continue from, if exactly one action was recorded at a state: the rows
    /// after it determine everything until a stop.
    pub(in crate::evidence) fn only_way(&self, state: u32) -> Option<u32> {
        let Some((number, merged)) = self.merged_at(state) else {
            return self.action(state).map(|_| state);
        };
        match self.recurring.steps(number) {
            [step] if !merged.is_mixed => Some(step.row),
            _ => None,
        }
    }

    /// Returns the actions recorded at a state, ascending, each with a row at which it was taken.
    pub(in crate::evidence) fn steps(&self, state: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let merged = self.merged_at(state);
        let several = merged
            .into_iter()
            .flat_map(|(number, _)| self.recurring.steps(number));
        let single = if merged.is_none() {
            self.action(state)
        } else {
            None
        };
        several
            .map(|step| (step.action, step.row))
            .chain(single.map(|action| (action, state)))
    }

    /// Whether two values of `p`, by id, are known and differ.
    pub(in crate::evidence) fn differ(&self, a: u32, b: u32) -> bool {
        if a == UNKNOWN || b == UNKNOWN {
            return false;
        }
        let Some(tolerance) = self.tolerance.filter(|_| a != b) else {
            return a != b;
        };
        let vector =
            |id: u32| &self.vectors[id as usize * tolerance.width()..][..tolerance.width()];
        let differences = vector(a).iter().zip(vector(b)).map(|(a, b)| a - b);
        // `hypot` neither overflows nor underflows on the way, as sums of squares do.
        differences.fold(0.0, f64::hypot) > tolerance.distance()
    }
}
