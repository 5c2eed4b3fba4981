//! What the data says about a pair of rows.

use super::path::Path;

/// What the data says about a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are one state: the same observation (without a contradiction), or the same row.
    Same,
    /// A word recorded from both leads to values of `p` that differ.
    Distinguished(Witness),
    /// No word does that: all words recorded from both lead to equal values of `p`. This does not say
    /// that the two are bisimilar.
    NotDistinguished(Agreement),
    /// The search was given up; they may be distinguished or not.
    Undecided(Undecided),
}

/// A shortest word that tells two rows apart, and how it was recorded from each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    pub(super) paths: [Path; 2],
}

/// How far two rows that are not distinguished could be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Every pair of states that a word recorded from both leads to is reached by one of at most so many
    /// actions. Where observations do not recur, this is the length of the longest word recorded from
    /// both.
    pub depth: usize,
    /// Pairs of states that were looked at.
    pub pairs: usize,
    /// Words that would say more: recorded from one of the two, but not from the other, and without a
    /// shorter such beginning; each pair of states counts once. [`super::Distinguished::missing`] lists them.
    /// Zero means: wherever a common word leads, the same actions were recorded on both sides.
    pub missing: usize,
}

/// A search that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "undecided after {pairs} pairs of states: words of fewer than {depth} actions do not tell them apart"
)]
pub struct Undecided {
    /// Pairs of states that were looked at.
    pub pairs: usize,
    /// No shorter word recorded from both leads to values of `p` that differ.
    pub depth: usize,
}

/// A word that was recorded from one row of a pair only: recorded from the other, it would let the pair
/// be compared further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The actions.
    pub word: Vec<u32>,
    /// The row of the pair that it was recorded from.
    pub recorded_from: usize,
    /// The recorded row that it leads to.
    pub leads_to: usize,
}

impl Witness {
    /// The way from the first row of the pair.
    #[must_use]
    pub fn path_of_a(&self) -> &Path {
        &self.paths[0]
    }

    /// The way from the second row of the pair, under the same actions.
    #[must_use]
    pub fn path_of_b(&self) -> &Path {
        &self.paths[1]
    }

    /// The rows it leads to, whose values of `p` differ.
    #[must_use]
    pub fn rows(&self) -> [usize; 2] {
        [self.paths[0].end(), self.paths[1].end()]
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
