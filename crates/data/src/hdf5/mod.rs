//! Reads recordings from the HDF5 files of others: Minari, D4RL and stable-worldmodel.

mod choose;
mod d4rl;
mod file;
mod jpeg;
mod minari;
mod recording;
mod swm;
mod values;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use tellapart_files::{FileBytes, FileError};

use crate::error::DataError;
use crate::read::read;
use crate::trajectories::Trajectories;
use file::File;
use recording::Recording;

/// First bytes of HDF5, at the start of the file or at 512, 1024, 2048.
const MAGIC: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
const PLACES: [usize; 4] = [0, 512, 1024, 2048];

/// Name of the file of a Minari dataset.
const MAIN: &str = "main_data.hdf5";

impl Trajectories {
    /// Reads a recording from a file of ours ([`Trajectories::read_npz`]) or one of HDF5
    /// ([`Trajectories::read_hdf5`]), told apart by content. A folder is a dataset of Minari.
    ///
    /// # Errors
    /// A [`DataError`] that names the file, the array, and the row when one is at fault.
    pub fn read(path: impl AsRef<Path>, observations: Option<&str>) -> Result<Self, DataError> {
        let path = path.as_ref();
        if path.is_dir() || starts_as_hdf5(path)? {
            return Self::read_hdf5(path, observations);
        }
        match observations {
            None => Self::read_npz(path),
            Some(wanted) => Err(DataError::NothingToChoose {
                wanted: wanted.to_owned(),
            }
            .in_file(path)),
        }
    }

    /// Reads a recording from HDF5: a dataset of Minari (its folder, the folder `data` inside, or
    /// `main_data.hdf5`), a file of D4RL, or one of stable-worldmodel, told apart by content.
    ///
    /// `observations` is the path of the array of observations, such as `observations/image`.
    /// Without it, the single array is taken.
    ///
    /// | | Minari | D4RL | stable-worldmodel |
    /// | --- | --- | --- | --- |
    /// | known by | `episode_0`, ... | `observations`, `actions` | `ep_len`, `ep_offset` |
    /// | reward of the step from row `i` | `rewards[i]` | `rewards[i]` | `reward[i + 1]` |
    /// | last observation of an episode | there | if `next_observations` is | there |
    ///
    /// Rows are those of [`Trajectories`]: the action is the one taken at the row, and 0 in the
    /// last row of an episode. Rewards belong to steps ([`Trajectories::rewards_of`]): float64,
    /// NaN in the last row of an episode. Images that are stored as JPEG are decoded. All other
    /// arrays with a row for each observation are kept, under their paths.
    ///
    /// The last observation of an episode is missing in D4RL files without `next_observations`.
    /// All their episodes are cut off at the last observation that is there. With
    /// `next_observations`, an episode also ends where they are not the next row. Other arrays
    /// then become float64, with NaN at the rows that were added.
    ///
    /// # Errors
    /// A [`DataError`] that names the file, the dataset, and the row when one is at fault.
    pub fn read_hdf5(
        path: impl AsRef<Path>,
        observations: Option<&str>,
    ) -> Result<Self, DataError> {
        let path = main_file(path.as_ref())?;
        let file = File::open(&path);
        let arrays = file.and_then(|file| arrays(&file, observations));
        arrays
            .and_then(|mut arrays| read(&mut arrays))
            .map_err(|error| error.in_file(&path))
    }

    /// Reads a recording from the bytes of an HDF5 file, as [`Trajectories::read_hdf5`] does;
    /// `label` stands for the path in errors.
    ///
    /// # Errors
    /// The errors of [`Trajectories::read_hdf5`].
    pub fn read_hdf5_bytes(
        label: impl AsRef<Path>,
        bytes: &[u8],
        observations: Option<&str>,
    ) -> Result<Self, DataError> {
        let label = label.as_ref();
        let file = File::of_bytes(label, FileBytes::copy(bytes));
        let arrays = file.and_then(|file| arrays(&file, observations));
        arrays
            .and_then(|mut arrays| read(&mut arrays))
            .map_err(|error| error.in_file(label))
    }
}

/// Makes the arrays of a recording, by the dialect that the root shows.
fn arrays(file: &File, observations: Option<&str>) -> Result<Recording, DataError> {
    let root = file.members("")?;
    if minari::is(&root) {
        minari::read(file, &root, observations)
    } else if swm::is(&root) {
        swm::read(file, &root, observations)
    } else if d4rl::is(&root) {
        d4rl::read(file, observations)
    } else {
        let groups = root.groups.iter().map(|name| format!("`{name}/`"));
        let datasets = root.datasets.iter().map(|name| format!("`{name}`"));
        Err(DataError::ForeignHdf5 {
            root: groups.chain(datasets).collect(),
        })
    }
}

/// Computes a checksum of a recording, by which a changed one is noticed: of the names, sizes and
/// checksums in an `.npz`, and of all bytes of an HDF5 file.
///
/// # Errors
/// The error of the file system, or of a damaged archive.
pub fn fingerprint(path: impl AsRef<Path>) -> Result<u32, DataError> {
    let path = path.as_ref();
    if path.is_dir() || starts_as_hdf5(path)? {
        return Ok(tellapart_files::file_checksum(main_file(path)?)?);
    }
    Ok(tellapart_files::Archive::open(path)?.fingerprint()?)
}

/// Returns the file to read, which is inside of a folder of Minari.
/// Returns the bytes of a recording on disk: of the file in the folder of a Minari dataset. 0 if
/// there is none.
#[must_use]
pub fn recording_bytes(path: impl AsRef<Path>) -> u64 {
    let file = main_file(path.as_ref()).ok();
    let metadata = file.and_then(|file| std::fs::metadata(file).ok());
    metadata.map_or(0, |metadata| metadata.len())
}

fn main_file(path: &Path) -> Result<PathBuf, DataError> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let places = [path.join(MAIN), path.join("data").join(MAIN)];
    let found = places.into_iter().find(|file| file.is_file());
    found.ok_or_else(|| DataError::NoMainFile.in_file(path))
}

fn starts_as_hdf5(path: &Path) -> Result<bool, DataError> {
    let (file, _) = tellapart_files::open(path)?;
    let mut start = Vec::new();
    let most = PLACES[PLACES.len() - 1] + MAGIC.len();
    file.take(most as u64)
        .read_to_end(&mut start)
        .map_err(|source| FileError::from_io(path, source))?;
    Ok(PLACES.iter().any(|&place| {
        start
            .get(place..)
            .is_some_and(|rest| rest.starts_with(MAGIC))
    }))
}
