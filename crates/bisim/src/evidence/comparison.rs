//! Result of comparing a pair of rows by the data.

use super::path::Path;

/// Result of comparing a pair of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Both rows are one state: the same observation (without a contradiction), or the same row.
    Same,
    /// A word recorded from both rows leads to values of `p` that differ.
    Distinguished(Witness),
    /// All words recorded from both rows lead to equal values of `p`. This does not mean that the
    /// two are bisimilar.
    NotDistinguished(Agreement),
    /// The search was given up; the rows may be distinguished or not.
    Undecided(Undecided),
}

/// A shortest word that distinguishes two rows, and how it was recorded from each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    pub(super) paths: [Path; 2],
    /// Rows that hold the values that differ.
    pub(super) rows: [u32; 2],
}

/// How far two rows that are not distinguished could be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Number of actions that suffice to reach whatever a word recorded from both rows leads to:
    /// every pair of states, and every state in which both meet. 0 iff no action was recorded from
    /// both. Where observations do not recur, this is the length of the longest word recorded from
    /// both.
    pub depth: usize,
    /// Number of pairs of states examined.
    pub pairs: usize,
    /// Number of words that would say more: recorded from one of the two rows but not from the
    /// other, and minimal in that. Each pair of states counts once.
    /// [`super::Distinguished::missing`] lists them. Zero means: wherever a common word leads, the
    /// same actions were recorded on both sides.
    pub missing: usize,
}

/// A search that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "undecided after {pairs} pairs of states: words of fewer than {depth} actions do not tell them apart"
)]
pub struct Undecided {
    /// Number of pairs of states examined.
    pub pairs: usize,
    /// Length below which no word recorded from both rows leads to values of `p` that differ.
    pub depth: usize,
}

/// A word that was recorded from one row of a pair only. If it were recorded from the other, the
/// pair could be compared further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Action ids of the word.
    pub word: Vec<u32>,
    /// Row of the pair that the word was recorded from.
    pub recorded_from: usize,
    /// Recorded row that the word leads to.
    pub leads_to: usize,
}

impl Witness {
    /// Returns the path from the first row of the pair.
    #[must_use]
    pub fn path_of_a(&self) -> &Path {
        &self.paths[0]
    }

    /// Returns the path from the second row of the pair, under the actions of the first.
    #[must_use]
    pub fn path_of_b(&self) -> &Path {
        &self.paths[1]
    }

    /// Returns the rows whose values of `p` differ: those at the ends of both paths. Where values
    /// belong to steps, those at which the last action was taken.
    #[must_use]
    pub fn rows(&self) -> [usize; 2] {
        self.rows.map(|row| row as usize)
    }

    /// Number of actions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths[0].len()
    }

    /// Whether the values differ at once.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
