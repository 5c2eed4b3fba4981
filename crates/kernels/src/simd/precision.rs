//! Number formats of the factors in products.

use serde::{Deserialize, Serialize};

/// Number format of the factors in products. Sums are always `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Factors in `f32`.
    #[default]
    F32,
    /// Factors rounded to bf16, which has 8 bits of precision and the range of `f32`. It is twice
    /// as fast on processors with AVX512-BF16, and slower than `f32` on others.
    Bf16,
}

/// Two bf16 values, the first in the low half. A product of two pairs is the sum of two products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Pair(pub(crate) u32);
