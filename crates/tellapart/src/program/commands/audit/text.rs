//! Prints an audit as text.

use std::io::{self, Write};

use tellapart::audit::Recorded;
use tellapart::audit::recorded::{AuditedPair, Cause, PairBound, RecordedAudit, Verdict};
use tellapart::data::shortest;

/// Largest number of outliers that are named.
const ROWS_NAMED: usize = 20;
/// Largest number of actions of a word that is shown; longer words are cut.
const MOST_ACTIONS: usize = 6;

pub(super) fn print(audit: &RecordedAudit, out: &mut impl Write) -> io::Result<()> {
    let verdict = match audit.verdict {
        Verdict::Healthy => "healthy",
        Verdict::Unhealthy => "UNHEALTHY",
        Verdict::Undecided => "undecided",
    };
    writeln!(out, "{verdict}: {}", audit.reason)?;
    for warning in &audit.warnings {
        writeln!(out, "note: {warning}")?;
    }
    let (shown, open): (Vec<_>, Vec<_>) = audit
        .pairs
        .iter()
        .partition(|pair| pair.cause != Cause::Data);
    if !shown.is_empty() {
        writeln!(out)?;
        let mut rows = vec![words([
            "rows",
            "distance",
            "required Lipschitz",
            "cause",
            "p",
            "after",
            "such pairs",
            if audit.certificate.is_some() {
                "provably"
            } else {
                ""
            },
        ])];
        rows.extend(shown.iter().map(|pair| {
            let kind = pair.kind.and_then(|kind| audit.counts.kinds.get(kind));
            [
                format!("{} {}", pair.i, pair.j),
                number(pair.distance),
                required_lipschitz(pair),
                cause(pair),
                format!("{} / {}", value(pair.p_i.last()), value(pair.p_j.last())),
                word(pair.witness.as_deref().unwrap_or_default(), &audit.actions),
                kind.map_or_else(String::new, |kind| kind.pairs.to_string()),
                pair.bound.as_ref().map_or_else(String::new, provably),
            ]
        }));
        table(&rows, out)?;
        let counts = &audit.counts;
        let merged: u64 = counts.kinds.iter().map(|kind| kind.pairs).sum();
        let mut told: Vec<usize> = shown.iter().filter_map(|pair| pair.kind).collect();
        told.sort_unstable();
        told.dedup();
        writeln!(
            out,
            "shown: {} of {}, from {} of {} (same cause, witness and p); at most three of a kind",
            shown.len(),
            plural(merged as usize, "merged pair"),
            told.len(),
            plural(counts.kinds.len(), "kind")
        )?;
    }
    if !audit.outliers.is_empty() {
        let named: Vec<String> = audit
            .outliers
            .iter()
            .take(ROWS_NAMED)
            .map(usize::to_string)
            .collect();
        let rest = if audit.outliers.len() > ROWS_NAMED {
            ", ..."
        } else {
            ""
        };
        writeln!(
            out,
            "\noutliers: {}{rest} (look at these observations, and at their neighbors in the recording)",
            named.join(", ")
        )?;
    }
    if !open.is_empty() {
        writeln!(
            out,
            "\n{} could not be compared as far as the longest witness reaches ({}). To settle some of them:",
            plural(audit.counts.data as usize, "near pair"),
            plural(audit.coverage.longest_witness, "action")
        )?;
        for pair in open {
            if let Some(settling) = pair.settling.first() {
                writeln!(
                    out,
                    "  rows {} {}: record {} from row {}",
                    pair.i,
                    pair.j,
                    word(&settling.word, &audit.actions),
                    settling.record_from
                )?;
            }
        }
    }
    summary(audit, out)
}

fn summary(audit: &RecordedAudit, out: &mut impl Write) -> io::Result<()> {
    let diagnostics = &audit.diagnostics;
    writeln!(
        out,
        "\n{} in {}, {}; {} of {} dimensions; p: {} of the {}{}",
        plural(audit.rows, "row"),
        plural(audit.episodes, "episode"),
        plural(audit.observations, "different observation"),
        plural(audit.search.points, "different latent"),
        audit.latent_width,
        audit.p,
        audit.p_of,
        match audit.p_unknown {
            0 => String::new(),
            unknown => format!(
                ", not known in {} ({:.1} %)",
                plural(unknown, "row"),
                100.0 * unknown as f64 / audit.rows as f64
            ),
        }
    )?;
    writeln!(out, "world: {}", audit.world.in_words())?;
    write!(
        out,
        "search: {}, the {} nearest neighbors of each latent; {} pairs compared",
        audit.search.method, audit.search.neighbors, audit.counts.compared
    )?;
    if audit.search.recall_sample > 0 {
        write!(
            out,
            "; {:.1} % of the true neighbors found (measured on {})",
            100.0 * audit.search.recall,
            audit.search.recall_sample
        )?;
    }
    writeln!(
        out,
        "\n  for {:.0} % of the latents, all pairs within merging distance were compared; for the others, the nearest\n  \
         from {} of {} latents, the search went on to the nearest row that must be apart",
        100.0 * audit.search.exhausted,
        audit.search.followed,
        audit.search.points
    )?;
    let coverage = &audit.coverage;
    writeln!(
        out,
        "recording: of random pairs, {:.0} % are told apart, {:.0} % agree, {:.0} % cannot be compared; {} of {} \
         pairs of observation and action were recorded",
        100.0 * coverage.distinguished,
        100.0 * coverage.agreeing,
        100.0 * coverage.incomparable,
        coverage.recorded_steps,
        coverage.possible_steps
    )?;
    writeln!(
        out,
        "latents: RankMe {}, effective rank {}, LiDAR {}, mean distance over mean norm {}",
        optional(diagnostics.rankme),
        optional(diagnostics.effective_rank),
        optional(diagnostics.lidar),
        optional(diagnostics.relative_spread)
    )?;
    let sentences = [&diagnostics.left_out, &diagnostics.contradicts];
    for sentence in sentences.into_iter().flatten() {
        writeln!(out, "  {sentence}")?;
    }
    if let Some(certificate) = &audit.certificate {
        write!(
            out,
            "certificate: {} of the {} closest pairs that must be apart are provably apart, and {} of {} random ones",
            certificate.certified,
            certificate.pairs,
            certificate.random_certified,
            certificate.random_pairs
        )?;
        if let Some(ratio) = certificate.median_certified_over_actual {
            write!(out, "; median bound {} of the distance", number(ratio))?;
        }
        writeln!(out, "\n  {}", certificate.soundness)?;
        if certificate.violations > 0 {
            writeln!(
                out,
                "  {} pairs are closer than their bound: a Lipschitz constant is wrong",
                certificate.violations
            )?;
        }
    }
    if let Some(healthy) = &audit.healthy {
        if let Some(within) = healthy.within_states {
            writeln!(
                out,
                "healthy collapse: rows of one state are {} spreads apart",
                number(within)
            )?;
        }
        for kept in &healthy.nuisances {
            match (kept.score, kept.score_behind_noise) {
                (Some(score), Some(behind)) => writeln!(
                    out,
                    "  {}: {} readable, {} behind a noise floor of {} spreads",
                    kept.array,
                    share(score),
                    share(behind),
                    kept.noise
                )?,
                _ => writeln!(out, "  {}: does not vary", kept.array)?,
            }
        }
        if let Some(truth) = &healthy.truth {
            let merged = truth.merged_states.iter().zip(&truth.pairs_of_states);
            let pairs: Vec<String> = merged
                .map(|([a, b], count)| format!("{a}-{b} ({count})"))
                .collect();
            writeln!(
                out,
                "truth: {} states; merged by the encoder: rows of {}; {} of one and the same state",
                truth.states,
                if pairs.is_empty() {
                    "no pair of states".to_owned()
                } else {
                    format!("states {}", pairs.join(", "))
                },
                truth.same_state
            )?;
        }
    }
    Ok(())
}

/// Prints the story of one pair, step by step.
pub(super) fn story(
    pair: &AuditedPair,
    asked: [usize; 2],
    threshold: f64,
    recorded: &Recorded,
    out: &mut impl Write,
) -> io::Result<()> {
    // The rows in the order in which the user gave them.
    let (first, second) = if asked[0] == pair.i { (0, 1) } else { (1, 0) };
    let place = |side: usize| {
        let row = [pair.i, pair.j][side];
        format!(
            "row {row} (episode {}, step {})",
            pair.episodes[side], pair.steps[side]
        )
    };
    writeln!(out, "{} and {}", place(first), place(second))?;
    if pair.i == pair.j {
        return writeln!(out, "they are the same row");
    }
    writeln!(out, "distance {} spreads", number(pair.distance))?;
    let Some(witness) = &pair.witness else {
        writeln!(out, "the recording does not tell them apart")?;
        for settling in &pair.settling {
            let names = recorded.names(&settling.word);
            writeln!(
                out,
                "  to be settled: {} from row {}",
                names.join(" "),
                settling.record_from
            )?;
        }
        return Ok(());
    };
    let outlier = pair.outlier.map_or_else(String::new, |row| {
        format!("the observations differ: row {row} is an outlier, a single observation in the wrong place")
    });
    let fault = match pair.cause {
        Cause::Encoder
            if pair
                .required_lipschitz
                .is_some_and(|constant| constant <= threshold) =>
        {
            match pair.kind {
                None => "not merged",
                Some(_) => {
                    "within the threshold, but nearer than all rows that agree: merged, as many rows are mixed"
                }
            }
        }
        Cause::Encoder => "the observations differ: merged by the encoder",
        Cause::Outlier => &outlier,
        Cause::Observation => {
            "the observations are the same: no encoder of single observations can tell them apart"
        }
        Cause::Data => "the data does not say",
    };
    writeln!(
        out,
        "required Lipschitz constant {}; {fault}\n",
        required_lipschitz(pair)
    )?;
    let mut rows = vec![words([
        "step",
        "row",
        "p",
        "row",
        "p",
        "action taken there",
    ])];
    let names = recorded.names(witness);
    let row = |side: usize, step: usize| [&pair.trace_i, &pair.trace_j][side][step].to_string();
    let p = |side: usize, step: usize| value([&pair.p_i, &pair.p_j][side].get(step));
    for step in 0..pair.trace_i.len() {
        rows.push([
            step.to_string(),
            row(first, step),
            p(first, step),
            row(second, step),
            p(second, step),
            names.get(step).cloned().unwrap_or_default(),
        ]);
    }
    table(&rows, out)?;
    if let Some(bound) = &pair.bound {
        let provably = match (bound.certified, bound.certified_distance) {
            (true, Some(distance)) => format!("provably at least {} apart", number(distance)),
            (true, None) => "provably apart, by an unknown distance".to_owned(),
            (false, _) => "not provably apart".to_owned(),
        };
        writeln!(
            out,
            "\n{provably} (in fact {}, in the latents' own units): p differs by {} more than the errors {} \
             and {} of the model's prediction",
            number(bound.actual_distance),
            number(bound.margin),
            number(bound.residuals[0]),
            number(bound.residuals[1])
        )?;
    }
    Ok(())
}

fn table<const N: usize>(rows: &[[String; N]], out: &mut impl Write) -> io::Result<()> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn plural(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

fn words<const N: usize>(words: [&str; N]) -> [String; N] {
    words.map(str::to_owned)
}

fn cause(pair: &AuditedPair) -> String {
    match (pair.cause, pair.outlier) {
        (_, Some(row)) => format!("outlier {row}"),
        (Cause::Encoder | Cause::Outlier, None) => "encoder".to_owned(),
        (Cause::Observation, None) => "observation".to_owned(),
        (Cause::Data, None) => "data".to_owned(),
    }
}

fn provably(bound: &PairBound) -> String {
    match (bound.certified, bound.certified_distance) {
        (true, Some(distance)) => {
            format!("{} of {}", number(distance), number(bound.actual_distance))
        }
        (true, None) => "apart".to_owned(),
        (false, _) => "nothing".to_owned(),
    }
}

fn required_lipschitz(pair: &AuditedPair) -> String {
    match pair.required_lipschitz {
        _ if pair.required_lipschitz_is_infinite => "infinite".to_owned(),
        Some(constant) => number(constant),
        None => "-".to_owned(),
    }
}

fn word(actions: &[u32], names: &[String]) -> String {
    if actions.is_empty() {
        return "at once".to_owned();
    }
    let name = |action: &u32| names.get(*action as usize).map_or("?", String::as_str);
    let mut text = actions
        .iter()
        .take(MOST_ACTIONS)
        .map(name)
        .collect::<Vec<_>>()
        .join(" ");
    if actions.len() > MOST_ACTIONS {
        text += &format!(" ... ({} actions)", actions.len());
    }
    text
}

/// Formats the first elements of a value of `p`.
fn value(p: Option<&Vec<f64>>) -> String {
    let p = p.map(Vec::as_slice).unwrap_or_default();
    if p.is_empty() {
        return "-".to_owned();
    }
    let shown: Vec<String> = p.iter().take(3).map(|&number| shortest(number)).collect();
    let rest = if p.len() > 3 { ",..." } else { "" };
    shown.join(",") + rest
}

fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e4).contains(&size) {
        format!("{value:.1e}")
    } else if size < 1.0 {
        format!("{value:.4}")
    } else {
        format!("{value:.2}")
    }
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), number)
}

fn share(score: f64) -> String {
    format!("{:.0} %", 100.0 * score.max(0.0))
}
