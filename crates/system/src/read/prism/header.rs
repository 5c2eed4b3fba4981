//! Reads the first lines of `.tra` files, which tell their form.

use std::io::Read;

use super::is_skipped;
use crate::SystemError;
use crate::machine::MAX_STATES;
use crate::read::lines::Lines;
use crate::read::scan::{LineError, Scanner, error};
use crate::read::transitions::most_states;

/// Bytes of the shortest line: `0 0 1` and the end of the line.
const SHORTEST_LINE_BYTES: u64 = 6;

/// Form of a `.tra` file; rewards and labels beside it have the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// The numbers of states, choices and transitions come first.
    Prism,
    /// The type of the model comes first, and nothing is counted.
    Storm,
    /// `STATES` and `TRANSITIONS` come first, and states are numbered from 1.
    Mrmc,
}

/// What is known before the first transition.
#[derive(Clone, Copy, Debug)]
pub(super) struct PrismHeader {
    pub(super) form: Form,
    pub(super) states: Numbering,
    /// Bound of the numbers of choices; `None` in Markov chains, whose lines name no choice.
    pub(super) choices: Option<u64>,
    pub(super) transitions: u64,
}

/// Numbers of the states in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbering {
    pub(super) first: u32,
    pub(super) count: u32,
}

impl Numbering {
    /// Returns the state of this number, counted from 0.
    #[inline]
    pub(super) fn state(self, number: u32) -> Option<u32> {
        let state = number.wrapping_sub(self.first);
        (state < self.count).then_some(state)
    }

    /// Returns the state of the number at `at`, counted from 0.
    pub(super) fn check(self, number: u64, at: usize) -> Result<u32, LineError> {
        let state = u32::try_from(number)
            .ok()
            .and_then(|number| self.state(number));
        state.ok_or_else(|| {
            let last = u64::from(self.first) + u64::from(self.count) - 1;
            let problem = format!(
                "state {number} does not exist: by the header the states are {} to {last}",
                self.first
            );
            error(at, problem)
        })
    }
}

impl PrismHeader {
    /// Reads the header of a file of `length` bytes: the first lines that are neither blank nor
    /// comments.
    pub(super) fn read(lines: &mut Lines<'_, impl Read>, length: u64) -> Result<Self, SystemError> {
        let first = loop {
            let Some(line) = lines.next()? else {
                return Err(lines.fail_at_end(
                    "the file ends without a first line; expected `states transitions` or `states \
                     choices transitions`",
                ));
            };
            if let Err(error) = check_comment(line) {
                return Err(lines.fail(error));
            }
            if !is_skipped(line) {
                break line.to_ascii_lowercase();
            }
        };
        let header = match first.trim_ascii() {
            b"dtmc" => return Self::count(lines, false),
            b"mdp" => return Self::count(lines, true),
            word @ (b"ctmc" | b"ctmdp" | b"ma" | b"pomdp" | b"idtmc" | b"imdp" | b"smg") => {
                let word = String::from_utf8_lossy(word).to_ascii_uppercase();
                Err(error(0, other_type(&word)))
            }
            word @ [b'a'..=b'z', ..] => Self::mrmc(word, lines)?,
            _ => Self::prism(&first),
        };
        let header = header.map_err(|error| lines.fail(error))?;
        // The table is allocated before all is read, so the header must be credible.
        let problem = header.claims_too_much(length);
        problem.map_or(Ok(header), |problem| {
            Err(lines.fail(LineError { column: 1, problem }))
        })
    }

    /// Number of lines of the header, without blank ones and comments.
    pub(super) fn lines(&self) -> usize {
        match self.form {
            Form::Prism | Form::Storm => 1,
            Form::Mrmc => 2,
        }
    }

    /// Skips the lines of the header.
    pub(super) fn skip(&self, lines: &mut Lines<'_, impl Read>) -> Result<(), SystemError> {
        while lines.next()?.is_some_and(is_skipped) {}
        if self.form == Form::Mrmc {
            lines.next()?;
        }
        Ok(())
    }

    fn claims_too_much(&self, length: u64) -> Option<String> {
        let transitions = self.transitions.min(length / SHORTEST_LINE_BYTES);
        let states = self.states.count;
        if u64::from(states) > most_states(transitions) {
            return Some(format!(
                "the first line claims {states} states, but {transitions} transitions mention at \
                 most {}; correct it",
                2 * transitions + 1
            ));
        }
        let many = self.choices.is_some_and(|choices| choices > length);
        many.then(|| "the second number claims more choices than the file has bytes".to_owned())
    }

    fn prism(line: &[u8]) -> Result<Self, LineError> {
        let mut scanner = Scanner::new(line);
        let at = scanner.skip_spaces();
        let states = states(scanner.number("the number of states")?, at)?;
        let second = scanner.number("the number of choices or transitions")?;
        let choices = match scanner.skip_spaces() < line.len() {
            true => Some(second),
            false => None,
        };
        let transitions = match choices {
            Some(_) => scanner.number("the number of transitions")?,
            None => second,
        };
        let end = scanner.skip_spaces();
        if end < line.len() {
            let problem = "expected two numbers (a Markov chain) or three (an MDP or LTS); models with \
                           observations are not supported";
            return Err(error(end, problem));
        }
        Ok(Self {
            form: Form::Prism,
            states: Numbering {
                first: 0,
                count: states,
            },
            choices,
            transitions,
        })
    }

    /// Reads `STATES n` and `TRANSITIONS n` in two lines, of which `first` is the first.
    fn mrmc(
        first: &[u8],
        lines: &mut Lines<'_, impl Read>,
    ) -> Result<Result<Self, LineError>, SystemError> {
        let counted = |line: &[u8], word: &[u8], problem: &str| {
            let mut scanner = Scanner::new(line);
            if !line.starts_with(word) {
                return Err(error(0, problem));
            }
            scanner.at = word.len();
            let number = scanner.number("a number")?;
            scanner.expect_end()?;
            Ok(number)
        };
        let count = counted(first, b"states", UNKNOWN_FORM).and_then(|count| states(count, 7));
        let count = match count {
            Ok(count) => count,
            Err(error) => return Ok(Err(error)),
        };
        let Some(second) = lines.next()? else {
            return Err(lines.fail_at_end("the file ends without a line `TRANSITIONS n`"));
        };
        let second = second.trim_ascii().to_ascii_lowercase();
        let expected = "expected `TRANSITIONS n` after `STATES n`, as in files of MRMC";
        let transitions = counted(&second, b"transitions", expected);
        Ok(transitions.map(|transitions| Self {
            form: Form::Mrmc,
            states: Numbering { first: 1, count },
            choices: None,
            transitions,
        }))
    }

    /// Makes the header of a file of Storm, which counts nothing, by reading all of it.
    fn count(lines: &mut Lines<'_, impl Read>, has_choices: bool) -> Result<Self, SystemError> {
        let (mut last, mut transitions) = (None, 0);
        while let Some(line) = lines.next()? {
            if is_skipped(line) {
                continue;
            }
            let mut scanner = Scanner::new(line);
            let mut numbers = || {
                let from = scanner.number("the state that the transition leaves")?;
                if has_choices {
                    scanner.number("the number of the choice")?;
                }
                let at = scanner.skip_spaces();
                let to = scanner.number("the state that the transition reaches")?;
                states(from.max(to).saturating_add(1), at)
            };
            let count = numbers().map_err(|error| lines.fail(error))?;
            last = last.max(Some(count));
            transitions += 1;
        }
        let Some(count) = last else {
            return Err(lines.fail_at_end(
                "the file has no transitions, so that the number of states is unknown",
            ));
        };
        if u64::from(count) > most_states(transitions) {
            return Err(lines.fail_at_end(format!(
                "{transitions} transitions name state {}; states are numbered from 0 without gaps",
                count - 1
            )));
        }
        Ok(Self {
            form: Form::Storm,
            states: Numbering { first: 0, count },
            // Numbers of choices start at 0 in every state.
            choices: has_choices.then_some(transitions),
            transitions,
        })
    }
}

const UNKNOWN_FORM: &str = "expected `states transitions` or `states choices transitions` in numbers, as \
                            PRISM writes, `dtmc` or `mdp`, as in files of Storm, or `STATES n`, as in \
                            files of MRMC";

/// Refuses a comment by which PRISM says that the model is of another type.
fn check_comment(line: &[u8]) -> Result<(), LineError> {
    let Some(model) = line.strip_prefix(b"# Transitions (") else {
        return Ok(());
    };
    let model = model.split(|&byte| byte == b')').next().unwrap_or_default();
    if [&b"DTMC"[..], b"MDP", b"LTS"].contains(&model) {
        return Ok(());
    }
    Err(error(0, other_type(&String::from_utf8_lossy(model))))
}

fn other_type(model: &str) -> String {
    format!("a model of type {model} is no deterministic system; expected DTMC, MDP or LTS")
}

fn states(count: u64, at: usize) -> Result<u32, LineError> {
    if count == 0 {
        let problem = "a system needs at least one state; a file of Storm, which counts nothing, begins \
                       with `dtmc` or `mdp`";
        return Err(error(at, problem));
    }
    if count > MAX_STATES {
        let problem = format!("at most {MAX_STATES} states are supported");
        return Err(error(at, problem));
    }
    Ok(count as u32)
}
