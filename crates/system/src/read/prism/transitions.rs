//! Reads `.tra` files: the transitions.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use tellapart_files::FileError;

use super::actions::PrismActions;
use super::header::PrismHeader;
use super::is_skipped;
use super::line::{PrismTransition, guessed};
use super::sums::{Sums, Unfair};
use crate::SystemError;
use crate::exact::Exact;
use crate::read::lines::Lines;
use crate::read::scan::LineError;
use crate::read::transitions::{Completed, Refused, TransitionTable, contradiction};

pub(super) const MAX_LINE_BYTES: usize = 1 << 20;

pub(super) struct PrismTable {
    pub(super) header: PrismHeader,
    pub(super) completed: Completed,
    /// Names of the actions, if any has one.
    pub(super) actions: Option<Vec<String>>,
    /// All choices, where they were asked for and lines have them, ascending.
    pub(super) choices: Vec<Choice>,
    /// Transitions of probability 0, ascending: from, choice, to.
    pub(super) never: Vec<[u32; 3]>,
}

impl PrismTable {
    /// Returns the enabled actions of a state with the states that they lead to.
    pub(super) fn targets(&self, state: u32) -> impl Iterator<Item = (u32, u32)> {
        let set = self.completed.enabled[state as usize].index();
        let enabled = self.completed.sets.get(set).unwrap_or_default();
        let actions = enabled.iter().map(|action| action.get());
        actions.map(move |action| (action, self.target(state, action)))
    }

    /// Returns the state that an action leads to.
    pub(super) fn target(&self, state: u32, action: u32) -> u32 {
        let completed = &self.completed;
        let width = completed.next.len() / completed.enabled.len();
        completed.next[state as usize * width + action as usize].get()
    }

    /// Returns the action of a choice, if choices were asked for and the state has it.
    pub(super) fn action_of(&self, state: u32, choice: u32) -> Option<u32> {
        let key = |found: &Choice| (found.state, found.choice);
        let place = self.choices.binary_search_by_key(&(state, choice), key);
        place.ok().map(|place| self.choices[place].action)
    }

    /// Describes an action for an error.
    pub(super) fn described(&self, action: u32) -> String {
        let names = self.actions.as_ref();
        match names.and_then(|names| names.get(action as usize)) {
            Some(name) => format!("{name:?}"),
            None => format!("choice {action}"),
        }
    }
}

/// The action of a choice of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Choice {
    pub(super) state: u32,
    pub(super) choice: u32,
    pub(super) action: u32,
}

/// Why the transitions make no table.
enum Failed {
    Refused(Refused),
    /// Some probability is not 1, so probabilities must be added up.
    NeedsSums,
    Unfair(Unfair),
}

/// Reads the transitions; `keeps_choices` asks for [`PrismTable::choices`].
pub(super) fn read(
    mut reader: impl Read + Seek,
    path: &Path,
    max_table_entries: u64,
    keeps_choices: bool,
) -> Result<PrismTable, SystemError> {
    let io = |source| FileError::from_io(path, source);
    let length = reader.seek(SeekFrom::End(0)).map_err(io)?;
    reader.rewind().map_err(io)?;
    let header = PrismHeader::read(&mut Lines::new(&mut reader, path, MAX_LINE_BYTES), length)?;
    let mut sums = None;
    loop {
        reader.rewind().map_err(io)?;
        let mut lines = Lines::new(&mut reader, path, MAX_LINE_BYTES);
        header.skip(&mut lines)?;
        let mut table = Reading {
            header,
            actions: PrismActions::default(),
            transitions: TransitionTable::new(header.states.count, max_table_entries),
            choices: keeps_choices.then(Vec::new),
            sums,
        };
        let failed = match table.read_lines(&mut lines)? {
            Ok(()) => match table.complete() {
                Ok(table) => return Ok(table),
                Err(refused) => Failed::Refused(refused),
            },
            Err(failed) => failed,
        };
        match failed {
            Failed::NeedsSums => sums = Some(Sums::default()),
            Failed::Unfair(unfair) => {
                let action = table.actions.name(unfair.action());
                return Err(unfair.describe(reader, path, &header, &action));
            }
            Failed::Refused(Refused::TooLarge(source)) => {
                return Err(SystemError::In {
                    path: path.to_path_buf(),
                    source: Box::new(source),
                });
            }
            Failed::Refused(Refused::Conflict { state, action }) => {
                let action = table.actions.name(action);
                return Err(conflict(reader, path, &header, state, &action));
            }
        }
    }
}

/// Makes the error for two choices of one action that lead to different states.
fn conflict(
    reader: impl Read + Seek,
    path: &Path,
    header: &PrismHeader,
    state: u32,
    action: &Result<String, usize>,
) -> SystemError {
    let label = match action {
        Ok(name) => name.clone(),
        Err(choice) => format!("choice {choice}"),
    };
    let mut headers = header.lines();
    let target_of = |line: &[u8]| {
        if is_skipped(line) {
            return None;
        }
        if headers > 0 {
            headers -= 1;
            return None;
        }
        let found = PrismTransition::parse(line, header).ok()?;
        let is_it = match action {
            Ok(name) => found.action == name.as_bytes(),
            Err(choice) => found.action.is_empty() && found.choice as usize == *choice,
        };
        let is_possible = found.share.is_none_or(|(share, _)| share != Exact::ZERO);
        (found.from == state && is_it && is_possible).then_some(found.to + header.states.first)
    };
    let at = (state + header.states.first, label);
    contradiction(reader, path, MAX_LINE_BYTES, at, target_of)
}

/// A table while it is read.
struct Reading {
    header: PrismHeader,
    actions: PrismActions,
    transitions: TransitionTable,
    choices: Option<Vec<Choice>>,
    sums: Option<Sums>,
}

impl Reading {
    fn read_lines(
        &mut self,
        lines: &mut Lines<'_, impl Read>,
    ) -> Result<Result<(), Failed>, SystemError> {
        let promised = self.header.transitions;
        let mut found = 0;
        loop {
            // Where probabilities are added up, every line is parsed.
            let guessed = match self.sums {
                None => guessed(lines.rest(), &self.header, &mut self.actions),
                Some(_) => None,
            };
            let (from, choice, action, to, share) = match guessed {
                Some((from, choice, action, to, length)) => {
                    lines.pass(length);
                    (from, choice, action, to, None)
                }
                None => match lines.next()? {
                    None => break,
                    Some(line) if is_skipped(line) => continue,
                    Some(line) => {
                        let read = PrismTransition::parse(line, &self.header).map(|read| {
                            let column = self.actions.number(read.choice, read.action);
                            // Only endings whose probability is 1 are guessed.
                            if read.share.is_none() {
                                self.actions.spell(read.action, read.ending);
                            }
                            (read.from, read.choice, column, read.to, read.share)
                        });
                        read.map_err(|error| lines.fail(error))?
                    }
                },
            };
            found += 1;
            if found > promised {
                let problem =
                    format!("more transitions than the {promised} that the first line promises");
                return Err(lines.fail(LineError { column: 1, problem }));
            }
            if let Some(choices) = &mut self.choices {
                choices.push(Choice {
                    state: from,
                    choice,
                    action,
                });
            }
            match &mut self.sums {
                None if share.is_some() => return Ok(Err(Failed::NeedsSums)),
                None => {
                    if let Err(refused) = self.transitions.add(from, action, to) {
                        return Ok(Err(Failed::Refused(refused)));
                    }
                }
                Some(sums) => {
                    if let Err(unfair) = sums.add([from, choice, action], to, share) {
                        return Ok(Err(Failed::Unfair(unfair)));
                    }
                }
            }
        }
        if found < promised {
            return Err(lines.fail_at_end(format!(
                "the file ends after {found} transitions, the first line promises {promised}; it \
                 may be truncated"
            )));
        }
        Ok(self.add_sums())
    }

    /// Adds the transitions whose probabilities were added up.
    fn add_sums(&mut self) -> Result<(), Failed> {
        let Some(sums) = &self.sums else {
            return Ok(());
        };
        for sure in sums.transitions() {
            let [from, action, to] = sure.map_err(Failed::Unfair)?;
            let added = self.transitions.add(from, action, to);
            added.map_err(Failed::Refused)?;
        }
        Ok(())
    }

    /// Completes the table. The state stays where it is under actions that it lacks.
    fn complete(&mut self) -> Result<PrismTable, Refused> {
        let mut order = self.actions.order();
        if order.is_empty() {
            // A machine has an action; no state enables it.
            order.push(0);
        }
        let transitions = std::mem::take(&mut self.transitions);
        let completed = transitions.complete(&order)?;
        let mut place = vec![0; order.len()];
        for (action, &column) in order.iter().enumerate() {
            place[column] = action as u32;
        }
        let mut choices = self.choices.take().unwrap_or_default();
        for choice in &mut choices {
            choice.action = place[choice.action as usize];
        }
        choices.sort_unstable();
        choices.dedup();
        let sums = self.sums.take().unwrap_or_default();
        Ok(PrismTable {
            header: self.header,
            completed,
            actions: std::mem::take(&mut self.actions).into_names(),
            choices,
            never: sums.into_never(),
        })
    }
}
