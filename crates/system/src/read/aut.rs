//! Reads labeled transition systems in the Aldebaran format.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use tellapart_files::FileError;

use super::lines::Lines;
use super::names::Names;
use super::scan::LineError;
use super::transitions::{
    Completed, MAX_TABLE_ENTRIES, Refused, TransitionTable, contradiction, most_states,
};
use crate::meaning::OutputMeaning;
use crate::{MooreMachine, StateId, SystemError};

mod line;

use line::{AutHeader, AutTransition, Unchecked, guessed};

/// Longest line in bytes. A longer one is no sensible label but a file of another kind.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Bytes of the shortest line: `(0,a,0)` and the end of the line.
const SHORTEST_LINE_BYTES: u64 = 8;

/// Reads a deterministic labeled transition system in Aldebaran (`.aut`) format, streaming.
///
/// The first line is `des (first, transitions, states)`, each further one `(from, label, to)`, with
/// or without double quotes around the label. Quotes are not part of the label, and commas may
/// occur in it. Blank lines and repeated transitions are allowed. Labels become actions, numbered
/// by first occurrence and named ([`MooreMachine::action_name`]); `first` becomes
/// [`MooreMachine::initial`]. Without any transition there is one action without a name, which no
/// state enables.
///
/// # Labeled transition systems as Moore machines
/// The format has no outputs and its systems may be partial. The machine takes the **set of enabled
/// labels** as the output of a state ([`MooreMachine::enabled_actions`]), and a **self-loop** for
/// each missing transition. Its equivalence is strong bisimilarity of the original:
///
/// * Let `R` be the largest strong bisimulation. Related states enable the same labels, so they
///   have equal outputs. Under an enabled label both have exactly one successor, and each must
///   match the other, so successors are related. Under a label that is not enabled both stay. So
///   `R` refines the output and is stable.
/// * Conversely, let an equivalence refine the output and be stable. Related states enable the same
///   labels, and under those the (real) successors are related: a strong bisimulation.
///
/// A shortest witness never uses an added self-loop. When one of the two states enables the label
/// and the other does not, they differ already; when neither does, the step changes nothing.
/// Internal steps (`tau`, `i`) are labels like any other.
///
/// # Errors
/// Anything malformed, with its line and column. A non-deterministic system, with the state, the
/// label, both targets and both lines. A probabilistic system of mCRL2. A table beyond
/// [`MAX_TABLE_ENTRIES`]. Memory: the table, 4 bytes per state and label, and as much again when a
/// label appears that the first 4096 lines did not have.
pub fn aut(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    let path = path.as_ref();
    let (file, _) = tellapart_files::open(path)?;
    aut_from(file, path, MAX_TABLE_ENTRIES)
}

/// Reads an Aldebaran file, in the format of [`aut`], from any reader. `path` is used in errors
/// only; `max_table_entries` bounds the memory.
///
/// # Errors
/// The errors of [`aut`], with `max_table_entries` as the bound of the table.
pub fn aut_from(
    mut reader: impl Read + Seek,
    path: &Path,
    max_table_entries: u64,
) -> Result<MooreMachine, SystemError> {
    let io = |source| FileError::from_io(path, source);
    let length = reader.seek(SeekFrom::End(0)).map_err(io)?;
    reader.rewind().map_err(io)?;
    let inside = |source| SystemError::In {
        path: path.to_path_buf(),
        source: Box::new(source),
    };

    let mut lines = Lines::new(&mut reader, path, MAX_LINE_BYTES);
    let header = read_header(&mut lines, length)?;
    let mut labels = Names::default();
    let mut transitions = TransitionTable::new(header.states, max_table_entries);
    let refused = match read_transitions(&mut lines, &header, &mut labels, &mut transitions)? {
        Ok(()) => {
            // A machine has an action; without labels it is one that no state enables.
            let order: Vec<usize> = (0..labels.len().max(1)).collect();
            transitions.complete(&order)
        }
        Err(refused) => Err(refused),
    };
    let Completed {
        next,
        enabled,
        sets,
    } = match refused {
        Ok(completed) => completed,
        Err(Refused::TooLarge(error)) => return Err(inside(error)),
        Err(Refused::Conflict { state, action }) => {
            let label = labels.into_strings().swap_remove(action as usize);
            let wanted = (state, &label.clone()[..]);
            let target_of = |line: &[u8]| {
                let found = AutTransition::parse(line, header.states).ok()?;
                ((found.from, found.label) == wanted).then_some(found.to)
            };
            let at = (state, label);
            return Err(contradiction(reader, path, MAX_LINE_BYTES, at, target_of));
        }
    };
    let meaning = OutputMeaning {
        enabled: Some(sets),
        ..OutputMeaning::default()
    };
    let actions = labels.len().max(1);
    MooreMachine::from_table(actions, next, enabled)
        .and_then(|machine| match labels.len() {
            0 => Ok(machine),
            _ => machine.with_action_names(labels.into_strings()),
        })
        .and_then(|machine| machine.with_initial(StateId::new(header.first)))
        .map(|machine| machine.with_meaning(meaning))
        .map_err(inside)
}

/// Reads the header, which is the first line that is not blank, of a file of `length` bytes.
fn read_header(lines: &mut Lines<'_, impl Read>, length: u64) -> Result<AutHeader, SystemError> {
    let header = loop {
        let Some(line) = lines.next()? else {
            return Err(lines.fail_at_end(
                "the file ends without a header; expected `des (first, transitions, states)`",
            ));
        };
        if !line.trim_ascii().is_empty() {
            break AutHeader::parse(line);
        }
    };
    let header = header.map_err(|error| lines.fail(error))?;
    // The table is allocated before all is read, so the header must be credible.
    let transitions = header.transitions.min(length / SHORTEST_LINE_BYTES);
    let states = header.states;
    if u64::from(states) > most_states(transitions) {
        let problem = format!(
            "the header claims {states} states, but {transitions} transitions mention at most {}; \
             correct the header",
            2 * transitions + 1
        );
        return Err(lines.fail(LineError { column: 1, problem }));
    }
    Ok(header)
}

/// Reads all lines after the header.
fn read_transitions(
    lines: &mut Lines<'_, impl Read>,
    header: &AutHeader,
    labels: &mut Names,
    transitions: &mut TransitionTable,
) -> Result<Result<(), Refused>, SystemError> {
    let (states, promised) = (header.states, header.transitions);
    let mut found = 0;
    loop {
        let guessed = guessed(lines.rest(), labels).filter(|&(from, _, to, _)| {
            // A state out of range is an error, and the slow path finds its column.
            from < states && to < states
        });
        let (from, label, to) = match guessed {
            Some((from, label, to, length)) => {
                lines.pass(length);
                (from, label, to)
            }
            None => match lines.next()? {
                None => break,
                Some(line) if line.trim_ascii().is_empty() => continue,
                Some(line) => {
                    let read = read_line(line, states, labels);
                    read.map_err(|error| lines.fail(error))?
                }
            },
        };
        found += 1;
        if found > promised {
            let problem = format!("more transitions than the {promised} that the header promises");
            return Err(lines.fail(LineError { column: 1, problem }));
        }
        if let Err(refused) = transitions.add(from, label, to) {
            return Ok(Err(refused));
        }
    }
    if found < promised {
        return Err(lines.fail_at_end(format!(
            "the file ends after {found} transitions, the header promises {promised}; it may be \
             truncated"
        )));
    }
    Ok(Ok(()))
}

/// Parses a line into (from, number of the label, to).
fn read_line(line: &[u8], states: u32, labels: &mut Names) -> Result<(u32, u32, u32), LineError> {
    if let Some(Unchecked {
        from,
        label,
        to,
        between,
    }) = Unchecked::parse(line)
        && from < states
        && to < states
        && let Some(label) = labels.get(label)
    {
        labels.spell(label, between);
        return Ok((from, label, to));
    }
    // A new label, an unusual form, or an error.
    let AutTransition { from, label, to } = AutTransition::parse(line, states)?;
    let label = label.as_bytes();
    let id = labels.get(label).unwrap_or_else(|| labels.insert(label));
    Ok((from, id, to))
}
