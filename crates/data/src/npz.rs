//! Reads and writes trajectories as `.npz` archives of flat arrays, in the manner of D4RL.

use std::collections::BTreeMap;
use std::path::Path;

use tellapart_files::{Archive, ArchiveWriter, Array, ArrayProblem, FileError, Values};

use crate::columns::{Actions, Columns, Frames};
use crate::error::DataError;
use crate::trajectories::{MAX_ACTIONS, Trajectories, TrajectoryParts, same_rows, value_error};

/// Name of the array of names of actions.
pub(crate) const ACTION_NAMES: &str = "action_names";

/// Names of the arrays that have a meaning in the format. All other arrays of a file are kept as
/// additional ones.
pub const RESERVED_NAMES: [&str; 10] = [
    "observations",
    "actions",
    "action_count",
    ACTION_NAMES,
    "rewards",
    "aux",
    "terminals",
    "timeouts",
    "state_ids",
    "splits",
];

impl Trajectories {
    /// Reads a recording from an `.npz` archive.
    ///
    /// | array | shape | type | when absent |
    /// | --- | --- | --- | --- |
    /// | `observations` | `[N, ...]` | uint8, float32, float64 | error |
    /// | `actions` | `[N]` or `[N, k]` | integer `[N]`, `[N, 1]`: discrete; else vectors | error |
    /// | `action_count` | `[]` | integer | number of names, or the largest action plus one |
    /// | `action_names` | `[actions]` | text (`U`, or `S` in UTF-8) | actions go by their ids |
    /// | `rewards` | `[N]` or `[N, 1]` | bool, integers, floats | no rewards |
    /// | `aux` | `[N]` or `[N, m]` | bool, integers, floats | no auxiliary values |
    /// | `terminals`, `timeouts` | `[N]` | bool, or integers 0, 1 | false; error if both absent |
    /// | `state_ids` | `[N]` | integers | not known |
    /// | `splits` | `[N]` | integers 0 to 255 | none |
    /// | any other | `[N, ...]` | any | |
    ///
    /// float64 is rounded to float32. A negative action id is taken as 0 where an episode ends,
    /// since actions mean nothing there. Other arrays that hold a single value, text or objects are
    /// skipped and listed by [`Trajectories::skipped`].
    ///
    /// # Errors
    /// A [`DataError`] that names the file, the array, and the row when one is at fault.
    pub fn read_npz(path: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::read_archive(&mut Archive::open(path)?)
    }

    /// Reads a recording from an open archive, in the format of [`Trajectories::read_npz`].
    ///
    /// # Errors
    /// The errors of [`Trajectories::read_npz`].
    pub fn read_archive(archive: &mut Archive) -> Result<Self, DataError> {
        let path = archive.path().to_path_buf();
        read(archive).map_err(|error| error.in_file(&path))
    }

    /// Writes an `.npz` archive that [`Trajectories::read_npz`] reads back bit for bit.
    ///
    /// The file appears whole or not at all.
    ///
    /// # Errors
    /// [`DataError::File`] with the error of the file system.
    pub fn write_npz(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let rows = self.rows();
        let mut writer = ArchiveWriter::create(path)?;
        match &self.observations {
            Frames::U8 { shape, values } => {
                writer.add_slice("observations", &with_rows(rows, shape), values)?;
            }
            Frames::F32 { shape, values } => {
                writer.add_slice("observations", &with_rows(rows, shape), values)?;
            }
        }
        match &self.actions {
            Actions::Discrete { count, ids } => {
                writer.add_slice("actions", &[rows], ids)?;
                writer.add_slice("action_count", &[], &[*count as u64])?;
            }
            Actions::Vectors { width, values } => {
                writer.add_slice("actions", &[rows, *width], values)?;
            }
        }
        if let Some(names) = &self.action_names {
            writer.add_strings(ACTION_NAMES, names)?;
        }
        if let Some(rewards) = &self.rewards {
            writer.add_slice("rewards", &[rows], rewards)?;
        }
        if let Some(aux) = &self.aux {
            writer.add_slice("aux", &[rows, aux.width], &aux.values)?;
        }
        writer.add_slice("terminals", &[rows], &self.terminals)?;
        writer.add_slice("timeouts", &[rows], &self.timeouts)?;
        if let Some(ids) = &self.state_ids {
            writer.add_slice("state_ids", &[rows], ids)?;
        }
        if let Some(splits) = &self.splits {
            writer.add_slice("splits", &[rows], splits)?;
        }
        for (name, array) in &self.extra {
            writer.add(name, array)?;
        }
        Ok(writer.finish()?)
    }
}

fn with_rows(rows: usize, shape: &[usize]) -> Vec<usize> {
    std::iter::once(rows).chain(shape.iter().copied()).collect()
}

fn read(archive: &mut Archive) -> Result<Trajectories, DataError> {
    let (rows, observations) = observations(archive.read("observations")?)?;
    let terminals = optional(archive, "terminals")?;
    let timeouts = optional(archive, "timeouts")?;
    if terminals.is_none() && timeouts.is_none() {
        archive.read("terminals")?; // says that it is missing, and what is there
    }
    let terminals = flags("terminals", terminals, rows)?;
    let timeouts = flags("timeouts", timeouts, rows)?;
    let count = optional(archive, "action_count")?;
    let ends = |row: usize| terminals[row] || timeouts[row] || row + 1 == rows;
    let ends: Vec<bool> = (0..rows).map(ends).collect();
    let action_names = match archive.contains(ACTION_NAMES) {
        true => Some(archive.read_strings(ACTION_NAMES, MAX_ACTIONS)?),
        false => None,
    };
    let names = action_names.as_ref().map(Vec::len);
    let actions = actions(archive.read("actions")?, count, names, &ends)?;
    let rewards = match optional(archive, "rewards")? {
        Some(array) => {
            let found = array.shape.clone();
            let columns = columns("rewards", array, rows)?;
            let expected = "[rows]";
            if columns.width != 1 {
                return Err(DataError::Shape {
                    array: "rewards".to_owned(),
                    found,
                    expected,
                });
            }
            Some(columns.values)
        }
        None => None,
    };
    let aux = optional(archive, "aux")?
        .map(|array| columns("aux", array, rows))
        .transpose()?;
    let state_ids = optional(archive, "state_ids")?
        .map(|array| ids("state_ids", array, rows))
        .transpose()?;
    let splits = optional(archive, "splits")?
        .map(|array| splits(array, rows))
        .transpose()?;
    let (extra, skipped) = extra(archive, rows)?;
    let parts = TrajectoryParts {
        observations,
        actions,
        action_names,
        rewards,
        aux,
        terminals,
        timeouts,
        state_ids,
        splits,
        extra,
    };
    let mut trajectories = Trajectories::new(parts)?;
    trajectories.skipped = skipped;
    Ok(trajectories)
}

fn optional(archive: &mut Archive, name: &str) -> Result<Option<Array>, DataError> {
    Ok(if archive.contains(name) {
        Some(archive.read(name)?)
    } else {
        None
    })
}

fn observations(array: Array) -> Result<(usize, Frames), DataError> {
    let name = "observations".to_owned();
    let dtype = array.dtype();
    let [rows, shape @ ..] = array.shape.as_slice() else {
        let expected = "[rows, ...]";
        return Err(DataError::Shape {
            array: name,
            found: array.shape,
            expected,
        });
    };
    let (rows, shape) = (*rows, shape.to_vec());
    if rows == 0 {
        return Err(DataError::Empty);
    }
    let frames = match array.values {
        Values::U8(values) => Frames::U8 { shape, values },
        values @ (Values::F32(_) | Values::F64(_)) => {
            let width = values.len() / rows;
            let values = values
                .into_f32()
                .map_err(|bad| value_error(&name, bad, width))?;
            Frames::F32 { shape, values }
        }
        _ => {
            let expected = "uint8 (images) or float32";
            return Err(DataError::Type {
                array: name,
                found: dtype,
                expected,
            });
        }
    };
    Ok((rows, frames))
}

/// Reads the actions. If their number is not stated, they are as many as their `names`, unless
/// there is an id that has none.
fn actions(
    array: Array,
    count: Option<Array>,
    names: Option<usize>,
    ends: &[bool],
) -> Result<Actions, DataError> {
    let rows = ends.len();
    let one_each = matches!(array.shape.as_slice(), [_] | [_, 1]);
    if !one_each || matches!(array.values, Values::F32(_) | Values::F64(_)) {
        let Columns { width, values } = columns("actions", array, rows)?;
        return Ok(Actions::Vectors { width, values });
    }
    same_rows("actions", array.rows(), rows)?;
    let mut values = array.values;
    // Actions mean nothing where an episode ends, and -1 is a common mark for that.
    macro_rules! blank {
        ($values:expr) => {
            for (value, _) in $values
                .iter_mut()
                .zip(ends)
                .filter(|(v, end)| **end && **v < 0)
            {
                *value = 0;
            }
        };
    }
    match &mut values {
        Values::I8(values) => blank!(values),
        Values::I16(values) => blank!(values),
        Values::I32(values) => blank!(values),
        Values::I64(values) => blank!(values),
        _ => {}
    }
    let ids = values
        .into_u32()
        .map_err(|bad| value_error("actions", bad, 1))?;
    let largest = ids.iter().max().map_or(0, |&id| id as usize);
    let count = match count {
        Some(count) => {
            let found = count.shape.clone();
            let stated = count.values.into_u32();
            let stated = stated.map_err(|bad| value_error("action_count", bad, 1))?;
            let [stated] = stated.as_slice() else {
                let expected = "one single number";
                return Err(DataError::Shape {
                    array: "action_count".to_owned(),
                    found,
                    expected,
                });
            };
            *stated as usize
        }
        None => names.unwrap_or(0).max(largest.saturating_add(1)),
    };
    if count == 0 || count > MAX_ACTIONS {
        let stated = "action_count".to_owned();
        let largest_row = ids
            .iter()
            .position(|&id| id as usize == largest)
            .unwrap_or(0);
        let (array, row) = if largest < MAX_ACTIONS {
            (stated, 0)
        } else {
            ("actions".to_owned(), largest_row)
        };
        let found = format!("{count} actions in all");
        let expected = format!("a number of actions from 1 to {MAX_ACTIONS}");
        return Err(DataError::Value {
            array,
            row,
            found,
            expected,
        });
    }
    Ok(Actions::Discrete { count, ids })
}

/// Converts an array of shape `[N]` or `[N, m]` to `f32` columns.
fn columns(name: &str, array: Array, rows: usize) -> Result<Columns, DataError> {
    let width = match array.shape.as_slice() {
        [_] => 1,
        [_, width] if *width > 0 => *width,
        _ => {
            let expected = "[rows] or [rows, width], width at least 1,";
            return Err(DataError::Shape {
                array: name.to_owned(),
                found: array.shape,
                expected,
            });
        }
    };
    same_rows(name, array.rows(), rows)?;
    let values = array
        .values
        .into_f32()
        .map_err(|bad| value_error(name, bad, width))?;
    Ok(Columns { width, values })
}

fn ids(name: &str, array: Array, rows: usize) -> Result<Vec<u32>, DataError> {
    if !matches!(array.shape.as_slice(), [_] | [_, 1]) {
        let expected = "[rows]";
        return Err(DataError::Shape {
            array: name.to_owned(),
            found: array.shape,
            expected,
        });
    }
    same_rows(name, array.rows(), rows)?;
    array
        .values
        .into_u32()
        .map_err(|bad| value_error(name, bad, 1))
}

fn flags(name: &str, array: Option<Array>, rows: usize) -> Result<Vec<bool>, DataError> {
    let Some(array) = array else {
        return Ok(vec![false; rows]);
    };
    let flags = ids(name, array, rows)?;
    if let Some(row) = flags.iter().position(|&flag| flag > 1) {
        let (array, found) = (name.to_owned(), flags[row].to_string());
        return Err(DataError::Value {
            array,
            row,
            found,
            expected: "a bool (0 or 1)".to_owned(),
        });
    }
    Ok(flags.into_iter().map(|flag| flag == 1).collect())
}

fn splits(array: Array, rows: usize) -> Result<Vec<u8>, DataError> {
    let one = |(row, id): (usize, u32)| {
        u8::try_from(id).map_err(|_| DataError::Value {
            array: "splits".to_owned(),
            row,
            found: id.to_string(),
            expected: "a number from 0 to 255".to_owned(),
        })
    };
    ids("splits", array, rows)?
        .into_iter()
        .enumerate()
        .map(one)
        .collect()
}

/// Reads the arrays that have no meaning in the format. Also returns the names of those that cannot
/// be kept row by row.
fn extra(
    archive: &mut Archive,
    rows: usize,
) -> Result<(BTreeMap<String, Array>, Vec<String>), DataError> {
    let (mut extra, mut skipped) = (BTreeMap::new(), Vec::new());
    for name in archive.names().to_vec() {
        if RESERVED_NAMES.contains(&name.as_str()) {
            continue;
        }
        match archive.read(&name) {
            Ok(array) if array.shape.is_empty() => skipped.push(name),
            Ok(array) => {
                same_rows(&name, array.rows(), rows)?;
                extra.insert(name, array);
            }
            Err(FileError::Array {
                problem: ArrayProblem::UnsupportedDtype { .. },
                ..
            }) => {
                skipped.push(name);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((extra, skipped))
}
