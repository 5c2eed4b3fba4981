//! Prints the evidence of a recording as text.

use std::io::{self, Write};

use tellapart::audit::Recorded;
use tellapart::data::shortest;

use super::{EvidenceDocument, PairRecord, Says};
use crate::program::commands::counted;

/// Longest list that is printed whole; longer ones are cut and end in the number left out.
const MOST_LISTED: usize = 40;
/// Number of contradictions that are printed as examples.
const MOST_CONTRADICTIONS: usize = 5;

pub(super) fn print(
    data: &str,
    recorded: &Recorded,
    document: &EvidenceDocument,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(
        out,
        "{data}: {} in {}, {}, {} ({})",
        counted(document.rows, "row", "rows"),
        counted(document.episodes, "episode", "episodes"),
        counted(document.observations, "observation", "observations"),
        counted(document.actions, "action", "actions"),
        listed(document.action_names.iter().cloned(), ", "),
    )?;
    writeln!(
        out,
        "recorded: {} of {} pairs of an observation and an action ({:.1} %)",
        document.recorded_steps,
        document.observations * document.actions,
        100.0 * document.coverage,
    )?;
    for note in &document.notes {
        writeln!(out, "note: {note}")?;
    }
    match document.p_unknown {
        0 => writeln!(out, "p: {}, of the {}", document.p, document.p_of)?,
        unknown => writeln!(
            out,
            "p: {}, of the {}; not known in {} ({:.1} %)",
            document.p,
            document.p_of,
            counted(unknown, "row", "rows"),
            100.0 * unknown as f64 / document.rows as f64,
        )?,
    }
    writeln!(out, "world: {}", document.world.in_words())?;
    print_contradictions(recorded, document, out)?;
    writeln!(
        out,
        "separated by coverage (what was never recorded counts as different): {}",
        counted(document.classes_separated_by_coverage, "class", "classes"),
    )?;
    match &document.pair {
        Some(pair) => print_pair(recorded, pair, out),
        None => Ok(()),
    }
}

fn print_contradictions(
    recorded: &Recorded,
    document: &EvidenceDocument,
    out: &mut impl Write,
) -> io::Result<()> {
    let found = &document.contradictions;
    if found.is_empty() {
        return writeln!(out, "contradictions of determinism: none");
    }
    writeln!(
        out,
        "contradictions of determinism: {}; {} not merged: each row stands for itself",
        found.len(),
        counted(
            document.unmerged_observations,
            "observation is",
            "observations are"
        ),
    )?;
    for contradiction in &found[..found.len().min(MOST_CONTRADICTIONS)] {
        let [a, b] = contradiction.rows;
        let what = match contradiction.action {
            None => "different p".to_owned(),
            Some(action) => {
                let name = recorded.actions.name(action);
                match contradiction.kind {
                    "output" => format!("action {name} has different p"),
                    _ => format!("action {name} leads to different observations"),
                }
            }
        };
        writeln!(out, "  rows {a} and {b} show the same observation: {what}")?;
    }
    match found.len().saturating_sub(MOST_CONTRADICTIONS) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

fn print_pair(recorded: &Recorded, pair: &PairRecord, out: &mut impl Write) -> io::Result<()> {
    let PairRecord { i, j, .. } = pair;
    let depth = pair.depth.unwrap_or(0);
    match (pair.says, &pair.witness) {
        (Says::Same, _) => writeln!(out, "rows {i} and {j} show one and the same observation"),
        (Says::Undecided, _) => writeln!(
            out,
            "rows {i} and {j}: undecided; no word of at most {} tells them apart",
            counted(depth, "action", "actions"),
        ),
        (Says::Distinguished, Some(witness)) => {
            if witness.word.is_empty() {
                writeln!(out, "rows {i} and {j} are told apart at once: p differs")?;
            } else {
                let letters = counted(witness.word.len(), "action", "actions");
                let word = word(recorded, &witness.word);
                writeln!(out, "rows {i} and {j} are told apart by {letters}: {word}")?;
            }
            for (start, (row, p)) in [i, j].into_iter().zip(witness.rows.iter().zip(&witness.p)) {
                writeln!(out, "  from row {start} to row {row}: p = {}", value(p))?;
            }
            Ok(())
        }
        _ => {
            writeln!(
                out,
                "rows {i} and {j} are not told apart: p agrees after every word recorded from both, to a \
                 depth of {}",
                counted(depth, "action", "actions"),
            )?;
            if pair.missing == 0 {
                return writeln!(out, "  nothing was recorded from one of them only");
            }
            let missing = counted(pair.missing, "word", "words");
            writeln!(
                out,
                "  the data does not say more: {missing} recorded from one of them only"
            )?;
            for missing in &pair.missing_words {
                writeln!(
                    out,
                    "  from row {} to row {}, p = {}: {}",
                    missing.recorded_from,
                    missing.leads_to,
                    value(&missing.p),
                    word(recorded, &missing.word),
                )?;
            }
            match pair.missing - pair.missing_words.len() {
                0 => Ok(()),
                more => writeln!(out, "  and {more} more"),
            }
        }
    }
}

fn word(recorded: &Recorded, word: &[u32]) -> String {
    listed(
        word.iter().map(|&action| recorded.actions.name(action)),
        " ",
    )
}

fn value(p: &[f64]) -> String {
    match p {
        [] => "not known".to_owned(),
        [number] => shortest(*number),
        numbers => format!("[{}]", listed(numbers.iter().map(|&p| shortest(p)), ", ")),
    }
}

fn listed(items: impl ExactSizeIterator<Item = String>, separator: &str) -> String {
    let more = items.len().saturating_sub(MOST_LISTED);
    let shown: Vec<String> = items.take(MOST_LISTED).collect();
    match more {
        0 => shown.join(separator),
        more => format!("{}{separator}... and {more} more", shown.join(separator)),
    }
}
