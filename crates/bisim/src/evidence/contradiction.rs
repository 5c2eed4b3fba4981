//! Recorded rows that contradict determinism.

/// Two rows that show the same observation with different outcomes.
///
/// Nothing is resolved silently: an observation with a contradiction is not merged, so each of its
/// rows stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Id of the observation.
    pub observation: u32,
    /// Kind of the difference.
    pub kind: ContradictionKind,
    /// First row of the observation with a known outcome, and the first one whose outcome differs
    /// from it.
    pub rows: [usize; 2],
}

/// How two rows of one observation contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContradictionKind {
    /// The values of `p` differ. Reported once for each observation.
    Value,
    /// The values of `p` of one action differ, where they belong to steps
    /// ([`ValueOf::Step`](super::ValueOf::Step)). Reported once for each observation and action.
    Output {
        /// Action id.
        action: u32,
    },
    /// An action leads to different observations. Reported once for each observation and action.
    Successor {
        /// Action id.
        action: u32,
    },
}
