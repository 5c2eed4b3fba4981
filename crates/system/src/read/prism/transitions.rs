//! Reads `.tra` files: the transitions.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use tellapart_files::FileError;

use super::actions::PrismActions;
use super::is_skipped;
use crate::SystemError;
use crate::machine::MAX_STATES;
use crate::read::lines::Lines;
use crate::read::scan::{LineError, Scanner, error, short_number, state_in_range};
use crate::read::transitions::{Completed, Refused, TransitionTable, contradiction, most_states};

const MAX_LINE_BYTES: usize = 1 << 20;

/// Bytes of the shortest line: `0 0 1` and the end of the line.
const SHORTEST_LINE_BYTES: u64 = 6;

pub(super) struct PrismTable {
    pub(super) completed: Completed,
    /// Names of the actions, if any has one.
    pub(super) actions: Option<Vec<String>>,
}

/// First line of the file.
struct PrismHeader {
    states: u32,
    /// Number of choices; `None` in Markov chains, whose lines name no choice.
    choices: Option<u64>,
    transitions: u64,
}

/// Transition line whose probability is 1 or absent.
#[derive(Debug, PartialEq)]
struct PrismTransition<'l> {
    from: u32,
    choice: u32,
    to: u32,
    /// Name of the action; empty where there is none.
    action: &'l [u8],
    /// All bytes after the state that the transition reaches.
    ending: &'l [u8],
}

pub(super) fn read(
    mut reader: impl Read + Seek,
    path: &Path,
    max_table_entries: u64,
) -> Result<PrismTable, SystemError> {
    let io = |source| FileError::from_io(path, source);
    let length = reader.seek(SeekFrom::End(0)).map_err(io)?;
    reader.rewind().map_err(io)?;
    let inside = |source| SystemError::In {
        path: path.to_path_buf(),
        source: Box::new(source),
    };

    let mut lines = Lines::new(&mut reader, path, MAX_LINE_BYTES);
    let header = read_header(&mut lines, length)?;
    let mut actions = PrismActions::default();
    let mut transitions = TransitionTable::new(header.states, max_table_entries);
    let refused = match read_lines(&mut lines, &header, &mut actions, &mut transitions)? {
        Ok(()) if actions.columns == 0 => return Err(inside(SystemError::NoActions)),
        Ok(()) => transitions.complete(&actions.order()),
        Err(refused) => Err(refused),
    };
    match refused {
        Ok(completed) => Ok(PrismTable {
            completed,
            actions: actions.into_names(),
        }),
        Err(Refused::TooLarge(error)) => Err(inside(error)),
        Err(Refused::Conflict { state, action }) => {
            let action = actions.name(action);
            let label = match &action {
                Ok(name) => name.clone(),
                Err(choice) => format!("choice {choice}"),
            };
            let mut is_past_header = false;
            let target_of = |line: &[u8]| {
                if is_skipped(line) || !std::mem::replace(&mut is_past_header, true) {
                    return None;
                }
                let found = PrismTransition::parse(line, &header).ok()?;
                let is_it = match &action {
                    Ok(name) => found.action == name.as_bytes(),
                    Err(choice) => found.action.is_empty() && found.choice as usize == *choice,
                };
                (found.from == state && is_it).then_some(found.to)
            };
            let at = (state, label);
            Err(contradiction(reader, path, MAX_LINE_BYTES, at, target_of))
        }
    }
}

/// Reads the header, which is the first line that is neither blank nor a comment.
fn read_header(lines: &mut Lines<'_, impl Read>, length: u64) -> Result<PrismHeader, SystemError> {
    let header = loop {
        let Some(line) = lines.next()? else {
            return Err(lines.fail_at_end(
                "the file ends without a first line; expected `states transitions` or `states \
                 choices transitions`",
            ));
        };
        if let Some(model) = line.strip_prefix(b"# Transitions (") {
            let model = model.split(|&byte| byte == b')').next().unwrap_or_default();
            if ![&b"DTMC"[..], b"MDP", b"LTS"].contains(&model) {
                let problem = format!(
                    "a model of type {} is no deterministic system; expected DTMC, MDP or LTS",
                    String::from_utf8_lossy(model)
                );
                return Err(lines.fail(LineError { column: 1, problem }));
            }
        }
        if !is_skipped(line) {
            break PrismHeader::parse(line);
        }
    };
    let header = header.map_err(|error| lines.fail(error))?;
    // The table is allocated before all is read, so the header must be credible.
    let transitions = header.transitions.min(length / SHORTEST_LINE_BYTES);
    let states = header.states;
    if u64::from(states) > most_states(transitions) {
        let problem = format!(
            "the first line claims {states} states, but {transitions} transitions mention at most \
             {}; correct it",
            2 * transitions + 1
        );
        return Err(lines.fail(LineError { column: 1, problem }));
    }
    if header.choices.is_some_and(|choices| choices > length) {
        let problem = "the second number claims more choices than the file has bytes".to_owned();
        return Err(lines.fail(LineError { column: 1, problem }));
    }
    Ok(header)
}

fn read_lines(
    lines: &mut Lines<'_, impl Read>,
    header: &PrismHeader,
    actions: &mut PrismActions,
    transitions: &mut TransitionTable,
) -> Result<Result<(), Refused>, SystemError> {
    let (states, promised) = (header.states, header.transitions);
    let mut found = 0;
    loop {
        let guessed = guessed(lines.rest(), header, actions).filter(|&(from, _, to, _)| {
            // A state out of range is an error, and the slow path finds its column.
            from < states && to < states
        });
        let (from, action, to) = match guessed {
            Some((from, action, to, length)) => {
                lines.pass(length);
                (from, action, to)
            }
            None => match lines.next()? {
                None => break,
                Some(line) if is_skipped(line) => continue,
                Some(line) => {
                    let read = PrismTransition::parse(line, header).map(|read| {
                        let column = actions.number(read.choice, read.action);
                        actions.spell(read.action, read.ending);
                        (read.from, column, read.to)
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
        if let Err(refused) = transitions.add(from, action, to) {
            return Ok(Err(refused));
        }
    }
    if found < promised {
        return Err(lines.fail_at_end(format!(
            "the file ends after {found} transitions, the first line promises {promised}; it may be \
             truncated"
        )));
    }
    Ok(Ok(()))
}

impl PrismHeader {
    fn parse(line: &[u8]) -> Result<Self, LineError> {
        let mut scanner = Scanner::new(line);
        if line
            .trim_ascii_start()
            .first()
            .is_some_and(u8::is_ascii_alphabetic)
        {
            let problem = "expected `states transitions` or `states choices transitions` in numbers, \
                           as PRISM writes; files of Storm that begin with the type of the model are \
                           another format";
            return Err(error(scanner.skip_spaces(), problem));
        }
        let at = scanner.skip_spaces();
        let states = scanner.number("the number of states")?;
        if states == 0 {
            return Err(error(at, "a system needs at least one state"));
        }
        if states > MAX_STATES {
            let problem = format!("at most {MAX_STATES} states are supported");
            return Err(error(at, problem));
        }
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
            states: states as u32,
            choices,
            transitions,
        })
    }
}

/// Reads the next line if it has single spaces and ends like an earlier one with the action that is
/// likely to come next. Returns from, column, to, and the length of the line with its end.
#[inline]
fn guessed(
    text: &[u8],
    header: &PrismHeader,
    actions: &mut PrismActions,
) -> Option<(u32, u32, u32, usize)> {
    let mut at = 0;
    let number = |at: &mut usize| {
        let value = short_number(text, at)?;
        (text.get(*at) == Some(&b' ')).then(|| *at += 1)?;
        Some(value)
    };
    let from = number(&mut at)?;
    let choice = match header.choices {
        Some(choices) => number(&mut at).filter(|&choice| u64::from(choice) < choices)?,
        None => 0,
    };
    let to = short_number(text, &mut at)?;
    let (column, length) = actions.guess(choice, header.choices.is_some(), &text[at..])?;
    Some((from, column, to, at + length))
}

impl<'l> PrismTransition<'l> {
    fn parse(line: &'l [u8], header: &PrismHeader) -> Result<Self, LineError> {
        let mut scanner = Scanner::new(line);
        let from_at = scanner.skip_spaces();
        let from = scanner.number("the state that the transition leaves")?;
        let from = state_in_range(from, from_at, header.states)?;
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
        let to = state_in_range(to, to_at, header.states)?;
        let ending = &line[scanner.at..];

        let mut at = scanner.skip_spaces();
        let mut word = scanner.word();
        let is_action = !word
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || b".+-".contains(byte));
        let probability = match word {
            [] if header.choices.is_none() => return Err(error(at, "expected a probability")),
            [] => None,
            _ if is_action && header.choices.is_some() => None,
            word => {
                let text = str::from_utf8(word).unwrap_or_default();
                let probability = text.parse::<f64>();
                Some(probability.map_err(|_| error(at, "expected a probability, a number"))?)
            }
        };
        let probability_at = at;
        if probability.is_some() {
            at = scanner.skip_spaces();
            word = scanner.word();
        }
        scanner.expect_end()?;
        if str::from_utf8(word).is_err() {
            return Err(error(at, "the action is not valid UTF-8"));
        }
        let transition = Self {
            from,
            choice,
            to,
            action: word,
            ending,
        };
        match probability {
            Some(probability) if probability != 1.0 => Err(error(
                probability_at,
                format!(
                    "state {from} reaches {to} with probability {probability} under {}; only \
                     deterministic systems are supported: every probability must be 1",
                    described(choice, &String::from_utf8_lossy(word))
                ),
            )),
            _ => Ok(transition),
        }
    }
}

fn described(choice: u32, action: &str) -> String {
    match action {
        "" => format!("choice {choice}"),
        action => format!("{action:?}"),
    }
}

#[cfg(test)]
mod tests {
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
                states: u32::MAX,
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
            if let Some((from, column, to, length)) = guessed(text.as_bytes(), &header, actions) {
                let careful = careful.map_err(|error| error.problem).unwrap();
                let expected = actions.number(careful.choice, careful.action);
                assert_eq!(
                    (from, column, to),
                    (careful.from, expected, careful.to),
                    "{line:?}"
                );
                assert_eq!(length, line.len() + 1, "{line:?}");
                agreed += 1;
            } else if let Ok(careful) = careful {
                actions.number(careful.choice, careful.action);
                actions.spell(careful.action, careful.ending);
            }
        }
        assert!(agreed > 10_000, "{agreed}");
    }
}
