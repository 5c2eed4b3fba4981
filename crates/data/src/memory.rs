//! Recordings made of arrays in memory.

use std::collections::BTreeMap;
use std::path::Path;

use tellapart_files::{Array, FileError};

use crate::error::DataError;
use crate::names::ACTION_NAMES;
use crate::read::{Arrays, read};
use crate::trajectories::Trajectories;

impl Trajectories {
    /// Makes a recording of named arrays, as [`Trajectories::read_npz`] does of those of a file.
    /// `action_names` takes the place of the array of that name.
    ///
    /// # Errors
    /// The errors of [`Trajectories::read_npz`].
    pub fn from_arrays(
        arrays: BTreeMap<String, Array>,
        action_names: Option<Vec<String>>,
    ) -> Result<Self, DataError> {
        read(&mut Memory {
            arrays,
            action_names,
        })
    }
}

struct Memory {
    arrays: BTreeMap<String, Array>,
    action_names: Option<Vec<String>>,
}

impl Arrays for Memory {
    fn names(&self) -> Vec<String> {
        let named = self.action_names.iter().map(|_| ACTION_NAMES.to_owned());
        self.arrays.keys().cloned().chain(named).collect()
    }

    fn read(&mut self, name: &str) -> Result<Array, DataError> {
        self.arrays.remove(name).ok_or_else(|| {
            DataError::from(FileError::MissingArray {
                path: self.path().to_path_buf(),
                name: name.to_owned(),
                present: self.names(),
            })
        })
    }

    fn read_strings(&mut self, _: &str, _: usize) -> Result<Vec<String>, DataError> {
        Ok(self.action_names.clone().unwrap_or_default())
    }

    fn path(&self) -> &Path {
        Path::new("recording")
    }
}
