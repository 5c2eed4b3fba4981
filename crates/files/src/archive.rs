//! Reads `.npz` archives: zip files whose entries are `.npy` files.

use std::fmt;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zip::CompressionMethod;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::array::{Array, Dtype};
use crate::atomic;
use crate::error::{ArrayProblem, FileError};
use crate::npy;
use crate::text;

/// Largest ratio by which deflate can shrink data: 258 bytes into two bits.
const DEFLATE_LIMIT: u64 = 1032;

trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// An open `.npz` archive, as written by `numpy.savez`, `numpy.savez_compressed` or
/// [`ArchiveWriter`](crate::ArchiveWriter).
///
/// Opening reads only the directory; each array is read on request.
pub struct Archive {
    path: PathBuf,
    length: u64,
    names: Vec<String>,
    zip: ZipArchive<Box<dyn ReadSeek>>,
}

impl Archive {
    /// Opens an archive and lists its content.
    ///
    /// # Errors
    /// The error of the file system, or [`FileError::NotAnArchive`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (file, length) = atomic::open(path)?;
        Self::from_source(
            path,
            Box::new(BufReader::with_capacity(1 << 16, file)),
            length,
        )
    }

    /// Opens an archive in memory; `label` stands for the path in errors.
    ///
    /// # Errors
    /// [`FileError::NotAnArchive`].
    pub fn from_bytes(label: impl AsRef<Path>, bytes: Vec<u8>) -> Result<Self, FileError> {
        let length = bytes.len() as u64;
        Self::from_source(label.as_ref(), Box::new(Cursor::new(bytes)), length)
    }

    fn from_source(
        path: &Path,
        mut source: Box<dyn ReadSeek>,
        length: u64,
    ) -> Result<Self, FileError> {
        let not_an_archive = |reason| FileError::NotAnArchive {
            path: path.to_path_buf(),
            reason,
        };
        let mut start = [0_u8; 6];
        let got = crate::header::fill(&mut source, &mut start)
            .map_err(|source| FileError::from_io(path, source))?;
        let start = &start[..got];
        if start == b"\x93NUMPY" {
            let reason = "it is a single array; rename it to .npy".to_owned();
            return Err(not_an_archive(reason));
        }
        if start.is_empty() {
            return Err(not_an_archive("it is empty".to_owned()));
        }
        let members = listed_members(&mut source, length)
            .map_err(|source| FileError::from_io(path, source))?;
        let zip = ZipArchive::new(source).map_err(|error| match error {
            ZipError::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
                FileError::from_io(path, source)
            }
            error if start.starts_with(b"PK") => not_an_archive(format!(
                "{error}; it seems truncated or damaged: write it again"
            )),
            error => not_an_archive(error.to_string()),
        })?;
        // Of several members of one name the library knows the last one only.
        if members.is_some_and(|members| members > zip.len()) {
            let reason = "two of its members have one name; write it again".to_owned();
            return Err(not_an_archive(reason));
        }
        let mut names = Vec::new();
        for name in zip.file_names() {
            let name = name.map_err(|error| not_an_archive(error.to_string()))?;
            names.extend(name.strip_suffix(".npy").map(str::to_owned));
        }
        Ok(Self {
            path: path.to_path_buf(),
            length,
            names,
            zip,
        })
    }

    /// Path of the archive, as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the arrays, in the order of the archive. Entries that are not `.npy` are left out.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the archive has an array of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Computes a checksum of the names, sizes and checksums of all entries. It tells whether two
    /// archives have the same content, as far as 32 bits can. Reads the directory only.
    ///
    /// # Errors
    /// [`FileError::NotAnArchive`] if the directory is damaged.
    pub fn fingerprint(&mut self) -> Result<u32, FileError> {
        let mut hash = crc32fast::Hasher::new();
        for index in 0..self.zip.len() {
            let entry = self.zip.by_index_raw(index);
            let entry = entry.map_err(|error| FileError::NotAnArchive {
                path: self.path.clone(),
                reason: error.to_string(),
            })?;
            hash.update(entry.name_raw());
            hash.update(&entry.size().to_le_bytes());
            hash.update(&entry.crc32().to_le_bytes());
        }
        Ok(hash.finalize())
    }

    /// Returns the type and the shape of an array, without reading its values.
    ///
    /// # Errors
    /// [`FileError::MissingArray`], or [`FileError::Array`] if its header cannot be read.
    pub fn describe(&mut self, name: &str) -> Result<(Dtype, Vec<usize>), FileError> {
        self.with_entry(name, |entry, _| npy::describe(entry))
    }

    /// Reads one array.
    ///
    /// Memory: the values once, or twice while a Fortran-ordered array is brought into C order.
    ///
    /// # Errors
    /// [`FileError::MissingArray`], or [`FileError::Array`] if its bytes are damaged or of an
    /// unsupported type.
    pub fn read(&mut self, name: &str) -> Result<Array, FileError> {
        self.with_entry(name, |entry, available| npy::read_array(entry, available))
    }

    /// Reads a list of at most `most` strings: an array `[N]` of NumPy's type `U`, or `S` in UTF-8.
    ///
    /// # Errors
    /// [`FileError::MissingArray`], or [`FileError::Array`] if it is damaged, not text, or longer.
    pub fn read_strings(&mut self, name: &str, most: usize) -> Result<Vec<String>, FileError> {
        self.with_entry(name, |entry, available| {
            text::read_strings(entry, available, most)
        })
    }

    /// Returns the length of a list of strings, without reading them.
    ///
    /// # Errors
    /// [`FileError::MissingArray`], or [`FileError::Array`] if its header is not one of text.
    pub fn describe_strings(&mut self, name: &str) -> Result<usize, FileError> {
        self.with_entry(name, |entry, _| text::describe(entry))
    }

    fn with_entry<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut ZipFile<'_, Box<dyn ReadSeek>>, u64) -> Result<T, ArrayProblem>,
    ) -> Result<T, FileError> {
        if !self.contains(name) {
            return Err(FileError::MissingArray {
                path: self.path.clone(),
                name: name.to_owned(),
                present: self.names.clone(),
            });
        }
        let result = match self.zip.by_name(&format!("{name}.npy")) {
            Ok(mut entry) => {
                // The sizes in the directory are only claims, so the length of the archive bounds
                // them.
                let packed = entry.compressed_size().min(self.length);
                let most = match entry.compression() {
                    CompressionMethod::Stored => packed,
                    _ => packed.saturating_mul(DEFLATE_LIMIT),
                };
                let available = entry.size().min(most);
                read(&mut entry, available)
            }
            Err(ZipError::Io(source)) => Err(source.into()),
            Err(error) => Err(ArrayProblem::BadEntry {
                reason: error.to_string(),
            }),
        };
        result.map_err(|problem| FileError::in_array(&self.path, Some(name), problem))
    }
}

/// Returns how many members the end of a zip file lists; `None` if it has no end, or too many for
/// its number of two bytes.
fn listed_members(source: &mut dyn ReadSeek, length: u64) -> io::Result<Option<usize>> {
    const END: &[u8] = b"PK\x05\x06";
    /// Length of the record at the end, and of the comment behind it.
    const MOST: u64 = 22 + u16::MAX as u64;
    source.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut tail = Vec::new();
    source.take(MOST).read_to_end(&mut tail)?;
    source.seek(SeekFrom::Start(0))?;
    let end = tail.windows(END.len()).rposition(|bytes| bytes == END);
    let count = end.and_then(|at| tail.get(at + 10..at + 12));
    let count = count.map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    Ok(count.filter(|&count| count < u16::MAX).map(usize::from))
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive")
            .field("path", &self.path)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
