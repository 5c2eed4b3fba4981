//! Finds rows that are equal.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::columns::{Columns, Frames};

/// Rows grouped by exact equality of their content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distinct {
    /// `[rows]`: index of the distinct row that each row equals, numbered by first occurrence.
    pub ids: Vec<u32>,
    /// First row of each distinct one.
    pub first_rows: Vec<usize>,
}

impl Distinct {
    /// Groups equal rows of `[rows, width]` values. `0.0` and `-0.0` are equal.
    ///
    /// Cost: hashes every row, and compares it with the first row that it equals.
    #[must_use]
    pub fn of_rows(values: &[f32], width: usize) -> Self {
        distinct(values, width, hash_of_numbers)
    }
}

impl Frames {
    /// Groups the rows that show the same observation. `0.0` and `-0.0` are equal.
    ///
    /// Cost: hashes every row, and compares it with the first row that it equals.
    #[must_use]
    pub fn distinct(&self) -> Distinct {
        let width = self.width().unwrap_or(0);
        match self {
            Self::U8 { values, .. } => distinct(values, width, |row, hasher| hasher.hash_one(row)),
            Self::F32 { values, .. } => Distinct::of_rows(values, width),
        }
    }
}

impl Columns {
    /// Groups the rows that hold the same values. `0.0` and `-0.0` are equal.
    ///
    /// Cost: hashes every row, and compares it with the first row that it equals.
    #[must_use]
    pub fn distinct(&self) -> Distinct {
        Distinct::of_rows(&self.values, self.width)
    }
}

fn distinct<T: PartialEq>(
    values: &[T],
    width: usize,
    hash: impl Fn(&[T], &DefaultHashBuilder) -> u64,
) -> Distinct {
    let hasher = DefaultHashBuilder::default();
    let mut found: HashTable<(u64, u32)> = HashTable::new();
    let (mut ids, mut first_rows) = (Vec::new(), Vec::new());
    for (row, content) in values.chunks_exact(width.max(1)).enumerate() {
        let hash = hash(content, &hasher);
        let first = |id: u32| first_rows[id as usize] * width;
        let is_equal =
            |&(other, id): &(u64, u32)| other == hash && values[first(id)..][..width] == *content;
        let id = match found.find(hash, is_equal) {
            Some(&(_, id)) => id,
            None => {
                let id = first_rows.len() as u32;
                found.insert_unique(hash, (hash, id), |&(hash, _)| hash);
                first_rows.push(row);
                id
            }
        };
        ids.push(id);
    }
    Distinct { ids, first_rows }
}

/// Hashes the bits of a row; adding zero turns `-0.0` into `0.0`.
fn hash_of_numbers(row: &[f32], hasher: &DefaultHashBuilder) -> u64 {
    use std::hash::Hasher as _;
    let mut state = hasher.build_hasher();
    for number in row {
        state.write_u32((number + 0.0).to_bits());
    }
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_have_equal_ids_in_order_of_occurrence() {
        let values = vec![1.0, 0.0, 2.0, 0.0, 1.0, -0.0, 0.0, 2.0, 2.0, 0.0];
        let found = Columns { width: 2, values }.distinct();
        assert_eq!(found.ids, [0, 1, 0, 2, 1]);
        assert_eq!(found.first_rows, [0, 1, 3]);
        let shape = vec![2, 2];
        let values = [[7; 4], [8; 4], [7; 4]].concat();
        assert_eq!(Frames::U8 { shape, values }.distinct().ids, [0, 1, 0]);
        assert_eq!(Columns::default().distinct().ids, [0; 0]);
    }

    #[test]
    fn many_rows_are_told_apart() {
        // The values 0 to 4999, and then the same values backwards.
        let numbers: Vec<f32> = (0..5000_u16)
            .chain((0..5000).rev())
            .map(f32::from)
            .collect();
        let found = Columns {
            width: 1,
            values: numbers.clone(),
        }
        .distinct();
        for (row, &id) in found.ids.iter().enumerate() {
            assert_eq!(numbers[row], f32::from(id as u16));
        }
        assert_eq!(found.first_rows, (0..5000).collect::<Vec<_>>());
    }
}
