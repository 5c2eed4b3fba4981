//! Scans a line of text from left to right.

/// Problem of a line, and its column (bytes, counted from 1).
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

/// Scans a line from left to right, skipping spaces before every token.
pub(super) struct Scanner<'l> {
    pub(super) line: &'l [u8],
    pub(super) at: usize,
}

impl<'l> Scanner<'l> {
    pub(super) fn new(line: &'l [u8]) -> Self {
        Self { line, at: 0 }
    }

    /// Moves to the next byte that is not a space, and returns its position.
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

    /// Returns the next run of bytes that are not spaces; empty at the end of the line.
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

/// Parses a number of one to nine digits at `*at`, and moves `*at` behind it. Returns `None` for
/// anything else, and leaves it to the careful parser to find the reason.
#[inline]
pub(super) fn short_number(line: &[u8], at: &mut usize) -> Option<u32> {
    let (mut value, mut digits) = (0, 0);
    if let Some(eight) = line.get(*at..).and_then(|rest| rest.first_chunk()) {
        (value, digits) = up_to_eight_digits(u64::from_le_bytes(*eight));
        *at += digits;
        if digits < 8 {
            return (digits > 0).then_some(value);
        }
    }
    while let Some(digit) = line.get(*at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        value = value.wrapping_mul(10).wrapping_add(u32::from(digit));
        digits += 1;
        *at += 1;
    }
    (1..=9).contains(&digits).then_some(value)
}

/// Returns the number that eight bytes of text begin with (the first byte in the lowest place), and
/// its number of digits. Takes all bytes at once, by adding neighbors, then pairs, then fours.
#[inline]
fn up_to_eight_digits(text: u64) -> (u32, usize) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let values = text ^ (EACH * u64::from(b'0'));
    // Sets the highest bit of every byte above 9. Carries only reach later bytes, so the first such
    // byte is right.
    let others = (values.wrapping_add(EACH * 0x76) | values) & (EACH * 0x80);
    let digits = (others.trailing_zeros() / 8) as usize;
    if digits == 0 {
        return (0, 0);
    }
    // Moves the digits to the end and puts zeros before them.
    let values = values << (64 - 8 * digits as u32);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let value = fours.wrapping_mul(10_000).wrapping_add(fours >> 32);
    (value as u32, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        let mut numbers = vec![
            0,
            7,
            9,
            10,
            99,
            12_345_678,
            99_999_999,
            123_456_789,
            999_999_999,
        ];
        numbers.extend((0..9).map(|power| 10_u32.pow(power)));
        for number in numbers {
            for follows in [
                "",
                " ",
                ")",
                "/",
                ":",
                "x\n(1,a,2)",
                "\u{e9}\u{e9}\u{e9}\u{e9}",
                "\0\0\0",
            ] {
                for before in ["", "("] {
                    let text = format!("{before}{number}{follows}");
                    let mut at = before.len();
                    assert_eq!(
                        short_number(text.as_bytes(), &mut at),
                        Some(number),
                        "{text:?}"
                    );
                    assert_eq!(at, text.len() - follows.len(), "{text:?}");
                }
            }
        }
        for text in [
            "",
            "x",
            "-1",
            "/1234567",
            ":1234567",
            "1234567890",
            "00000000001",
            " 1",
        ] {
            assert_eq!(short_number(text.as_bytes(), &mut 0), None, "{text:?}");
        }
        // Every byte that may follow a number.
        for follows in 0..=255_u8 {
            let text = [b'4', b'2', follows, 0xff, 0, b'1', b'2', b'3'];
            let expected = if follows.is_ascii_digit() { 3 } else { 2 };
            let mut at = 0;
            short_number(&text, &mut at);
            assert_eq!(at, expected, "{follows}");
        }
    }
}
