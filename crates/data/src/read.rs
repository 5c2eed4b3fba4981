//! Makes trajectories from named arrays, whatever file they came from.

use std::collections::BTreeMap;
use std::path::Path;

use tellapart_files::{Archive, Array, ArrayProblem, FileError, Values};

use crate::auxiliary::BelongsTo;
use crate::columns::{Actions, Frames};
use crate::error::DataError;
use crate::names::{ACTION_NAMES, Kind};
use crate::trajectories::{
    LeftOut, MAX_ACTIONS, Trajectories, TrajectoryParts, same_rows, value_error,
};

/// Named arrays of a file, read one at a time.
pub(crate) trait Arrays {
    /// Returns the names, in the order of the file.
    fn names(&self) -> Vec<String>;
    /// Reads an array.
    fn read(&mut self, name: &str) -> Result<Array, DataError>;
    /// Reads a list of at most `most` strings.
    fn read_strings(&mut self, name: &str, most: usize) -> Result<Vec<String>, DataError>;
    /// Path of the file.
    fn path(&self) -> &Path;

    /// What rewards belong to, if the format says it; otherwise the name of their array does.
    fn rewards_of(&self) -> Option<BelongsTo> {
        None
    }

    /// What the file has beside these arrays.
    fn left_out(&self) -> Vec<LeftOut> {
        Vec::new()
    }

    /// Pairs of the name in the file and the name here, where the two differ.
    fn read_as(&self) -> Vec<(String, &'static str)> {
        Vec::new()
    }
}

impl Arrays for Archive {
    fn names(&self) -> Vec<String> {
        self.names().to_vec()
    }

    fn read(&mut self, name: &str) -> Result<Array, DataError> {
        Ok(self.read(name)?)
    }

    fn read_strings(&mut self, name: &str, most: usize) -> Result<Vec<String>, DataError> {
        Ok(self.read_strings(name, most)?)
    }

    fn path(&self) -> &Path {
        self.path()
    }
}

/// Reads a recording. Each array is read under the first of its known names that is there; all
/// others are kept as additional ones.
pub(crate) fn read(arrays: &mut dyn Arrays) -> Result<Trajectories, DataError> {
    let found = Found::in_names(arrays.names());
    let observations = arrays.read(found.required(Kind::Observations, arrays.path())?)?;
    let (rows, observations) = read_observations(observations)?;
    let ended = [Kind::Terminals, Kind::Timeouts].map(|kind| found.name(kind));
    if ended == [None, None] {
        found.required(Kind::Terminals, arrays.path())?;
    }
    let mut flags = |name: Option<&str>| match name {
        Some(name) => read_flags(name, arrays.read(name)?, rows),
        None => Ok(vec![false; rows]),
    };
    let (terminals, timeouts) = (flags(ended[0])?, flags(ended[1])?);
    for name in found.unused(&[Kind::Terminals, Kind::Timeouts]) {
        let others = read_flags(&name, arrays.read(&name)?, rows)?;
        check_ends(&name, &others, &terminals, &timeouts)?;
    }
    let ends = |row: usize| terminals[row] || timeouts[row] || row + 1 == rows;
    let ends: Vec<bool> = (0..rows).map(ends).collect();
    let action_names = match found.name(Kind::ActionNames) {
        Some(name) => Some(arrays.read_strings(name, MAX_ACTIONS)?),
        None => None,
    };
    let names = action_names.as_ref().map(Vec::len);
    let actions = arrays.read(found.required(Kind::Actions, arrays.path())?)?;
    let mut optional = |kind: Kind| found.name(kind).map(|name| arrays.read(name)).transpose();
    let count = optional(Kind::ActionCount)?;
    let actions = read_actions(actions, count, names, &ends)?;
    let rewards = optional(Kind::Rewards)?.map(|array| one_each("rewards", array, rows));
    let aux = optional(Kind::Aux)?;
    let state_ids = optional(Kind::StateIds)?.map(|array| ids("state_ids", array, rows));
    let splits = optional(Kind::Splits)?.map(|array| read_splits(array, rows));
    let it_is = optional(Kind::WorldIsDeterministic)?.map(read_flag);
    let (extra, left_out) = others(arrays, &found, rows)?;
    let mut trajectories = Trajectories::new(TrajectoryParts {
        observations,
        actions,
        action_names,
        rewards: rewards.transpose()?,
        aux,
        terminals,
        timeouts,
        state_ids: state_ids.transpose()?,
        splits: splits.transpose()?,
        world_is_deterministic: it_is.transpose()?,
        extra,
    })?;
    trajectories.left_out = arrays.left_out();
    trajectories.left_out.extend(left_out);
    trajectories.left_out.extend(found.second_names());
    if found.name(Kind::Rewards) == Some("next.reward") {
        trajectories.rewards_of = BelongsTo::Step;
    }
    if let Some(of) = arrays.rewards_of() {
        trajectories.rewards_of = of;
    }
    trajectories.read_as = arrays.read_as();
    trajectories.read_as.extend(found.read_as());
    Ok(trajectories)
}

/// Names of the arrays that have a meaning, and of the others.
struct Found {
    of_kind: BTreeMap<Kind, String>,
    others: Vec<String>,
}

impl Found {
    fn in_names(names: Vec<String>) -> Self {
        let mut of_kind = BTreeMap::new();
        for kind in Kind::ALL {
            let there = |name: &&&str| names.iter().any(|other| other == **name);
            if let Some(name) = kind.names().iter().find(there) {
                of_kind.insert(kind, (*name).to_owned());
            }
        }
        let is_other = |name: &String| !of_kind.values().any(|known| known == name);
        let others = names.into_iter().filter(is_other).collect();
        Self { of_kind, others }
    }

    fn name(&self, kind: Kind) -> Option<&str> {
        self.of_kind.get(&kind).map(String::as_str)
    }

    fn required(&self, kind: Kind, path: &Path) -> Result<&str, DataError> {
        self.name(kind).ok_or_else(|| {
            let known = self.of_kind.values().chain(&self.others);
            let missing = FileError::MissingArray {
                path: path.to_path_buf(),
                name: kind.names()[0].to_owned(),
                present: known.cloned().collect(),
            };
            missing.into()
        })
    }

    /// Returns the arrays under other names of these meanings than the one that is read.
    fn unused(&self, kinds: &[Kind]) -> Vec<String> {
        let is_name = |name: &&String| kinds.iter().any(|kind| kind.names().contains(&&name[..]));
        self.others.iter().filter(is_name).cloned().collect()
    }

    /// Says of arrays under another name of a meaning that they are not read as that.
    fn second_names(&self) -> Vec<LeftOut> {
        let second = self.of_kind.iter().flat_map(|(&kind, read)| {
            let unused = self.unused(&[kind]).into_iter();
            unused.map(move |name| LeftOut {
                name,
                reason: format!(
                    "`{read}` is read as `{}`; it is kept as an additional array",
                    kind.names()[0]
                ),
            })
        });
        second.collect()
    }

    /// Pairs of the name in the file and the name in the format, where they differ.
    fn read_as(&self) -> Vec<(String, &'static str)> {
        let pairs = self.of_kind.iter();
        pairs
            .map(|(kind, name)| (name.clone(), kind.names()[0]))
            .filter(|(name, meaning)| name != meaning)
            .collect()
    }
}

fn read_observations(array: Array) -> Result<(usize, Frames), DataError> {
    let [rows, shape @ ..] = array.shape.as_slice() else {
        return Err(DataError::Shape {
            array: "observations".to_owned(),
            found: array.shape,
            expected: "[rows, ...]",
        });
    };
    let (rows, shape) = (*rows, shape.to_vec());
    if rows == 0 {
        return Err(DataError::Empty);
    }
    let frames = match array.values {
        Values::U8(values) => Frames::U8 { shape, values },
        Values::F32(values) => Frames::F32 { shape, values },
        values => Frames::Other { shape, values },
    };
    Ok((rows, frames))
}

/// Reads the actions. If their number is not stated, they are as many as their `names`, unless
/// there is an id that has none.
fn read_actions(
    array: Array,
    count: Option<Array>,
    names: Option<usize>,
    ends: &[bool],
) -> Result<Actions, DataError> {
    let rows = ends.len();
    let is_one_each = matches!(array.shape.as_slice(), [_] | [_, 1]);
    if !is_one_each || array.values.dtype().is_float() {
        let width = match array.shape.as_slice() {
            [_] => 1,
            [_, width] if *width > 0 => *width,
            _ => {
                return Err(DataError::Shape {
                    array: "actions".to_owned(),
                    found: array.shape,
                    expected: "[rows] or [rows, width], width at least 1,",
                });
            }
        };
        same_rows("actions", array.rows(), rows)?;
        let values = array.values;
        return Ok(Actions::Vectors { width, values });
    }
    same_rows("actions", array.rows(), rows)?;
    let mut ids = without_marks(array.values, ends)
        .into_u32()
        .map_err(|bad| value_error("actions", bad, 1))?;
    let taken = ids.iter().zip(ends).filter(|(_, ends)| !**ends);
    let largest = taken.map(|(&id, _)| id as usize).max().unwrap_or(0);
    let count = match count {
        Some(count) => {
            let found = count.shape.clone();
            let stated = count.values.into_u32();
            let stated = stated.map_err(|bad| value_error("action_count", bad, 1))?;
            let [stated] = stated.as_slice() else {
                return Err(DataError::Shape {
                    array: "action_count".to_owned(),
                    found,
                    expected: "one single number",
                });
            };
            *stated as usize
        }
        None => names.unwrap_or(0).max(largest.saturating_add(1)),
    };
    if count == 0 || count > MAX_ACTIONS {
        let is_largest = |(&id, ends): (&u32, &bool)| id as usize == largest && !ends;
        let (array, row) = if largest < MAX_ACTIONS {
            ("action_count", 0)
        } else {
            let row = ids.iter().zip(ends).position(is_largest);
            ("actions", row.unwrap_or(0))
        };
        return Err(DataError::Value {
            array: array.to_owned(),
            row,
            found: format!("{count} actions in all"),
            expected: format!("a number of actions from 1 to {MAX_ACTIONS}"),
        });
    }
    for (id, _) in ids.iter_mut().zip(ends).filter(|(_, ends)| **ends) {
        if *id as usize >= count {
            *id = 0;
        }
    }
    Ok(Actions::Discrete { count, ids })
}

/// Replaces what cannot be an action by 0 where an episode ends: actions mean nothing there, and -1
/// and 255 are common marks for that.
fn without_marks(mut values: Values, ends: &[bool]) -> Values {
    macro_rules! blank {
        ($values:expr) => {
            for (value, _) in $values.iter_mut().zip(ends).filter(|(_, ends)| **ends) {
                if usize::try_from(*value).map_or(true, |id| id >= MAX_ACTIONS) {
                    *value = 0;
                }
            }
        };
    }
    match &mut values {
        Values::I8(values) => blank!(values),
        Values::I16(values) => blank!(values),
        Values::I32(values) => blank!(values),
        Values::I64(values) => blank!(values),
        Values::U32(values) => blank!(values),
        Values::U64(values) => blank!(values),
        // All others are bools, floats, or too small for it.
        _ => {}
    }
    values
}

/// Checks that there is one value for each row.
fn one_each(name: &str, array: Array, rows: usize) -> Result<Values, DataError> {
    if !matches!(array.shape.as_slice(), [_] | [_, 1]) {
        return Err(DataError::Shape {
            array: name.to_owned(),
            found: array.shape,
            expected: "[rows]",
        });
    }
    same_rows(name, array.rows(), rows)?;
    Ok(array.values)
}

fn ids(name: &str, array: Array, rows: usize) -> Result<Vec<u32>, DataError> {
    one_each(name, array, rows)?
        .into_u32()
        .map_err(|bad| value_error(name, bad, 1))
}

/// Reads bools, or numbers of any type that are 0 or 1.
fn read_flags(name: &str, array: Array, rows: usize) -> Result<Vec<bool>, DataError> {
    let values = one_each(name, array, rows)?;
    let flag = |row: usize| match values.number(row) {
        0.0 => Ok(false),
        1.0 => Ok(true),
        found => Err(DataError::Value {
            array: name.to_owned(),
            row,
            found: format!("{found} ({})", values.dtype()),
            expected: "a bool (0 or 1)".to_owned(),
        }),
    };
    (0..rows).map(flag).collect()
}

/// Checks that another array of ends has none where those that are read have none.
fn check_ends(
    name: &str,
    others: &[bool],
    terminals: &[bool],
    timeouts: &[bool],
) -> Result<(), DataError> {
    let is_last = |row: usize| row + 1 == others.len();
    let is_more = |&row: &usize| others[row] && !terminals[row] && !timeouts[row] && !is_last(row);
    match (0..others.len()).find(is_more) {
        None => Ok(()),
        Some(row) => Err(DataError::Value {
            array: name.to_owned(),
            row,
            found: "an end".to_owned(),
            expected: "none, since the other arrays of ends have none there; leave out those that are wrong".to_owned(),
        }),
    }
}

/// Reads the single value of `world_is_deterministic`.
fn read_flag(array: Array) -> Result<bool, DataError> {
    let (name, shape) = ("world_is_deterministic", array.shape.clone());
    let single = Array {
        shape: vec![array.values.len()],
        values: array.values,
    };
    match read_flags(name, single, 1) {
        Ok(flag) => Ok(flag == [true]),
        Err(DataError::RowCount { .. }) => Err(DataError::Shape {
            array: name.to_owned(),
            found: shape,
            expected: "one single bool",
        }),
        Err(error) => Err(error),
    }
}

fn read_splits(array: Array, rows: usize) -> Result<Vec<u8>, DataError> {
    let one = |(row, id): (usize, u32)| {
        u8::try_from(id).map_err(|_| DataError::Value {
            array: "splits".to_owned(),
            row,
            found: id.to_string(),
            expected: "a number from 0 to 255".to_owned(),
        })
    };
    let ids = ids("splits", array, rows)?;
    ids.into_iter().enumerate().map(one).collect()
}

/// Reads the arrays that have no meaning in the format. Also returns those that cannot be kept row
/// by row.
fn others(
    arrays: &mut dyn Arrays,
    found: &Found,
    rows: usize,
) -> Result<(BTreeMap<String, Array>, Vec<LeftOut>), DataError> {
    let (mut extra, mut left_out) = (BTreeMap::new(), Vec::new());
    let mut leave = |name: &str, reason: String| {
        left_out.push(LeftOut {
            name: name.to_owned(),
            reason,
        });
    };
    for name in &found.others {
        match arrays.read(name) {
            Ok(array) if array.shape.is_empty() => leave(name, "it is a single value".to_owned()),
            Ok(array) if array.rows() != rows => leave(
                name,
                format!("it has {} rows, and there are {rows}", array.rows()),
            ),
            Ok(array) => {
                extra.insert(name.clone(), array);
            }
            Err(DataError::File(FileError::Array {
                problem: ArrayProblem::UnsupportedDtype { .. },
                ..
            })) => leave(name, "it holds no numbers".to_owned()),
            Err(error) => return Err(error),
        }
    }
    debug_assert!(!extra.contains_key(ACTION_NAMES), "it has a meaning");
    Ok((extra, left_out))
}
