use crate::{AuditPage, PointColours, ReportError};

/// Lengths that belong together.
pub(super) fn consistent(page: &AuditPage) -> Result<(), ReportError> {
    for pair in &page.audit.pairs {
        let steps = pair
            .witness
            .as_ref()
            .map_or(pair.trace_i.len(), |word| word.len() + 1);
        length(
            "the trace of the first row of a pair",
            pair.trace_i.len(),
            steps,
        )?;
        length(
            "the trace of the second row of a pair",
            pair.trace_j.len(),
            steps,
        )?;
        length("p along the first trace of a pair", pair.p_i.len(), steps)?;
        length("p along the second trace of a pair", pair.p_j.len(), steps)?;
        for p in pair.p_i.iter().chain(&pair.p_j) {
            length("a value of p", p.len(), page.audit.p_width)?;
        }
    }
    let Some(map) = &page.map else { return Ok(()) };
    let points = map.rows.len();
    length("the principal components of the map", map.pca.len(), points)?;
    length("the neighbours of the map", map.neighbours.len(), points)?;
    for (what, places) in [
        ("the principal components of the map", &map.pca),
        ("the neighbours of the map", &map.neighbours),
    ] {
        let odd = |place: &[f64; 2]| place.iter().any(|v| !v.is_finite());
        if let Some(point) = places.iter().position(odd) {
            return Err(ReportError::NotFinite { what, point });
        }
    }
    match &page.colours {
        Some(PointColours::Classes { of_point, .. }) => {
            length("the classes of the map", of_point.len(), points)
        }
        Some(PointColours::Values { of_point, .. }) => {
            length("the colours of the map", of_point.len(), points)
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
