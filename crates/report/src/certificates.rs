use std::collections::BTreeMap;

use tellapart_audit::{AuditReport, Certificate};

use crate::page::{Page, RunPage, section};
use crate::text::{MISSING, escape, grouped};
use crate::words::word_markup;

/// Which pairs each run merges, grouped by the word that shows why they must not be.
pub(crate) fn merged_section(page: &Page) -> String {
    if page.runs.is_empty() {
        return String::new();
    }
    let tables: String = page
        .runs
        .iter()
        .map(|run| merged_table(page, run))
        .collect();
    let noun = escape(&page.classes.noun);
    let intro = format!(
        "Pairs whose centroids are closer than a few class spreads. Beside them a shortest witness: \
         the actions after which the two show different auxiliary values, so that a healthy encoder \
         must tell one {noun} from the other."
    );
    section(
        "merged",
        "What is merged, and why it must not be",
        &intro,
        &format!("<div class=\"multiples\">\n{tables}</div>\n"),
    )
}

fn merged_table(page: &Page, run: &RunPage) -> String {
    let name = escape(&run.name);
    if run.audit.clusters.merged.is_empty() {
        return format!("<div><h3>{name}</h3><p class=\"none\">No pair is merged.</p></div>\n");
    }
    let mut by_word: BTreeMap<(usize, Option<&[u32]>), Vec<String>> = BTreeMap::new();
    for pair in &run.audit.clusters.merged {
        let word = pair.witness.as_deref();
        let label = format!(
            "{}\u{2013}{}",
            page.classes.name(pair.a),
            page.classes.name(pair.b)
        );
        by_word
            .entry((word.map_or(usize::MAX, <[u32]>::len), word))
            .or_default()
            .push(label);
    }
    let rows: String = by_word
        .into_iter()
        .map(|((_, word), pairs)| {
            let pairs: String = pairs
                .iter()
                .map(|pair| format!("<span class=\"pair\">{}</span> ", escape(pair)))
                .collect();
            format!(
                "<tr><td>{pairs}</td><td>{}</td></tr>\n",
                word_markup(&page.actions, word)
            )
        })
        .collect();
    format!(
        "<div><h3>{name}</h3><table class=\"merges\"><caption class=\"hidden\">Merged pairs of \
         {name}</caption><thead><tr><th scope=\"col\">Merged</th><th scope=\"col\">Witness</th></tr>\
         </thead><tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// Bounds and actual distances of every pair of classes.
pub(crate) fn certificate_section(page: &Page) -> String {
    let tables: String = page
        .runs
        .iter()
        .filter_map(|run| {
            Some(certificate_table(
                page,
                run,
                run.audit.certificate.as_ref()?,
            ))
        })
        .collect();
    if tables.is_empty() {
        return String::new();
    }
    let mut intro = "Open-loop errors and Lipschitz constants bound from below how far apart two \
                     classes must lie. <b>Above</b> the diagonal is the bound with the worst error \
                     of each class (tinted where positive: certified apart), <b>below</b> it the \
                     smallest distance really found (tinted where the pair counts as merged). A \
                     bound at or below zero says nothing. All of it holds for the held-out \
                     observations measured here; of others it is evidence, not proof."
        .to_owned();
    let certificates = || {
        page.runs
            .iter()
            .filter_map(|run| run.audit.certificate.as_ref())
    };
    if certificates().any(|certificate| !certificate.declared) {
        intro += " Where a model declares no Lipschitz constants only the sign of the bound is known, \
                  and \u{2713} stands for apart, by an unknown distance.";
    }
    section(
        "certificates",
        "What is provably apart",
        &intro,
        &format!("<div class=\"multiples wide\">\n{tables}</div>\n"),
    )
}

fn certificate_table(page: &Page, run: &RunPage, certificate: &Certificate) -> String {
    let classes = run.audit.clusters.classes.len();
    let names: Vec<String> = (0..classes)
        .map(|c| escape(&page.classes.name(c as u32)))
        .collect();
    let head: String = names
        .iter()
        .map(|name| format!("<th scope=\"col\">{name}</th>"))
        .collect();
    let rows: String = (0..classes)
        .map(|row| {
            let cells: String = (0..classes)
                .map(|column| cell(&run.audit, certificate, row, column))
                .collect();
            format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", names[row])
        })
        .collect();
    let name = escape(&run.name);
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Certificates of {name}\">\
         <table class=\"bounds\">\n<caption><b>{name}</b> {}</caption>\n\
         <thead><tr><td></td>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n",
        escape(&in_words(certificate))
    )
}

fn cell(audit: &AuditReport, certificate: &Certificate, row: usize, column: usize) -> String {
    let is = |a: u32, b: u32| (a as usize, b as usize) == (row.min(column), row.max(column));
    let Some(pair) = certificate.pairs.iter().find(|pair| is(pair.a, pair.b)) else {
        return "<td class=\"self\"></td>".to_owned();
    };
    if row < column {
        let class = if pair.certified {
            "certified"
        } else {
            "silent"
        };
        let word = match pair.word.as_deref() {
            Some(word) => format!(" title=\"by the word {word:?}\""),
            None => String::new(),
        };
        let bound = match certificate.declared {
            false if pair.certified => "\u{2713}".to_owned(),
            _ => narrow(pair.bound),
        };
        format!("<td class=\"{class}\"{word}>{bound}</td>")
    } else {
        let merged = audit
            .clusters
            .merged
            .iter()
            .any(|merged| is(merged.a, merged.b));
        let class = if merged { "touching" } else { "actual" };
        format!(
            "<td class=\"{class}\">{}</td>",
            narrow(pair.smallest_distance)
        )
    }
}

/// Table cells are narrow: two decimals, or one digit and a power where these would say nothing.
fn narrow(value: Option<f64>) -> String {
    match value.filter(|v| v.is_finite()) {
        None => MISSING.to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(v) if (0.005..1000.0).contains(&v.abs()) => format!("{v:.2}").replace('-', "\u{2212}"),
        Some(v) => format!("{v:.0e}").replace('-', "\u{2212}"),
    }
}

fn in_words(certificate: &Certificate) -> String {
    let mut text = format!(
        "\u{2013} {} of {} pairs certified.",
        certificate.certified,
        certificate.pairs.len()
    );
    if !certificate.declared {
        text += " No Lipschitz constants are declared, so only the sign of a bound is shown.";
    }
    if let Some(soundness) = &certificate.soundness {
        text += &if soundness.violations == 0 {
            format!(
                " None of {} pairs of observations breaks its bound.",
                grouped(soundness.pairs)
            )
        } else {
            format!(
                " {} of {} pairs of observations break their bound: a Lipschitz constant is wrong.",
                grouped(soundness.violations),
                grouped(soundness.pairs)
            )
        };
    }
    if let Some(split) = certificate.split.as_ref().filter(|split| split.pairs > 0) {
        text += &format!(
            " Half the observations certify {} pairs; of {} pairs of observations in the other \
             half, {} are closer than that.",
            split.certified,
            grouped(split.pairs),
            grouped(split.closer_than_bound)
        );
    }
    text
}
