//! A growing set of rows that answers: which is the next one?

/// A set of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    words: Vec<u64>,
}

impl Stops {
    /// Room for rows below `rows`.
    pub(super) fn grow(&mut self, rows: usize) {
        self.words.resize(rows.div_ceil(64), 0);
    }

    pub(super) fn insert(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    pub(super) fn remove(&mut self, row: usize) {
        self.words[row / 64] &= !(1 << (row % 64));
    }

    /// The smallest member after `row`.
    pub(super) fn after(&self, row: usize) -> Option<usize> {
        (row + 1..self.words.len() * 64).find(|row| self.words[row / 64] >> (row % 64) & 1 == 1)
    }
}
