//! Numbers as they lie in memory between two layers, and what is done to them on the way there.

use std::ops::Range;

use crate::precision::Pair;

/// Numbers, channels-last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored<'a> {
    Values(&'a [f32]),
    /// Rounded to bf16, each two neighboring channels of a pixel as a pair: where whoever reads them would
    /// round them anyway, they take half of the memory.
    Pairs(&'a [Pair]),
}

impl<'a> Stored<'a> {
    /// How many.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Pairs(pairs) => 2 * pairs.len(),
        }
    }

    /// Some of them, whole pixels.
    pub(crate) fn part(self, numbers: Range<usize>) -> Self {
        match self {
            Self::Values(values) => Self::Values(&values[numbers]),
            Self::Pairs(pairs) => Self::Pairs(&pairs[numbers.start / 2..numbers.end / 2]),
        }
    }

    /// Where it is known that they are no pairs.
    pub(crate) fn values(self) -> &'a [f32] {
        match self {
            Self::Values(values) => values,
            Self::Pairs(_) => unreachable!("only what is multiplied as it is lies in pairs"),
        }
    }
}
