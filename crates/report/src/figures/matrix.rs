//! Distance matrix, sorted by class.

use tellapart_audit::SortedDistances;

use super::raster::Raster;
use crate::color::magma;
use crate::svg::Svg;
use crate::text::number;
use crate::{ClassNames, ReportError};

const SIDE: f64 = 280.0;
const MARGIN: f64 = 20.0;
const FOOT: f64 = 26.0;

/// Draws the heat map with class borders, class names on two sides, and its scale.
pub(crate) fn draw(
    distances: &SortedDistances,
    classes: &ClassNames,
    what: &str,
) -> Result<Svg, ReportError> {
    let largest = check(distances)?;
    let count = distances.rows.len();
    let label = format!(
        "Distance matrix of {what}: {count} observations sorted by {}, from 0 (dark) to {} (bright)",
        classes.noun,
        number(f64::from(largest))
    );
    let mut svg = Svg::new(SIDE + MARGIN, SIDE + MARGIN + FOOT, &label);
    if count == 0 {
        svg.rect("frame", MARGIN, MARGIN, SIDE, SIDE);
        return Ok(svg);
    }
    svg.image(
        &picture(distances, largest, 1)?.png()?,
        MARGIN,
        MARGIN,
        SIDE,
        SIDE,
    );
    let mut start = 0;
    for (class, &size) in distances.class_sizes.iter().enumerate() {
        let at = |row: f64| MARGIN + SIDE * row / count as f64;
        if start > 0 && size > 0 {
            let border = at(start as f64);
            svg.line("border", (MARGIN, border), (MARGIN + SIDE, border));
            svg.line("border", (border, MARGIN), (border, MARGIN + SIDE));
        }
        if size > 0 {
            let middle = at(start as f64 + size as f64 / 2.0);
            let name = classes.name(class as u32);
            svg.text("middle", middle, MARGIN - 6.0, &name);
            svg.text("end", MARGIN - 6.0, middle + 4.0, &name);
        }
        start += size;
    }
    let foot = MARGIN + SIDE + 9.0;
    let mut scale = Raster::new(64, 1)?;
    (0..64).for_each(|x| scale.square(x, 0, 1, magma(x as f64 / 63.0)));
    let (bar_start, bar_length) = (MARGIN + SIDE / 4.0, SIDE / 2.0);
    svg.image(&scale.png()?, bar_start, foot, bar_length, 8.0);
    svg.text("end", bar_start - 6.0, foot + 8.0, "0");
    svg.text(
        "",
        bar_start + bar_length + 6.0,
        foot + 8.0,
        &number(f64::from(largest)),
    );
    Ok(svg)
}

pub(super) fn picture_with_borders(distances: &SortedDistances) -> Result<Vec<u8>, ReportError> {
    let largest = check(distances)?;
    let mut picture = picture(distances, largest, 2)?;
    let count = distances.rows.len();
    let mut start = 0;
    for &size in &distances.class_sizes {
        if start > 0 && size > 0 {
            for along in 0..2 * count {
                picture.square(along, 2 * start, 1, [255; 3]);
                picture.square(2 * start, along, 1, [255; 3]);
            }
        }
        start += size;
    }
    picture.png()
}

fn picture(distances: &SortedDistances, largest: f32, scale: usize) -> Result<Raster, ReportError> {
    let count = distances.rows.len();
    let mut raster = Raster::new(count * scale, count * scale)?;
    for (index, &distance) in distances.distances.iter().enumerate() {
        let share = if largest > 0.0 {
            f64::from(distance / largest)
        } else {
            0.0
        };
        raster.square(
            index % count * scale,
            index / count * scale,
            scale,
            magma(share),
        );
    }
    Ok(raster)
}

/// Checks that the record is consistent, and returns its largest finite distance.
fn check(distances: &SortedDistances) -> Result<f32, ReportError> {
    let count = distances.rows.len();
    let (found, expected) = (distances.distances.len(), count.saturating_mul(count));
    if found != expected {
        return Err(ReportError::Shape {
            what: "a distance matrix",
            found,
            expected,
        });
    }
    let classed = distances.class_sizes.iter().sum();
    if classed != count {
        return Err(ReportError::Shape {
            what: "the class sizes of a distance matrix",
            found: classed,
            expected: count,
        });
    }
    Ok(distances
        .distances
        .iter()
        .copied()
        .filter(|d| d.is_finite())
        .fold(0.0, f32::max))
}
