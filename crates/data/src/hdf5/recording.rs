//! The arrays of a recording as a dialect makes them, in the layout that all files are read from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tellapart_files::{Array, ArrayProblem, FileError};

use super::file::{File, Node, at};
use super::values::rows_or_nan;
use crate::auxiliary::BelongsTo;
use crate::error::DataError;
use crate::read::Arrays;
use crate::trajectories::LeftOut;

/// Named arrays with a row for each observation, all episodes one after the other.
pub(super) struct Recording {
    path: PathBuf,
    arrays: BTreeMap<String, Array>,
    left_out: Vec<LeftOut>,
    read_as: Vec<(String, &'static str)>,
}

impl Recording {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            arrays: BTreeMap::new(),
            left_out: Vec::new(),
            read_as: Vec::new(),
        }
    }

    /// Sets an array that has a meaning, and that the file has under the name `stored`.
    pub(super) fn set(&mut self, meaning: &'static str, stored: &str, array: Array) {
        if stored != meaning {
            self.read_as.push((stored.to_owned(), meaning));
        }
        self.arrays.insert(meaning.to_owned(), array);
    }

    /// Sets `terminals` and `timeouts`, of which the file may have one only.
    pub(super) fn set_flags(&mut self, flags: [Vec<bool>; 2], stored: [Option<&str>; 2]) {
        for ((meaning, flags), stored) in
            ["terminals", "timeouts"].into_iter().zip(flags).zip(stored)
        {
            let array = Array {
                shape: vec![flags.len()],
                values: flags.into(),
            };
            self.set(meaning, stored.unwrap_or(meaning), array);
        }
    }

    /// Adds an array that has no meaning.
    pub(super) fn add(&mut self, name: &str, array: Array) {
        if self.arrays.contains_key(name) {
            self.leave(name, "another array has this name here".to_owned());
        } else {
            self.arrays.insert(name.to_owned(), array);
        }
    }

    /// Notes that an array was left out, with the reason as a clause.
    pub(super) fn leave(&mut self, name: &str, reason: String) {
        self.left_out.push(LeftOut {
            name: name.to_owned(),
            reason,
        });
    }
}

impl Arrays for Recording {
    fn names(&self) -> Vec<String> {
        self.arrays.keys().cloned().collect()
    }

    fn read(&mut self, name: &str) -> Result<Array, DataError> {
        self.arrays.remove(name).ok_or_else(|| {
            let missing = FileError::MissingArray {
                path: self.path.clone(),
                name: name.to_owned(),
                present: self.names(),
            };
            missing.into()
        })
    }

    fn read_strings(&mut self, name: &str, _most: usize) -> Result<Vec<String>, DataError> {
        let array = self.read(name)?;
        let problem = ArrayProblem::NotText {
            found: array.dtype().to_string(),
        };
        Err(at(name, &problem.to_string()))
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn rewards_of(&self) -> Option<BelongsTo> {
        Some(BelongsTo::Step)
    }

    fn left_out(&self) -> Vec<LeftOut> {
        self.left_out.clone()
    }

    fn read_as(&self) -> Vec<(String, &'static str)> {
        self.read_as.clone()
    }
}

/// Reads an array that has no meaning. If it cannot be used, returns the reason as a clause.
pub(super) fn read_additional(
    file: &File,
    node: &Node,
    rows: usize,
) -> Result<Result<Array, String>, DataError> {
    match node.rows() {
        None => return Ok(Err("it is a single value".to_owned())),
        Some(found) if found != rows => {
            return Ok(Err(format!("it has {found} rows, and there are {rows}")));
        }
        Some(_) => {}
    }
    match file.read(node) {
        Ok(array) => Ok(Ok(array)),
        Err(DataError::Hdf5Type { found, .. }) => Ok(Err(format!("it holds {found}"))),
        Err(DataError::Hdf5Filter { filter, .. }) => Ok(Err(format!("it is stored by {filter}"))),
        Err(error) => Err(error),
    }
}

/// Reads an array with one row for each of `rows`, which are named by `what`.
pub(super) fn read_rows(
    file: &File,
    path: &str,
    rows: usize,
    what: &str,
) -> Result<Array, DataError> {
    let node = file.node(path)?;
    if node.rows() != Some(rows) {
        let found = node
            .rows()
            .map_or("a single value".to_owned(), |n| format!("{n} rows"));
        let problem = format!("{found}, but {rows} are expected, {what}");
        return Err(at(path, &problem));
    }
    file.read(&node)
}

/// Reads bools, or numbers that are 0 or 1, one for each of `rows`.
pub(super) fn read_flags(
    file: &File,
    path: &str,
    rows: usize,
    what: &str,
) -> Result<Vec<bool>, DataError> {
    let array = read_rows(file, path, rows, what)?;
    if array.values.len() != rows {
        return Err(at(
            path,
            "more than one value in a row, but one bool is expected",
        ));
    }
    let flag = |row: usize| match array.values.number(row) {
        0.0 => Ok(false),
        1.0 => Ok(true),
        found => Err(DataError::Value {
            array: path.to_owned(),
            row,
            found: found.to_string(),
            expected: "a bool (0 or 1)".to_owned(),
        }),
    };
    (0..rows).map(flag).collect()
}

/// Checks that only the last of the flags of one episode is set, and returns it.
pub(super) fn last_flag(path: &str, flags: &[bool], start: usize) -> Result<bool, DataError> {
    let Some((last, before)) = flags.split_last() else {
        return Ok(false);
    };
    match before.iter().position(|&flag| flag) {
        None => Ok(*last),
        Some(row) => Err(DataError::Value {
            array: path.to_owned(),
            row: start + row,
            found: "true".to_owned(),
            expected: "false before the last row of an episode (split the episode there)"
                .to_owned(),
        }),
    }
}

/// Returns the rewards at the rows of their steps, as float64: NaN where there is no step.
pub(super) fn rewards_at(
    path: &str,
    stored: &Array,
    steps: &[Option<usize>],
) -> Result<Array, DataError> {
    rows_or_nan(stored, steps).ok_or_else(|| {
        at(
            path,
            "a number that float64 cannot hold; store smaller rewards",
        )
    })
}
