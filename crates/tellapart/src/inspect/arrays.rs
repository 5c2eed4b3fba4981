//! Describes one array: its type, its shape, the range of its values.

use std::path::Path;

use serde::Serialize;
use tellapart_files::{Archive, Array, ArrayProblem, FileError, Values, read_npy};

/// Description of one array of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArrayRecord {
    /// Name of the array; empty for the only array of a `.npy` file.
    pub name: String,
    /// Type of the values by NumPy's name (in `.safetensors`, by the format's); `text` for lists of
    /// strings, `unsupported` for types that are not read.
    pub dtype: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Smallest finite value; absent if there is none or it was not read. Stored as `f64`, so
    /// integers beyond 2^53 are rounded.
    pub min: Option<f64>,
    /// Largest finite value; absent if there is none or it was not read. Stored as `f64`, so
    /// integers beyond 2^53 are rounded.
    pub max: Option<f64>,
    /// Number of values that are NaN or infinite.
    pub not_finite: usize,
}

impl ArrayRecord {
    pub(super) fn of_npy(path: &Path) -> Result<Self, FileError> {
        Ok(Self::of(String::new(), &read_npy(path)?))
    }

    /// Describes an entry of an archive. Text, objects and the like are no errors: such an array
    /// may lie next to those that are read.
    pub(super) fn of_entry(archive: &mut Archive, name: &str) -> Result<Self, FileError> {
        match archive.read(name) {
            Ok(array) => Ok(Self::of(name.to_owned(), &array)),
            Err(FileError::Array {
                problem: ArrayProblem::UnsupportedDtype { found, .. },
                ..
            }) => {
                let (dtype, shape) = match archive.describe_strings(name) {
                    Ok(length) => ("text".to_owned(), vec![length]),
                    Err(_) => (format!("unsupported ({found})"), Vec::new()),
                };
                Ok(Self::unread(name.to_owned(), dtype, shape))
            }
            Err(error) => Err(error),
        }
    }

    /// Describes an array of which only the header is known.
    pub(super) fn unread(name: String, dtype: String, shape: Vec<usize>) -> Self {
        Self {
            name,
            dtype,
            shape,
            min: None,
            max: None,
            not_finite: 0,
        }
    }

    /// Whether the array is `[N, d]` or `[N, tokens, d]` of floats.
    pub(super) fn could_be_embeddings(&self) -> bool {
        let floats = ["float16", "float32", "float64", "F16", "BF16", "F32", "F64"];
        floats.contains(&self.dtype.as_str()) && [2, 3].contains(&self.shape.len())
    }

    fn of(name: String, array: &Array) -> Self {
        let mut range = Range::default();
        match &array.values {
            Values::Bool(values) => range.of(values, f64::from),
            Values::U8(values) => range.of(values, f64::from),
            Values::I8(values) => range.of(values, f64::from),
            Values::U16(values) => range.of(values, f64::from),
            Values::I16(values) => range.of(values, f64::from),
            Values::U32(values) => range.of(values, f64::from),
            Values::I32(values) => range.of(values, f64::from),
            Values::U64(values) => range.of(values, |value| value as f64),
            Values::I64(values) => range.of(values, |value| value as f64),
            Values::F16(values) => range.of(values, f64::from),
            Values::F32(values) => range.of(values, f64::from),
            Values::F64(values) => range.of(values, f64::from),
        }
        let Range { bounds, not_finite } = range;
        Self {
            min: bounds.map(|(min, _)| min),
            max: bounds.map(|(_, max)| max),
            not_finite,
            ..Self::unread(name, array.dtype().to_string(), array.shape.clone())
        }
    }
}

#[derive(Default)]
struct Range {
    bounds: Option<(f64, f64)>,
    not_finite: usize,
}

impl Range {
    fn of<T: Copy>(&mut self, values: &[T], number: impl Fn(T) -> f64) {
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.iter().map(|&value| number(value)) {
            if value.is_finite() {
                min = min.min(value);
                max = max.max(value);
            } else {
                self.not_finite += 1;
            }
        }
        self.bounds = (min <= max).then_some((min, max));
    }
}
