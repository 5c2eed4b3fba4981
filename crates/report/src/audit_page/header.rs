use tellapart_audit::recorded::{Cause, RecordedAudit, Verdict};

use crate::AuditPage;
use crate::page::{Fact, facts};
use crate::text::{escape, grouped, percent, plain};

/// The verdict, why, how many pairs, and how complete the search was.
pub(super) fn header(page: &AuditPage) -> String {
    let audit = &page.audit;
    let (tone, badge) = match audit.verdict {
        Verdict::Unhealthy => ("merged", "unhealthy"),
        Verdict::Healthy => ("apart", "healthy"),
        Verdict::Undecided => ("open", "undecided"),
    };
    let warnings: String = audit
        .warnings
        .iter()
        .map(|warning| format!("<li>{}</li>\n", escape(warning)))
        .collect();
    let warnings = if warnings.is_empty() {
        warnings
    } else {
        format!("<ul class=\"warnings\" aria-label=\"Warnings\">\n{warnings}</ul>\n")
    };
    format!(
        "<header>\n<p class=\"kicker\"><span class=\"badge {tone}\">{badge}</span> {}</p>\n\
         <h1>{}</h1>\n<p class=\"lead\">{}</p>\n{warnings}{}<p class=\"search\">{}</p>\n</header>\n",
        escape(&page.title),
        escape(&verdict(audit)),
        escape(&audit.reason),
        facts(&counts(audit), "facts"),
        escape(&search(audit)),
    )
}

fn verdict(audit: &RecordedAudit) -> String {
    match (audit.verdict, audit.counts.encoder) {
        (Verdict::Unhealthy, 1) => {
            "The encoder merged one pair of observations that the data tells apart".to_owned()
        }
        (Verdict::Unhealthy, 2..) => format!(
            "The encoder merged {} pairs of observations that the data tells apart",
            grouped(audit.counts.encoder)
        ),
        (Verdict::Unhealthy, 0) => {
            "The encoder merged observations that the data tells apart".to_owned()
        }
        (Verdict::Healthy, _) if audit.counts.stray_rows > 0 => {
            "The encoder keeps apart what the data tells apart, but for stray rows".to_owned()
        }
        (Verdict::Healthy, _) => "The encoder merged nothing that the data tells apart".to_owned(),
        (Verdict::Undecided, _) => {
            "Too little of the data can be compared to say what was merged".to_owned()
        }
    }
}

fn counts(audit: &RecordedAudit) -> Vec<Fact> {
    let counts = &audit.counts;
    let merged = |pairs: u64, cause: Cause| {
        let kinds = counts
            .kinds
            .iter()
            .filter(|kind| kind.cause == cause)
            .count();
        match kinds {
            0 => pairs_of(pairs),
            1 => format!("{} of 1 kind", pairs_of(pairs)),
            _ => format!("{} of {kinds} kinds", pairs_of(pairs)),
        }
    };
    let mut facts = vec![
        Fact::new(
            "Merged by the encoder",
            merged(counts.encoder, Cause::Encoder),
        ),
        Fact::new(
            "Not told apart by the observation",
            merged(counts.observation, Cause::Observation),
        ),
        Fact::new(
            "With a stray row",
            match counts.stray_rows {
                0 => merged(0, Cause::Stray),
                _ => format!(
                    "{}; astray: {}",
                    merged(counts.stray, Cause::Stray),
                    named(&audit.astray)
                ),
            },
        ),
        Fact::new("Left open by the data", pairs_of(counts.data)),
        Fact::new(
            "Compared",
            format!(
                "{}, {} told apart by the data",
                pairs_of(counts.compared),
                grouped(counts.distinguished)
            ),
        ),
    ];
    if counts.undecided > 0 {
        facts.push(Fact::new("Given up", pairs_of(counts.undecided)));
    }
    facts.push(Fact::new(
        "Recording",
        format!(
            "{} rows, {} episodes, {} different observations",
            grouped(audit.rows as u64),
            grouped(audit.episodes as u64),
            grouped(audit.observations as u64)
        ),
    ));
    facts.push(Fact::new(
        "Latents",
        format!("{} dimensions", audit.latent_width),
    ));
    let mut p = match audit.p_width {
        1 => audit.p.clone(),
        width => format!("{}, {width} numbers", audit.p),
    };
    if let Some(tolerance) = audit.tolerance {
        p += &format!(", equal within {}", plain(tolerance));
    }
    facts.push(Fact::new("p", p));
    facts
}

/// The first of some rows.
fn named(rows: &[usize]) -> String {
    const NAMED: usize = 12;
    let first: Vec<String> = rows.iter().take(NAMED).map(usize::to_string).collect();
    let rest = if rows.len() > NAMED { ", \u{2026}" } else { "" };
    first.join(", ") + rest
}

fn pairs_of(count: u64) -> String {
    match count {
        1 => "1 pair".to_owned(),
        _ => format!("{} pairs", grouped(count)),
    }
}

/// How candidates were found, and what may have been missed.
fn search(audit: &RecordedAudit) -> String {
    let search = &audit.search;
    let points = grouped(search.points as u64);
    let mut text = if search.method == "exact" {
        format!(
            "The search for candidates was exact: every two of {points} different latents were \
             measured, and the {} nearest of each compared.",
            search.neighbours
        )
    } else {
        format!(
            "The search for candidates was {}: of the {} nearest neighbours of each of {points} \
             different latents it found {} (measured on {} of them); pairs among the rest may have \
             been missed.",
            search.method,
            search.neighbours,
            percent(search.recall),
            grouped(search.recall_sample as u64)
        )
    };
    text += &format!(
        " From {} of them the search went on to the nearest row that must be apart. For {} of them \
         everything within the distance of a merge was compared; around the others more lies that near \
         than was compared, the nearest first.",
        grouped(search.followed as u64),
        percent(search.exhausted)
    );
    if search.duplicates > 0 {
        text += &format!(
            " {} rows share their latent with another row.",
            grouped(search.duplicates as u64)
        );
    }
    text += &format!(
        " A pair counts as merged where its strain is above {}: the stretch, in these units, that \
         dynamics and head on top of the latents would need.",
        plain(audit.threshold)
    );
    text
}
