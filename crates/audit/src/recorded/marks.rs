//! Sets of rows that several threads fill.

use std::sync::atomic::{AtomicU64, Ordering};

/// Rows that were found.
pub(super) struct Found {
    /// In pairs that the encoder merged.
    pub(super) merged: RowMarks,
    /// Astray.
    pub(super) stray: RowMarks,
}

impl Found {
    pub(super) fn nothing(rows: usize) -> Self {
        Self {
            merged: RowMarks::new(rows),
            stray: RowMarks::new(rows),
        }
    }
}

/// Some of the rows; several threads mark at once.
pub(super) struct RowMarks(Vec<AtomicU64>);

impl RowMarks {
    fn new(rows: usize) -> Self {
        Self((0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn mark(&self, row: usize) {
        self.0[row / 64].fetch_or(1 << (row % 64), Ordering::Relaxed);
    }

    /// Ascending.
    pub(super) fn rows(&self) -> Vec<usize> {
        let is_marked =
            |row: &usize| self.0[row / 64].load(Ordering::Relaxed) >> (row % 64) & 1 == 1;
        (0..64 * self.0.len()).filter(is_marked).collect()
    }

    pub(super) fn count(&self) -> u64 {
        let ones = |word: &AtomicU64| u64::from(word.load(Ordering::Relaxed).count_ones());
        self.0.iter().map(ones).sum()
    }
}
