//! Reads `.lab` files: the labels of states.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use foldhash::fast::RandomState;

use super::declarations::{Declarations, is_declaration};
use super::header::Numbering;
use super::is_skipped;
use crate::meaning::Sets;
use crate::read::lines::Lines;
use crate::read::names::Names;
use crate::read::scan::{LineError, Scanner, short_number};
use crate::{StateId, SystemError};

/// Longest line in bytes. The first line names all labels, and may be long.
const MAX_LINE_BYTES: usize = 1 << 28;

pub(super) struct StateLabels {
    /// First state labeled `init`.
    pub(super) initial: Option<StateId>,
    /// Names of the labels, without `init` and `deadlock`.
    pub(super) names: Vec<String>,
    /// Set of labels of each state, as an index into `sets`.
    pub(super) set_of: Vec<u32>,
    pub(super) sets: Sets<u32>,
}

/// Reads the labels of all states. Lines that name labels number states as the transitions do;
/// lines that number labels are PRISM's, and number states from 0.
pub(super) fn read(
    reader: impl Read,
    path: &Path,
    mut states: Numbering,
) -> Result<StateLabels, SystemError> {
    let mut lines = Lines::new(reader, path, MAX_LINE_BYTES);
    let (declared, names) = loop {
        let Some(line) = lines.next()? else {
            return Err(lines.fail_at_end(
                "the file ends without a first line; expected labels, as `0=\"init\" 1=\"goal\"`",
            ));
        };
        if is_declaration(line) {
            break Declarations::named(&mut lines)?;
        }
        if !is_skipped(line) {
            let declared = Declarations::numbered(line);
            break declared.map_err(|error| lines.fail(error))?;
        }
    };
    if !declared.are_named() {
        states.first = 0;
    }

    const UNSEEN: u32 = u32::MAX;
    let mut initial = None;
    let mut set_of = vec![UNSEEN; states.count as usize];
    let mut known = KnownSets::new();
    loop {
        // Most lines carry the labels of an earlier line.
        let mut at = 0;
        let guessed = short_number(lines.rest(), &mut at)
            .and_then(|number| states.state(number))
            .and_then(|state| Some((state, known.guess(&lines.rest()[at..])?)));
        let (state, set, is_initial) = match guessed {
            Some((state, (set, is_initial, length))) => {
                lines.pass(at + length);
                (state, set, is_initial)
            }
            None => match lines.next()? {
                None => break,
                Some(line) if is_skipped(line) => continue,
                Some(line) => {
                    let read = known.read(line, states, &declared);
                    read.map_err(|error| lines.fail(error))?
                }
            },
        };
        if set_of[state as usize] != UNSEEN {
            let state = state + states.first;
            let problem = format!("state {state} has a line already; join the two");
            return Err(lines.fail(LineError { column: 1, problem }));
        }
        if is_initial {
            let state = StateId::new(state);
            initial = Some(initial.map_or(state, |first: StateId| first.min(state)));
        }
        set_of[state as usize] = set;
    }
    for id in &mut set_of {
        if *id == UNSEEN {
            *id = 0;
        }
    }
    Ok(StateLabels {
        initial,
        names,
        set_of,
        sets: known.sets,
    })
}

/// Sets of labels, and the endings of lines that stand for them.
struct KnownSets {
    ids: HashMap<Vec<u32>, u32, RandomState>,
    sets: Sets<u32>,
    /// Endings of lines, after the state.
    endings: Names,
    /// Set of each ending, and whether the state is initial.
    meant: Vec<(u32, bool)>,
}

impl KnownSets {
    /// Starts with the empty set, for states that no line mentions.
    fn new() -> Self {
        let mut sets = Sets::new();
        sets.push([]);
        Self {
            ids: HashMap::from_iter([(Vec::new(), 0)]),
            sets,
            endings: Names::default(),
            meant: Vec::new(),
        }
    }

    /// Returns the set, whether the state is initial, and the length of the ending with the line's
    /// end, if an earlier line had this ending.
    #[inline]
    fn guess(&mut self, text: &[u8]) -> Option<(u32, bool, usize)> {
        let guess = self.endings.guess(text);
        let (ending, length) = match guess {
            Some(guess) => {
                self.endings.took(&guess);
                (guess.id, guess.length)
            }
            None => {
                let length = memchr::memchr(b'\n', text)?;
                (self.endings.get(&text[..length])?, length + 1)
            }
        };
        let (set, is_initial) = self.meant[ending as usize];
        Some((set, is_initial, length))
    }

    fn read(
        &mut self,
        line: &[u8],
        states: Numbering,
        declared: &Declarations,
    ) -> Result<(u32, u32, bool), LineError> {
        let mut scanner = Scanner::new(line);
        let at = scanner.skip_spaces();
        let state = states.check(scanner.number("a state")?, at)?;
        let ending = &line[scanner.at..];
        let (set, is_initial) = declared.of_state(scanner)?;
        let id = match self.ids.get(&set) {
            Some(&id) => id,
            None => {
                let id = self.ids.len() as u32;
                self.sets.push(set.iter().copied());
                self.ids.insert(set, id);
                id
            }
        };
        if self.endings.find(ending).is_none() {
            let number = self.endings.insert(ending);
            self.endings.spell(number, &[ending, b"\n"].concat());
            self.meant.push((id, is_initial));
        }
        Ok((state, id, is_initial))
    }
}
