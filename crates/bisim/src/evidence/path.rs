//! Paths through recorded rows.

use std::ops::Range;

/// A path through rows that were recorded one after the other, in stretches. Between two stretches
/// the path continues at another row that shows the same observation. A path of a million steps
/// thus takes a few bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Stretches of rows at which an action was taken.
    steps: Vec<Range<u32>>,
    /// Row at the end.
    end: u32,
}

impl Path {
    pub(super) fn new(steps: Vec<Range<u32>>, end: u32) -> Self {
        Self { steps, end }
    }

    /// Returns the path that stays at a row.
    #[must_use]
    pub fn at(row: usize) -> Self {
        Self::new(Vec::new(), row as u32)
    }

    /// Number of actions. Cost: one step for each stretch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether the path takes no action.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates over the rows at which the actions were taken, in order.
    pub fn steps(&self) -> impl Iterator<Item = usize> + '_ {
        self.steps
            .iter()
            .flat_map(|rows| rows.start as usize..rows.end as usize)
    }

    /// Iterates over all rows in order, the one at the end included: one more than actions.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.steps().chain([self.end()])
    }

    /// Returns the row that the path leads to.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end as usize
    }
}
