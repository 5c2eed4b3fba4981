//! `tellapart inspect --align FILE`.

use std::io::{self, Write};

use serde::Serialize;
use tellapart::Trajectories;
use tellapart::audit::recorded::{ActionsRead, Alignment, EndsRead, PRead, Reading};
use tellapart::data::BelongsTo;

use super::Arguments;
use crate::program::commands::recording;
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// Array that is p; null if there is none.
    p: Option<&'a str>,
    #[serde(flatten)]
    alignment: &'a Alignment,
    /// What the counts say, one sentence about actions, one about ends and one about p.
    says: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let recording = recording(&arguments.file, arguments.observations.as_deref())?;
    let p = p_of(arguments, &recording);
    let rule = arguments.action_rule.as_ref();
    let alignment = Alignment::of(&recording, p, rule)
        .map_err(|error| Failure::bad_input(format!("{}: {error}", arguments.file.display())))?;
    let mut says = vec![actions_in_words(&alignment.actions)];
    if !alignment.ends.is_empty() {
        says.push(ends_in_words(&alignment.ends));
    }
    says.extend(p.map(|p| p_in_words(p, &alignment.p, recording.belongs_to(p))));
    if arguments.json {
        return terminal.json(&Document {
            schema: "tellapart.alignment/1",
            p,
            alignment: &alignment,
            says,
        });
    }
    print(&alignment, p, &says, terminal.out())?;
    Ok(())
}

/// Returns the named array, or else the first usual one that is there.
fn p_of<'a>(arguments: &'a Arguments, recording: &Trajectories) -> Option<&'a str> {
    let there = recording.rewards.is_some().then_some("rewards");
    let aux = || recording.aux.is_some().then_some("aux");
    arguments.p.as_deref().or(there).or_else(aux)
}

fn print(
    alignment: &Alignment,
    p: Option<&str>,
    says: &[String],
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "an action of a row was taken at the observation ...")?;
    for reading in &alignment.actions {
        line(action_reading(reading.read), reading, out)?;
    }
    if !alignment.ends.is_empty() {
        writeln!(
            out,
            "\nan end that is stored in a row ends the episode in ..."
        )?;
        for reading in &alignment.ends {
            line(ends_reading(reading.read), reading, out)?;
        }
    }
    if let Some(p) = p {
        writeln!(out, "\n{p} of a row belongs to ...")?;
        for reading in &alignment.p {
            line(p_reading(reading.read), reading, out)?;
        }
    }
    writeln!(out)?;
    says.iter()
        .try_for_each(|sentence| writeln!(out, "{sentence}"))
}

fn line<R>(name: &str, reading: &Reading<R>, out: &mut impl Write) -> io::Result<()> {
    let Reading {
        repeated,
        contradicting,
        ..
    } = reading;
    match reading.share() {
        None => writeln!(out, "  {name:<50} nothing recurs"),
        Some(share) => writeln!(
            out,
            "  {name:<50} {contradicting} of {repeated} repetitions contradict ({:.1} %)",
            100.0 * share
        ),
    }
}

fn action_reading(read: ActionsRead) -> &'static str {
    match read {
        ActionsRead::RowBefore => "of the row before (it led to this row)",
        ActionsRead::Row => "of the row (as it should be)",
        ActionsRead::RowAfter => "of the row after",
    }
}

fn ends_reading(read: EndsRead) -> &'static str {
    match read {
        EndsRead::Row => "the row (as it should be)",
        EndsRead::RowAfter => "the row after (it is stored with the last step)",
    }
}

fn p_reading(read: PRead) -> &'static str {
    match read {
        PRead::ObservationBefore => "the observation of the row before",
        PRead::Observation => "the observation of the row (--p-of observation)",
        PRead::Arrival => "the observation of the row after (--p-of arrival)",
        PRead::StepBefore => "the step from the row before",
        PRead::Step => "the step from the row (--p-of step)",
    }
}

fn actions_in_words(readings: &[Reading<ActionsRead>]) -> String {
    let consistent: Vec<_> = readings.iter().filter(|r| r.is_consistent()).collect();
    match consistent[..] {
        [only] if only.read == ActionsRead::Row => {
            "Actions stand in the right row: only this reading never contradicts itself.".to_owned()
        }
        [only] => format!(
            "Actions seem to stand in the wrong row: only if an action was taken at the observation {}, the \
             recording never contradicts itself. Shift them by one row.",
            action_reading(only.read)
        ),
        [] => match least(readings) {
            Some(reading) => format!(
                "Every reading of the actions contradicts itself, so the world may be random or the observations \
                 not show all of it. Least does: {}.",
                action_reading(reading.read)
            ),
            None => cannot_be_told("actions", readings, 0),
        },
        _ => cannot_be_told("actions", readings, consistent.len()),
    }
}

fn ends_in_words(readings: &[Reading<EndsRead>]) -> String {
    let consistent: Vec<_> = readings.iter().filter(|r| r.is_consistent()).collect();
    match consistent[..] {
        [only] if only.read == EndsRead::Row => {
            "Ends stand in the right row: only this reading never contradicts itself.".to_owned()
        }
        [_] => "Ends seem to stand one row early, with the last step: only if the row after shows the last \
                observation, the recording never contradicts itself. Store them one row later."
            .to_owned(),
        [] => match least(readings) {
            Some(reading) => format!(
                "Both readings of the ends contradict themselves. Less does: {}.",
                ends_reading(reading.read)
            ),
            None => cannot_be_told("ends", readings, 0),
        },
        _ => cannot_be_told("ends", readings, consistent.len()),
    }
}

fn p_in_words(p: &str, readings: &[Reading<PRead>], current: BelongsTo) -> String {
    let consistent: Vec<_> = readings.iter().filter(|r| r.is_consistent()).collect();
    let is_current = |reading: &&Reading<PRead>| reading.read.option() == Some(current);
    match consistent[..] {
        [] => cannot_be_told(p, readings, 0),
        _ if consistent.len() == readings.len() => cannot_be_told(p, readings, consistent.len()),
        _ if consistent
            .iter()
            .copied()
            .any(|reading| is_current(&reading)) =>
        {
            format!(
                "{p} can be read as it is by default, of the {current}: that never contradicts itself."
            )
        }
        _ => {
            let names: Vec<_> = consistent.iter().map(|r| p_reading(r.read)).collect();
            format!(
                "{p} is read by default as of the {current}, which contradicts itself. It never does as of {}.",
                names.join(", or ")
            )
        }
    }
}

/// Returns the reading that contradicts itself less than half as often as every other one.
fn least<R>(readings: &[Reading<R>]) -> Option<&Reading<R>> {
    let mut shares: Vec<_> = readings
        .iter()
        .filter_map(|reading| Some((reading.share()?, reading)))
        .collect();
    shares.sort_by(|a, b| a.0.total_cmp(&b.0));
    match shares[..] {
        [(least, reading), (next, _), ..] if 2.0 * least < next => Some(reading),
        _ => None,
    }
}

fn cannot_be_told<R>(what: &str, readings: &[Reading<R>], consistent: usize) -> String {
    let recurs = readings.iter().any(|reading| reading.repeated > 0);
    let why = match (recurs, consistent) {
        (false, _) => "nothing recurs with a known value",
        (true, 0) => {
            "every reading contradicts itself, or too little recurs: the world may be random, or the \
             observations do not show all of it"
        }
        (true, _) => "several readings never contradict themselves",
    };
    format!("Where {what} belong cannot be told: {why}.")
}
