//! Sections on merged pairs of classes and on certificates.

use std::collections::BTreeMap;

use maud::{Markup, html};
use tellapart_audit::{AuditReport, Certificate};

use crate::elements::{column_heads, scrolling, section};
use crate::page::{Page, RunPage};
use crate::text::{MISSING, grouped};
use crate::words::witness;

/// Returns the section of pairs that each run merges, grouped by witness.
pub(crate) fn merged_section(page: &Page) -> Markup {
    if page.runs.is_empty() {
        return Markup::default();
    }
    let noun = &page.classes.noun;
    let body = html! {
        p.intro {
            "Pairs whose centroids are closer than a few class spreads, each with a shortest \
             witness: actions after which the two have different auxiliary values. A healthy \
             encoder must therefore tell one " (noun) " from the other."
        }
        div.multiples { @for run in &page.runs { (merged_table(page, run)) } }
    };
    section("merged", "Merged pairs and their witnesses", body)
}

fn merged_table(page: &Page, run: &RunPage) -> Markup {
    // Shortest witnesses first, pairs without one last.
    let mut by_word: BTreeMap<(usize, Option<&[u32]>), Vec<String>> = BTreeMap::new();
    for pair in &run.audit.clusters.merged {
        let word = pair.witness.as_deref();
        let (a, b) = (page.classes.name(pair.a), page.classes.name(pair.b));
        by_word
            .entry((word.map_or(usize::MAX, <[u32]>::len), word))
            .or_default()
            .push(format!("{a}\u{2013}{b}"));
    }
    html! {
        div {
            h3 { (run.name) }
            @if by_word.is_empty() {
                p.none { "No pair is merged." }
            } @else {
                table.merges {
                    caption.hidden { "Merged pairs of " (run.name) }
                    thead { tr { (column_heads(["Merged", "Witness"])) } }
                    tbody {
                        @for ((_, word), pairs) in by_word {
                            tr {
                                td { @for pair in pairs { span.pair { (pair) } " " } }
                                td { (witness(&page.actions, word)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the section of bounds and measured distances of every pair of classes.
pub(crate) fn certificate_section(page: &Page) -> Markup {
    let certified: Vec<(&RunPage, &Certificate)> = page
        .runs
        .iter()
        .filter_map(|run| Some((run, run.audit.certificate.as_ref()?)))
        .collect();
    if certified.is_empty() {
        return Markup::default();
    }
    let body = html! {
        p.intro {
            "Open-loop errors and Lipschitz constants bound from below how far apart two classes \
             must lie. " b { "Above" } " the diagonal is the bound with the worst error of each \
             class (tinted where positive: certified apart). " b { "Below" } " it is the smallest \
             measured distance (tinted where the pair counts as merged). A bound at or below zero \
             says nothing. All of this holds for the held-out observations measured here; for \
             others it is evidence, not proof."
            @if certified.iter().any(|(_, certificate)| !certificate.declared) {
                " Where a model declares no Lipschitz constants, only the sign of the bound is \
                 known, and \u{2713} means apart by an unknown distance."
            }
        }
        div.multiples.wide {
            @for (run, certificate) in certified { (certificate_table(page, run, certificate)) }
        }
    };
    section("certificates", "What is provably apart", body)
}

fn certificate_table(page: &Page, run: &RunPage, certificate: &Certificate) -> Markup {
    let classes = run.audit.clusters.classes.len();
    let names: Vec<String> = (0..classes)
        .map(|class| page.classes.name(class as u32))
        .collect();
    let table = html! {
        table.bounds {
            caption { b { (run.name) } " " (in_words(certificate)) }
            thead { tr { td {} (column_heads(&names)) } }
            tbody {
                @for (row, name) in names.iter().enumerate() {
                    tr {
                        th scope="row" { (name) }
                        @for column in 0..classes { (cell(&run.audit, certificate, row, column)) }
                    }
                }
            }
        }
    };
    scrolling(&format!("Certificates of {}", run.name), table)
}

fn cell(audit: &AuditReport, certificate: &Certificate, row: usize, column: usize) -> Markup {
    let is = |a: u32, b: u32| (a as usize, b as usize) == (row.min(column), row.max(column));
    let Some(pair) = certificate.pairs.iter().find(|pair| is(pair.a, pair.b)) else {
        return html! { td.self {} };
    };
    if row < column {
        let class = if pair.certified {
            "certified"
        } else {
            "silent"
        };
        let word = pair.word.as_deref();
        html! {
            td.(class) title=[word.map(|word| format!("by the word {word:?}"))] {
                @if pair.certified && !certificate.declared { "\u{2713}" }
                @else { (narrow(pair.bound)) }
            }
        }
    } else {
        let mut merged = audit.clusters.merged.iter();
        let merged = merged.any(|merged| is(merged.a, merged.b));
        let class = if merged { "touching" } else { "actual" };
        html! { td.(class) { (narrow(pair.smallest_distance)) } }
    }
}

/// Formats a number for a narrow cell: with two decimals, or as one digit and a power of ten where
/// two decimals say nothing.
fn narrow(value: Option<f64>) -> String {
    match value.filter(|v| v.is_finite()) {
        None => MISSING.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(v) if (0.005..1000.0).contains(&v.abs()) => format!("{v:.2}").replace('-', "\u{2212}"),
        Some(v) => format!("{v:.0e}").replace('-', "\u{2212}"),
    }
}

fn in_words(certificate: &Certificate) -> Markup {
    html! {
        "\u{2013} " (certificate.certified) " of " (certificate.pairs.len()) " pairs certified."
        @if !certificate.declared {
            " No Lipschitz constants are declared, so only the sign of a bound is shown."
        }
        @if let Some(soundness) = &certificate.soundness {
            @if soundness.violations == 0 {
                " None of " (grouped(soundness.pairs)) " pairs of observations breaks its bound."
            } @else {
                " " (grouped(soundness.violations)) " of " (grouped(soundness.pairs)) " pairs of \
                observations break their bound: a Lipschitz constant is wrong."
            }
        }
        @if let Some(split) = &certificate.split && split.pairs > 0 {
            " Half the observations certify " (split.certified) " pairs; of "
            (grouped(split.pairs)) " pairs of observations in the other half, "
            (grouped(split.closer_than_bound)) " are closer than that."
        }
    }
}
