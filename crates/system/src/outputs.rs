//! Numbers output vectors by exact equality.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::OutputId;

/// Distinct rows of `width` 64-bit words, numbered by first occurrence.
///
/// The keys of the hash map are whole rows, so equality is exact.
pub(crate) struct DistinctRows {
    width: usize,
    ids: HashMap<Box<[u64]>, u32, RandomState>,
    rows: Vec<u64>,
    latest: u32,
}

impl DistinctRows {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            ids: HashMap::default(),
            rows: Vec::new(),
            latest: 0,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Returns the number of this row. There are never more distinct rows than states, so 32 bits
    /// suffice.
    pub(crate) fn id(&mut self, row: &[u64]) -> OutputId {
        debug_assert_eq!(row.len(), self.width);
        // Neighboring states often agree, so the last answer is checked before hashing.
        let start = self.latest as usize * self.width;
        if !self.ids.is_empty() && self.rows[start..start + self.width] == *row {
            return OutputId::new(self.latest);
        }
        self.latest = match self.ids.get(row) {
            Some(&id) => id,
            None => {
                let id = self.ids.len() as u32;
                self.ids.insert(row.into(), id);
                self.rows.extend_from_slice(row);
                id
            }
        };
        OutputId::new(self.latest)
    }

    /// Returns all distinct rows, one after the other, by id.
    pub(crate) fn into_rows(self) -> Vec<u64> {
        self.rows
    }
}

/// Distinct strings of bytes, numbered by first occurrence.
#[derive(Default)]
pub(crate) struct DistinctBytes {
    ids: HashMap<Vec<u8>, u32, RandomState>,
    rows: Vec<Vec<u8>>,
    latest: u32,
}

impl DistinctBytes {
    pub(crate) fn id(&mut self, row: &[u8]) -> OutputId {
        if self
            .rows
            .get(self.latest as usize)
            .is_none_or(|latest| latest != row)
        {
            self.latest = match self.ids.get(row) {
                Some(&id) => id,
                None => {
                    let id = self.rows.len() as u32;
                    self.ids.insert(row.to_vec(), id);
                    self.rows.push(row.to_vec());
                    id
                }
            };
        }
        OutputId::new(self.latest)
    }

    pub(crate) fn into_rows(self) -> Vec<Vec<u8>> {
        self.rows
    }
}

/// Returns the bits by which an output value is compared. -0.0 and 0.0 are the same number, hence
/// the same output. `None` for NaN, which equals nothing.
pub(crate) fn comparison_bits(value: f64) -> Option<u64> {
    (!value.is_nan()).then(|| (value + 0.0).to_bits())
}
