//! Adds up the probabilities of a choice, all of which must lead to one state.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::path::Path;

use foldhash::fast::RandomState;
use tellapart_files::FileError;

use super::header::PrismHeader;
use super::is_skipped;
use super::line::PrismTransition;
use super::transitions::MAX_LINE_BYTES;
use crate::SystemError;
use crate::exact::Exact;
use crate::read::lines::Lines;
use crate::read::scan::error;

/// Largest error of a sum that rounding of its terms excuses. Programs write probabilities with up
/// to 17 digits.
const ROUNDING: f64 = 1e-9;

/// Most transitions that an error lists.
const MOST_LISTED: usize = 8;

/// Sums of the probabilities of all choices.
#[derive(Default)]
pub(super) struct Sums {
    /// Place in `entries` of each choice: from, choice, action.
    places: HashMap<[u32; 3], usize, RandomState>,
    entries: Vec<([u32; 3], Sum)>,
    /// Transitions of probability 0: from, choice, to.
    never: Vec<[u32; 3]>,
}

#[derive(Clone, Copy)]
struct Sum {
    /// State that all transitions of positive probability lead to.
    to: Option<u32>,
    /// `None` if the exact sum has too many digits.
    exact: Option<Exact>,
    rounded: f64,
}

/// A choice that does not lead to one state with probability 1.
pub(super) struct Unfair {
    choice: [u32; 3],
    /// Sum of the probabilities, where all of them lead to one state.
    sum: Option<f64>,
}

impl Sums {
    /// Adds a transition of the choice (from, choice, action); a `share` of `None` is 1.
    pub(super) fn add(
        &mut self,
        choice: [u32; 3],
        to: u32,
        share: Option<(Exact, f64)>,
    ) -> Result<(), Unfair> {
        let (share, rounded) = share.unwrap_or((Exact::ONE, 1.0));
        let place = *self.places.entry(choice).or_insert_with(|| {
            let nothing = Sum {
                to: None,
                exact: Some(Exact::ZERO),
                rounded: 0.0,
            };
            self.entries.push((choice, nothing));
            self.entries.len() - 1
        });
        if share == Exact::ZERO {
            self.never.push([choice[0], choice[1], to]);
            return Ok(());
        }
        let (_, sum) = &mut self.entries[place];
        if sum.to.is_some_and(|known| known != to) {
            return Err(Unfair { choice, sum: None });
        }
        sum.to = Some(to);
        sum.exact = sum.exact.and_then(|sum| sum.checked_add(&share));
        sum.rounded += rounded;
        Ok(())
    }

    /// Returns the transitions, as from, action, to.
    pub(super) fn transitions(&self) -> impl Iterator<Item = Result<[u32; 3], Unfair>> {
        self.entries.iter().map(|&(choice, sum)| {
            let is_sure = sum.exact == Some(Exact::ONE) || (sum.rounded - 1.0).abs() <= ROUNDING;
            match sum.to {
                Some(to) if is_sure => Ok([choice[0], choice[2], to]),
                _ => Err(Unfair {
                    choice,
                    sum: Some(sum.rounded),
                }),
            }
        })
    }

    /// Returns the transitions of probability 0, ascending: from, choice, to.
    pub(super) fn into_never(mut self) -> Vec<[u32; 3]> {
        self.never.sort_unstable();
        self.never.dedup();
        self.never
    }
}

impl Unfair {
    pub(super) fn action(&self) -> u32 {
        self.choice[2]
    }

    /// Makes the error, reading the file again to find the probabilities.
    pub(super) fn describe(
        &self,
        mut reader: impl Read + Seek,
        path: &Path,
        header: &PrismHeader,
        action: &Result<String, usize>,
    ) -> SystemError {
        if let Err(source) = reader.rewind() {
            return FileError::from_io(path, source).into();
        }
        let mut lines = Lines::new(reader, path, MAX_LINE_BYTES);
        let mut place = None;
        let mut listed = Vec::new();
        if let Err(error) = header.skip(&mut lines) {
            return error;
        }
        loop {
            let line = match lines.next() {
                Ok(Some(line)) if is_skipped(line) => continue,
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => return error,
            };
            let Ok(found) = PrismTransition::parse(line, header) else {
                continue;
            };
            let name = action.as_ref().map_or(&b""[..], |name| name.as_bytes());
            let is_it = [found.from, found.choice] == self.choice[..2] && found.action == name;
            if is_it {
                let (probability, at) = found.probability;
                let probability = String::from_utf8_lossy(probability);
                let to = found.to + header.states.first;
                listed.push(format!("{to} with probability {probability}"));
                place.get_or_insert((lines.number(), at));
            }
        }
        // Nothing is found only if the file has changed meanwhile.
        let (line, at) = place.unwrap_or((lines.number(), 0));
        let problem = self.problem(header, action, &listed);
        lines.fail_at(line, error(at, problem))
    }

    fn problem(
        &self,
        header: &PrismHeader,
        action: &Result<String, usize>,
        listed: &[String],
    ) -> String {
        let state = self.choice[0] + header.states.first;
        let under = match action {
            Ok(name) => format!("{name:?}"),
            Err(choice) => format!("choice {choice}"),
        };
        let shown = match listed {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] if listed.len() <= MOST_LISTED => {
                format!("{} and {last}", first.join(", "))
            }
            _ => format!(
                "{} and {} more",
                listed[..MOST_LISTED].join(", "),
                listed.len() - MOST_LISTED
            ),
        };
        let why = match self.sum {
            None => "only deterministic systems are supported: under every action a state must \
                     reach one state, with probability 1"
                .to_owned(),
            Some(sum) => format!(
                "the probabilities add up to {sum}, and must add up to 1 (within {ROUNDING:e})"
            ),
        };
        format!("state {state} reaches {shown} under {under}; {why}")
    }
}
