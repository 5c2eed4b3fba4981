//! Files of D4RL: steps of all episodes one after the other, without the last observations.

use tellapart_files::Array;

use super::choose::choose;
use super::file::{File, Members, at};
use super::jpeg::read_observations;
use super::recording::{Recording, read_additional, read_flags, read_rows, rewards_at};
use super::values::{append, row_equals, rows_or_nan, rows_or_zeros};
use crate::error::DataError;
use crate::names::Kind;

const OBSERVATIONS: &str = "observations";
const NEXT: &str = "next_observations";
const ACTIONS: &str = "actions";
const REWARDS: &str = "rewards";
/// Ends of two kinds; each may have any of the names under which it is read elsewhere.
const ENDS: [Kind; 2] = [Kind::Terminals, Kind::Timeouts];
const WHAT: &str = "as many as observations";

/// Whether these are the objects at the root of such a file.
pub(super) fn is(root: &Members) -> bool {
    let has = |name: &str| {
        root.datasets
            .iter()
            .chain(&root.groups)
            .any(|other| other == name)
    };
    has("observations") && has("actions")
}

/// Reads all steps. The observation that the last step of an episode led to becomes a row, if
/// `next_observations` has it.
pub(super) fn read(file: &File, choice: Option<&str>) -> Result<Recording, DataError> {
    let paths = file.leaves("")?;
    let there = |name: &str| paths.iter().any(|path| path == name);
    let named = |kind: Kind| kind.names().iter().copied().find(|name| there(name));
    let ends = ENDS.map(named);
    let rewards = named(Kind::Rewards);
    let has_meaning = |path: &str| {
        let flags = ends.into_iter().chain([Some(ACTIONS), rewards]);
        flags.flatten().any(|name| name == path)
    };
    let may_be_chosen = |path: &&String| !has_meaning(path) && !path.starts_with(NEXT);
    let is_usual = |path: &&String| {
        let inside = path.strip_prefix(OBSERVATIONS);
        inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let all: Vec<String> = paths.iter().filter(may_be_chosen).cloned().collect();
    let usual: Vec<String> = paths.iter().filter(is_usual).cloned().collect();
    let chosen = choose(file, "", &all, &usual, choice)?;
    let observations = read_observations(file, &file.node(&chosen)?)?;
    let steps = match observations.shape.first() {
        Some(&steps) if steps > 0 => steps,
        _ => return Err(DataError::Empty),
    };
    let flags = read_ends(file, steps, ends)?;
    let next = chosen.strip_prefix(OBSERVATIONS);
    let next = next.map(|inside| format!("{NEXT}{inside}"));
    let next = next.filter(|path| there(path));
    let rows = match &next {
        Some(path) => Rows::with_last(file, path, observations, &flags)?,
        None => Rows::without_last(observations, &flags),
    };
    let before = rows.steps_before();
    let mut recording = Recording::new(file.path());
    recording.set(OBSERVATIONS, &chosen, rows.observations);
    let array = read_rows(file, ACTIONS, steps, WHAT)?;
    recording.set(ACTIONS, ACTIONS, rows_or_zeros(&array, &rows.steps));
    if let Some(stored) = rewards {
        let array = read_rows(file, stored, steps, WHAT)?;
        let array = rewards_at(stored, &array, &rows.steps)?;
        recording.set(REWARDS, stored, array);
    }
    recording.set_flags(rows.flags, ends);
    if let Some(path) = &next {
        let reason = "its values are those of the rows that follow".to_owned();
        recording.leave(path, reason);
    }
    let is_used = |path: &String| *path == chosen || next.as_ref() == Some(path);
    let is_additional = |path: &&String| !is_used(path) && !has_meaning(path);
    for path in paths.iter().filter(is_additional) {
        let array = match read_additional(file, &file.node(path)?, steps)? {
            // A split is that of a whole episode, and hidden states are those of every row.
            Ok(array) if rows.has_last && path == "splits" => Ok(rows_or_zeros(&array, &before)),
            Ok(_) if rows.has_last && path == "state_ids" => {
                Err("the last observations of episodes have none".to_owned())
            }
            Ok(array) if rows.has_last => rows_or_nan(&array, &rows.steps)
                .ok_or_else(|| "its numbers are not exact in float64".to_owned()),
            array => array,
        };
        match array {
            Ok(array) => recording.add(path, array),
            Err(reason) => recording.leave(path, reason),
        }
    }
    Ok(recording)
}

/// Reads the ends by the world and by time, of which one may be missing.
fn read_ends(
    file: &File,
    steps: usize,
    names: [Option<&'static str>; 2],
) -> Result<[Vec<bool>; 2], DataError> {
    if names == [None; 2] {
        let problem = "neither it nor `timeouts` is there, nor another name of them, and without \
                       them it is not known where episodes end";
        return Err(at(ENDS[0].names()[0], problem));
    }
    let mut flags = [vec![false; steps], vec![false; steps]];
    for (flags, name) in flags.iter_mut().zip(names) {
        if let Some(name) = name {
            *flags = read_flags(file, name, steps, WHAT)?;
        }
    }
    Ok(flags)
}

/// Rows of the recording.
struct Rows {
    observations: Array,
    /// For each row: the step taken there, if the observation that it led to is there.
    steps: Vec<Option<usize>>,
    /// Whether the last rows of episodes were added to those of the steps.
    has_last: bool,
    flags: [Vec<bool>; 2],
}

impl Rows {
    /// Returns for each row the step taken there, or the one before.
    fn steps_before(&self) -> Vec<Option<usize>> {
        let mut before = None;
        let steps = self.steps.iter().map(|&step| {
            before = step.or(before);
            before
        });
        steps.collect()
    }

    /// The last row of an episode is its last step, and what that led to is not known. So none of
    /// them is where the world ended the episode.
    fn without_last(observations: Array, [terminals, timeouts]: &[Vec<bool>; 2]) -> Self {
        let count = terminals.len();
        let ends = terminals.iter().zip(timeouts);
        let cut: Vec<bool> = ends.map(|(ended, cut)| *ended || *cut).collect();
        let step = |row: usize| Some(row).filter(|&row| !cut[row] && row + 1 < count);
        Self {
            observations,
            steps: (0..count).map(step).collect(),
            has_last: false,
            flags: [vec![false; count], cut],
        }
    }

    /// Adds the last observation of each episode, from those at `path`. An episode also ends where
    /// the next observation is not that of the next row.
    fn with_last(
        file: &File,
        path: &str,
        mut observations: Array,
        [terminals, timeouts]: &[Vec<bool>; 2],
    ) -> Result<Self, DataError> {
        let next = read_observations(file, &file.node(path)?)?;
        let kind = |array: &Array| (array.dtype(), array.shape.clone());
        if kind(&next) != kind(&observations) {
            let ((found, shape), (expected, like)) = (kind(&next), kind(&observations));
            let problem = format!(
                "it is {found} {shape:?}, but {expected} {like:?} is expected, as observations are"
            );
            return Err(at(path, &problem));
        }
        let count = terminals.len();
        let (mut places, mut steps, mut last) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ended, mut cut) = (Vec::new(), Vec::new());
        for step in 0..count {
            let is_last = step + 1 == count;
            let follows = !is_last && row_equals(&next, step, &observations, step + 1);
            places.push(Some(step));
            steps.push(Some(step));
            ended.push(false);
            cut.push(false);
            if terminals[step] || timeouts[step] || !follows {
                places.push(Some(count + last.len()));
                steps.push(None);
                last.push(Some(step));
                ended.push(terminals[step]);
                cut.push(timeouts[step] || !terminals[step] && !is_last);
            }
        }
        append(&mut observations, rows_or_zeros(&next, &last));
        Ok(Self {
            observations: rows_or_zeros(&observations, &places),
            steps,
            has_last: true,
            flags: [ended, cut],
        })
    }
}
