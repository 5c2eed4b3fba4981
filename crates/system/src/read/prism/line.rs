//! Parses single lines of `.tra` files.

use super::actions::PrismActions;
use super::header::PrismHeader;
use crate::exact::Exact;
use crate::read::scan::{LineError, Scanner, error, short_number};

/// Transition line.
#[derive(Debug, PartialEq)]
pub(super) struct PrismTransition<'l> {
    pub(super) from: u32,
    pub(super) choice: u32,
    pub(super) to: u32,
    /// Probability, exactly and rounded; `None` where it is 1, or absent.
    pub(super) share: Option<(Exact, f64)>,
    /// Probability as it is written, and its place in the line.
    pub(super) probability: (&'l [u8], usize),
    /// Name of the action; empty where there is none.
    pub(super) action: &'l [u8],
    /// All bytes after the state that the transition reaches.
    pub(super) ending: &'l [u8],
}

/// Reads the next line if it has single spaces and ends like an earlier one with the action that is
/// likely to come next. Returns from, choice, column, to, and the length of the line with its end.
/// Its probability is 1.
#[inline]
pub(super) fn guessed(
    text: &[u8],
    header: &PrismHeader,
    actions: &mut PrismActions,
) -> Option<(u32, u32, u32, u32, usize)> {
    let mut at = 0;
    let number = |at: &mut usize| {
        let value = short_number(text, at)?;
        (text.get(*at) == Some(&b' ')).then(|| *at += 1)?;
        Some(value)
    };
    // A state out of range is an error, and the careful parser finds its column.
    let from = header.states.state(number(&mut at)?)?;
    let choice = match header.choices {
        Some(choices) => number(&mut at).filter(|&choice| u64::from(choice) < choices)?,
        None => 0,
    };
    let to = header.states.state(short_number(text, &mut at)?)?;
    let (column, length) = actions.guess(choice, header.choices.is_some(), &text[at..])?;
    Some((from, choice, column, to, at + length))
}

impl<'l> PrismTransition<'l> {
    pub(super) fn parse(line: &'l [u8], header: &PrismHeader) -> Result<Self, LineError> {
        let mut scanner = Scanner::new(line);
        let from_at = scanner.skip_spaces();
        let from = scanner.number("the state that the transition leaves")?;
        let from = header.states.check(from, from_at)?;
        let choice = match header.choices {
            Some(choices) => {
                let at = scanner.skip_spaces();
                let choice = scanner.number("the number of the choice")?;
                if choice >= choices || choice > u64::from(u32::MAX) {
                    let problem =
                        format!("choice {choice} does not exist: the model has {choices}");
                    return Err(error(at, problem));
                }
                choice as u32
            }
            None => 0,
        };
        let to_at = scanner.skip_spaces();
        let to = scanner.number("the state that the transition reaches")?;
        if line
            .get(scanner.at)
            .is_some_and(|byte| b".:".contains(byte))
            && line.contains(&b':')
        {
            let problem = "this is PRISM's row form; export the model without rows";
            return Err(error(to_at, problem));
        }
        let to = header.states.check(to, to_at)?;
        let ending = &line[scanner.at..];

        let mut at = scanner.skip_spaces();
        let mut word = scanner.word();
        let probability = match word {
            [] if header.choices.is_none() => return Err(error(at, "expected a probability")),
            [] => None,
            [first, ..] if header.choices.is_some() && !starts_number(*first) => None,
            word => Some((word, at)),
        };
        let share = match probability {
            None | Some((b"1", _)) => None,
            Some((word, at)) => share(word, at)?,
        };
        if probability.is_some() {
            at = scanner.skip_spaces();
            word = scanner.word();
        }
        scanner.expect_end()?;
        if str::from_utf8(word).is_err() {
            return Err(error(at, "the action is not valid UTF-8"));
        }
        Ok(Self {
            from,
            choice,
            to,
            share,
            probability: probability.unwrap_or((b"1", at)),
            action: word,
            ending,
        })
    }
}

/// Parses a probability; `None` is 1.
fn share(word: &[u8], at: usize) -> Result<Option<(Exact, f64)>, LineError> {
    if word.starts_with(b"[") {
        let problem = "this is an interval of probabilities, and no deterministic system";
        return Err(error(at, problem));
    }
    let (share, rounded) = Exact::parse(word)
        .map_err(|expected| error(at, format!("expected a probability, {expected}")))?;
    if share.is_negative() {
        return Err(error(at, "expected a probability, which is not negative"));
    }
    Ok((share != Exact::ONE).then_some((share, rounded)))
}

/// Whether a word that begins so is a probability, not an action.
fn starts_number(first: u8) -> bool {
    first.is_ascii_digit() || b".+-[".contains(&first)
}

#[cfg(test)]
mod tests {
    use super::super::header::{Form, Numbering};
    use super::*;

    /// Guesses agree with the careful parser.
    #[test]
    fn guesses_agree_with_the_careful_way() {
        let pieces = [
            "0",
            "7",
            "12",
            "1",
            "1.0",
            " ",
            "\t",
            "a",
            "b_c",
            "4294967295",
            "-",
            "#",
            "\u{e9}",
        ];
        let mut seed = 1_u64;
        let mut agreed = 0;
        let mut actions = [PrismActions::default(), PrismActions::default()];
        for round in 0..300_000 {
            let mut draw = |choices: usize| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) as usize % choices
            };
            let header = PrismHeader {
                form: Form::Prism,
                states: Numbering {
                    first: 0,
                    count: u32::MAX,
                },
                choices: (round % 2 == 0).then_some(8),
                transitions: 1,
            };
            let mut line = String::new();
            let action = ["", "a", "b_c"][draw(3)];
            for part in ["12", " ", "0", " ", "7", " 1", " ", action] {
                match draw(20) {
                    0 => {}
                    1 => line.push_str(pieces[draw(pieces.len())]),
                    _ => line.push_str(part),
                }
            }
            let careful = PrismTransition::parse(line.as_bytes(), &header);
            let text = format!("{line}\n12 0 7 1 a\n");
            let actions = &mut actions[round % 2];
            let guessed = guessed(text.as_bytes(), &header, actions);
            if let Some((from, choice, column, to, length)) = guessed {
                let careful = careful.map_err(|error| error.problem).unwrap();
                let expected = actions.number(careful.choice, careful.action);
                assert_eq!(
                    (from, choice, column, to, None),
                    (
                        careful.from,
                        careful.choice,
                        expected,
                        careful.to,
                        careful.share
                    ),
                    "{line:?}"
                );
                assert_eq!(length, line.len() + 1, "{line:?}");
                agreed += 1;
            } else if let Ok(careful) = careful
                && careful.share.is_none()
            {
                actions.number(careful.choice, careful.action);
                actions.spell(careful.action, careful.ending);
            }
        }
        assert!(agreed > 10_000, "{agreed}");
    }
}
