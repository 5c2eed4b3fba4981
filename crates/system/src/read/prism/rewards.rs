//! Reads `.srew` files: the rewards of states.

use std::io::Read;
use std::path::Path;

use super::is_skipped;
use crate::SystemError;
use crate::read::lines::Lines;
use crate::read::scan::{LineError, Scanner, error, state_in_range};

const MAX_LINE_BYTES: usize = 1 << 20;

/// Reads the reward of every state, 0 where no line gives one.
pub(super) fn read(reader: impl Read, path: &Path, states: usize) -> Result<Vec<f64>, SystemError> {
    let mut lines = Lines::new(reader, path, MAX_LINE_BYTES);
    let promised = loop {
        let Some(line) = lines.next()? else {
            return Err(lines.fail_at_end(
                "the file ends without a first line; expected `states rewards`, two numbers",
            ));
        };
        if !is_skipped(line) {
            break header(line, states);
        }
    };
    let promised = promised.map_err(|error| lines.fail(error))?;
    let mut rewards = vec![None; states];
    let mut found = 0;
    while let Some(line) = lines.next()? {
        if is_skipped(line) {
            continue;
        }
        let read = reward_of_state(line, states as u32);
        let (state, reward) = read.map_err(|error| lines.fail(error))?;
        if rewards[state as usize].replace(reward).is_some() {
            let problem = format!("state {state} has a reward already");
            return Err(lines.fail(LineError { column: 1, problem }));
        }
        found += 1;
    }
    if found != promised {
        return Err(lines.fail_at_end(format!(
            "the file has {found} rewards, its first line promises {promised}; it may be truncated"
        )));
    }
    Ok(rewards.into_iter().map(Option::unwrap_or_default).collect())
}

/// Parses the first line, `states rewards`, and returns the number of rewards.
fn header(line: &[u8], states: usize) -> Result<u64, LineError> {
    let mut scanner = Scanner::new(line);
    let at = scanner.skip_spaces();
    let found = scanner.number("the number of states")?;
    let rewards = scanner.number("the number of rewards")?;
    scanner.expect_end()?;
    if found != states as u64 {
        let problem = format!("{found} states, but the transitions are of {states}");
        return Err(error(at, problem));
    }
    Ok(rewards)
}

/// Parses a line `state reward`.
fn reward_of_state(line: &[u8], states: u32) -> Result<(u32, f64), LineError> {
    let mut scanner = Scanner::new(line);
    let at = scanner.skip_spaces();
    let state = state_in_range(scanner.number("a state")?, at, states)?;
    let at = scanner.skip_spaces();
    let word = str::from_utf8(scanner.word()).unwrap_or_default();
    let reward = word.parse::<f64>().ok().filter(|reward| !reward.is_nan());
    let reward = reward.ok_or_else(|| error(at, "expected the reward of the state, a number"))?;
    scanner.expect_end()?;
    Ok((state, reward))
}
