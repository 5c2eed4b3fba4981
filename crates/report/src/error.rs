use thiserror::Error;

/// Why a figure or page could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The parts of a record contradict each other.
    #[error("{what} has {found} values, but its shape asks for {expected}")]
    Shape {
        /// Which record.
        what: &'static str,
        /// Values found.
        found: usize,
        /// Values the shape asks for.
        expected: usize,
    },
    /// A coordinate is no number.
    #[error("point {point} of {what} is not finite")]
    NotFinite {
        /// Which record.
        what: &'static str,
        /// Which point.
        point: usize,
    },
    /// A raster image has no pixels or too many.
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
    /// The data of a page's script could not be written down.
    #[error("the data of the page could not be written as JSON")]
    Json(#[from] serde_json::Error),
}
