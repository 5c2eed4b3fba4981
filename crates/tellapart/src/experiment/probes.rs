//! Linear probes: what can be read off latents, the state and each nuisance.

use tellapart_audit::{Classes, DEFAULT_RIDGE, Embeddings, Probe};
use tellapart_env::{Nuisance, NuisanceKind};
use tellapart_train::evaluation::HeldOut;

use super::ExperimentError;

/// Measures a probe of the classes, called by `noun`, and of each nuisance of the world.
///
/// Rows that show no nuisances, such as empty images, are left out of those probes.
pub(super) fn probes(
    noun: &str,
    embeddings: &Embeddings<'_>,
    classes: &Classes<'_>,
    held_out: &HeldOut,
) -> Result<Vec<Probe>, ExperimentError> {
    let mut probes = vec![Probe::classes(noun, embeddings, classes, DEFAULT_RIDGE)?];
    let width: usize = held_out.nuisances.iter().map(Nuisance::width).sum();
    if width == 0 {
        return Ok(probes);
    }
    let values: Vec<&[f32]> = held_out.nuisance_values.chunks_exact(width).collect();
    let shows = |row: &usize| values[*row].iter().all(|value| value.is_finite());
    let mut rows: Vec<usize> = (0..held_out.rows()).filter(shows).collect();
    // Probes fit even rows and score odd ones: with its rows side by side, each state is in both.
    rows.sort_by_key(|&row| held_out.states[row]);
    let latents: Vec<f32> = rows
        .iter()
        .flat_map(|&row| embeddings.row(row).iter().copied())
        .collect();
    let visible = Embeddings::new(&latents, rows.len(), embeddings.width())?;
    let mut start = 0;
    for nuisance in &held_out.nuisances {
        let columns = start..start + nuisance.width();
        start = columns.end;
        let Some(name) = nuisance.probe else { continue };
        let own: Vec<f32> = rows
            .iter()
            .flat_map(|&row| values[row][columns.clone()].iter().copied())
            .collect();
        probes.push(match nuisance.kind {
            NuisanceKind::Category | NuisanceKind::Index => {
                let cases: Vec<u32> = own.iter().map(|&value| value as u32).collect();
                let count = cases.iter().max().map_or(1, |&case| case as usize + 1);
                let cases = Classes::new(&cases, count)?;
                Probe::classes(name, &visible, &cases, DEFAULT_RIDGE)?
            }
            NuisanceKind::Byte | NuisanceKind::Integer | NuisanceKind::Real => {
                Probe::continuous(name, &visible, &own, nuisance.width(), DEFAULT_RIDGE)?
            }
        });
    }
    Ok(probes)
}
