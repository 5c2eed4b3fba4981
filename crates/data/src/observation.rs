//! Kinds of observations: images of bytes, or vectors of numbers.

use serde::{Deserialize, Serialize};

/// Kind and shape of one observation. As data it is a list of lengths: three of an image, one of a
/// vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<usize>", into = "Vec<usize>")]
pub enum ObservationSpec {
    /// Image of bytes, `[height, width, channels]`.
    Image([usize; 3]),
    /// Vector of this many numbers.
    Vector(usize),
}

impl From<ObservationSpec> for Vec<usize> {
    fn from(spec: ObservationSpec) -> Self {
        match spec {
            ObservationSpec::Image(shape) => shape.to_vec(),
            ObservationSpec::Vector(width) => vec![width],
        }
    }
}

impl TryFrom<Vec<usize>> for ObservationSpec {
    type Error = String;

    fn try_from(lengths: Vec<usize>) -> Result<Self, String> {
        match *lengths.as_slice() {
            [height, width, channels] => Ok(Self::Image([height, width, channels])),
            [width] => Ok(Self::Vector(width)),
            _ => Err(format!(
                "{lengths:?} is neither [height, width, channels] of an image nor [width] of a vector"
            )),
        }
    }
}

impl std::fmt::Display for ObservationSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Image(shape) => write!(f, "u8 {shape:?}"),
            Self::Vector(width) => write!(f, "float32 [{width}]"),
        }
    }
}

impl ObservationSpec {
    /// Returns the number of values of one observation; `None` if it overflows.
    #[must_use]
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Image(shape) => shape.iter().try_fold(1_usize, |n, &of| n.checked_mul(of)),
            Self::Vector(width) => Some(width),
        }
    }

    /// Returns the bytes of one value.
    #[must_use]
    pub fn value_bytes(self) -> usize {
        match self {
            Self::Image(_) => 1,
            Self::Vector(_) => size_of::<f32>(),
        }
    }
}

/// Borrowed values of some observations of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ObservationValues<'a> {
    /// Bytes of images.
    Images(&'a [u8]),
    /// Numbers of vectors.
    Vectors(&'a [f32]),
}
