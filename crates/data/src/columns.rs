//! Columns of a recording: observations, actions, and values per row.

use std::borrow::Cow;
use std::ops::Range;

use tellapart_files::{Dtype, Values};

use crate::observation::ObservationSpec;

/// Observations: one block of values for each row, all of one shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Frames {
    /// Images as stored, usually `[height, width, channels]`.
    U8 {
        /// Shape of ONE observation, without the rows.
        shape: Vec<usize>,
        /// All observations, one after the other, each in C order.
        values: Vec<u8>,
    },
    /// Vectors and other real-valued observations; all finite.
    F32 {
        /// Shape of ONE observation, without the rows.
        shape: Vec<usize>,
        /// All observations, one after the other, each in C order.
        values: Vec<f32>,
    },
    /// Numbers of any other type, as stored; all finite. They are equal iff they are stored equal.
    Other {
        /// Shape of ONE observation, without the rows; empty for a single number.
        shape: Vec<usize>,
        /// All observations, one after the other, each in C order.
        values: Values,
    },
}

impl Default for Frames {
    /// Returns bytes without rows.
    fn default() -> Self {
        Self::U8 {
            shape: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl Frames {
    /// Shape of one observation.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::U8 { shape, .. } | Self::F32 { shape, .. } | Self::Other { shape, .. } => shape,
        }
    }

    /// Type of the values.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::U8 { .. } => Dtype::U8,
            Self::F32 { .. } => Dtype::F32,
            Self::Other { values, .. } => values.dtype(),
        }
    }

    /// Height, width and channels of `u8` images; `[height, width]` counts as one channel. `None`
    /// for other observations.
    #[must_use]
    pub fn image_shape(&self) -> Option<[usize; 3]> {
        match self {
            Self::U8 { shape, .. } => match *shape.as_slice() {
                [height, width, channels] => Some([height, width, channels]),
                [height, width] => Some([height, width, 1]),
                _ => None,
            },
            Self::F32 { .. } | Self::Other { .. } => None,
        }
    }

    /// Number of values over all rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8 { values, .. } => values.len(),
            Self::F32 { values, .. } => values.len(),
            Self::Other { values, .. } => values.len(),
        }
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns observations of the same shape without rows, of the type that networks take: bytes
    /// of images, or `f32`.
    #[must_use]
    pub fn like(&self) -> Self {
        let shape = self.shape().to_vec();
        match self {
            Self::U8 { .. } => Self::U8 {
                shape,
                values: Vec::new(),
            },
            Self::F32 { .. } | Self::Other { .. } => Self::F32 {
                shape,
                values: Vec::new(),
            },
        }
    }

    /// Returns the numbers of some rows, rounded to `f32`; empty where there are no such rows.
    #[must_use]
    pub fn numbers(&self, rows: Range<usize>) -> Cow<'_, [f32]> {
        let width = self.width().unwrap_or(0);
        let range = rows.start * width..rows.end * width;
        match self {
            Self::U8 { values, .. } => {
                let bytes = values.get(range).unwrap_or_default();
                bytes.iter().map(|&byte| f32::from(byte)).collect()
            }
            Self::F32 { values, .. } => values.get(range).unwrap_or_default().into(),
            Self::Other { values, .. } => values.rounded(range).into(),
        }
    }

    /// Returns observations of this kind and shape, without rows.
    #[must_use]
    pub fn empty(spec: ObservationSpec) -> Self {
        match spec {
            ObservationSpec::Image(shape) => Self::U8 {
                shape: shape.to_vec(),
                values: Vec::new(),
            },
            ObservationSpec::Vector(width) => Self::F32 {
                shape: vec![width],
                values: Vec::new(),
            },
        }
    }

    /// Appends copies of `rows` of other observations of the same shape. Numbers are rounded to
    /// `f32`. Rows that do not exist are left out, and bytes where numbers are expected or the
    /// other way round.
    pub fn extend_from(&mut self, other: &Self, rows: Range<usize>) {
        let width = self.shape().iter().product::<usize>();
        let range = rows.start * width..rows.end * width;
        match (self, other) {
            (Self::U8 { values, .. }, Self::U8 { values: from, .. }) => {
                values.extend_from_slice(from.get(range).unwrap_or_default());
            }
            (Self::F32 { values, .. }, Self::F32 { values: from, .. }) => {
                values.extend_from_slice(from.get(range).unwrap_or_default());
            }
            (Self::F32 { values, .. }, Self::Other { values: from, .. }) => {
                values.extend(from.rounded(range));
            }
            _ => {}
        }
    }

    /// Returns the number of values in one row; `None` if it overflows.
    pub(crate) fn width(&self) -> Option<usize> {
        self.shape()
            .iter()
            .try_fold(1_usize, |width, &length| width.checked_mul(length))
    }
}

/// Actions, one for each row: the action taken AT that observation.
#[derive(Clone, Debug, PartialEq)]
pub enum Actions {
    /// Finitely many actions.
    Discrete {
        /// Number of actions, at most 65 536.
        count: usize,
        /// `[rows]`, each below `count`.
        ids: Vec<u32>,
    },
    /// Vectors, such as continuous actions.
    Vectors {
        /// Number of elements of one action, at least 1.
        width: usize,
        /// `[rows, width]`, of any type; finite, except where an episode ends and actions mean
        /// nothing.
        values: Values,
    },
}

impl Actions {
    /// Number of elements of an action as networks take it: one-hot for discrete ones.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Discrete { count, .. } => *count,
            Self::Vectors { width, .. } => *width,
        }
    }
}

/// A few values for each row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Number of values in one row, at least 1.
    pub width: usize,
    /// `[rows, width]`.
    pub values: Vec<f32>,
}

impl Columns {
    /// Returns the values of `rows`, row after row; empty when there are no such rows.
    #[must_use]
    pub fn rows(&self, rows: Range<usize>) -> &[f32] {
        let at = |row: usize| row.checked_mul(self.width);
        let (Some(start), Some(end)) = (at(rows.start), at(rows.end)) else {
            return &[];
        };
        self.values.get(start..end).unwrap_or(&[])
    }
}
