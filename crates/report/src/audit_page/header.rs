//! Top of the page: verdict, counts, and how complete the search was.

use maud::{Markup, html};
use tellapart_audit::recorded::{Cause, RecordedAudit, Verdict};

use crate::AuditPage;
use crate::elements::fact;
use crate::text::{grouped, percent, plain};

/// Returns the header of the page.
pub(super) fn header(page: &AuditPage) -> Markup {
    let audit = &page.audit;
    html! {
        header {
            p.kicker {
                @match audit.verdict {
                    Verdict::Unhealthy => span.badge.merged { "unhealthy" },
                    Verdict::Healthy => span.badge.apart { "healthy" },
                    Verdict::Undecided => span.badge.open { "undecided" },
                }
                " " (page.title)
            }
            h1 { (verdict(audit)) }
            p.lead { (audit.reason) }
            @if !audit.warnings.is_empty() {
                ul.warnings aria-label="Warnings" {
                    @for warning in &audit.warnings { li { (warning) } }
                }
            }
            (counts(audit))
            p.search { (search(audit)) }
        }
    }
}

fn verdict(audit: &RecordedAudit) -> Markup {
    html! {
        @match (audit.verdict, audit.counts.encoder) {
            (Verdict::Unhealthy, merged) => {
                "The encoder merged "
                @match merged {
                    0 => "observations",
                    1 => "one pair of observations",
                    _ => { (grouped(merged)) " pairs of observations" },
                }
                " that the data tells apart"
            },
            (Verdict::Healthy, _) if audit.counts.outlier_rows > 0 =>
                "The encoder keeps apart what the data tells apart, except for outliers",
            (Verdict::Healthy, _) => "The encoder merged nothing that the data tells apart",
            (Verdict::Undecided, _) =>
                "Too little of the data can be compared to say what was merged",
        }
    }
}

fn counts(audit: &RecordedAudit) -> Markup {
    let counts = &audit.counts;
    let merged = |count: u64, cause: Cause| {
        let kinds = counts
            .kinds
            .iter()
            .filter(|kind| kind.cause == cause)
            .count();
        html! {
            (pairs(count))
            @match kinds {
                0 => {},
                1 => " of 1 kind",
                _ => { " of " (kinds) " kinds" },
            }
        }
    };
    let outliers = html! {
        (merged(counts.outlier, Cause::Outlier))
        @if counts.outlier_rows > 0 { "; rows: " (first_rows(&audit.outliers)) }
    };
    let compared = html! {
        (pairs(counts.compared)) ", " (grouped(counts.distinguished)) " told apart by the data"
    };
    let recording = html! {
        (grouped(audit.rows)) " rows, " (grouped(audit.episodes)) " episodes, "
        (grouped(audit.observations)) " distinct observations"
    };
    let p = html! {
        (audit.p)
        @if audit.p_width != 1 { ", " (audit.p_width) " values" }
        @if let Some(tolerance) = audit.tolerance { ", equal within " (plain(tolerance)) }
    };
    let of_observation = merged(counts.observation, Cause::Observation);
    html! {
        dl.facts {
            (fact("Merged by the encoder", merged(counts.encoder, Cause::Encoder)))
            (fact("Not told apart by the observation", of_observation))
            (fact("With an outlier", outliers))
            (fact("Left open by the data", pairs(counts.data)))
            (fact("Compared", compared))
            @if counts.undecided > 0 { (fact("Given up", pairs(counts.undecided))) }
            (fact("Recording", recording))
            (fact("Latents", html! { (audit.latent_width) " dimensions" }))
            (fact("p", p))
        }
    }
}

/// Lists rows, of many only the first.
fn first_rows(rows: &[usize]) -> String {
    const SHOWN: usize = 12;
    let first: Vec<String> = rows.iter().take(SHOWN).map(usize::to_string).collect();
    let rest = if rows.len() > SHOWN { ", \u{2026}" } else { "" };
    first.join(", ") + rest
}

fn pairs(count: u64) -> String {
    match count {
        1 => "1 pair".to_owned(),
        _ => format!("{} pairs", grouped(count)),
    }
}

/// Says how candidates were found, and what the search may have missed.
fn search(audit: &RecordedAudit) -> Markup {
    let search = &audit.search;
    let points = grouped(search.points);
    html! {
        "The search for candidates was "
        @if search.method == "exact" {
            "exact: it measured the distances between all " (points) " distinct latents and \
            compared each with its " (search.neighbors) " nearest."
        } @else {
            (search.method) ": of the " (search.neighbors) " nearest neighbors of each of "
            (points) " distinct latents it found " (percent(search.recall)) " (measured on "
            (grouped(search.recall_sample)) " of them). Pairs among the rest may have been missed."
        }
        " For " (grouped(search.followed)) " latents it went on to the nearest row that must be \
        apart. For " (percent(search.exhausted)) " of all latents it compared everything within \
        the distance of a merge. Around the others lies more within that distance; only the \
        nearest of it was compared."
        @if search.duplicates > 0 {
            " " (grouped(search.duplicates)) " rows share their latent with another row."
        }
        " A pair counts as merged if its required Lipschitz constant is above "
        (plain(audit.threshold)) ": the factor by which predictor and head would have to stretch \
        latent distances, in units of the spread, to differences of p, in units of their median."
    }
}
