//! Section of the pairs: map, table and stories.

use maud::{Markup, html};
use tellapart_audit::recorded::{AuditedPair, Cause};

use super::observed::Gallery;
use super::{key, map, story, value};
use crate::AuditPage;
use crate::elements::{self, column_heads, scrolling};
use crate::text::{MISSING, grouped, number};
use crate::words::{beginning, witness};

/// Returns the section. Without a map only the table and the stories are shown.
pub(super) fn section(page: &AuditPage, map: Option<&map::Drawn>, gallery: &Gallery<'_>) -> Markup {
    let audit = &page.audit;
    let map = map.map(|map| map.markup(&audit.pairs, audit.spread));
    let map = map.unwrap_or_default();
    let body = html! {
        @if audit.pairs.is_empty() {
            p.none { "There is no pair to show." }
            (map)
        } @else {
            p.intro {
                "Pairs of rows whose latents lie close together, worst first. Of pairs merged in \
                 the same way, at most three are shown, with no row in common. "
                span.needs-script {
                    "Choose one in the table or on the map; " kbd { "\u{2190}" } " and "
                    kbd { "\u{2192}" } " go to the previous and the next pair. A printout \
                    includes the chosen pair."
                }
            }
            div.explorer {
                (map)
                div.list { (filter(&audit.pairs)) (table(page)) }
            }
            p.hidden #announcer role="status" {}
            div #stories {
                @for index in 0..audit.pairs.len() { (story::story(page, index, gallery)) }
            }
        }
    };
    elements::section("pairs", "The pairs", body)
}

fn filter(pairs: &[AuditedPair]) -> Markup {
    let causes = [
        Cause::Encoder,
        Cause::Outlier,
        Cause::Observation,
        Cause::Data,
    ];
    let choice = |value: &str, name: &str, count: usize| {
        html! {
            label.(value) {
                input type="radio" name="cause" value=(value) checked[value == "all"];
                span { (name) " " (count) }
            }
        }
    };
    html! {
        fieldset.choice.needs-script {
            legend.hidden { "Cause" }
            (choice("all", "All", pairs.len()))
            @for cause in causes {
                @let count = pairs.iter().filter(|pair| pair.cause == cause).count();
                @if count > 0 { (choice(key(cause), noun(cause), count)) }
            }
        }
    }
}

/// Returns the name of a cause in a list.
fn noun(cause: Cause) -> &'static str {
    match cause {
        Cause::Encoder => "Encoder",
        Cause::Observation => "Observation",
        Cause::Outlier => "Outlier",
        Cause::Data => "Data",
    }
}

fn table(page: &AuditPage) -> Markup {
    let columns = [
        "Cause",
        "Rows",
        "Witness",
        "p after",
        "Distance",
        "Required Lipschitz",
        "Alike",
    ];
    let table = html! {
        table #table {
            caption.hidden {
                "Pairs of rows, worst first. Distance in units of the spread; Alike: number of \
                 pairs merged in the same way"
            }
            thead {
                tr { th scope="col" { span.hidden { "Pair" } } (column_heads(columns)) }
            }
            tbody {
                @for (index, pair) in page.audit.pairs.iter().enumerate() {
                    (row(page, index + 1, pair))
                }
            }
        }
    };
    scrolling("Table of pairs", table)
}

/// Returns the row of the `rank`-th pair.
fn row(page: &AuditPage, rank: usize, pair: &AuditedPair) -> Markup {
    let (actions, kinds) = (&page.audit.actions, &page.audit.counts.kinds);
    let kind = pair.kind.and_then(|kind| kinds.get(kind));
    html! {
        tr.(key(pair.cause)) {
            th scope="row" { a href={ "#pair=" (rank) } { (rank) } }
            td { span.cause { (noun(pair.cause)) } }
            td.number { (pair.i) " \u{b7} " (pair.j) }
            td.word {
                @match pair.witness.as_deref() {
                    Some(word) if !word.is_empty() => (beginning(actions, word)),
                    word => (witness(actions, word)),
                }
            }
            td.number {
                @match (pair.p_i.last(), pair.p_j.last()) {
                    (Some(a), Some(b)) if pair.witness.is_some() => {
                        (value(a)) " \u{2260} " (value(b))
                    },
                    _ => (MISSING),
                }
            }
            td.number { (number(pair.distance)) }
            td.number { (required_lipschitz(pair)) }
            td.number { (kind.map_or(MISSING.to_owned(), |kind| grouped(kind.pairs))) }
        }
    }
}

/// Formats the required Lipschitz constant, which may be infinite.
pub(super) fn required_lipschitz(pair: &AuditedPair) -> String {
    if pair.required_lipschitz_is_infinite {
        "\u{221e}".to_owned()
    } else {
        number(pair.required_lipschitz)
    }
}
