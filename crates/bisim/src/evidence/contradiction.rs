//! Recorded rows that contradict determinism.

/// Two rows that show the same observation with different outcomes.
///
/// Nothing is resolved silently: an observation with a contradiction is not merged, each of its rows
/// stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The observation.
    pub observation: u32,
    /// What is different.
    pub kind: ContradictionKind,
    /// The first row that shows it, and the first one that differs from that.
    pub rows: [usize; 2],
}

/// How two rows of one observation contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContradictionKind {
    /// Their values of `p` differ. Reported once for each observation.
    Value,
    /// This action leads to different observations. Reported once for each observation and action.
    Successor {
        /// The action.
        action: u32,
    },
}
