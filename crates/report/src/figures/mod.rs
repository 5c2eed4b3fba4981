//! Single figures, for a page or as separate files.
//!
//! The functions return complete files: SVG text or PNG bytes. SVG figures contain their style, for
//! light and dark.

mod curves;
mod labels;
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

/// Draws latents in two principal components, colored by class, as an SVG file.
#[must_use]
pub fn scatter(scatter: &Scatter, classes: &ClassNames) -> String {
    draw_scatter(scatter, classes, "latents").standalone(classes.len())
}

/// Draws a line chart as an SVG file.
#[must_use]
pub fn curves(chart: &Chart) -> String {
    draw_curves(chart).standalone(0)
}

/// Draws the class-sorted distance matrix as an SVG file, with class names and a scale.
///
/// # Errors
/// [`ReportError::Shape`] when the record contradicts itself.
pub fn labeled_distance_matrix(
    distances: &SortedDistances,
    classes: &ClassNames,
) -> Result<String, ReportError> {
    Ok(draw_matrix(distances, classes, "latents")?.standalone(0))
}

/// Draws the class-sorted distance matrix as a plain PNG, two pixels for each observation. Dark is
/// near, bright is far; thin white lines separate the classes.
///
/// # Errors
/// [`ReportError::Shape`] when the record contradicts itself, [`ReportError::Size`] when it is
/// empty or too large.
pub fn distance_matrix(distances: &SortedDistances) -> Result<Vec<u8>, ReportError> {
    matrix::picture_with_borders(distances)
}

/// Draws originals above their reconstructions as a plain PNG, enlarged by the factor `times`
/// without smoothing.
///
/// # Errors
/// [`ReportError::Size`] when the picture would be empty or too large.
pub fn reconstructions(pairs: &Reconstructions, times: usize) -> Result<Vec<u8>, ReportError> {
    reconstructions::montage(pairs, times)
}
