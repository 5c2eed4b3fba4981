//! Reads and writes trajectories as `.npz` archives of flat arrays, in the manner of D4RL.

use std::path::Path;

use tellapart_files::{Archive, ArchiveWriter};

use crate::columns::{Actions, Frames};
use crate::error::DataError;
use crate::names::ACTION_NAMES;
use crate::read::read;
use crate::trajectories::Trajectories;

impl Trajectories {
    /// Reads a recording from an `.npz` archive.
    ///
    /// | array | shape | type | when absent |
    /// | --- | --- | --- | --- |
    /// | `observations` | `[N, ...]` | any number or bool; uint8: images | error |
    /// | `actions` | `[N]` or `[N, k]` | integer `[N]`, `[N, 1]`: discrete; else vectors | error |
    /// | `action_count` | `[]` | integer | number of names, or the largest action plus one |
    /// | `action_names` | `[actions]` | text (`U`, or `S` in UTF-8) | actions go by their ids |
    /// | `rewards` | `[N]` or `[N, 1]` | bool, integers, floats | no rewards |
    /// | `aux` | `[N]` or `[N, ...]` | bool, integers, floats | no auxiliary values |
    /// | `terminals`, `timeouts` | `[N]` | bool, or numbers 0, 1 | false; error if both absent |
    /// | `state_ids` | `[N]` | integers | not known |
    /// | `splits` | `[N]` | integers 0 to 255 | none |
    /// | `world_is_deterministic` | `[]` | bool | not known |
    /// | any other | `[N, ...]` | any | |
    ///
    /// Numbers are kept as they are stored. NaN in `rewards` and `aux` means that the value is not
    /// known. Where an episode ends, actions mean nothing: ids there do not count, and what is no
    /// id of an action is taken as 0. Other arrays without a row for each observation are left out,
    /// and listed by [`Trajectories::left_out`].
    ///
    /// Arrays are also read under the names of others, listed by [`Trajectories::read_as`]: `obs`,
    /// `observation`; `action`; `reward`, `next.reward`; `terminations`, `terminated`, `dones`,
    /// `done`, `next.done`; `truncations`, `truncated`, `next.truncated`.
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
            Frames::Other { shape, values } => {
                writer.add_values("observations", &with_rows(rows, shape), values)?;
            }
        }
        match &self.actions {
            Actions::Discrete { count, ids } => {
                writer.add_slice("actions", &[rows], ids)?;
                writer.add_slice("action_count", &[], &[*count as u64])?;
            }
            Actions::Vectors { width, values } => {
                writer.add_values("actions", &[rows, *width], values)?;
            }
        }
        if let Some(names) = &self.action_names {
            writer.add_strings(ACTION_NAMES, names)?;
        }
        if let Some(rewards) = &self.rewards {
            writer.add_values("rewards", &[rows], rewards)?;
        }
        if let Some(aux) = &self.aux {
            writer.add("aux", aux)?;
        }
        writer.add_slice("terminals", &[rows], &self.terminals)?;
        writer.add_slice("timeouts", &[rows], &self.timeouts)?;
        if let Some(ids) = &self.state_ids {
            writer.add_slice("state_ids", &[rows], ids)?;
        }
        if let Some(splits) = &self.splits {
            writer.add_slice("splits", &[rows], splits)?;
        }
        if let Some(it_is) = self.world_is_deterministic {
            writer.add_slice("world_is_deterministic", &[], &[it_is])?;
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
