//! Consistency of the record behind the page.

use crate::{AuditPage, PointColors, ReportError};

/// Checks that lengths agree and that places on the map are finite.
pub(super) fn consistent(page: &AuditPage) -> Result<(), ReportError> {
    for pair in &page.audit.pairs {
        let steps = pair
            .witness
            .as_ref()
            .map_or(pair.trace_i.len(), |word| word.len() + 1);
        for (what, found) in [
            ("the trace of the first row of a pair", pair.trace_i.len()),
            ("the trace of the second row of a pair", pair.trace_j.len()),
            ("p along the first trace of a pair", pair.p_i.len()),
            ("p along the second trace of a pair", pair.p_j.len()),
        ] {
            length(what, found, steps)?;
        }
        // A value that is not known is empty.
        for p in pair.p_i.iter().chain(&pair.p_j).filter(|p| !p.is_empty()) {
            length("a value of p", p.len(), page.audit.p_width)?;
        }
    }
    let Some(map) = &page.map else { return Ok(()) };
    let points = map.rows.len();
    for (what, places) in [
        ("the principal components of the map", &map.pca),
        ("the neighbors of the map", &map.neighbors),
    ] {
        length(what, places.len(), points)?;
        let odd = |place: &[f64; 2]| place.iter().any(|v| !v.is_finite());
        if let Some(point) = places.iter().position(odd) {
            return Err(ReportError::NotFinite { what, point });
        }
    }
    match &page.colors {
        Some(PointColors::Classes { of_point, .. }) => {
            length("the classes of the map", of_point.len(), points)
        }
        Some(PointColors::Values { of_point, .. }) => {
            length("the colors of the map", of_point.len(), points)
        }
        None => Ok(()),
    }
}

fn length(what: &'static str, found: usize, expected: usize) -> Result<(), ReportError> {
    if found == expected {
        Ok(())
    } else {
        Err(ReportError::Shape {
            what,
            found,
            expected,
        })
    }
}
