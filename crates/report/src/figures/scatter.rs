//! Scatter plot of latents, and the placement that the map of an audit shares.

use super::labels;
use crate::ClassNames;
use crate::svg::Svg;
use crate::text::{percent, round_number};

/// Width and height of the plot area, in pixels.
pub(crate) const SIDE: f64 = 300.0;
const FOOT: f64 = 22.0;
const PADDING: f64 = 26.0;

/// Latents in two dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Observations.
    pub points: Vec<Point>,
    /// Share of the variance along each axis, in `[0, 1]`.
    pub explained_share: [Option<f64>; 2],
}

/// Observation as a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// First principal component.
    pub x: f64,
    /// Second principal component.
    pub y: f64,
    /// True class.
    pub class: u32,
}

/// Draws the scatter plot.
///
/// Both axes share one scale, so that distances on the page are distances in the plane. A bar gives
/// the scale, since a collapsed run would otherwise look like any other.
pub(crate) fn draw(scatter: &Scatter, classes: &ClassNames, what: &str) -> Svg {
    let points: Vec<Point> = scatter
        .points
        .iter()
        .copied()
        .filter(|p| p.x.is_finite() && p.y.is_finite())
        .collect();
    let label = format!(
        "Scatter of {what}: {} observations in two principal components, colored by {}",
        points.len(),
        classes.noun
    );
    let mut svg = Svg::new(SIDE, SIDE + FOOT, &label);
    svg.rect("frame", 0.5, 0.5, SIDE - 1.0, SIDE - 1.0);
    let view = View::around(&points);
    // Points are often listed class by class. In a scrambled order no class hides another.
    for index in scrambled(points.len()) {
        let (x, y) = view.place(points[index].x, points[index].y);
        svg.circle(&format!("dot c{}", points[index].class), x, y, 2.3);
    }
    for label in labels::place(&points, classes, &view) {
        svg.text("name middle", label.x, label.y + 4.0, &label.name);
    }
    let axis = |index: usize| match scatter.explained_share[index] {
        Some(share) => format!("PC {} ({})", index + 1, percent(share)),
        None => format!("PC {}", index + 1),
    };
    svg.text(
        "end",
        SIDE,
        SIDE + 15.0,
        &format!("{} \u{00d7} {}", axis(0), axis(1)),
    );
    if view.units_per_pixel > 0.0 {
        let length = nice_length(SIDE / 4.0 * view.units_per_pixel);
        let end = 1.0 + length / view.units_per_pixel;
        svg.line("bar", (1.0, SIDE + 11.0), (end, SIDE + 11.0));
        svg.text("key", end + 5.0, SIDE + 15.0, &round_number(length));
    } else if !points.is_empty() {
        svg.text("key", 0.0, SIDE + 15.0, "all points coincide");
    }
    svg
}

/// Mapping of the plane into the picture.
pub(crate) struct View {
    center: (f64, f64),
    /// Latent units per pixel; 0 if all points coincide or there are none.
    pub(crate) units_per_pixel: f64,
}

impl View {
    pub(crate) fn around(points: &[Point]) -> Self {
        let range = |of: fn(&Point) -> f64| {
            points
                .iter()
                .map(of)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                    (low.min(v), high.max(v))
                })
        };
        let (x, y) = (range(|p| p.x), range(|p| p.y));
        if points.is_empty() {
            return Self {
                center: (0.0, 0.0),
                units_per_pixel: 0.0,
            };
        }
        let units = (x.1 - x.0).max(y.1 - y.0) / (SIDE - 2.0 * PADDING);
        Self {
            center: (f64::midpoint(x.0, x.1), f64::midpoint(y.0, y.1)),
            units_per_pixel: if units.is_normal() { units } else { 0.0 },
        }
    }

    pub(crate) fn place(&self, x: f64, y: f64) -> (f64, f64) {
        if self.units_per_pixel == 0.0 {
            return (SIDE / 2.0, SIDE / 2.0);
        }
        (
            SIDE / 2.0 + (x - self.center.0) / self.units_per_pixel,
            SIDE / 2.0 - (y - self.center.1) / self.units_per_pixel,
        )
    }
}

/// Returns the indices below `count` in a scrambled order, always the same one.
pub(crate) fn scrambled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&index| {
        (index as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    });
    order
}

/// Returns the largest of 1, 2, 5 times a power of ten that is not above `length`.
pub(crate) fn nice_length(length: f64) -> f64 {
    let power = 10f64.powf(length.log10().floor());
    [5.0, 2.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&l| l <= length)
        .unwrap_or(power)
}
