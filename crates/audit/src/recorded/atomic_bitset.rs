//! A set of rows that several threads fill.

use std::sync::atomic::{AtomicU64, Ordering};

/// A set of rows as bits.
pub(super) struct AtomicBitset(Vec<AtomicU64>);

impl AtomicBitset {
    /// Returns an empty set with room for rows below `rows`.
    pub(super) fn new(rows: usize) -> Self {
        Self((0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn mark(&self, row: usize) {
        self.0[row / 64].fetch_or(1 << (row % 64), Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        let ones = |word: &AtomicU64| u64::from(word.load(Ordering::Relaxed).count_ones());
        self.0.iter().map(ones).sum()
    }
}
