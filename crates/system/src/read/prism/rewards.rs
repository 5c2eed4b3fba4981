//! Reads files of rewards: numbers for states (`.srew`) or transitions (`.trew`).

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use foldhash::fast::RandomState;

use super::header::{Form, Numbering};
use super::is_skipped;
use super::numbers::Numbers;
use super::transitions::PrismTable;
use crate::SystemError;
use crate::beside::RewardKind;
use crate::meaning::Sets;
use crate::read::lines::Lines;
use crate::read::scan::{LineError, Scanner, error};

const MAX_LINE_BYTES: usize = 1 << 20;

/// Rewards of one file, as ids of [`Numbers`]; 0 where the file gives none.
pub(super) enum Rewards {
    /// The reward of each state.
    States(Vec<u32>),
    /// The rewards of transitions that are not 0: for each state a set, as an index into `sets`,
    /// of pairs of action and reward, ascending.
    Transitions {
        set_of: Vec<u32>,
        sets: Sets<[u32; 2]>,
    },
}

/// Reads a file of rewards of this kind beside the transitions of `table`.
pub(super) fn read(
    reader: impl Read,
    path: &Path,
    kind: RewardKind,
    table: &PrismTable,
    numbers: &mut Numbers,
) -> Result<Rewards, SystemError> {
    let lines = Lines::new(reader, path, MAX_LINE_BYTES);
    let form = table.header.form;
    match kind {
        RewardKind::States => {
            let mut rewards = vec![None; table.header.states.count as usize];
            each_line(lines, form, kind, table, |line, numbering| {
                let (state, reward) = of_state(line, numbering, numbers)?;
                let known = rewards[state as usize].replace(reward);
                known.map_or(Ok(()), |_| Err(error(0, twice("state", line))))
            })?;
            let rewards = rewards.into_iter().map(Option::unwrap_or_default);
            Ok(Rewards::States(rewards.collect()))
        }
        RewardKind::Transitions => {
            let mut given: HashMap<[u32; 2], u32, RandomState> = HashMap::default();
            each_line(lines, form, kind, table, |line, numbering| {
                let (choice, reward) = of_transition(line, numbering, table, numbers)?;
                let known = choice.and_then(|choice| given.insert(choice, reward));
                known.map_or(Ok(()), |_| Err(error(0, twice("transition", line))))
            })?;
            let of_actions = match table.header.choices {
                Some(_) => of_choices(&given, table, numbers, path)?,
                None => of_targets(&given, table),
            };
            Ok(gathered(&of_actions, table.completed.enabled.len()))
        }
    }
}

/// Reads all lines after the header, if there is one, and compares their number with it.
fn each_line(
    mut lines: Lines<'_, impl Read>,
    form: Form,
    kind: RewardKind,
    table: &PrismTable,
    mut take: impl FnMut(&[u8], Numbering) -> Result<(), LineError>,
) -> Result<(), SystemError> {
    let mut numbering = table.header.states;
    let mut has_header = form == Form::Prism && !is_named_as_storm_does(lines.path());
    let (mut promised, mut found) = (None, 0);
    while let Some(line) = lines.next()? {
        let read = if line.starts_with(b"#") {
            // PRISM writes the comment with its own form only.
            if promised.is_none() && line.starts_with(b"# Reward structure") {
                has_header = true;
                numbering.first = 0;
            }
            check_comment(line, kind)
        } else if is_skipped(line) || (!has_header && counts(line)) {
            Ok(())
        } else if has_header && promised.is_none() {
            header(line, kind, table).map(|rewards| promised = Some(rewards))
        } else {
            found += 1;
            take(line, numbering)
        };
        read.map_err(|error| lines.fail(error))?;
    }
    match promised {
        None if has_header => Err(lines.fail_at_end(format!(
            "the file ends without a first line; expected {}",
            expected_header(kind, table)
        ))),
        Some(promised) if found != promised => Err(lines.fail_at_end(format!(
            "the file has {found} rewards, its first line promises {promised}; it may be truncated"
        ))),
        _ => Ok(()),
    }
}

/// Whether the name of the file is one that examples of Storm have; such files have no header.
fn is_named_as_storm_does(path: &Path) -> bool {
    let name = path.to_string_lossy().to_ascii_lowercase();
    let ends = [".state.rew", ".trans.rew", ".tra.rew"];
    ends.iter().any(|end| name.ends_with(end))
}

/// Whether this is a line `STATES n` or `TRANSITIONS n`, which MRMC puts first.
fn counts(line: &[u8]) -> bool {
    let line = line.to_ascii_uppercase();
    line.starts_with(b"STATES") || line.starts_with(b"TRANSITIONS")
}

/// Refuses a comment of PRISM that says that the file holds something else.
fn check_comment(line: &[u8], kind: RewardKind) -> Result<(), LineError> {
    let (other, name) = match kind {
        RewardKind::States => (&b"# Transition rewards"[..], "transitions (.trew)"),
        RewardKind::Transitions => (&b"# State rewards"[..], "states (.srew)"),
    };
    match line.starts_with(other) {
        true => Err(error(
            0,
            format!("these are rewards of {name}; name the file so"),
        )),
        false => Ok(()),
    }
}

fn expected_header(kind: RewardKind, table: &PrismTable) -> &'static str {
    match (kind, table.header.choices) {
        (RewardKind::Transitions, Some(_)) => "`states choices rewards`, three numbers",
        _ => "`states rewards`, two numbers",
    }
}

/// Parses the first line, and returns the number of rewards.
fn header(line: &[u8], kind: RewardKind, table: &PrismTable) -> Result<u64, LineError> {
    let mut scanner = Scanner::new(line);
    let at = scanner.skip_spaces();
    let states = scanner.number("the number of states")?;
    let mut choices = None;
    let mut choices_at = 0;
    if kind == RewardKind::Transitions && table.header.choices.is_some() {
        choices_at = scanner.skip_spaces();
        choices = Some(scanner.number("the number of choices")?);
    }
    let rewards = scanner.number("the number of rewards")?;
    let end = scanner.skip_spaces();
    if end < line.len() {
        let expected = expected_header(kind, table);
        return Err(error(
            end,
            format!("expected the end of the line, after {expected}"),
        ));
    }
    if states != u64::from(table.header.states.count) {
        let problem = format!(
            "{states} states, but the transitions are of {}",
            table.header.states.count
        );
        return Err(error(at, problem));
    }
    match (choices, table.header.choices) {
        (Some(found), Some(expected)) if found != expected => Err(error(
            choices_at,
            format!("{found} choices, but the transitions are of {expected}"),
        )),
        _ => Ok(rewards),
    }
}

/// Parses a line `state reward`.
fn of_state(
    line: &[u8],
    numbering: Numbering,
    numbers: &mut Numbers,
) -> Result<(u32, u32), LineError> {
    let mut scanner = Scanner::new(line);
    let at = scanner.skip_spaces();
    let state = numbering.check(scanner.number("a state")?, at)?;
    let reward = reward(&mut scanner, "the reward of the state", numbers)?;
    Ok((state, reward))
}

/// Parses a line `from choice to reward`, or `from to reward` in a Markov chain.
///
/// Returns state and choice, in a Markov chain state and target; `None` for a transition of
/// probability 0, whose reward is never received.
fn of_transition(
    line: &[u8],
    numbering: Numbering,
    table: &PrismTable,
    numbers: &mut Numbers,
) -> Result<(Option<[u32; 2]>, u32), LineError> {
    let mut scanner = Scanner::new(line);
    let from_at = scanner.skip_spaces();
    let from = scanner.number("the state that the transition leaves")?;
    let from = numbering.check(from, from_at)?;
    let choice_at = scanner.skip_spaces();
    let choice = match table.header.choices {
        Some(_) => Some(scanner.number("the number of the choice")?),
        None => None,
    };
    let to_at = scanner.skip_spaces();
    let to = scanner.number("the state that the transition reaches")?;
    if line.contains(&b':') {
        let problem = "this is PRISM's row form; export the rewards without rows";
        return Err(error(to_at, problem));
    }
    let to = numbering.check(to, to_at)?;
    let reward = reward(&mut scanner, "the reward of the transition", numbers)?;

    let shown = |state: u32| state + numbering.first;
    let (does_reach, key) = match choice {
        None => (
            table.targets(from).any(|(_, target)| target == to),
            [from, to],
        ),
        Some(number) => {
            let choice = u32::try_from(number).ok();
            let action = choice.and_then(|choice| table.action_of(from, choice));
            let (Some(choice), Some(action)) = (choice, action) else {
                let problem = format!("state {} has no choice {number}", shown(from));
                return Err(error(choice_at, problem));
            };
            (table.target(from, action) == to, [from, choice])
        }
    };
    if does_reach {
        return Ok((Some(key), reward));
    }
    let never = [from, choice.unwrap_or_default() as u32, to];
    if table.never.binary_search(&never).is_ok() {
        return Ok((None, reward));
    }
    let under = choice.map_or(String::new(), |choice| format!(" under choice {choice}"));
    let problem = format!(
        "state {} does not lead to {}{under}, so that the reward belongs to no transition",
        shown(from),
        shown(to)
    );
    Err(error(to_at, problem))
}

fn reward(scanner: &mut Scanner<'_>, what: &str, numbers: &mut Numbers) -> Result<u32, LineError> {
    let at = scanner.skip_spaces();
    let id = numbers.id(scanner.word());
    let id = id.map_err(|expected| error(at, format!("expected {what}, {expected}")))?;
    scanner.expect_end()?;
    Ok(id)
}

fn twice(what: &str, line: &[u8]) -> String {
    let words: Vec<_> = line.split(u8::is_ascii_whitespace).collect();
    let numbers = words[..words.len().saturating_sub(1)].join(&b' ');
    let numbers = String::from_utf8_lossy(&numbers);
    format!("{what} {} has a reward already", numbers.trim())
}

/// Returns the rewards of a Markov chain by state and action, ascending.
fn of_targets(given: &HashMap<[u32; 2], u32, RandomState>, table: &PrismTable) -> Vec<[u32; 3]> {
    let rewards = given.iter().flat_map(|(&[state, to], &reward)| {
        let reached = table
            .targets(state)
            .filter(move |&(_, target)| target == to);
        reached.map(move |(action, _)| [state, action, reward])
    });
    let mut rewards: Vec<[u32; 3]> = rewards.collect();
    rewards.sort_unstable();
    rewards
}

/// Returns the rewards by state and action, ascending. Fails if choices of one action, which lead
/// to one state, have different rewards.
fn of_choices(
    given: &HashMap<[u32; 2], u32, RandomState>,
    table: &PrismTable,
    numbers: &Numbers,
    path: &Path,
) -> Result<Vec<[u32; 3]>, SystemError> {
    let reward_of = |state, choice| given.get(&[state, choice]).copied().unwrap_or_default();
    let mut rewards: Vec<[u32; 3]> = table
        .choices
        .iter()
        .map(|choice| {
            let reward = reward_of(choice.state, choice.choice);
            [choice.state, choice.action, reward]
        })
        .collect();
    rewards.sort_unstable();
    rewards.dedup();
    let is_both = |pair: &&[[u32; 3]]| pair[0][..2] == pair[1][..2];
    match rewards.windows(2).find(is_both) {
        None => Ok(rewards),
        Some(pair) => {
            let [state, action, first] = pair[0];
            let second = pair[1][2];
            Err(SystemError::Beside {
                path: path.to_path_buf(),
                problem: format!(
                    "state {state} has two choices of {} with rewards {} and {}, so that the reward \
                     is not determined; give them different actions or equal rewards",
                    table.described(action),
                    numbers.text(first),
                    numbers.text(second)
                ),
            })
        }
    }
}

/// Gathers rewards, ascending by state and action, in a set for each state.
fn gathered(rewards: &[[u32; 3]], states: usize) -> Rewards {
    let mut sets = Sets::new();
    sets.push([]);
    let mut ids: HashMap<Vec<[u32; 2]>, u32, RandomState> = HashMap::default();
    ids.insert(Vec::new(), 0);
    let mut set_of = vec![0; states];
    for of_state in rewards.chunk_by(|a, b| a[0] == b[0]) {
        let given = of_state.iter().filter(|[_, _, reward]| *reward != 0);
        let set: Vec<[u32; 2]> = given.map(|&[_, action, reward]| [action, reward]).collect();
        let next = ids.len() as u32;
        let id = *ids.entry(set.clone()).or_insert(next);
        if id == next {
            sets.push(set);
        }
        set_of[of_state[0][0] as usize] = id;
    }
    Rewards::Transitions { set_of, sets }
}
