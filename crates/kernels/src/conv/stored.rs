//! Values as they lie in memory between two layers: `f32`, or pairs of bf16.

use std::ops::Range;

use crate::simd::precision::Pair;

/// Values in memory, channels-last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored<'a> {
    Values(&'a [f32]),
    /// Values rounded to bf16, each two neighboring channels of a pixel as a pair. If the reader
    /// would round them anyway, pairs take half of the memory.
    Pairs(&'a [Pair]),
}

impl<'a> Stored<'a> {
    /// Number of values.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Pairs(pairs) => 2 * pairs.len(),
        }
    }

    /// Returns a range of the values, whole pixels.
    pub(crate) fn part(self, numbers: Range<usize>) -> Self {
        match self {
            Self::Values(values) => Self::Values(&values[numbers]),
            Self::Pairs(pairs) => Self::Pairs(&pairs[numbers.start / 2..numbers.end / 2]),
        }
    }

    /// Returns the values as `f32`.
    ///
    /// # Panics
    /// If the values are pairs.
    pub(crate) fn values(self) -> &'a [f32] {
        match self {
            Self::Values(values) => values,
            Self::Pairs(_) => unreachable!("only what is multiplied as it is lies in pairs"),
        }
    }
}
