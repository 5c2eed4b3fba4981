//! One line of an Aldebaran file.

use crate::machine::MAX_STATES;

/// What is wrong with a line, and at which column (bytes, counted from 1).
pub(super) struct LineError {
    pub(super) column: usize,
    pub(super) problem: String,
}

/// `des (first, transitions, states)`
pub(super) struct Header {
    pub(super) first: u32,
    pub(super) transitions: u64,
    pub(super) states: u32,
}

/// `(from, label, to)`
pub(super) struct Transition<'l> {
    pub(super) from: u32,
    pub(super) label: &'l str,
    pub(super) to: u32,
}

impl Header {
    pub(super) fn parse(line: &[u8]) -> Result<Self, LineError> {
        let mut scanner = Scanner { line, at: 0 };
        scanner.expect(b"des", "`des (first, transitions, states)`")?;
        scanner.expect(b"(", "`(` after `des`")?;
        let first_at = scanner.skip_spaces();
        let first = scanner.number("the initial state")?;
        scanner.expect(b",", "`,` after the initial state")?;
        let transitions_at = scanner.skip_spaces();
        let transitions = scanner.number("the number of transitions")?;
        scanner.expect(b",", "`,` after the number of transitions")?;
        let states_at = scanner.skip_spaces();
        let states = scanner.number("the number of states")?;
        scanner.expect(b")", "`)` after the number of states")?;
        scanner.expect_end()?;
        if states == 0 {
            return Err(error(states_at, "a system needs at least one state"));
        }
        if states > MAX_STATES {
            return Err(error(
                states_at,
                format!("at most {MAX_STATES} states are supported"),
            ));
        }
        if transitions > u64::from(u32::MAX) {
            let problem = format!("at most {} transitions are supported", u32::MAX);
            return Err(error(transitions_at, problem));
        }
        let first = state_in_range(first, first_at, states as u32)?;
        Ok(Self {
            first,
            transitions,
            states: states as u32,
        })
    }
}

impl<'l> Transition<'l> {
    /// The label is what lies between the first and the last comma, so it may hold commas itself.
    pub(super) fn parse(line: &'l [u8], states: u32) -> Result<Self, LineError> {
        let mut scanner = Scanner { line, at: 0 };
        scanner.expect(b"(", "a transition `(from, label, to)`")?;
        let from_at = scanner.skip_spaces();
        let from = scanner.number("the state that the transition leaves")?;
        let from = state_in_range(from, from_at, states)?;
        scanner.expect(b",", "`,` after the state")?;
        let label_at = scanner.at;

        let last_comma = line
            .iter()
            .rposition(|&byte| byte == b',')
            .unwrap_or_default();
        if last_comma < label_at {
            return Err(error(line.len(), "expected `, to)` after the label"));
        }
        scanner.at = last_comma + 1;
        let to_at = scanner.skip_spaces();
        let to = scanner.number("the state that the transition reaches")?;
        scanner.expect(b")", "`)` after the state")?;
        scanner.expect_end()?;
        let to = state_in_range(to, to_at, states)?;
        Ok(Self {
            from,
            label: label(line, label_at, last_comma)?,
            to,
        })
    }
}

/// The label in `line[start..end]`, without spaces around it and without quotes.
fn label(line: &[u8], start: usize, end: usize) -> Result<&str, LineError> {
    let raw = &line[start..end];
    let start = start + (raw.len() - raw.trim_ascii_start().len());
    let raw = raw.trim_ascii();
    let inner = match raw {
        [] => return Err(error(start, "the label is missing")),
        [b'"', inner @ .., b'"'] => inner,
        [b'"', ..] => return Err(error(start, "the quote that opens the label is not closed")),
        unquoted => unquoted,
    };
    str::from_utf8(inner).map_err(|bad| {
        let quote = usize::from(inner.len() < raw.len());
        error(
            start + quote + bad.valid_up_to(),
            "the label is not valid UTF-8",
        )
    })
}

fn state_in_range(state: u64, at: usize, states: u32) -> Result<u32, LineError> {
    if state < u64::from(states) {
        return Ok(state as u32);
    }
    Err(error(
        at,
        format!(
            "state {state} does not exist: by the header the states are 0 to {}",
            states - 1
        ),
    ))
}

fn error(at: usize, problem: impl Into<String>) -> LineError {
    LineError {
        column: at + 1,
        problem: problem.into(),
    }
}

/// Reads a line from left to right; spaces before every token are skipped.
struct Scanner<'l> {
    line: &'l [u8],
    at: usize,
}

impl Scanner<'_> {
    /// Moves to the next byte that is no space; returns its position.
    fn skip_spaces(&mut self) -> usize {
        let rest = &self.line[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
        self.at
    }

    fn expect(&mut self, token: &[u8], what: &str) -> Result<(), LineError> {
        let at = self.skip_spaces();
        if !self.line[at..].starts_with(token) {
            return Err(error(at, format!("expected {what}")));
        }
        self.at += token.len();
        Ok(())
    }

    fn number(&mut self, what: &str) -> Result<u64, LineError> {
        let at = self.skip_spaces();
        let digits = self.line[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        let mut value = 0_u64;
        for digit in digits {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(u64::from(digit - b'0')))
                .ok_or_else(|| error(at, format!("{what} is too large")))?;
            self.at += 1;
        }
        if self.at == at {
            return Err(error(at, format!("expected {what}, a whole number")));
        }
        Ok(value)
    }

    fn expect_end(&mut self) -> Result<(), LineError> {
        let at = self.skip_spaces();
        if at < self.line.len() {
            return Err(error(at, "expected the end of the line"));
        }
        Ok(())
    }
}
