//! A way through recorded rows.

use std::ops::Range;

/// Rows that were recorded one after the other, in stretches: between two stretches the way goes on at
/// another row that shows the same observation. Kept as stretches, so that a way of a million steps
/// costs a few bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Rows at which an action was taken.
    steps: Vec<Range<u32>>,
    /// Where it ends.
    end: u32,
}

impl Path {
    pub(super) fn new(steps: Vec<Range<u32>>, end: u32) -> Self {
        Self { steps, end }
    }

    /// Number of actions. Cost: one step for each stretch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether it takes no action.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row that each action was taken at, in order.
    pub fn steps(&self) -> impl Iterator<Item = usize> + '_ {
        self.steps
            .iter()
            .flat_map(|rows| rows.start as usize..rows.end as usize)
    }

    /// All rows in order, the one at the end included: one more than actions.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.steps().chain([self.end()])
    }

    /// The row that it leads to.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end as usize
    }
}
