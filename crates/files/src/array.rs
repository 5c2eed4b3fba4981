//! Arrays in memory: a shape and typed values.

use half::f16;

use crate::error::ArrayProblem;

/// A dense array in C order (the last axis varies fastest).
///
/// Both fields are public, so the two can disagree; [`Array::new`] and every writer check them.
/// Equality of floats is IEEE equality (`NaN != NaN`); compare bits to test for identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of every axis; empty for a single value, as in NumPy.
    pub shape: Vec<usize>,
    /// Values, as many as the product of `shape`.
    pub values: Values,
}

impl Array {
    /// Creates an array after checking the number of values against its shape.
    ///
    /// # Errors
    /// [`ArrayProblem::ShapeMismatch`] if the product of `shape` is not the number of values.
    pub fn new(shape: Vec<usize>, values: Values) -> Result<Self, ArrayProblem> {
        let array = Self { shape, values };
        array.check()?;
        Ok(array)
    }

    /// Type of the values.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.values.dtype()
    }

    /// Number of rows: the length of the first axis; 1 for a single value.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    pub(crate) fn check(&self) -> Result<(), ArrayProblem> {
        let values = self.values.len();
        if element_count(&self.shape) == Some(values) {
            Ok(())
        } else {
            Err(ArrayProblem::ShapeMismatch {
                shape: self.shape.clone(),
                values,
            })
        }
    }
}

/// Computes the product of a shape; `None` when it does not fit `usize`.
pub(crate) fn element_count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1_usize, |product, &length| product.checked_mul(length))
}

/// Calls `$list!` with one row `(Variant, rust type, dtype of NumPy, name)` for each supported
/// type.
macro_rules! for_each_dtype {
    ($list:ident) => {
        $list! {
            (Bool, bool, "b1", "bool"),
            (U8, u8, "u1", "uint8"),
            (I8, i8, "i1", "int8"),
            (U16, u16, "u2", "uint16"),
            (I16, i16, "i2", "int16"),
            (U32, u32, "u4", "uint32"),
            (I32, i32, "i4", "int32"),
            (U64, u64, "u8", "uint64"),
            (I64, i64, "i8", "int64"),
            (F16, f16, "f2", "float16"),
            (F32, f32, "f4", "float32"),
            (F64, f64, "f8", "float64"),
        }
    };
}
pub(crate) use for_each_dtype;

macro_rules! define {
    ($(($variant:ident, $type:ty, $code:literal, $name:literal),)*) => {
        /// Values of one of the supported types.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Values {
            $(#[doc = concat!("NumPy's `", $name, "`.")] $variant(Vec<$type>),)*
        }

        /// Type of an array's values; displayed by NumPy's name, such as `float32`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Dtype {
            $(#[doc = concat!("NumPy's `", $name, "`.")] $variant,)*
        }

        impl Values {
            /// Number of values.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(values) => values.len(),)* }
            }

            /// Type of the values.
            #[must_use]
            pub fn dtype(&self) -> Dtype {
                match self { $(Self::$variant(_) => Dtype::$variant,)* }
            }
        }

        impl Dtype {
            /// Number of bytes of one value in a file.
            #[must_use]
            pub fn bytes(self) -> usize {
                match self { $(Self::$variant => size_of::<$type>(),)* }
            }

            /// Whether values are floating point numbers.
            #[must_use]
            pub fn is_float(self) -> bool {
                self.code().starts_with('f')
            }

            /// NumPy's code without the byte order, such as `f4`.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            pub(crate) fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for Dtype {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $name,)* })
            }
        }

        $(impl From<Vec<$type>> for Values {
            fn from(values: Vec<$type>) -> Self { Self::$variant(values) }
        })*
    };
}
for_each_dtype!(define);

impl Values {
    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
