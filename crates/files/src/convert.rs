//! Converts values to another type when nothing that matters is lost.

use std::ops::Range;

use crate::array::{Dtype, Values};

/// A value that cannot be converted to the requested type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("value {index} is {found} ({dtype}), but {expected} is expected")]
pub struct BadValue {
    /// Position among the values, in C order.
    pub index: usize,
    /// The value, as text.
    pub found: String,
    /// Type of the value.
    pub dtype: Dtype,
    /// Expected value, in words.
    pub expected: &'static str,
}

impl Values {
    /// Converts the values to `u32`: any integer type, and bool as 0 and 1. Does not copy `u32`.
    ///
    /// # Errors
    /// [`BadValue`] for the first value that is negative, above `u32::MAX`, or a float. Whole
    /// floats are errors too: ids saved as floats are more often a mistake than intended.
    pub fn into_u32(self) -> Result<Vec<u32>, BadValue> {
        let dtype = self.dtype();
        const EXPECTED: &str = "a whole number from 0 to 4294967295, of an integer type,";
        fn checked<T>(values: Vec<T>, dtype: Dtype) -> Result<Vec<u32>, BadValue>
        where
            T: Copy + std::fmt::Display + TryInto<u32>,
        {
            let one = |(index, value): (usize, T)| {
                value.try_into().map_err(|_| BadValue {
                    index,
                    found: value.to_string(),
                    dtype,
                    expected: EXPECTED,
                })
            };
            values.into_iter().enumerate().map(one).collect()
        }
        fn float<T: std::fmt::Display>(values: &[T], dtype: Dtype) -> Result<Vec<u32>, BadValue> {
            let Some(first) = values.first() else {
                return Ok(Vec::new());
            };
            Err(BadValue {
                index: 0,
                found: first.to_string(),
                dtype,
                expected: EXPECTED,
            })
        }
        match self {
            Self::Bool(values) => Ok(values.into_iter().map(u32::from).collect()),
            Self::U8(values) => checked(values, dtype),
            Self::I8(values) => checked(values, dtype),
            Self::U16(values) => checked(values, dtype),
            Self::I16(values) => checked(values, dtype),
            Self::U32(values) => Ok(values),
            Self::I32(values) => checked(values, dtype),
            Self::U64(values) => checked(values, dtype),
            Self::I64(values) => checked(values, dtype),
            Self::F16(values) => float(&values, dtype),
            Self::F32(values) => float(&values, dtype),
            Self::F64(values) => float(&values, dtype),
        }
    }

    /// Converts the values to `f32`, rounded to the nearest; bool as 0 and 1. Does not copy `f32`.
    ///
    /// NaN and the infinities pass through.
    ///
    /// # Errors
    /// [`BadValue`] for the first finite value that is too large for `f32`.
    pub fn into_f32(self) -> Result<Vec<f32>, BadValue> {
        Ok(match self {
            Self::Bool(values) => values.into_iter().map(|v| f32::from(u8::from(v))).collect(),
            Self::U8(values) => values.into_iter().map(f32::from).collect(),
            Self::I8(values) => values.into_iter().map(f32::from).collect(),
            Self::U16(values) => values.into_iter().map(f32::from).collect(),
            Self::I16(values) => values.into_iter().map(f32::from).collect(),
            Self::U32(values) => values.into_iter().map(|v| v as f32).collect(),
            Self::I32(values) => values.into_iter().map(|v| v as f32).collect(),
            Self::U64(values) => values.into_iter().map(|v| v as f32).collect(),
            Self::I64(values) => values.into_iter().map(|v| v as f32).collect(),
            Self::F16(values) => values.into_iter().map(f32::from).collect(),
            Self::F32(values) => values,
            Self::F64(values) => {
                let one = |(index, value): (usize, f64)| {
                    let rounded = value as f32;
                    if value.is_finite() && rounded.is_infinite() {
                        let found = value.to_string();
                        let expected = "a number that fits float32";
                        return Err(BadValue {
                            index,
                            found,
                            dtype: Dtype::F64,
                            expected,
                        });
                    }
                    Ok(rounded)
                };
                return values.into_iter().enumerate().map(one).collect();
            }
        })
    }

    /// Converts the values to `f64`, exact except for 64-bit integers beyond 2^53, which are
    /// rounded.
    #[must_use]
    pub fn into_f64(self) -> Vec<f64> {
        match self {
            Self::Bool(values) => values.into_iter().map(|v| f64::from(u8::from(v))).collect(),
            Self::U8(values) => values.into_iter().map(f64::from).collect(),
            Self::I8(values) => values.into_iter().map(f64::from).collect(),
            Self::U16(values) => values.into_iter().map(f64::from).collect(),
            Self::I16(values) => values.into_iter().map(f64::from).collect(),
            Self::U32(values) => values.into_iter().map(f64::from).collect(),
            Self::I32(values) => values.into_iter().map(f64::from).collect(),
            Self::U64(values) => values.into_iter().map(|v| v as f64).collect(),
            Self::I64(values) => values.into_iter().map(|v| v as f64).collect(),
            Self::F16(values) => values.into_iter().map(f64::from).collect(),
            Self::F32(values) => values.into_iter().map(f64::from).collect(),
            Self::F64(values) => values,
        }
    }
}

/// Calls `$body` with the values of any type, and a function from one of them to `f64`.
macro_rules! with_numbers {
    ($values:expr, |$list:ident, $number:ident| $body:expr) => {
        match $values {
            Values::Bool($list) => with_numbers!(@ |v: bool| f64::from(u8::from(v)), $number, $body),
            Values::U8($list) => with_numbers!(@ |v: u8| f64::from(v), $number, $body),
            Values::I8($list) => with_numbers!(@ |v: i8| f64::from(v), $number, $body),
            Values::U16($list) => with_numbers!(@ |v: u16| f64::from(v), $number, $body),
            Values::I16($list) => with_numbers!(@ |v: i16| f64::from(v), $number, $body),
            Values::U32($list) => with_numbers!(@ |v: u32| f64::from(v), $number, $body),
            Values::I32($list) => with_numbers!(@ |v: i32| f64::from(v), $number, $body),
            Values::U64($list) => with_numbers!(@ |v: u64| v as f64, $number, $body),
            Values::I64($list) => with_numbers!(@ |v: i64| v as f64, $number, $body),
            Values::F16($list) => with_numbers!(@ |v: half::f16| f64::from(v), $number, $body),
            Values::F32($list) => with_numbers!(@ |v: f32| f64::from(v), $number, $body),
            Values::F64($list) => with_numbers!(@ |v: f64| v, $number, $body),
        }
    };
    (@ $function:expr, $number:ident, $body:expr) => {{
        let $number = $function;
        $body
    }};
}

impl Values {
    /// Returns one value as `f64`, exact except for 64-bit integers beyond 2^53, which are rounded.
    ///
    /// # Panics
    /// If there is no such value.
    #[must_use]
    pub fn number(&self, index: usize) -> f64 {
        with_numbers!(self, |values, number| number(values[index]))
    }

    /// Returns the values of a range, rounded to `f32`; empty if the range is out of bounds.
    #[must_use]
    pub fn rounded(&self, range: Range<usize>) -> Vec<f32> {
        with_numbers!(self, |values, number| {
            let values = values.get(range).unwrap_or_default();
            values.iter().map(|&value| number(value) as f32).collect()
        })
    }

    /// Returns one value as an integer, if it is of an integer type; bool as 0 and 1.
    ///
    /// # Panics
    /// If there is no such value.
    #[must_use]
    pub fn integer(&self, index: usize) -> Option<i128> {
        Some(match self {
            Self::Bool(values) => i128::from(values[index]),
            Self::U8(values) => i128::from(values[index]),
            Self::I8(values) => i128::from(values[index]),
            Self::U16(values) => i128::from(values[index]),
            Self::I16(values) => i128::from(values[index]),
            Self::U32(values) => i128::from(values[index]),
            Self::I32(values) => i128::from(values[index]),
            Self::U64(values) => i128::from(values[index]),
            Self::I64(values) => i128::from(values[index]),
            Self::F16(_) | Self::F32(_) | Self::F64(_) => return None,
        })
    }
}
