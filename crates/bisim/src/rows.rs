//! Rows of transitions: the view of a system that refinement needs.

use std::ops::Range;

use tellapart_system::{MooreMachine, PartialMachine, StateId};

/// The targets of every state, as one row a state.
///
/// Refinement compares rows place by place and never asks for actions. States that it has not
/// separated yet must have rows of one length, with one action at each place. In a [`MooreMachine`]
/// that always holds. In a [`PartialMachine`] it does once states with different sets of actions
/// are apart.
pub(crate) trait Rows: Sync {
    fn states(&self) -> usize;
    /// Returns the length of all rows together.
    fn transitions(&self) -> usize;
    /// Returns the length of the longest row.
    fn width(&self) -> usize;
    fn row(&self, state: usize) -> &[StateId];
    /// Returns the rows of successive states, one after the other.
    fn rows(&self, states: Range<usize>) -> &[StateId];
    /// Returns the targets at `place` in the rows of successive states.
    fn targets(&self, states: Range<usize>, place: usize) -> impl Iterator<Item = Option<StateId>>;
}

impl Rows for MooreMachine {
    fn states(&self) -> usize {
        self.states()
    }
    fn transitions(&self) -> usize {
        self.next_table().len()
    }
    fn width(&self) -> usize {
        self.actions()
    }
    #[inline]
    fn row(&self, state: usize) -> &[StateId] {
        let actions = self.actions();
        &self.next_table()[state * actions..][..actions]
    }
    #[inline]
    fn rows(&self, states: Range<usize>) -> &[StateId] {
        let actions = self.actions();
        &self.next_table()[states.start * actions..states.end * actions]
    }
    #[inline]
    fn targets(&self, states: Range<usize>, place: usize) -> impl Iterator<Item = Option<StateId>> {
        let rows = self.rows(states).chunks_exact(self.actions());
        rows.map(move |row| Some(row[place]))
    }
}

impl Rows for PartialMachine {
    fn states(&self) -> usize {
        self.states()
    }
    fn transitions(&self) -> usize {
        self.transitions()
    }
    fn width(&self) -> usize {
        let lengths = self.state_ids().map(|state| self.successors(state).len());
        lengths.max().unwrap_or_default()
    }
    #[inline]
    fn row(&self, state: usize) -> &[StateId] {
        self.successors(StateId::from_index(state))
    }
    #[inline]
    fn rows(&self, states: Range<usize>) -> &[StateId] {
        self.successors_of(states)
    }
    #[inline]
    fn targets(&self, states: Range<usize>, place: usize) -> impl Iterator<Item = Option<StateId>> {
        states.map(move |state| self.row(state).get(place).copied())
    }
}

/// Number of a block, as wide as it needs to be.
pub(crate) trait BlockNumber: Copy + Send + Sync {
    fn number(self) -> u32;
}

macro_rules! block_number {
    ($($of:ty: $number:expr),*) => {$(
        impl BlockNumber for $of {
            #[inline]
            fn number(self) -> u32 {
                $number(self)
            }
        }
    )*};
}

block_number!(u8: u32::from, u16: u32::from, u32: u32::from, tellapart_system::OutputId: tellapart_system::OutputId::get);
