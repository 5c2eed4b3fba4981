//! Reads deterministic coalgebras in the text format of Boa.

use std::io::Read;
use std::path::Path;

use super::lines::Lines;
use super::names::Names;
use super::scan::{LineError, error, short_number};
use super::transitions::MAX_TABLE_ENTRIES;
use crate::machine::check_size;
use crate::meaning::{OutputMeaning, Sets};
use crate::outputs::DistinctBytes;
use crate::{ActionId, MooreMachine, OutputId, StateId, SystemError};

/// Longest line in bytes, above that of the longest list of states the format allows.
const MAX_LINE_BYTES: usize = 1 << 22;

/// Deepest nesting of lists; deeper lists are no sensible output.
const MAX_DEPTH: u32 = 16;

/// Reads the text format of Boa (Jacobs & Wissmann, POPL 2023;
/// <https://github.com/julesjacobs/boa>), `.boa.txt`, where it describes a deterministic system.
///
/// Line `i` (counted from 0) describes state `i`, without spaces:
///
/// ```text
/// node  = "@" state | kind "[" tag "]{" [item {"," item}] "}"
/// kind  = "List" | "Set" | "Add" | "Or" | "Max" | "Tag"
/// item  = node (in List and Set), node ":" weight (in the others)
/// tag   = 0 to 255
/// ```
///
/// A node of `List`s alone, nested or not, is deterministic. Its states, from left to right, are
/// the successors under actions 0, 1, ..., and all that surrounds them is the output of the state.
/// A Moore machine of three actions with the output 7 in a state is `List[7]{@0,@4,@2}`. States
/// with fewer successors than others lead to themselves under the further actions; their outputs
/// differ from the others' already. So the classes are Boa's. Outputs have values, namely the tags,
/// where every line has the simple form `List[tag]{@...}` with the same number of successors.
///
/// # Errors
/// Anything malformed, with its line and column. The other kinds of node, which describe other
/// systems (sets of successors, weights). A state that no line describes. A table beyond
/// [`MAX_TABLE_ENTRIES`]. Memory: the table of successors, and up to twice that while it grows.
pub fn boa(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    let path = path.as_ref();
    let (file, _) = tellapart_files::open(path)?;
    boa_from(file, path, MAX_TABLE_ENTRIES)
}

/// Reads the format of [`boa`] from any reader. `path` is used in errors only; `max_table_entries`
/// bounds the memory.
///
/// # Errors
/// The errors of [`boa`], with `max_table_entries` as the bound of the table.
pub fn boa_from(
    reader: impl Read,
    path: &Path,
    max_table_entries: u64,
) -> Result<MooreMachine, SystemError> {
    let mut lines = Lines::new(reader, path, MAX_LINE_BYTES);
    // Successors of all states, one after the other; their number differs between states.
    let mut successors: Vec<StateId> = Vec::new();
    let mut output: Vec<OutputId> = Vec::new();
    let mut outputs = DistinctBytes::default();
    let mut shape = Vec::new();
    let mut highest = Highest::default();
    let mut simple = SimpleLines::default();
    loop {
        if let Some((id, length)) = simple.guess(lines.rest(), &mut successors, &mut highest) {
            lines.pass(length);
            highest.stay_in_line(lines.number());
            output.push(id);
            continue;
        }
        let Some(line) = lines.next()? else { break };
        shape.clear();
        let first = successors.len();
        let mut node = Node {
            line,
            at: 0,
            shape: &mut shape,
            successors: &mut successors,
            highest: &mut highest,
        };
        let read = node.read_line().map(|()| {
            let id = outputs.id(&shape);
            simple.learn(line, successors.len() - first, id);
            id
        });
        output.push(read.map_err(|error| lines.fail(error))?);
        highest.stay_in_line(lines.number());
    }
    if highest.state as usize >= output.len() && !output.is_empty() {
        let problem = format!(
            "state {} does not exist: the file has {} lines, so the states are 0 to {}",
            highest.state,
            output.len(),
            output.len() - 1
        );
        let column = highest.column;
        return Err(lines.fail_at(highest.line, LineError { column, problem }));
    }
    machine(successors, output, &outputs.into_rows(), max_table_entries)
        .map_err(|source| inside(path, source))
}

/// Lines whose states come one after the other at the end, as in `List[1]{@2,@3}` and
/// `List[1]{List[0]{},@2,@3}`. The text before the states (the head) and their number determine the
/// output.
#[derive(Default)]
struct SimpleLines {
    heads: Names,
    /// Number of states and output of a line with each head.
    meant: Vec<(usize, OutputId)>,
}

impl SimpleLines {
    /// Reads the next line if it begins like an earlier one and has as many states. Returns its
    /// output, and its length with its end.
    #[inline]
    fn guess(
        &mut self,
        text: &[u8],
        successors: &mut Vec<StateId>,
        highest: &mut Highest,
    ) -> Option<(OutputId, usize)> {
        let (head, mut at) = match self.heads.guess(text) {
            Some(guess) => {
                self.heads.took(&guess);
                (guess.id, guess.length)
            }
            None => {
                let length = memchr::memchr(b'@', text)?;
                (self.heads.get(&text[..length])?, length)
            }
        };
        let (arity, output) = self.meant[head as usize];
        let before = successors.len();
        for index in 0..arity {
            let mark: &[u8] = if index == 0 { b"@" } else { b",@" };
            let state_at = at + mark.len();
            at = state_at;
            let state = text[state_at - mark.len()..]
                .starts_with(mark)
                .then(|| short_number(text, &mut at))
                .flatten();
            let Some(state) = state else {
                successors.truncate(before);
                return None;
            };
            highest.see(state, state_at);
            successors.push(StateId::new(state));
        }
        if !text[at..].starts_with(b"}\n") {
            successors.truncate(before);
            return None;
        }
        Some((output, at + 2))
    }

    /// Remembers a line that was read, with `arity` states, if it is simple.
    fn learn(&mut self, line: &[u8], arity: usize, output: OutputId) {
        let Some(length) = memchr::memchr(b'@', line) else {
            return;
        };
        let (head, states) = line.split_at(length);
        let is_simple = states.split_last().is_some_and(|(last, states)| {
            *last == b'}'
                && states
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || b"@,".contains(byte))
        });
        if is_simple && self.heads.find(head).is_none() {
            let number = self.heads.insert(head);
            self.heads.spell(number, head);
            self.meant.push((arity, output));
        }
    }
}

fn inside(path: &Path, source: SystemError) -> SystemError {
    SystemError::In {
        path: path.to_path_buf(),
        source: Box::new(source),
    }
}

fn machine(
    mut successors: Vec<StateId>,
    output: Vec<OutputId>,
    shapes: &[Vec<u8>],
    max_entries: u64,
) -> Result<MooreMachine, SystemError> {
    let arity = |shape: &[u8]| memchr::memchr_iter(b'@', shape).count();
    let arities: Vec<usize> = shapes.iter().map(|shape| arity(shape)).collect();
    let states = output.len();
    let actions = arities.iter().copied().max().unwrap_or_default();
    check_size(states as u64, actions as u64)?;
    let entries = states as u64 * actions as u64;
    if entries > max_entries {
        return Err(SystemError::TableTooLarge {
            states: states as u64,
            actions: actions as u64,
            limit: max_entries,
        });
    }
    let is_even = arities.iter().all(|&arity| arity == actions);
    let mut meaning = OutputMeaning::default();
    if is_even {
        let tags: Option<Vec<f64>> = shapes.iter().map(|shape| simple_tag(shape)).collect();
        if let Some(tags) = tags {
            meaning = OutputMeaning::of_values(1, tags);
        }
    } else {
        let listed = std::mem::take(&mut successors);
        let mut rest = &listed[..];
        successors.reserve_exact(entries as usize);
        for (state, id) in output.iter().enumerate() {
            let (own, others) = rest.split_at(arities[id.index()]);
            rest = others;
            successors.extend_from_slice(own);
            successors.resize((state + 1) * actions, StateId::from_index(state));
        }
        // Outputs mean enabled actions only if their numbers of successors all differ. Otherwise
        // shapes differ in more than that, and outputs have no meaning.
        let mut enabled = Sets::new();
        for &arity in &arities {
            enabled.push((0..arity).map(ActionId::from_index));
        }
        let mut seen = arities.clone();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() == arities.len() {
            meaning.enabled = Some(enabled);
        }
    }
    Ok(MooreMachine::from_table(actions, successors, output)?.with_meaning(meaning))
}

/// Returns the tag of a shape `List[tag]{@,@}`.
fn simple_tag(shape: &[u8]) -> Option<f64> {
    let rest = shape.strip_prefix(b"List[")?;
    let close = memchr::memchr(b']', rest)?;
    let is_simple = rest[close + 1..].iter().all(|byte| b"{@,}".contains(byte));
    let tag: u8 = str::from_utf8(&rest[..close]).ok()?.parse().ok()?;
    is_simple.then_some(f64::from(tag))
}

/// Highest state that is mentioned, and its position.
#[derive(Default)]
struct Highest {
    state: u32,
    column: usize,
    line: u64,
    is_new: bool,
}

impl Highest {
    /// Notes a state at position `at` of a line.
    #[inline]
    fn see(&mut self, state: u32, at: usize) {
        if state > self.state {
            *self = Self {
                state,
                column: at + 1,
                line: 0,
                is_new: true,
            };
        }
    }

    fn stay_in_line(&mut self, line: u64) {
        if std::mem::take(&mut self.is_new) {
            self.line = line;
        }
    }
}

/// Parser of one line: writes states to `successors`, all else to `shape`.
struct Node<'l, 'o> {
    line: &'l [u8],
    at: usize,
    shape: &'o mut Vec<u8>,
    successors: &'o mut Vec<StateId>,
    highest: &'o mut Highest,
}

impl Node<'_, '_> {
    fn read_line(&mut self) -> Result<(), LineError> {
        if self.line.is_empty() {
            return Err(error(
                0,
                "expected the node of a state; lines must not be blank",
            ));
        }
        if self.line[0] == b'@' {
            let problem =
                "a state that is another state describes no Moore machine; expected `List`";
            return Err(error(0, problem));
        }
        self.node(0)?;
        match self.at < self.line.len() {
            true => Err(error(self.at, "expected the end of the line")),
            false => Ok(()),
        }
    }

    fn node(&mut self, depth: u32) -> Result<(), LineError> {
        let start = self.at;
        if self.eat(b"@") {
            return self.state();
        }
        if !self.eat(b"List") {
            return Err(error(start, self.problem_at(start)));
        }
        if depth == MAX_DEPTH {
            let problem = format!("lists lie in more than {MAX_DEPTH} lists");
            return Err(error(start, problem));
        }
        self.expect(b'[')?;
        let tag_at = self.at;
        let tag = short_number(self.line, &mut self.at).filter(|&tag| tag <= 255);
        let Some(tag) = tag else {
            return Err(error(
                tag_at,
                "expected a tag, a whole number from 0 to 255",
            ));
        };
        self.expect(b']')?;
        self.expect(b'{')?;
        // Tags are spelled anew, so that `[07]` equals `[7]`.
        self.shape.extend_from_slice(b"List[");
        self.shape
            .extend_from_slice(itoa::Buffer::new().format(tag).as_bytes());
        self.shape.extend_from_slice(b"]{");
        if !self.eat(b"}") {
            loop {
                self.node(depth + 1)?;
                if self.eat(b"}") {
                    break;
                }
                self.expect(b',')?;
                self.shape.push(b',');
            }
        }
        self.shape.push(b'}');
        Ok(())
    }

    #[inline]
    fn state(&mut self) -> Result<(), LineError> {
        let at = self.at;
        let Some(state) = short_number(self.line, &mut self.at) else {
            return Err(error(
                at,
                "expected a state, a whole number below 1000000000",
            ));
        };
        self.highest.see(state, at);
        self.shape.push(b'@');
        self.successors.push(StateId::new(state));
        Ok(())
    }

    fn eat(&mut self, token: &[u8]) -> bool {
        let is_there = self.line[self.at..].starts_with(token);
        self.at += if is_there { token.len() } else { 0 };
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), LineError> {
        match self.eat(&[byte]) {
            true => Ok(()),
            false => Err(error(self.at, format!("expected `{}`", char::from(byte)))),
        }
    }

    fn problem_at(&self, start: usize) -> String {
        let others = ["Set", "Add", "Or", "Max", "Tag"];
        let mut others = others.into_iter();
        match others.find(|kind| self.line[start..].starts_with(kind.as_bytes())) {
            Some(kind) => format!(
                "`{kind}` describes a system that is not deterministic or has weights; only `List` is \
                 supported"
            ),
            None => "expected `List` or a state such as `@0`".to_owned(),
        }
    }
}
