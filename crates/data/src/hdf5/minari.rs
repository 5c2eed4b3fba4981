//! Datasets of Minari: a group for each episode, with one more observation than steps.

use std::collections::BTreeSet;

use tellapart_files::Array;

use super::choose::choose;
use super::file::{File, Members, at, join};
use super::jpeg::read_observations;
use super::recording::{Recording, last_flag, read_additional, read_flags, read_rows, rewards_at};
use super::values::{append, rows_or_zeros};
use crate::error::DataError;

const FLAGS: [&str; 2] = ["terminations", "truncations"];

/// Number of an episode by the name of its group.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("episode_")?;
    digits.parse().ok()
}

/// Whether these are the objects at the root of such a file.
pub(super) fn is(root: &Members) -> bool {
    root.groups.iter().any(|name| number(name).is_some())
}

/// Reads all episodes, in the order of their numbers.
pub(super) fn read(
    file: &File,
    root: &Members,
    choice: Option<&str>,
) -> Result<Recording, DataError> {
    let mut recording = Recording::new(file.path());
    let (mut episodes, mut others) = (Vec::new(), root.datasets.clone());
    for name in &root.groups {
        match number(name) {
            Some(number) => episodes.push((number, name.as_str())),
            None => others.push(name.clone()),
        }
    }
    for name in others {
        recording.leave(&name, "it is not part of an episode".to_owned());
    }
    episodes.sort_unstable();
    let Some((_, first)) = episodes.first() else {
        return Err(at("/", "it has no episodes"));
    };
    let mut columns = Columns::of_episode(file, first, choice)?;
    for (_, name) in episodes {
        columns.add_episode(file, name)?;
    }
    columns.finish(recording)
}

/// Arrays of all episodes read so far, one after the other.
struct Columns {
    observations: Column,
    actions: Column,
    rewards: Option<Column>,
    flags: [Option<String>; 2],
    /// For each row: whether the world ended the episode, and whether it was cut off.
    ends: [Vec<bool>; 2],
    additional: Vec<Column>,
    /// Names of additional arrays that cannot be kept, with the reason.
    left_out: Vec<(String, String)>,
    /// For each row: the step taken there, none in the last row of an episode.
    steps: Vec<Option<usize>>,
    /// Number of steps so far.
    step_count: usize,
}

/// One array, by its path in an episode.
struct Column {
    path: String,
    array: Option<Array>,
}

impl Column {
    fn new(path: String) -> Self {
        Self { path, array: None }
    }

    /// Appends the rows of an episode; false if they are of another type or shape.
    fn append(&mut self, rows: Array) -> bool {
        match &mut self.array {
            None => {
                self.array = Some(rows);
                true
            }
            Some(array) => append(array, rows),
        }
    }

    fn append_or_fail(&mut self, episode: &str, rows: Array) -> Result<(), DataError> {
        let (dtype, shape) = (rows.dtype(), rows.shape.clone());
        if self.append(rows) {
            return Ok(());
        }
        let row = |shape: &[usize]| shape.get(1..).unwrap_or_default().to_vec();
        let before = self.array.as_ref();
        let expected = before.map(|array| format!("{} {:?}", array.dtype(), row(&array.shape)));
        let problem = format!(
            "its rows are {dtype} {:?}, but {} is expected, as in the episodes before",
            row(&shape),
            expected.unwrap_or_default()
        );
        Err(at(&join(episode, &self.path), &problem))
    }

    fn take(self) -> Result<(String, Array), DataError> {
        match self.array {
            Some(array) => Ok((self.path, array)),
            None => Err(at(&self.path, "it has no rows")),
        }
    }
}

/// Lists the paths of an episode, without its name.
fn paths(file: &File, episode: &str) -> Result<Vec<String>, DataError> {
    let leaves = file.leaves(episode)?.into_iter();
    let inside = |path: String| path.get(episode.len() + 1..).map(str::to_owned);
    Ok(leaves.filter_map(inside).collect())
}

/// Whether a path is `name` or inside of it.
fn is_in(path: &str, name: &str) -> bool {
    let rest = path.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Columns {
    /// Decides by the first episode which arrays there are.
    fn of_episode(file: &File, episode: &str, choice: Option<&str>) -> Result<Self, DataError> {
        let paths = paths(file, episode)?;
        let inside = |name: &str| -> Vec<String> {
            let inside = paths.iter().filter(|path| is_in(path, name));
            inside.cloned().collect()
        };
        let usual = inside("observations");
        let no_steps = |path: &&String| {
            let mut steps = ["actions", "rewards"].iter().chain(&FLAGS);
            !steps.any(|name| is_in(path, name))
        };
        let all: Vec<String> = paths.iter().filter(no_steps).cloned().collect();
        let observations = choose(file, episode, &all, &usual, choice)?;
        let actions = match inside("actions").as_slice() {
            [single] => single.clone(),
            [] => {
                return Err(at(
                    &join(episode, "actions"),
                    "it is not there, and is needed",
                ));
            }
            several => {
                let problem = format!(
                    "actions have the parts {}, but one array is expected; store them as one",
                    several.join(", ")
                );
                return Err(at(&join(episode, "actions"), &problem));
            }
        };
        let there = |name: &str| paths.iter().find(|path| *path == name).cloned();
        let [terminations, truncations] = FLAGS;
        let rewards = there("rewards");
        let flags = [there(terminations), there(truncations)];
        let mut used: BTreeSet<&String> = [&observations, &actions].into();
        used.extend(rewards.iter().chain(flags.iter().flatten()));
        let additional = paths.iter().filter(|path| !used.contains(path));
        let additional = additional.map(|path| Column::new(path.clone())).collect();
        Ok(Self {
            observations: Column::new(observations),
            actions: Column::new(actions),
            rewards: rewards.map(Column::new),
            flags,
            ends: [Vec::new(), Vec::new()],
            additional,
            left_out: Vec::new(),
            steps: Vec::new(),
            step_count: 0,
        })
    }

    fn add_episode(&mut self, file: &File, episode: &str) -> Result<(), DataError> {
        let path = join(episode, &self.observations.path);
        let observations = read_observations(file, &file.node(&path)?)?;
        let rows = match observations.shape.first() {
            Some(&rows) if rows > 0 => rows,
            _ => {
                return Err(at(
                    &path,
                    "it has no rows, but an episode has an observation",
                ));
            }
        };
        self.observations.append_or_fail(episode, observations)?;
        let steps = rows - 1;
        let one_fewer = "one fewer than observations";
        for column in [Some(&mut self.actions), self.rewards.as_mut()]
            .into_iter()
            .flatten()
        {
            let array = read_rows(file, &join(episode, &column.path), steps, one_fewer)?;
            column.append_or_fail(episode, array)?;
        }
        let mut ended = [false; 2];
        for (ended, name) in ended.iter_mut().zip(&self.flags) {
            if let Some(name) = name {
                let path = join(episode, name);
                *ended = last_flag(&path, &read_flags(file, &path, steps, one_fewer)?, 0)?;
            }
        }
        // Other episodes follow: without a mark, this one would go on in them.
        ended[1] |= !ended[0];
        for (ends, ended) in self.ends.iter_mut().zip(ended) {
            ends.extend(std::iter::repeat_n(false, steps));
            ends.push(ended);
        }
        self.steps
            .extend((self.step_count..self.step_count + steps).map(Some));
        self.steps.push(None);
        self.step_count += steps;
        self.add_additional(file, episode, rows)
    }

    fn add_additional(&mut self, file: &File, episode: &str, rows: usize) -> Result<(), DataError> {
        let there: BTreeSet<String> = paths(file, episode)?.into_iter().collect();
        let mut kept = Vec::new();
        for mut column in self.additional.drain(..) {
            let reason = if there.contains(&column.path) {
                let node = file.node(&join(episode, &column.path))?;
                match read_additional(file, &node, rows)? {
                    Ok(array) => {
                        let differs = || "it has another type or shape than before".to_owned();
                        (!column.append(array)).then(differs)
                    }
                    Err(reason) => Some(reason),
                }
            } else {
                Some("it is not there".to_owned())
            };
            match reason {
                None => kept.push(column),
                Some(reason) => {
                    let reason = format!("in {episode}, {reason}");
                    self.left_out.push((column.path, reason));
                }
            }
        }
        self.additional = kept;
        let known: BTreeSet<&String> = self
            .additional
            .iter()
            .map(|column| &column.path)
            .chain(self.left_out.iter().map(|(path, _)| path))
            .chain([&self.observations.path, &self.actions.path])
            .chain(self.rewards.iter().map(|column| &column.path))
            .chain(self.flags.iter().flatten())
            .collect();
        let new = there.iter().filter(|path| !known.contains(path));
        let new: Vec<String> = new.cloned().collect();
        let late = |path| {
            (
                path,
                format!("{episode} has it, and episodes before do not"),
            )
        };
        self.left_out.extend(new.into_iter().map(late));
        Ok(())
    }

    fn finish(self, mut recording: Recording) -> Result<Recording, DataError> {
        let (path, observations) = self.observations.take()?;
        recording.set("observations", &path, observations);
        let (path, actions) = self.actions.take()?;
        recording.set("actions", &path, rows_or_zeros(&actions, &self.steps));
        if let Some(rewards) = self.rewards {
            let (path, rewards) = rewards.take()?;
            let rewards = rewards_at(&path, &rewards, &self.steps)?;
            recording.set("rewards", &path, rewards);
        }
        let [terminations, truncations] = &self.flags;
        recording.set_flags(self.ends, [terminations.as_deref(), truncations.as_deref()]);
        for column in self.additional {
            let (path, array) = column.take()?;
            recording.add(&path, array);
        }
        for (path, reason) in self.left_out {
            recording.leave(&path, reason);
        }
        Ok(recording)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_in, number};

    #[test]
    fn episodes_are_numbered_by_their_names() {
        assert_eq!(number("episode_10"), Some(10));
        for other in ["episode_", "episode_x", "episode_1_2", "episodes", "10"] {
            assert_eq!(number(other), None, "{other}");
        }
        assert!(is_in("observations/a", "observations") && is_in("actions", "actions"));
        assert!(!is_in("observations_of", "observations"));
    }
}
