//! Story of one pair: what was observed, what followed, and who is to blame.

use maud::{Markup, html};
use tellapart_audit::recorded::{AuditedPair, Cause, PairBound, RecordedAudit};

use super::observed::Gallery;
use super::pairs::required_lipschitz;
use super::{difference, is_merged, value};
use crate::AuditPage;
use crate::elements::{fact, scrolling};
use crate::text::{MISSING, number, plain};
use crate::words::{beginning, key, runs};

/// Returns the story of the pair at `index`.
pub(super) fn story(page: &AuditPage, index: usize, gallery: &Gallery<'_>) -> Markup {
    let audit = &page.audit;
    let pair = &audit.pairs[index];
    let rank = index + 1;
    let (tone, badge) = match (pair.cause, is_merged(audit, pair)) {
        (Cause::Encoder, true) => ("merged", "merged by the encoder"),
        (Cause::Outlier, true) => ("outlier", "one row is an outlier"),
        (Cause::Observation, true) => ("observation", "the observation cannot tell"),
        (Cause::Data, _) => ("open", "the data does not say"),
        (_, false) => ("apart", "kept apart"),
    };
    html! {
        article.story.(super::key(pair.cause)) #{ "pair=" (rank) }
            aria-labelledby={ "pair-" (rank) } {
            h3 #{ "pair-" (rank) } {
                "Pair " (rank) ": rows " (pair.i) " and " (pair.j) " "
                span.badge.(tone) { (badge) }
            }
            p.why { (why(audit, pair)) }
            div.both {
                (side("i", pair.i, pair.episodes[0], pair.steps[0], gallery))
                (side("j", pair.j, pair.episodes[1], pair.steps[1], gallery))
                (facts(audit, pair, gallery))
            }
            (gallery.values(pair.i, pair.j).unwrap_or_default())
            @if let Some(word) = &pair.witness { (trace(audit, pair, word, rank, gallery)) }
            @if !pair.settling.is_empty() { (settling(audit, pair, gallery)) }
        }
    }
}

/// Returns the verdict on a pair in plain words.
fn why(audit: &RecordedAudit, pair: &AuditedPair) -> Markup {
    let threshold = plain(audit.threshold);
    let distance = number(pair.distance);
    let differs = html! {
        "p differs "
        @match pair.witness.as_deref() {
            None | Some([]) => "at once",
            Some(word) => { "after " (beginning(&audit.actions, word)) },
        }
        @if let (Some(a), Some(b)) = (pair.p_i.last(), pair.p_j.last()) {
            ": " (value(a)) " from row " (pair.i) ", " (value(b)) " from row " (pair.j)
        }
    };
    match pair.cause {
        Cause::Encoder if pair.required_lipschitz_is_infinite => html! {
            b { "The encoder threw the difference away." }
            " The observations differ, and " (differs) ". Yet their latents are equal: no \
            predictor and head on top of them can be right about both."
        },
        Cause::Encoder if is_merged(audit, pair) => html! {
            b { "The encoder threw the difference away." }
            " The observations differ, and " (differs) ". Yet their latents are only " (distance)
            " of the spread apart: predictor and head would have to stretch that "
            (required_lipschitz(pair)) "-fold, where " (threshold) " is the limit."
        },
        Cause::Outlier if is_merged(audit, pair) => html! {
            b {
                @match pair.outlier {
                    Some(row) => { "Row " (row) },
                    None => "One of the two",
                }
                " is an outlier."
            }
            " The observations differ, and " (differs) ". The latents are only " (distance) " of \
            the spread apart. But this row, alone or with few others, explains the merged pairs it \
            is in: one observation in the wrong place, not a class."
        },
        Cause::Observation => html! {
            b { "The observation cannot tell." }
            " What follows differs (" (differs) "), but the observations do not: no encoder of \
            single observations could keep these rows apart. A richer observation, such as several \
            frames, could."
        },
        Cause::Encoder | Cause::Outlier => html! {
            b { "Kept apart." }
            " The observations differ, and " (differs) "; the latents are " (distance) " of the \
            spread apart, a required Lipschitz constant of " (required_lipschitz(pair)) ", where "
            (threshold) " is the limit."
        },
        Cause::Data => html! {
            b { "The data does not say." }
            " The latents are " (distance) " of the spread apart. Everything recorded from both \
            rows agrees, but not deep enough: the comparison ended at actions that were tried on \
            one side only."
        },
    }
}

fn side(name: &str, row: usize, episode: usize, step: usize, gallery: &Gallery<'_>) -> Markup {
    html! {
        figure.side {
            (gallery.picture(row).unwrap_or_default())
            figcaption {
                b { (name) } " row " (row) br;
                span { "episode " (episode) ", step " (step) }
            }
        }
    }
}

fn facts(audit: &RecordedAudit, pair: &AuditedPair, gallery: &Gallery<'_>) -> Markup {
    let limit = plain(audit.threshold);
    let required = html! { (required_lipschitz(pair)) " (limit " (limit) ")" };
    let kind = pair.kind.and_then(|kind| audit.counts.kinds.get(kind));
    html! {
        dl.record {
            (fact("Latent distance", html! { (number(pair.distance)) " of the spread" }))
            @if pair.cause != Cause::Data {
                (fact("Required Lipschitz constant", required))
                (fact("Length of the witness", pair.witness.as_ref().map_or(0, Vec::len)))
            }
            @if let Some(text) = gallery.difference(pair.i, pair.j) {
                (fact("Observations differ in", text))
            }
            @if let Some(kind) = kind && kind.pairs > 1 {
                (fact("Stands for", html! { (kind.pairs) " pairs of the same kind" }))
            }
            @if let Some(bound) = &pair.bound {
                (fact("Certificate", certificate(audit, bound)))
            }
        }
    }
}

fn certificate(audit: &RecordedAudit, bound: &PairBound) -> Markup {
    html! {
        @match (bound.certified, bound.certified_distance) {
            (true, Some(distance)) => {
                "at least " (number(distance)) " apart, " (number(bound.actual_distance))
                " in fact"
            },
            (true, None) => "certified apart, by an unknown distance",
            (false, _) => "none: the model\u{2019}s errors leave no margin",
        }
        " "
        span.detail {
            "(word " (runs(&audit.actions, &bound.word))
            ", errors " (number(bound.residuals[0])) " and " (number(bound.residuals[1]))
            ", margin " (number(bound.margin))
            @if let Some(constant) = bound.lipschitz {
                ", Lipschitz constant at most " (number(constant))
            }
            ")"
        }
    }
}

/// Returns the witness step by step: what was observed from both rows, and p.
fn trace(
    audit: &RecordedAudit,
    pair: &AuditedPair,
    word: &[u32],
    rank: usize,
    gallery: &Gallery<'_>,
) -> Markup {
    let scalars = || pair.p_i.iter().chain(&pair.p_j).filter_map(|p| p.first());
    let low = scalars().copied().fold(f64::INFINITY, f64::min);
    let high = scalars().copied().fold(f64::NEG_INFINITY, f64::max);
    let last = |step: usize| (step == word.len()).then_some("last");
    let line = |name: &str, rows: &[usize], values: &[Vec<f64>]| {
        html! {
            tr {
                th scope="row" { "from " (name) }
                @for (step, (&row, p)) in rows.iter().zip(values).enumerate() {
                    td class=[last(step)] {
                        (gallery.picture(row).unwrap_or_default())
                        span.where title=(gallery.place(row).unwrap_or_default()) { "row " (row) }
                        (level(p, low, high))
                        b { (value(p)) }
                    }
                }
            }
        }
    };
    let table = html! {
        table.trace {
            caption.hidden { "Observations and p of both rows along the witness" }
            thead {
                tr {
                    td {}
                    th scope="col" { "start" }
                    @for &action in word {
                        th scope="col" { span.hidden { "after " } (key(&audit.actions, action)) }
                    }
                }
            }
            tbody {
                (line("i", &pair.trace_i, &pair.p_i))
                (line("j", &pair.trace_j, &pair.p_j))
                tr.gap {
                    th scope="row" { "difference of p" }
                    @for (step, (a, b)) in pair.p_i.iter().zip(&pair.p_j).enumerate() {
                        td class=[last(step)] {
                            @if a.is_empty() || b.is_empty() { (MISSING) }
                            @else { (plain(difference(a, b))) }
                        }
                    }
                }
            }
        }
    };
    html! {
        h4 { "The witness, step by step" }
        (scrolling(&format!("Witness of pair {rank}, step by step"), table))
    }
}

/// Returns a bar for a scalar between the lowest and the highest of both traces.
fn level(p: &[f64], low: f64, high: f64) -> Markup {
    let &[p] = p else { return Markup::default() };
    let share = (p - low) / (high - low);
    if !share.is_finite() {
        return Markup::default();
    }
    let width = format!("width:{:.0}%", 100.0 * share);
    html! { span.level aria-hidden="true" { span style=(width) {} } }
}

fn settling(audit: &RecordedAudit, pair: &AuditedPair, gallery: &Gallery<'_>) -> Markup {
    html! {
        div.settling {
            h4 { "What would settle it" }
            p { "Record any of these words; each was already recorded from the other row." }
            ul {
                @for settling in &pair.settling {
                    li {
                        (runs(&audit.actions, &settling.word))
                        " from row " (settling.record_from)
                        @if let Some(place) = gallery.place(settling.record_from) {
                            " (" (place) ")"
                        }
                    }
                }
            }
        }
    }
}
