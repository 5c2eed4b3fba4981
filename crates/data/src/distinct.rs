//! Finds rows that are equal.

use std::hash::{BuildHasher as _, Hasher as _};

use hashbrown::{DefaultHashBuilder, HashTable};
use tellapart_files::Values;

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
        distinct(values, width)
    }

    /// Groups equal rows of `[rows, width]` values of any type, as they are stored. `0.0` and
    /// `-0.0` are equal, and so is NaN to NaN of the same bits.
    ///
    /// Cost: hashes every row, and compares it with the first row that it equals.
    #[must_use]
    pub fn of_values(values: &Values, width: usize) -> Self {
        match values {
            Values::Bool(values) => distinct(values, width),
            Values::U8(values) => distinct_bytes(values, width),
            Values::I8(values) => distinct(values, width),
            Values::U16(values) => distinct(values, width),
            Values::I16(values) => distinct(values, width),
            Values::U32(values) => distinct(values, width),
            Values::I32(values) => distinct(values, width),
            Values::U64(values) => distinct(values, width),
            Values::I64(values) => distinct(values, width),
            Values::F16(values) => distinct(values, width),
            Values::F32(values) => distinct(values, width),
            Values::F64(values) => distinct(values, width),
        }
    }
}

impl Frames {
    /// Groups the rows that show the same observation, as it is stored. `0.0` and `-0.0` are equal.
    ///
    /// Cost: hashes every row, and compares it with the first row that it equals.
    #[must_use]
    pub fn distinct(&self) -> Distinct {
        let width = self.width().unwrap_or(0);
        match self {
            Self::U8 { values, .. } => distinct_bytes(values, width),
            Self::F32 { values, .. } => distinct(values, width),
            Self::Other { values, .. } => Distinct::of_values(values, width),
        }
    }
}

impl Columns {
    /// Groups the rows that hold the same values. `0.0` and `-0.0` are equal.
    ///
    /// Cost: hashes every row, and compares it with the first row that it equals.
    #[must_use]
    pub fn distinct(&self) -> Distinct {
        distinct(&self.values, self.width)
    }
}

/// A number whose identity is given by bits.
trait Bits: Copy {
    /// Returns bits that are equal iff the numbers are.
    fn bits(self) -> u64;
}

macro_rules! whole {
    ($($type:ty),*) => {
        $(impl Bits for $type {
            fn bits(self) -> u64 {
                self as u64
            }
        })*
    };
}
whole!(bool, u8, i8, u16, i16, u32, i32, u64, i64);

impl Bits for half::f16 {
    fn bits(self) -> u64 {
        f32::from(self).bits()
    }
}

impl Bits for f32 {
    fn bits(self) -> u64 {
        // Adding zero turns -0.0 into 0.0.
        u64::from((self + 0.0).to_bits())
    }
}

impl Bits for f64 {
    fn bits(self) -> u64 {
        (self + 0.0).to_bits()
    }
}

fn distinct<T: Bits>(values: &[T], width: usize) -> Distinct {
    let hash = |row: &[T], hasher: &DefaultHashBuilder| {
        let mut state = hasher.build_hasher();
        for number in row {
            state.write_u64(number.bits());
        }
        state.finish()
    };
    let is_equal = |a: &[T], b: &[T]| a.iter().zip(b).all(|(a, b)| a.bits() == b.bits());
    group(values, width, hash, is_equal)
}

/// Like [`distinct`], with the content of a row hashed and compared as a whole.
fn distinct_bytes(values: &[u8], width: usize) -> Distinct {
    group(
        values,
        width,
        |row, hasher| hasher.hash_one(row),
        |a, b| a == b,
    )
}

fn group<T>(
    values: &[T],
    width: usize,
    hash: impl Fn(&[T], &DefaultHashBuilder) -> u64,
    is_equal: impl Fn(&[T], &[T]) -> bool,
) -> Distinct {
    let hasher = DefaultHashBuilder::default();
    let mut found: HashTable<(u64, u32)> = HashTable::new();
    let (mut ids, mut first_rows) = (Vec::new(), Vec::new());
    for (row, content) in values.chunks_exact(width.max(1)).enumerate() {
        let hash = hash(content, &hasher);
        let first = |id: u32| first_rows[id as usize] * width;
        let is_found = |&(other, id): &(u64, u32)| {
            other == hash && is_equal(&values[first(id)..][..width], content)
        };
        let id = match found.find(hash, is_found) {
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

    #[test]
    fn numbers_are_compared_as_they_are_stored() {
        // Neither of these survives a conversion to f32, nor the last to f64.
        let far = (0..4).map(|state| 3_948_996.0 + 0.1 * f64::from(state % 2));
        let counters: [i64; 4] = [1 << 24, (1 << 24) + 1, 1 << 24, (1 << 24) + 1];
        let times: [u64; 4] = [1 << 60, (1 << 60) + 1, 1 << 60, (1 << 60) + 1];
        for values in [
            Values::F64(far.collect()),
            Values::I64(counters.to_vec()),
            Values::U64(times.to_vec()),
            Values::Bool(vec![false, true, false, true]),
        ] {
            assert_eq!(Distinct::of_values(&values, 1).ids, [0, 1, 0, 1]);
            assert_eq!(Distinct::of_values(&values, 2).ids, [0, 0]);
        }
        let zeros = Values::F64(vec![0.0, -0.0]);
        assert_eq!(Distinct::of_values(&zeros, 1).ids, [0, 0]);
    }
}
