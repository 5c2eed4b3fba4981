//! `.lab`: the labels of states.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use foldhash::fast::RandomState;

use super::is_skipped;
use crate::meaning::Sets;
use crate::read::lines::Lines;
use crate::read::scan::{LineError, Scanner, error, state_in_range};
use crate::{StateId, SystemError};

/// The first line names all labels, and may be long.
const MAX_LINE_BYTES: usize = 1 << 28;

pub(super) struct StateLabels {
    /// The first state labelled `init`.
    pub(super) initial: Option<StateId>,
    /// Without `init` and `deadlock`.
    pub(super) names: Vec<String>,
    /// For each state, which of the sets its labels are.
    pub(super) set_of: Vec<u32>,
    pub(super) sets: Sets<u32>,
}

/// What a number in the file stands for.
#[derive(Clone, Copy)]
enum Declared {
    Init,
    Deadlock,
    Label(u32),
}

pub(super) fn read(
    reader: impl Read,
    path: &Path,
    states: usize,
) -> Result<StateLabels, SystemError> {
    let mut lines = Lines::new(reader, path, MAX_LINE_BYTES);
    let declared = loop {
        let Some(line) = lines.next()? else {
            return Err(lines.fail_at_end(
                "the file ends without a first line; expected labels, as `0=\"init\" 1=\"goal\"`",
            ));
        };
        if !is_skipped(line) {
            break declarations(line);
        }
    };
    let (declared, names) = declared.map_err(|error| lines.fail(error))?;

    const UNSEEN: u32 = u32::MAX;
    let mut initial = None;
    let mut set_of = vec![UNSEEN; states];
    let mut ids: HashMap<Vec<u32>, u32, RandomState> = HashMap::default();
    let mut sets = Sets::new();
    let mut set = Vec::new();
    // States that no line mentions carry no labels.
    ids.insert(Vec::new(), 0);
    sets.push([]);
    while let Some(line) = lines.next()? {
        if is_skipped(line) {
            continue;
        }
        let read = labels_of_state(line, states as u32, &declared, &mut set);
        let (state, is_initial) = read.map_err(|error| lines.fail(error))?;
        if set_of[state as usize] != UNSEEN {
            let problem = format!("state {state} has a line already; join the two");
            return Err(lines.fail(LineError { column: 1, problem }));
        }
        if is_initial {
            let state = StateId::new(state);
            initial = Some(initial.map_or(state, |first: StateId| first.min(state)));
        }
        let id = match ids.get(&set) {
            Some(&id) => id,
            None => {
                let id = ids.len() as u32;
                ids.insert(set.clone(), id);
                sets.push(set.iter().copied());
                id
            }
        };
        set_of[state as usize] = id;
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
        sets,
    })
}

/// `0="init" 1="deadlock" 2="goal"`
fn declarations(line: &[u8]) -> Result<(Vec<Declared>, Vec<String>), LineError> {
    let mut scanner = Scanner::new(line);
    let (mut declared, mut names) = (Vec::new(), Vec::<String>::new());
    let mut seen = std::collections::HashSet::with_hasher(RandomState::default());
    while scanner.skip_spaces() < line.len() {
        let at = scanner.at;
        let number = scanner.number("the number of a label")?;
        if number != declared.len() as u64 {
            let problem = format!(
                "expected label {}, labels are numbered 0, 1, 2, ...",
                declared.len()
            );
            return Err(error(at, problem));
        }
        scanner.expect(b"=\"", "`=\"` and the name of the label")?;
        let start = scanner.at;
        let Some(length) = memchr::memchr(b'"', &line[start..]) else {
            return Err(error(
                start - 1,
                "the quote that opens the name is not closed",
            ));
        };
        scanner.at = start + length + 1;
        let name = str::from_utf8(&line[start..start + length])
            .map_err(|_| error(start, "the name is not valid UTF-8"))?;
        if !seen.insert(name) {
            return Err(error(start, format!("label {name:?} is there already")));
        }
        declared.push(match name {
            "" => return Err(error(start, "the name of the label is empty")),
            "init" => Declared::Init,
            "deadlock" => Declared::Deadlock,
            name => {
                names.push(name.to_owned());
                Declared::Label(names.len() as u32 - 1)
            }
        });
    }
    Ok((declared, names))
}

/// `3: 0 2`: the state, and whether it is initial; its labels, ascending, go to `set`.
fn labels_of_state(
    line: &[u8],
    states: u32,
    declared: &[Declared],
    set: &mut Vec<u32>,
) -> Result<(u32, bool), LineError> {
    let mut scanner = Scanner::new(line);
    let at = scanner.skip_spaces();
    let state = state_in_range(scanner.number("a state")?, at, states)?;
    scanner.expect(b":", "`:` after the state")?;
    let mut is_initial = false;
    set.clear();
    while scanner.skip_spaces() < line.len() {
        let at = scanner.at;
        let number = scanner.number("the number of a label")?;
        match declared.get(usize::try_from(number).unwrap_or(usize::MAX)) {
            Some(Declared::Init) => is_initial = true,
            Some(Declared::Deadlock) => {}
            Some(Declared::Label(label)) => set.push(*label),
            None => {
                let problem = format!(
                    "label {number} does not exist: the first line has {} labels",
                    declared.len()
                );
                return Err(error(at, problem));
            }
        }
    }
    set.sort_unstable();
    set.dedup();
    Ok((state, is_initial))
}
