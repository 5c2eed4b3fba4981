//! Parses single lines of an Aldebaran file.

use crate::machine::MAX_STATES;
use crate::read::names::Names;
use crate::read::scan::{LineError, Scanner, error, short_number, state_in_range};

/// Header line `des (first, transitions, states)`.
pub(super) struct AutHeader {
    pub(super) first: u32,
    pub(super) transitions: u64,
    pub(super) states: u32,
}

/// Transition line `(from, label, to)`.
#[derive(Debug, PartialEq)]
pub(super) struct AutTransition<'l> {
    pub(super) from: u32,
    pub(super) label: &'l str,
    pub(super) to: u32,
}

/// Transition line whose states and label have not been checked.
pub(super) struct Unchecked<'l> {
    pub(super) from: u32,
    pub(super) label: &'l [u8],
    pub(super) to: u32,
    /// All bytes between the two numbers.
    pub(super) between: &'l [u8],
}

impl<'l> Unchecked<'l> {
    /// Parses a line in the form that programs write, `(1,"label",2)`, with or without spaces after
    /// the commas. Returns `None` for anything else, which [`AutTransition::parse`] reads or
    /// reports.
    #[inline]
    pub(super) fn parse(line: &'l [u8]) -> Option<Self> {
        let mut at = 1;
        let from = short_number(line, &mut at)?;
        let [b'(', inner @ .., b')'] = line else {
            return None;
        };
        let last_comma = memchr::memrchr(b',', inner)? + 1;
        let mut to_at = last_comma + 1;
        to_at += usize::from(line.get(to_at) == Some(&b' '));
        let between = line.get(at..to_at)?;
        let to = short_number(line, &mut to_at)?;
        let label = line.get(at..last_comma)?;
        let label = label.strip_prefix(b",")?;
        let label = label.strip_prefix(b" ").unwrap_or(label);
        let label = match label {
            [b'"', label @ .., b'"'] => label,
            [b'"', ..] | [] => return None,
            label if label.trim_ascii().len() < label.len() => return None,
            label => label,
        };
        (to_at + 1 == line.len()).then_some(Self {
            from,
            label,
            to,
            between,
        })
    }
}

impl AutHeader {
    pub(super) fn parse(line: &[u8]) -> Result<Self, LineError> {
        let mut scanner = Scanner::new(line);
        scanner.expect(b"des", "`des (first, transitions, states)`")?;
        scanner.expect(b"(", "`(` after `des`")?;
        let first_at = scanner.skip_spaces();
        let first = scanner.number("the initial state")?;
        if let Some(distribution) = distribution(line, first_at, b',') {
            let problem = format!(
                "the initial state is drawn from the distribution {distribution:?}; {PROBABILISTIC}"
            );
            return Err(error(first_at, problem));
        }
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

/// Reads the next line if it is written like an earlier one with the label that is likely to come
/// next. Returns from, label, to, and the length of the line with its end.
///
/// The bytes between the two numbers equal those of an earlier line, so the label is that of this
/// line.
#[inline]
pub(super) fn guessed(text: &[u8], labels: &mut Names) -> Option<(u32, u32, u32, usize)> {
    if text.first() != Some(&b'(') {
        return None;
    }
    let mut at = 1;
    let from = short_number(text, &mut at)?;
    let label = labels.guess(&text[at..])?;
    at += label.length;
    let to = short_number(text, &mut at)?;
    if !text[at..].starts_with(b")\n") {
        return None;
    }
    labels.took(&label);
    Some((from, label.id, to, at + 2))
}

impl<'l> AutTransition<'l> {
    /// Parses a transition. The label lies between the first and the last comma, so it may contain
    /// commas.
    pub(super) fn parse(line: &'l [u8], states: u32) -> Result<Self, LineError> {
        let mut scanner = Scanner::new(line);
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
        let label = label(line, label_at, last_comma)?;
        if let Some(distribution) = distribution(line, to_at, b')') {
            let problem = format!(
                "state {from} leads to the distribution {distribution:?} under {label:?}; \
                 {PROBABILISTIC}"
            );
            return Err(error(to_at, problem));
        }
        scanner.expect(b")", "`)` after the state")?;
        scanner.expect_end()?;
        let to = state_in_range(to, to_at, states)?;
        Ok(Self { from, label, to })
    }
}

const PROBABILISTIC: &str = "this is a probabilistic .aut file, as mCRL2 writes them, and only \
                             deterministic systems are supported";

/// Returns the text from `start` to the byte `end`, if it is a distribution as mCRL2 writes it:
/// states with probabilities between them, such as `1 1/2 2`, where a single state is expected.
fn distribution(line: &[u8], start: usize, end: u8) -> Option<&str> {
    let rest = &line[start..];
    let length = rest.iter().position(|&byte| byte == end)?;
    let text = str::from_utf8(&rest[..length]).ok()?.trim();
    let is_number = |word: &str| {
        word.bytes()
            .all(|byte| byte.is_ascii_digit() || b"/.".contains(&byte))
    };
    let mut words = text.split_ascii_whitespace();
    (words.clone().count() >= 3 && words.all(is_number)).then_some(text)
}

/// Returns the label in `line[start..end]`, without surrounding spaces and quotes.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick parser agrees with the careful one on all that it reads.
    #[test]
    fn the_quick_way_agrees_with_the_careful_one() {
        let pieces = [
            "(",
            ")",
            ",",
            " ",
            "\"",
            "0",
            "12",
            "a",
            "b c",
            "\t",
            "4294967295",
            "-",
            "\u{e9}",
        ];
        let mut seed = 1_u64;
        let mut agreed = 0;
        for round in 0..400_000 {
            let mut line = String::new();
            let mut draw = |choices: usize| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as usize % choices
            };
            if round % 2 == 0 {
                // A line near the usual form.
                for part in ["(", "12", ",", " ", "\"", "a", "\"", ",", " ", "0", ")"] {
                    match draw(12) {
                        0 => {}
                        1 => line.push_str(pieces[draw(pieces.len())]),
                        _ => line.push_str(part),
                    }
                }
            } else {
                for _ in 0..draw(12) {
                    line.push_str(pieces[draw(pieces.len())]);
                }
            }
            let Some(Unchecked {
                from, label, to, ..
            }) = Unchecked::parse(line.as_bytes())
            else {
                continue;
            };
            let Ok(label) = str::from_utf8(label) else {
                continue;
            };
            let careful = AutTransition::parse(line.as_bytes(), u32::MAX);
            let careful = careful.map_err(|error| error.problem);
            assert_eq!(careful, Ok(AutTransition { from, label, to }), "{line:?}");
            agreed += 1;
        }
        assert!(agreed > 10_000, "{agreed}");
    }
}
