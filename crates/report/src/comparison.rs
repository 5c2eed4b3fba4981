//! Table of all measures of all runs.

use maud::{Markup, html};
use tellapart_audit::{AuditReport, ProbeScore};

use crate::elements::{self, column_heads, scrolling};
use crate::page::Page;
use crate::text::{MISSING, number, percent};

/// Returns the table with a row for each measure and a column for each run.
pub(crate) fn section(page: &Page) -> Markup {
    let table = html! {
        table.measures {
            caption {
                "Measures on held-out observations. An en dash marks a quantity that does not \
                 exist for the run."
            }
            thead { tr { td {} (column_heads(page.runs.iter().map(|run| &run.name))) } }
            tbody {
                // A measure that no run has is left out.
                @for (name, cells) in rows(page) {
                    @if cells.iter().any(|cell| cell != MISSING) {
                        tr { th scope="row" { (name) } @for cell in cells { td { (cell) } } }
                    }
                }
            }
        }
    };
    elements::section(
        "measures",
        "Side by side",
        scrolling("Measures of all runs", table),
    )
}

/// Returns the name of each measure and its values for all runs, as shown.
fn rows(page: &Page) -> Vec<(String, Vec<String>)> {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut of_audits = |name: &str, cell: &dyn Fn(&AuditReport) -> String| {
        rows.push((
            name.to_owned(),
            page.runs.iter().map(|run| cell(&run.audit)).collect(),
        ));
    };
    of_audits("Nearest-centroid accuracy", &|a| {
        percent(a.clusters.nearest_centroid_accuracy)
    });
    of_audits("Merged pairs", &|a| a.clusters.merged.len().to_string());
    of_audits("Pairs certified apart", &|a| match &a.certificate {
        Some(c) => format!("{} of {}", c.certified, c.pairs.len()),
        None => MISSING.to_owned(),
    });
    of_audits("Silhouette", &|a| number(a.clusters.silhouette));
    of_audits("Closest gap / mean gap", &|a| {
        number(a.clusters.closest_gap_over_mean_gap)
    });
    of_audits("Class spread / closest gap", &|a| {
        number(a.clusters.spread_over_closest_gap)
    });
    of_audits("Mean distance / mean norm", &|a| {
        number(a.clusters.relative_spread)
    });
    of_audits("RankMe", &|a| match a.spectrum.rankme {
        Some(rank) => format!("{} of {}", number(rank), a.latent_width),
        None => MISSING.to_owned(),
    });
    of_audits("Effective rank, centered", &|a| {
        number(a.spectrum.effective_rank)
    });
    let deepest = page
        .runs
        .iter()
        .filter_map(|run| run.audit.open_loop.as_ref())
        .flat_map(|open_loop| open_loop.steps.iter().map(|step| step.k))
        .max();
    if let Some(k) = deepest {
        let at = |a: &AuditReport| {
            a.open_loop
                .as_ref()
                .and_then(|o| o.steps.iter().find(|s| s.k == k))
                .cloned()
        };
        of_audits(&format!("Open-loop accuracy, k = {k} (balanced)"), &|a| {
            percent(at(a).and_then(|step| step.balanced_accuracy))
        });
        of_audits(&format!("Open-loop error / variance, k = {k}"), &|a| {
            number(at(a).and_then(|step| step.error_over_variance))
        });
    }
    let probes = page
        .runs
        .iter()
        .flat_map(|run| run.audit.probes.iter().map(|p| &p.target));
    for target in distinct(probes) {
        of_audits(&format!("Linear probe: {target}"), &|a| match a
            .probes
            .iter()
            .find(|probe| probe.target == target)
            .map(|probe| &probe.score)
        {
            Some(ProbeScore::Continuous { r_squared, .. }) => {
                format!("R\u{b2} {}", number(*r_squared))
            }
            Some(ProbeScore::Classes {
                accuracy,
                majority_baseline,
            }) => {
                format!(
                    "{} (majority class {})",
                    percent(*accuracy),
                    percent(*majority_baseline)
                )
            }
            None => MISSING.to_owned(),
        });
    }
    for name in distinct(
        page.runs
            .iter()
            .flat_map(|run| run.metrics.iter().map(|m| &m.name)),
    ) {
        let cells = page
            .runs
            .iter()
            .map(|run| {
                number(
                    run.metrics
                        .iter()
                        .find(|m| m.name == name)
                        .and_then(|m| m.value),
                )
            })
            .collect();
        rows.push((name, cells));
    }
    rows
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if !seen.contains(name) {
            seen.push(name.clone());
        }
    }
    seen
}
