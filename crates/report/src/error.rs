//! Errors of figures and pages.

use thiserror::Error;

/// Error of a figure or page.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The parts of a record contradict each other.
    #[error("{what} has {found} values, but its shape asks for {expected}")]
    Shape {
        /// Name of the record.
        what: &'static str,
        /// Values found.
        found: usize,
        /// Values the shape asks for.
        expected: usize,
    },
    /// A coordinate is not finite.
    #[error("point {point} of {what} is not finite")]
    NotFinite {
        /// Name of the record.
        what: &'static str,
        /// Index of the point.
        point: usize,
    },
    /// A side of a raster image is 0 or too long.
    #[error("a picture of {width} x {height} pixels cannot be drawn: each side must be 1 to 32767")]
    Size {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The PNG encoder failed.
    #[error("a picture could not be encoded as PNG")]
    Png(#[from] png::EncodingError),
    /// The data of a page's script could not be written as JSON.
    #[error("the data of the page could not be written as JSON")]
    Json(#[from] serde_json::Error),
}
