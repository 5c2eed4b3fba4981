//! Files of stable-worldmodel: columns of rows, each with what led there.

use tellapart_files::Array;

use super::choose::choose;
use super::file::{File, Members, at};
use super::jpeg::read_observations;
use super::recording::{Recording, last_flag, read_additional, read_flags, read_rows, rewards_at};
use super::values::rows_or_zeros;
use crate::error::DataError;
use crate::names::Kind;

const LENGTHS: &str = "ep_len";
const OFFSETS: &str = "ep_offset";
const WHAT: &str = "as many as observations";

/// Whether these are the objects at the root of such a file.
pub(super) fn is(root: &Members) -> bool {
    let has = |name: &str| root.datasets.iter().any(|other| other == name);
    has(LENGTHS) && has(OFFSETS)
}

/// Reads all episodes, in the order of the file.
pub(super) fn read(
    file: &File,
    root: &Members,
    choice: Option<&str>,
) -> Result<Recording, DataError> {
    let is_column = |name: &&String| ![LENGTHS, OFFSETS].contains(&name.as_str());
    let columns: Vec<String> = root.datasets.iter().filter(is_column).cloned().collect();
    let kinds = [
        Kind::Actions,
        Kind::Rewards,
        Kind::Terminals,
        Kind::Timeouts,
    ];
    let known = kinds.map(|kind| named(&columns, kind));
    let [actions, rewards, terminals, timeouts] = known;
    let has_no_meaning = |name: &&String| !known.contains(&Some(name.as_str()));
    let all: Vec<String> = columns.iter().filter(has_no_meaning).cloned().collect();
    let chosen = choose(file, "", &all, &usual(&all), choice)?;
    let node = file.node(&chosen)?;
    let stored = node.rows().unwrap_or_default();
    // Before anything is made for each row: only what can be read has so many.
    let observations = read_observations(file, &node)?;
    let rows = Rows::read(file, stored)?;
    let mut recording = Recording::new(file.path());
    recording.set("observations", &chosen, rows.of(observations));
    let actions = actions.ok_or_else(|| at("action", "it is not there, and is needed"))?;
    let array = read_rows(file, actions, stored, WHAT)?;
    recording.set("actions", actions, rows_or_zeros(&array, &rows.taken));
    if let Some(name) = rewards {
        let array = read_rows(file, name, stored, WHAT)?;
        let first = rows.episodes.iter().map(|&(start, _)| start);
        let is_value = |&row: &usize| {
            let value = array.values.number(row);
            value.is_finite() && value != 0.0
        };
        let unread = first.filter(is_value).count();
        recording.set("rewards", name, rewards_at(name, &array, &rows.arrived)?);
        if unread > 0 {
            let reason = format!("in the first rows of {unread} episodes: no step led there");
            recording.leave(name, reason);
        }
    }
    let flags = rows.flags(file, [terminals, timeouts])?;
    recording.set_flags(flags, [terminals, timeouts]);
    for name in all.iter().filter(|name| **name != chosen) {
        match read_additional(file, &file.node(name)?, stored)? {
            Ok(array) => recording.add(name, rows.of(array)),
            Err(reason) => recording.leave(name, reason),
        }
    }
    let left = stored - rows.taken.len();
    if left > 0 {
        recording.leave(
            LENGTHS,
            format!("{left} of {stored} rows belong to no episode"),
        );
    }
    for name in &root.groups {
        recording.leave(
            name,
            "it is a group, and columns are at the root".to_owned(),
        );
    }
    Ok(recording)
}

/// Returns the columns that are usually observations; all, if there is none.
fn usual(columns: &[String]) -> Vec<String> {
    let names = Kind::Observations.names();
    let is = |name: &&String| name.starts_with("pixels") || names.contains(&name.as_str());
    let usual: Vec<String> = columns.iter().filter(is).cloned().collect();
    if usual.is_empty() {
        columns.to_vec()
    } else {
        usual
    }
}

/// Returns the column that has a meaning.
fn named(columns: &[String], kind: Kind) -> Option<&str> {
    let mut names = kind.names().iter();
    names.find_map(|name| {
        columns
            .iter()
            .find(|column| column == name)
            .map(String::as_str)
    })
}

/// Rows of the episodes, by their place in the file.
struct Rows {
    /// First stored row and number of rows of each episode.
    episodes: Vec<(usize, usize)>,
    /// Stored row of each row; `None` if they are the same.
    order: Option<Vec<Option<usize>>>,
    /// Where the action taken at each row is stored.
    taken: Vec<Option<usize>>,
    /// Where the reward of the step from each row is stored: at the row that it led to.
    arrived: Vec<Option<usize>>,
    stored: usize,
}

impl Rows {
    fn read(file: &File, stored: usize) -> Result<Self, DataError> {
        let lengths = file.read(&file.node(LENGTHS)?)?;
        let count = lengths.values.len();
        let offsets = read_rows(file, OFFSETS, count, "as many as in `ep_len`")?;
        if offsets.values.len() != count {
            return Err(at(OFFSETS, "more than one number for an episode"));
        }
        let (mut episodes, mut total) = (Vec::new(), 0);
        for episode in 0..count {
            let number = |array: &Array| {
                let number = array.values.number(episode);
                let whole = array.values.integer(episode);
                // Whole floats will do.
                let whole = whole.or((number.fract() == 0.0).then_some(number as i128))?;
                usize::try_from(whole).ok()
            };
            let range = (number(&offsets), number(&lengths));
            let (Some(start), Some(length)) = range else {
                return Err(outside(episode, &lengths, &offsets, stored));
            };
            total += length.min(stored + 1);
            let end = start.checked_add(length);
            if end.is_none_or(|end| end > stored) || total > stored {
                return Err(outside(episode, &lengths, &offsets, stored));
            }
            if length > 0 {
                episodes.push((start, length));
            }
        }
        if episodes.is_empty() {
            return Err(DataError::Empty);
        }
        let (mut order, mut taken, mut arrived) = (Vec::new(), Vec::new(), Vec::new());
        for &(start, length) in &episodes {
            let last = start + length - 1;
            order.extend((start..=last).map(Some));
            taken.extend((start..last).map(Some));
            taken.push(None);
            arrived.extend((start + 1..=last).map(Some));
            arrived.push(None);
        }
        let is_same = order.len() == stored
            && order
                .iter()
                .enumerate()
                .all(|(row, place)| *place == Some(row));
        Ok(Self {
            episodes,
            order: (!is_same).then_some(order),
            taken,
            arrived,
            stored,
        })
    }

    /// Returns the rows of a stored array.
    fn of(&self, array: Array) -> Array {
        match &self.order {
            None => array,
            Some(order) => rows_or_zeros(&array, order),
        }
    }

    /// Reads the flags. An episode that has neither was cut off.
    fn flags(&self, file: &File, names: [Option<&str>; 2]) -> Result<[Vec<bool>; 2], DataError> {
        let read = |name: &str| read_flags(file, name, self.stored, WHAT);
        let [terminals, timeouts] = [names[0].map(read), names[1].map(read)];
        let stored = [terminals.transpose()?, timeouts.transpose()?];
        let mut flags = [Vec::new(), Vec::new()];
        for &(start, length) in &self.episodes {
            let mut ended = [false; 2];
            for ((ended, name), stored) in ended.iter_mut().zip(names).zip(&stored) {
                if let (Some(name), Some(stored)) = (name, stored) {
                    *ended = last_flag(name, &stored[start..start + length], start)?;
                }
            }
            ended[1] |= !ended[0];
            for (flags, ended) in flags.iter_mut().zip(ended) {
                flags.extend(std::iter::repeat_n(false, length - 1));
                flags.push(ended);
            }
        }
        Ok(flags)
    }
}

fn outside(episode: usize, lengths: &Array, offsets: &Array, stored: usize) -> DataError {
    DataError::Value {
        array: LENGTHS.to_owned(),
        row: episode,
        found: format!(
            "{} rows from {}",
            lengths.values.number(episode),
            offsets.values.number(episode)
        ),
        expected: format!("an episode of its own among the {stored} rows of the file"),
    }
}
