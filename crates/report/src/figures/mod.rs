//! Single figures, for a page or as files of their own.
//!
//! The functions here give complete files: SVG text or PNG bytes. SVG figures carry their style,
//! for light and dark.

mod curves;
mod matrix;
mod raster;
mod reconstructions;
mod scatter;

use crate::{ClassNames, ReportError};
use tellapart_audit::SortedDistances;

pub use curves::{Chart, Scale, Series};
pub use reconstructions::Reconstructions;
pub use scatter::{Point, Scatter};

pub(crate) use curves::draw as draw_curves;
pub(crate) use matrix::draw as draw_matrix;
pub(crate) use raster::png_of_pixels;
pub(crate) use reconstructions::draw as draw_reconstructions;
pub(crate) use scatter::{SIDE, View, draw as draw_scatter, nice_length, scrambled};

/// A scatter of latents in two principal components, coloured by class, as an SVG file.
#[must_use]
pub fn scatter(scatter: &Scatter, classes: &ClassNames) -> String {
    draw_scatter(scatter, classes, "latents").standalone(classes.len())
}

/// A line chart as an SVG file.
#[must_use]
pub fn curves(chart: &Chart) -> String {
    draw_curves(chart).standalone(0)
}

/// The class-sorted distance matrix as an SVG file, with class names and a scale.
///
/// # Errors
/// [`ReportError::Shape`] when the record contradicts itself.
pub fn labelled_distance_matrix(
    distances: &SortedDistances,
    classes: &ClassNames,
) -> Result<String, ReportError> {
    Ok(draw_matrix(distances, classes, "latents")?.standalone(0))
}

/// The class-sorted distance matrix as a plain PNG: dark is near, bright is far; thin white lines
/// part the classes. Two pixels for an observation.
///
/// # Errors
/// [`ReportError::Shape`] when the record contradicts itself, [`ReportError::Size`] when it is empty.
pub fn distance_matrix(distances: &SortedDistances) -> Result<Vec<u8>, ReportError> {
    matrix::picture_with_borders(distances)
}

/// Originals above their reconstructions as a plain PNG, `times` times enlarged without smoothing.
///
/// # Errors
/// [`ReportError::Size`] when the picture would be empty or too large.
pub fn reconstructions(pairs: &Reconstructions, times: usize) -> Result<Vec<u8>, ReportError> {
    reconstructions::montage(pairs, times)
}
