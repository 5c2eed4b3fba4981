use tellapart_audit::recorded::{AuditedPair, Cause, PairBound, RecordedAudit};

use super::observed::Gallery;
use super::pairs::strain;
use super::{difference, is_merged, key, value};
use crate::AuditPage;
use crate::text::{escape, number, plain};
use crate::words::{run_markup, short_markup, word_markup};

/// All that is known of one pair.
pub(super) fn story(page: &AuditPage, index: usize, gallery: &Gallery<'_>) -> String {
    let audit = &page.audit;
    let pair = &audit.pairs[index];
    let rank = index + 1;
    let (tone, badge) = match (pair.cause, is_merged(audit, pair)) {
        (Cause::Encoder, true) => ("merged", "merged by the encoder"),
        (Cause::Stray, true) => ("stray", "one row lies astray"),
        (Cause::Observation, true) => ("observation", "the observation cannot tell"),
        (Cause::Data, _) => ("open", "the data does not say"),
        (_, false) => ("apart", "kept apart"),
    };
    format!(
        "<article class=\"story {}\" id=\"pair={rank}\" aria-labelledby=\"pair-{rank}\">\n\
         <h3 id=\"pair-{rank}\">Pair {rank}: rows {} and {} <span class=\"badge {tone}\">{badge}</span></h3>\n\
         <p class=\"why\">{}</p>\n<div class=\"both\">\n{}{}{}</div>\n{}{}{}</article>\n",
        key(pair.cause),
        pair.i,
        pair.j,
        why(audit, pair),
        side("i", pair.i, pair.episodes[0], pair.steps[0], gallery),
        side("j", pair.j, pair.episodes[1], pair.steps[1], gallery),
        facts(audit, pair, gallery),
        gallery.values(pair.i, pair.j).unwrap_or_default(),
        trace(audit, pair, rank, gallery),
        settling(audit, pair, gallery),
    )
}

/// The verdict in plain words; markup.
fn why(audit: &RecordedAudit, pair: &AuditedPair) -> String {
    let threshold = plain(audit.threshold);
    let after = match pair.witness.as_deref() {
        None | Some([]) => "at once".to_owned(),
        Some(word) => format!("after {}", short_markup(&audit.actions, word)),
    };
    let ends = || Some((pair.p_i.last()?, pair.p_j.last()?));
    let differs = match ends() {
        Some((a, b)) => format!(
            "p differs {after}: {} from row {}, {} from row {}",
            escape(&value(a)),
            pair.i,
            escape(&value(b)),
            pair.j
        ),
        None => format!("p differs {after}"),
    };
    match pair.cause {
        Cause::Encoder if pair.strain_is_infinite => format!(
            "<b>The encoder threw the difference away.</b> The observations differ, and {differs}. Yet \
             their latents are equal: no dynamics and head on top of them can answer right for both."
        ),
        Cause::Encoder if is_merged(audit, pair) => format!(
            "<b>The encoder threw the difference away.</b> The observations differ, and {differs}. Yet \
             their latents are only {} of the spread apart: dynamics and head would have to stretch \
             that {}-fold, where {threshold} is the limit.",
            number(pair.distance),
            strain(pair)
        ),
        Cause::Stray if is_merged(audit, pair) => format!(
            "<b>{} lies astray.</b> The observations differ, and {differs}. The latents are only {} of the \
             spread apart. But this row alone, or one of few, explains the merged pairs it is in: one observation \
             in the wrong place, not a class.",
            pair.astray
                .map_or("One of the two".to_owned(), |row| format!("Row {row}")),
            number(pair.distance),
        ),
        Cause::Observation => format!(
            "<b>The observation cannot tell.</b> What follows differs ({differs}), but the observations \
             do not: no encoder of single observations could keep these rows apart. More to see, such \
             as several frames, would."
        ),
        Cause::Encoder | Cause::Stray => format!(
            "<b>Kept apart.</b> The observations differ, and {differs}; the latents are {} of the \
             spread apart, a strain of {}, where {threshold} is the limit.",
            number(pair.distance),
            strain(pair)
        ),
        Cause::Data => format!(
            "<b>The data does not say.</b> The latents are {} of the spread apart, and whatever was \
             recorded from both rows agrees, but not deep enough: the comparison ended at actions that \
             were tried on one side only.",
            number(pair.distance)
        ),
    }
}

fn side(name: &str, row: usize, episode: usize, step: usize, gallery: &Gallery<'_>) -> String {
    format!(
        "<figure class=\"side\">{}<figcaption><b>{name}</b> row {row}<br>\
         <span>episode {episode}, step {step}</span></figcaption></figure>\n",
        gallery.picture(row).unwrap_or_default()
    )
}

fn facts(audit: &RecordedAudit, pair: &AuditedPair, gallery: &Gallery<'_>) -> String {
    let mut lines = vec![(
        "Latent distance",
        format!("{} of the spread", number(pair.distance)),
    )];
    if pair.cause != Cause::Data {
        lines.push((
            "Strain",
            format!("{} (limit {})", strain(pair), plain(audit.threshold)),
        ));
        let length = pair.witness.as_ref().map_or(0, Vec::len);
        lines.push(("Length of the witness", length.to_string()));
    }
    if let Some(text) = gallery.difference(pair.i, pair.j) {
        lines.push(("Observations differ in", escape(&text)));
    }
    let kind = pair.kind.and_then(|kind| audit.counts.kinds.get(kind));
    if let Some(kind) = kind.filter(|kind| kind.pairs > 1) {
        lines.push((
            "Stands for",
            format!("{} pairs of the same kind", kind.pairs),
        ));
    }
    if let Some(bound) = &pair.bound {
        lines.push(("Certificate", certificate(audit, bound)));
    }
    let lines: String = lines
        .iter()
        .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"))
        .collect();
    format!("<dl class=\"record\">\n{lines}</dl>\n")
}

fn certificate(audit: &RecordedAudit, bound: &PairBound) -> String {
    let verdict = match (bound.certified, bound.certified_distance) {
        (true, Some(distance)) => format!(
            "at least {} apart, {} in fact",
            number(distance),
            number(bound.actual_distance)
        ),
        (true, None) => "certified apart, by an unknown distance".to_owned(),
        (false, _) => "none: the model\u{2019}s errors leave no margin".to_owned(),
    };
    let lipschitz = match bound.lipschitz {
        Some(constant) => format!(", Lipschitz constant at most {}", number(constant)),
        None => String::new(),
    };
    format!(
        "{verdict} <span class=\"detail\">(word {}, errors {} and {}, margin {}{lipschitz})</span>",
        run_markup(&audit.actions, &bound.word),
        number(bound.residuals[0]),
        number(bound.residuals[1]),
        number(bound.margin)
    )
}

/// The witness step by step: what was seen from both rows, and p.
fn trace(audit: &RecordedAudit, pair: &AuditedPair, rank: usize, gallery: &Gallery<'_>) -> String {
    let Some(word) = pair.witness.as_deref() else {
        return String::new();
    };
    let actions: String = word
        .iter()
        .map(|&action| {
            let name = word_markup(&audit.actions, Some(&[action]));
            format!("<th scope=\"col\"><span class=\"hidden\">after </span>{name}</th>")
        })
        .collect();
    let scalars = || pair.p_i.iter().chain(&pair.p_j).filter_map(|p| p.first());
    let low = scalars().copied().fold(f32::INFINITY, f32::min);
    let high = scalars().copied().fold(f32::NEG_INFINITY, f32::max);
    let line = |name: &str, rows: &[usize], values: &[Vec<f32>]| {
        let cells: String = rows
            .iter()
            .zip(values)
            .enumerate()
            .map(|(step, (&row, p))| {
                let last = if step == word.len() { " class=\"last\"" } else { "" };
                let place = gallery.place(row).unwrap_or_default();
                format!(
                    "<td{last}>{}<span class=\"where\" title=\"{}\">row {row}</span>{}<b>{}</b></td>",
                    gallery.picture(row).unwrap_or_default(),
                    escape(&place),
                    level(p, low, high),
                    escape(&value(p)),
                )
            })
            .collect();
        format!("<tr><th scope=\"row\">from {name}</th>{cells}</tr>\n")
    };
    let gaps: String = pair
        .p_i
        .iter()
        .zip(&pair.p_j)
        .enumerate()
        .map(|(step, (a, b))| {
            let last = if step == word.len() {
                " class=\"last\""
            } else {
                ""
            };
            format!("<td{last}>{}</td>", plain(difference(a, b)))
        })
        .collect();
    format!(
        "<h4>The witness, step by step</h4>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"Witness of pair {rank}, step by step\" tabindex=\"0\">\
         <table class=\"trace\">\n<caption class=\"hidden\">What was recorded from both rows along the \
         witness, and p</caption>\n\
         <thead><tr><td></td><th scope=\"col\">start</th>{actions}</tr></thead>\n<tbody>\n{}{}\
         <tr class=\"gap\"><th scope=\"row\">difference of p</th>{gaps}</tr>\n</tbody></table></div>\n",
        line("i", &pair.trace_i, &pair.p_i),
        line("j", &pair.trace_j, &pair.p_j),
    )
}

/// A single number as a bar between the lowest and highest of both traces.
fn level(p: &[f32], low: f32, high: f32) -> String {
    let &[p] = p else { return String::new() };
    let share = f64::from(p - low) / f64::from(high - low);
    if !share.is_finite() {
        return String::new();
    }
    format!(
        "<span class=\"level\" aria-hidden=\"true\"><span style=\"width:{:.0}%\"></span></span>",
        100.0 * share
    )
}

fn settling(audit: &RecordedAudit, pair: &AuditedPair, gallery: &Gallery<'_>) -> String {
    if pair.settling.is_empty() {
        return String::new();
    }
    let words: String = pair
        .settling
        .iter()
        .map(|settling| {
            let place = match gallery.place(settling.record_from) {
                Some(place) => format!(" ({place})"),
                None => String::new(),
            };
            format!(
                "<li>{} from row {}{}</li>\n",
                run_markup(&audit.actions, &settling.word),
                settling.record_from,
                escape(&place)
            )
        })
        .collect();
    format!(
        "<div class=\"settling\"><h4>What would settle it</h4>\n<p>Record any of these words; it was \
         recorded from the other row already.</p>\n<ul>\n{words}</ul></div>\n"
    )
}
