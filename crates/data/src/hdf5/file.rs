//! An open HDF5 file: what is in it, and its datasets as arrays.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdf5_reader::dataset::Dataset;
use hdf5_reader::error::Error;
use hdf5_reader::messages::HdfMessage;
use hdf5_reader::storage::DynStorage;
use hdf5_reader::{BytesStorage, Datatype, Hdf5File, OpenOptions};
use tellapart_files::{Array, Dtype, FileBytes};

use super::values::{decode, describe, dtype_of, is_half, is_list_of_bytes};
use crate::error::DataError;

/// Largest ratio of decoded to stored bytes of packed datasets: that of deflate.
const RATIO: u64 = 1032;

/// Bytes of datasets that may lack in the file because they were made but never written.
const UNWRITTEN: u64 = 1 << 24;

/// What the decoder may keep in memory: bytes that it decoded, and places of chunks.
const MOST_KEPT: u64 = 1 << 26;

/// Bytes that the decoder keeps for each chunk of a dataset, about.
const KEPT_PER_CHUNK: u64 = 256;

/// Depth below which groups are not looked into.
const DEPTH: usize = 8;

/// An open file. What is read of it is bounded by what its bytes can really hold, as datasets may
/// claim any shape, and several names may stand for one object.
pub(super) struct File {
    path: PathBuf,
    storage: DynStorage,
    /// Opened again from time to time, since it keeps what it decoded.
    file: RefCell<Hdf5File>,
    /// What it keeps by now, about.
    kept: Cell<u64>,
    /// Stored bytes that may still be read.
    bytes_left: Cell<u64>,
    /// Bytes that may still be read without being stored.
    unwritten_left: Cell<u64>,
    /// Objects that may still be looked at.
    objects_left: Cell<u64>,
}

/// What a group holds.
#[derive(Default)]
pub(super) struct Members {
    pub(super) groups: Vec<String>,
    pub(super) datasets: Vec<String>,
}

/// A dataset that can be read.
pub(super) struct Node {
    /// Path from the root, without a leading `/`.
    pub(super) path: String,
    /// Shape, the rows included.
    pub(super) shape: Vec<usize>,
    dataset: Dataset,
}

struct Bytes(FileBytes);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl File {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        Self::of_bytes(path, FileBytes::open(path)?)
    }

    /// Opens a file in memory; `path` stands for it in errors.
    pub(super) fn of_bytes(path: &Path, bytes: FileBytes) -> Result<Self, DataError> {
        let length = bytes.len() as u64;
        let storage: DynStorage = Arc::new(BytesStorage::from_owner(Bytes(bytes)));
        let file = open(&storage)?;
        Ok(Self {
            path: path.to_path_buf(),
            storage,
            file: RefCell::new(file),
            kept: Cell::new(0),
            // Twice, since several names may stand for one dataset.
            bytes_left: Cell::new(length.saturating_mul(2)),
            unwritten_left: Cell::new(UNWRITTEN),
            // Each object takes more bytes, but a name of it takes fewer.
            objects_left: Cell::new(length / 8),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Lists a group; the root is the empty path.
    pub(super) fn members(&self, group: &str) -> Result<Members, DataError> {
        let named = |error| problem(if group.is_empty() { "/" } else { group }, &error);
        let (groups, datasets) = self
            .file
            .borrow()
            .group(group)
            .and_then(|group| group.member_names())
            .map_err(named)?;
        let objects = (groups.len() + datasets.len()) as u64;
        spend(&self.objects_left, objects + 1).ok_or_else(|| {
            at(
                group,
                "its objects are more than the file has room for; the file seems damaged",
            )
        })?;
        Ok(Members { groups, datasets })
    }

    /// Lists the paths of all datasets below a group, sorted.
    pub(super) fn leaves(&self, group: &str) -> Result<Vec<String>, DataError> {
        let mut leaves = Vec::new();
        let mut open = vec![(group.to_owned(), 0)];
        while let Some((group, depth)) = open.pop() {
            if depth > DEPTH {
                return Err(at(
                    &group,
                    &format!("groups are nested deeper than {DEPTH}"),
                ));
            }
            let members = self.members(&group)?;
            let path = |name: &String| join(&group, name);
            leaves.extend(members.datasets.iter().map(path));
            open.extend(members.groups.iter().map(|name| (path(name), depth + 1)));
        }
        leaves.sort_unstable();
        Ok(leaves)
    }

    /// Looks at a dataset, without reading its values.
    pub(super) fn node(&self, path: &str) -> Result<Node, DataError> {
        let dataset = self
            .file
            .borrow()
            .dataset(path)
            .map_err(|error| problem(path, &error))?;
        let lengths = dataset
            .shape()
            .iter()
            .map(|&length| usize::try_from(length));
        let shape: Result<Vec<usize>, _> = lengths.collect();
        // Without the zeros: a file that has no rows may claim rows of any size.
        let product = |shape: &[usize]| {
            let mut lengths = shape.iter().filter(|&&length| length > 0);
            lengths.try_fold(1_usize, |n, &length| n.checked_mul(length))
        };
        match shape {
            Ok(shape) if product(&shape).is_some() => Ok(Node {
                path: path.to_owned(),
                shape,
                dataset,
            }),
            _ => Err(at(
                path,
                &format!("no memory holds its shape, {:?}", dataset.shape()),
            )),
        }
    }

    /// Reads a dataset of numbers.
    pub(super) fn read(&self, node: &Node) -> Result<Array, DataError> {
        let datatype = node.dataset.dtype();
        let wrong = |found: String| DataError::Hdf5Type {
            dataset: node.path.clone(),
            found,
        };
        let dtype = dtype_of(datatype).ok_or_else(|| wrong(describe(datatype)))?;
        if dtype == Dtype::F16 {
            let description = node.dataset.raw_datatype();
            let description = description.map_err(|error| problem(&node.path, &error))?;
            if !is_half(&description) {
                return Err(wrong("floats of 2 bytes that are not float16".to_owned()));
            }
        }
        let width: usize = node.shape.iter().skip(1).product();
        if width == 0 {
            // There might be any number of them.
            return Err(wrong("rows without values".to_owned()));
        }
        let bytes = self.bytes(node)?;
        let values = decode(bytes, dtype).map_err(|(index, byte)| DataError::Value {
            array: node.path.clone(),
            row: index / width.max(1),
            found: format!("the byte {byte}"),
            expected: "a bool (0 or 1)".to_owned(),
        })?;
        Array::new(node.shape.clone(), values).map_err(|error| at(&node.path, &error.to_string()))
    }

    /// Reads a dataset whose rows are lists of bytes, each of a length of its own.
    pub(super) fn read_lists(&self, node: &Node) -> Result<Vec<Vec<u8>>, DataError> {
        let references = self.bytes(node)?;
        let size = node.dataset.vlen_reference_size();
        let mut lists = Vec::new();
        for reference in references.chunks_exact(size) {
            let list = node.dataset.resolve_vlen_reference_bytes(reference, 1);
            let list = list.map_err(|error| problem(&node.path, &error))?;
            self.charge(&node.path, list.len() as u64, false)?;
            lists.push(list);
        }
        Ok(lists)
    }

    fn bytes(&self, node: &Node) -> Result<Vec<u8>, DataError> {
        let named = |error| problem(&node.path, &error);
        let length = node.dataset.raw_byte_len().map_err(named)?;
        let is_packed = self.is_packed(node).map_err(named)?;
        self.charge(&node.path, length as u64, is_packed)?;
        let bytes = node.dataset.read_native_bytes().map_err(named)?;
        self.forget(node, length as u64)?;
        Ok(bytes)
    }

    fn is_packed(&self, node: &Node) -> Result<bool, Error> {
        let address = node.dataset.address();
        let header = self.file.borrow().get_or_parse_header(address)?;
        let mut messages = header.messages.iter();
        Ok(messages.any(|message| matches!(message, HdfMessage::FilterPipeline(_))))
    }

    /// Makes the decoder forget what it has kept of this dataset and others, once that is much.
    fn forget(&self, node: &Node, length: u64) -> Result<(), DataError> {
        let chunks = node.dataset.chunks().map_or(0, |chunk| {
            let axes = node.dataset.shape().iter().zip(chunk);
            let counts = axes.map(|(axis, length)| axis.div_ceil(u64::from(length.max(1))));
            counts.fold(1_u64, u64::saturating_mul)
        });
        let kept = chunks.saturating_mul(KEPT_PER_CHUNK).saturating_add(length);
        let kept = self.kept.get().saturating_add(kept);
        self.kept.set(kept);
        if kept > MOST_KEPT {
            *self.file.borrow_mut() = open(&self.storage)?;
            self.kept.set(0);
        }
        Ok(())
    }

    /// Counts bytes that are about to be decoded, so that a small file cannot ask for all memory.
    pub(super) fn charge(
        &self,
        dataset: &str,
        bytes: u64,
        is_packed: bool,
    ) -> Result<(), DataError> {
        let spent = match is_packed {
            true => spend(&self.bytes_left, bytes.div_ceil(RATIO)),
            false => spend(&self.bytes_left, bytes).or_else(|| spend(&self.unwritten_left, bytes)),
        };
        spent.ok_or_else(|| {
            at(
                dataset,
                &format!(
                    "{bytes} bytes of values are more than the file can hold; it seems damaged"
                ),
            )
        })
    }
}

/// Opens a file. Datasets are read once, so their chunks are not kept.
fn open(storage: &DynStorage) -> Result<Hdf5File, DataError> {
    let most = usize::try_from(storage.len().saturating_mul(RATIO)).unwrap_or(usize::MAX);
    let options = OpenOptions::default().with_chunk_cache_bytes(0);
    let chunk = options.max_chunk_bytes.min(most);
    let options = options.with_max_chunk_bytes(chunk);
    let file = Hdf5File::from_storage_with_options(storage.clone(), options);
    file.map_err(|error| match error {
        Error::InvalidMagic => at_root("this is not an HDF5 file"),
        error => problem("/", &error),
    })
}

impl Node {
    /// Number of rows; `None` for a single value.
    pub(super) fn rows(&self) -> Option<usize> {
        self.shape.first().copied()
    }

    /// Shape of one row.
    pub(super) fn row_shape(&self) -> &[usize] {
        self.shape.get(1..).unwrap_or_default()
    }

    pub(super) fn is_list_of_bytes(&self) -> bool {
        is_list_of_bytes(self.datatype())
    }

    pub(super) fn datatype(&self) -> &Datatype {
        self.dataset.dtype()
    }

    /// Names the path, the type and the shape of a row, for messages.
    pub(super) fn describe(&self) -> String {
        let kind = describe(self.datatype());
        format!("`{}` ({kind} {:?})", self.path, self.row_shape())
    }
}

fn spend(left: &Cell<u64>, cost: u64) -> Option<()> {
    left.set(left.get().checked_sub(cost)?);
    Some(())
}

/// Joins the path of a group and the name of a member.
pub(super) fn join(group: &str, name: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{group}/{name}")
    }
}

/// Makes the error of one dataset or group.
pub(super) fn at(dataset: &str, problem: &str) -> DataError {
    DataError::Hdf5 {
        dataset: dataset.to_owned(),
        problem: problem.to_owned(),
    }
}

fn at_root(problem: &str) -> DataError {
    at("/", problem)
}

/// Says what an error of the reader means, and what to do.
fn problem(dataset: &str, error: &Error) -> DataError {
    let mut cause = error;
    while let Error::Context { source, .. } = cause {
        cause = source;
    }
    match cause {
        Error::UnsupportedFilter(filter) => {
            let name = FILTERS.iter().find(|(id, _)| filter.ends_with(id));
            DataError::Hdf5Filter {
                dataset: dataset.to_owned(),
                filter: name.map_or_else(|| filter.clone(), |(_, name)| (*name).to_owned()),
            }
        }
        Error::DatasetNotFound(_) | Error::GroupNotFound(_) => {
            at(dataset, "it is not there, and is needed")
        }
        _ if cause.to_string().starts_with("unsupported") => at(
            dataset,
            &format!("{cause}; write the file again with the defaults of h5py"),
        ),
        _ => at(
            dataset,
            &format!("{cause}; the file is truncated or damaged: copy or write it again"),
        ),
    }
}

/// Registered filters that are not part of HDF5, by the end of their description.
const FILTERS: [(&str, &str); 8] = [
    ("id 32000", "LZF (filter 32000)"),
    ("id 32001", "Blosc (filter 32001)"),
    ("id 32004", "LZ4 (filter 32004)"),
    ("id 32008", "Bitshuffle (filter 32008)"),
    ("id 32013", "ZFP (filter 32013)"),
    ("id 32015", "Zstandard (filter 32015)"),
    ("id 32026", "Blosc2 (filter 32026)"),
    ("id 32017", "SZ (filter 32017)"),
];
