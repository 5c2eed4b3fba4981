//! Describes one array: its type, its shape, the range of its values.

use std::path::Path;

use serde::Serialize;
use tellapart_data::{Actions, Frames, Trajectories};
use tellapart_files::{Archive, Array, ArrayProblem, Dtype, FileError, Values, read_npy};

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

    /// Describes the arrays of a recording as they were read: of HDF5, whose own layout is another.
    pub(super) fn of_recording(recording: &Trajectories) -> Vec<Self> {
        let rows = recording.rows();
        let with_rows = |shape: &[usize]| [&[rows], shape].concat();
        let observations = match &recording.observations {
            Frames::U8 { shape, values } => Self::of_slice(values, Dtype::U8, with_rows(shape)),
            Frames::F32 { shape, values } => Self::of_slice(values, Dtype::F32, with_rows(shape)),
            Frames::Other { shape, values } => Self::of_values(values, with_rows(shape)),
        };
        let actions = match &recording.actions {
            Actions::Discrete { ids, .. } => Self::of_slice(ids, Dtype::U32, vec![rows]),
            Actions::Vectors { width, values } => Self::of_values(values, vec![rows, *width]),
        };
        let rewards = recording.rewards.as_ref();
        let rewards = rewards.map(|values| ("rewards", Self::of_values(values, vec![rows])));
        let extra = recording.extra.iter();
        let extra = extra.map(|(name, array)| {
            let found = Self::of_values(&array.values, array.shape.clone());
            (name.as_str(), found)
        });
        [("observations", observations), ("actions", actions)]
            .into_iter()
            .chain(rewards)
            .chain(extra)
            .map(|(name, found)| Self {
                name: name.to_owned(),
                ..found
            })
            .collect()
    }

    fn of(name: String, array: &Array) -> Self {
        let found = Self::of_values(&array.values, array.shape.clone());
        Self { name, ..found }
    }

    fn of_slice<T: Copy + Into<f64>>(values: &[T], dtype: Dtype, shape: Vec<usize>) -> Self {
        let mut range = Range::default();
        range.of(values, Into::into);
        Self::in_range(range, dtype, shape)
    }

    fn of_values(values: &Values, shape: Vec<usize>) -> Self {
        let mut range = Range::default();
        match values {
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
        Self::in_range(range, values.dtype(), shape)
    }

    fn in_range(range: Range, dtype: Dtype, shape: Vec<usize>) -> Self {
        let Range { bounds, not_finite } = range;
        Self {
            min: bounds.map(|(min, _)| min),
            max: bounds.map(|(_, max)| max),
            not_finite,
            ..Self::unread(String::new(), dtype.to_string(), shape)
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
