//! Reading a line of text from left to right.

/// What is wrong with a line, and at which column (bytes, counted from 1).
pub(super) struct LineError {
    pub(super) column: usize,
    pub(super) problem: String,
}

pub(super) fn state_in_range(state: u64, at: usize, states: u32) -> Result<u32, LineError> {
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

pub(super) fn error(at: usize, problem: impl Into<String>) -> LineError {
    LineError {
        column: at + 1,
        problem: problem.into(),
    }
}

/// Reads a line from left to right; spaces before every token are skipped.
pub(super) struct Scanner<'l> {
    pub(super) line: &'l [u8],
    pub(super) at: usize,
}

impl<'l> Scanner<'l> {
    pub(super) fn new(line: &'l [u8]) -> Self {
        Self { line, at: 0 }
    }

    /// Moves to the next byte that is no space; returns its position.
    pub(super) fn skip_spaces(&mut self) -> usize {
        let rest = &self.line[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
        self.at
    }

    pub(super) fn expect(&mut self, token: &[u8], what: &str) -> Result<(), LineError> {
        let at = self.skip_spaces();
        if !self.line[at..].starts_with(token) {
            return Err(error(at, format!("expected {what}")));
        }
        self.at += token.len();
        Ok(())
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u64, LineError> {
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

    /// The next run of bytes that are no spaces; empty at the end of the line.
    pub(super) fn word(&mut self) -> &'l [u8] {
        let rest = &self.line[self.skip_spaces()..];
        let length = rest.iter().position(u8::is_ascii_whitespace);
        let word = &rest[..length.unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    pub(super) fn expect_end(&mut self) -> Result<(), LineError> {
        let at = self.skip_spaces();
        if at < self.line.len() {
            return Err(error(at, "expected the end of the line"));
        }
        Ok(())
    }
}

/// A number of at most nine digits at `*at`, which moves behind it; `None` if there is no such number,
/// and then the careful way must find out why.
#[inline]
pub(super) fn short_number(line: &[u8], at: &mut usize) -> Option<u32> {
    let mut value = 0_u32;
    let mut digits = 0;
    while let Some(digit) = line.get(*at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        value = value.wrapping_mul(10).wrapping_add(u32::from(digit));
        digits += 1;
        *at += 1;
    }
    (1..=9).contains(&digits).then_some(value)
}
