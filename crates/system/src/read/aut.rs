//! Labelled transition systems in the Aldebaran format.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use tellapart_files::FileError;

use crate::machine::MAX_STATES;
use crate::meaning::{OutputMeaning, Sets};
use crate::outputs::DistinctRows;
use crate::{ActionId, MooreMachine, StateId, SystemError};

mod line;

use line::{Header, LineError, Transition};

/// Largest table of successors (states x labels) that [`aut`] builds: 4 GiB of it.
pub const MAX_TABLE_ENTRIES: u64 = 1 << 30;

/// A longer line is no sensible label but a file of another kind.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Up to this many states a header is believed even if no transition mentions them.
const UNMENTIONED_STATES: u64 = 1 << 20;

/// Reads a deterministic labelled transition system in Aldebaran (`.aut`) format, streaming.
///
/// The first line is `des (first, transitions, states)`, each further one `(from, label, to)`, with the
/// label in double quotes or not; quotes are not part of the label, and commas may occur in it. Blank
/// lines and repeated transitions are allowed. Labels become actions, numbered by first occurrence and
/// named ([`MooreMachine::action_name`]); `first` becomes [`MooreMachine::initial`].
///
/// # Labelled transition systems as Moore machines
/// The format has no outputs and its systems may be partial. The machine takes the **set of enabled
/// labels** as the output of a state ([`MooreMachine::enabled_actions`]), and a **self-loop** for each
/// missing transition. Its equivalence is strong bisimilarity of the original:
///
/// * Let `R` be the largest strong bisimulation. Related states enable the same labels, so they have
///   equal outputs. Under an enabled label both have exactly one successor, and each must match the
///   other, so successors are related; under a label that is not enabled both stay. So `R` refines the
///   output and is stable.
/// * Conversely, let an equivalence refine the output and be stable. Related states enable the same
///   labels, and under those the (real) successors are related: a strong bisimulation.
///
/// A shortest witness never uses a self-loop that was added: when one of the two states enables the
/// label and the other does not, they differ already; when neither does, the step changes nothing.
/// Internal steps (`tau`, `i`) are labels like any other.
///
/// # Errors
/// Anything malformed with its line and column; a non-deterministic system with the state, the label
/// and both targets; a table beyond [`MAX_TABLE_ENTRIES`]. Memory: 12 bytes a transition while reading,
/// 4 bytes a state and label in the end.
pub fn aut(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| FileError::from_io(path, source))?;
    aut_from(
        BufReader::with_capacity(1 << 16, file),
        path,
        MAX_TABLE_ENTRIES,
    )
}

/// As [`aut`], from any reader; `path` is used in errors only, `max_table_entries` bounds the memory.
///
/// # Errors
/// As [`aut`].
pub fn aut_from(
    reader: impl BufRead,
    path: &Path,
    max_table_entries: u64,
) -> Result<MooreMachine, SystemError> {
    Parser::new(path)
        .parse(reader)?
        .into_machine(path, max_table_entries)
}

/// The file as read: transitions in order, labels numbered.
struct Listing {
    header: Header,
    header_line: u64,
    transitions: Vec<[u32; 3]>,
    labels: Vec<String>,
    /// For each blank line after the header: how many transitions came before it.
    blanks: Vec<usize>,
}

struct Parser<'a> {
    path: &'a Path,
    line_number: u64,
    label_ids: HashMap<String, u32>,
}

impl<'a> Parser<'a> {
    fn new(path: &'a Path) -> Self {
        Self {
            path,
            line_number: 0,
            label_ids: HashMap::new(),
        }
    }

    fn parse(mut self, mut reader: impl BufRead) -> Result<Listing, SystemError> {
        let mut buffer = Vec::new();
        let header = loop {
            let Some(line) = self.next_line(&mut reader, &mut buffer)? else {
                self.line_number += 1;
                let problem = "the file ends without a header; expected `des (first, transitions, \
                               states)`";
                return Err(self.fail(LineError {
                    column: 1,
                    problem: problem.into(),
                }));
            };
            if !line.trim_ascii().is_empty() {
                break Header::parse(line).map_err(|error| self.fail(error))?;
            }
        };
        let header_line = self.line_number;
        let (mut transitions, mut blanks) = (Vec::new(), Vec::new());
        while let Some(line) = self.next_line(&mut reader, &mut buffer)? {
            if line.trim_ascii().is_empty() {
                blanks.push(transitions.len());
                continue;
            }
            let parsed = Transition::parse(line, header.states);
            let Transition { from, label, to } = parsed.map_err(|error| self.fail(error))?;
            if transitions.len() as u64 == header.transitions {
                let promised = header.transitions;
                let problem =
                    format!("more transitions than the {promised} that the header promises");
                return Err(self.fail(LineError { column: 1, problem }));
            }
            let label = self.label_id(label);
            transitions.push([from, label, to]);
        }
        if (transitions.len() as u64) < header.transitions {
            let (found, promised) = (transitions.len(), header.transitions);
            self.line_number += 1;
            let problem = format!(
                "the file ends after {found} transitions, the header promises {promised}; it may be \
                 truncated"
            );
            return Err(self.fail(LineError { column: 1, problem }));
        }
        let mut labels = vec![String::new(); self.label_ids.len()];
        for (label, id) in self.label_ids {
            labels[id as usize] = label;
        }
        Ok(Listing {
            header,
            header_line,
            transitions,
            labels,
            blanks,
        })
    }

    /// The next line without its end; `None` at the end of the file.
    fn next_line<'b>(
        &mut self,
        reader: &mut impl BufRead,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Option<&'b [u8]>, SystemError> {
        buffer.clear();
        let read = reader
            .by_ref()
            .take(MAX_LINE_BYTES + 1)
            .read_until(b'\n', buffer)
            .map_err(|source| FileError::from_io(self.path, source))?;
        if read == 0 {
            return Ok(None);
        }
        self.line_number += 1;
        if read as u64 > MAX_LINE_BYTES {
            let problem = format!("the line is longer than {MAX_LINE_BYTES} bytes");
            return Err(self.fail(LineError { column: 1, problem }));
        }
        let line = buffer.strip_suffix(b"\n").unwrap_or(buffer);
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    fn label_id(&mut self, label: &str) -> u32 {
        if let Some(&id) = self.label_ids.get(label) {
            return id;
        }
        // One label a line, and lines are counted by the header in 32 bits (see `line`).
        let id = self.label_ids.len() as u32;
        self.label_ids.insert(label.to_owned(), id);
        id
    }

    fn fail(&self, LineError { column, problem }: LineError) -> SystemError {
        SystemError::Aut {
            path: self.path.to_path_buf(),
            line: self.line_number,
            column,
            problem,
        }
    }
}

impl Listing {
    fn into_machine(self, path: &Path, max_entries: u64) -> Result<MooreMachine, SystemError> {
        let inside = |source| SystemError::In {
            path: path.to_path_buf(),
            source: Box::new(source),
        };
        let (states, actions) = (u64::from(self.header.states), self.labels.len() as u64);
        if actions == 0 {
            return Err(inside(SystemError::NoActions));
        }
        let mentioned = 2 * self.transitions.len() as u64 + 1;
        if states > mentioned.max(UNMENTIONED_STATES) {
            let transitions = self.transitions.len();
            let problem = format!(
                "the header claims {states} states, but {transitions} transitions mention at most \
                 {mentioned}; correct the header"
            );
            let (path, line) = (path.to_path_buf(), self.header_line);
            return Err(SystemError::Aut {
                path,
                line,
                column: 1,
                problem,
            });
        }
        if states.saturating_mul(actions) > max_entries {
            let limit = max_entries;
            return Err(inside(SystemError::TableTooLarge {
                states,
                actions,
                limit,
            }));
        }

        const MISSING: StateId = StateId::new(u32::MAX);
        let (states, actions) = (states as usize, actions as usize);
        let mut next = vec![MISSING; states * actions];
        for (index, &[from, label, to]) in self.transitions.iter().enumerate() {
            let entry = &mut next[from as usize * actions + label as usize];
            if *entry == MISSING {
                *entry = StateId::new(to);
            } else if entry.get() != to {
                return Err(self.nondeterministic(path, index));
            }
        }
        drop(self.transitions);

        let words = actions.div_ceil(64);
        let mut sets = DistinctRows::new(words);
        let mut enabled = vec![0_u64; words];
        let mut output = Vec::with_capacity(states);
        for (state, successors) in next.chunks_exact_mut(actions).enumerate() {
            enabled.fill(0);
            for (action, target) in successors.iter_mut().enumerate() {
                if *target == MISSING {
                    *target = StateId::from_index(state);
                } else {
                    enabled[action / 64] |= 1 << (action % 64);
                }
            }
            output.push(sets.id(&enabled));
        }
        MooreMachine::from_table(actions, next, output)
            .and_then(|machine| machine.with_action_names(self.labels))
            .and_then(|machine| machine.with_initial(StateId::new(self.header.first)))
            .map(|machine| machine.with_meaning(enabled_meaning(&sets.into_rows(), words)))
            .map_err(inside)
    }

    /// The error for transition `index`, which contradicts an earlier one.
    fn nondeterministic(&self, path: &Path, index: usize) -> SystemError {
        let [state, label, second_target] = self.transitions[index];
        let first = self
            .transitions
            .iter()
            .position(|&[s, l, _]| (s, l) == (state, label));
        let first = first.unwrap_or(index);
        SystemError::Nondeterministic {
            path: path.to_path_buf(),
            state,
            label: self.labels[label as usize].clone(),
            first_target: self.transitions[first][2],
            second_target,
            first_line: self.line_of(first),
            line: self.line_of(index),
        }
    }

    fn line_of(&self, transition: usize) -> u64 {
        let blanks_before = self.blanks.partition_point(|&before| before <= transition);
        self.header_line + 1 + (transition + blanks_before) as u64
    }
}

/// Bit sets as sorted lists.
fn enabled_meaning(rows: &[u64], words: usize) -> OutputMeaning {
    let mut sets = Sets::new();
    for row in rows.chunks_exact(words) {
        sets.push(row.iter().enumerate().flat_map(|(word, &bits)| {
            let present = (0..64).filter(move |bit| bits >> bit & 1 == 1);
            present.map(move |bit| ActionId::from_index(word * 64 + bit))
        }));
    }
    OutputMeaning {
        enabled: Some(sets),
        ..OutputMeaning::default()
    }
}

const _: () = assert!(
    MAX_STATES < u32::MAX as u64,
    "one id must be left to mark missing targets"
);
