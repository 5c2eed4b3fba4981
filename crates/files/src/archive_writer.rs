//! Writes `.npz` archives.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::array::{Array, Values, element_count, for_each_dtype};
use crate::atomic::PendingFile;
use crate::deferred::{DeferErrors, DeferredFailure};
use crate::error::{ArrayProblem, FileError};
use crate::header::NpyHeader;
use crate::npy::{self, Element};
use crate::text;

type Zip = ZipWriter<DeferErrors<BufWriter<File>>>;

/// Writes an `.npz` archive one array at a time, so that only one needs to be in memory.
///
/// All bytes go to a temporary file next to the target, which [`ArchiveWriter::finish`] renames
/// into place. If the writer is dropped before, the temporary file is removed and an older archive
/// stays unchanged. Arrays are deflated at the fastest level: frames with an even background shrink
/// manyfold at little cost. The bytes depend on the arrays alone, not on the time of writing.
#[derive(Debug)]
pub struct ArchiveWriter {
    // Declared first, hence dropped first: the handle closes before the temporary file is removed.
    zip: Zip,
    failure: DeferredFailure,
    names: Vec<String>,
    pending: PendingFile,
}

impl ArchiveWriter {
    /// Starts an archive that will be at `path`.
    ///
    /// # Errors
    /// The errors of [`write_atomically`](crate::write_atomically).
    pub fn create(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let pending = PendingFile::create(path)?;
        let file = pending
            .file()
            .try_clone()
            .map_err(|source| FileError::from_io(path, source))?;
        let failure = DeferredFailure::default();
        let file = DeferErrors::new(BufWriter::with_capacity(1 << 16, file), failure.clone());
        Ok(Self {
            zip: ZipWriter::new(file),
            failure,
            names: Vec::new(),
            pending,
        })
    }

    /// Adds one array. After an error the archive cannot be finished in a sound state: drop it.
    ///
    /// # Errors
    /// [`FileError::BadName`] for an empty or repeated name, or one with a slash or a zero byte.
    /// [`FileError::Array`] if the shape does not match the values, otherwise the error of the file
    /// system.
    pub fn add(&mut self, name: &str, array: &Array) -> Result<(), FileError> {
        self.add_values(name, &array.shape, &array.values)
    }

    /// Adds one array of borrowed values of any type, in C order. After an error the archive cannot
    /// be finished in a sound state: drop it.
    ///
    /// # Errors
    /// The errors of [`ArchiveWriter::add`].
    pub fn add_values(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &Values,
    ) -> Result<(), FileError> {
        macro_rules! by_dtype {
            ($(($variant:ident, $type:ty, $code:literal, $name:literal),)*) => {
                match values {
                    $(Values::$variant(values) => self.add_slice(name, shape, values),)*
                }
            };
        }
        for_each_dtype!(by_dtype)
    }

    /// Adds one array of borrowed values in C order. After an error the archive cannot be finished
    /// in a sound state: drop it.
    ///
    /// # Errors
    /// The errors of [`ArchiveWriter::add`].
    pub fn add_slice<T: Element>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[T],
    ) -> Result<(), FileError> {
        let path = self.pending.path().to_path_buf();
        self.check_name(&path, name)?;
        let in_array = |problem| FileError::in_array(&path, Some(name), problem);
        if element_count(shape) != Some(values.len()) {
            let (shape, values) = (shape.to_vec(), values.len());
            return Err(in_array(ArrayProblem::ShapeMismatch { shape, values }));
        }
        let header = NpyHeader::bytes(T::DTYPE, shape).map_err(in_array)?;
        self.entry(name, size_of_val(values) as u64, |zip| {
            zip.write_all(&header)?;
            npy::write_elements(zip, values)
        })
    }

    /// Adds a list of strings, as an array `[N]` of NumPy's type `U`. After an error the archive
    /// cannot be finished in a sound state: drop it.
    ///
    /// # Errors
    /// [`FileError::Array`] if a string holds a zero character, otherwise the errors of
    /// [`ArchiveWriter::add`].
    pub fn add_strings(&mut self, name: &str, strings: &[String]) -> Result<(), FileError> {
        let path = self.pending.path().to_path_buf();
        self.check_name(&path, name)?;
        let bytes = text::encode_strings(strings)
            .map_err(|problem| FileError::in_array(&path, Some(name), problem))?;
        self.entry(name, bytes.len() as u64, |zip| zip.write_all(&bytes))
    }

    /// Writes one entry of about so many bytes.
    fn entry(
        &mut self,
        name: &str,
        bytes: u64,
        write: impl FnOnce(&mut Zip) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let path = self.pending.path().to_path_buf();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(1))
            // Beyond 4 GiB the entry needs the wide form; deflate may add a little to random bytes.
            .large_file(bytes >= u64::from(u32::MAX / 2));
        self.zip
            .start_file(format!("{name}.npy"), options)
            .map_err(|error| zip_error(&path, error))?;
        write(&mut self.zip)
            .and_then(|()| self.failure.check())
            .map_err(|source| FileError::from_io(&path, source))?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Completes the archive and renames it to its path.
    ///
    /// # Errors
    /// The error of the file system; the target is then untouched.
    pub fn finish(self) -> Result<(), FileError> {
        let Self {
            zip,
            failure,
            pending,
            ..
        } = self;
        let path = pending.path().to_path_buf();
        let mut file = zip.finish().map_err(|error| zip_error(&path, error))?;
        file.flush()
            .and_then(|()| failure.check())
            .map_err(|source| FileError::from_io(&path, source))?;
        drop(file);
        pending.finish()
    }

    fn check_name(&self, path: &Path, name: &str) -> Result<(), FileError> {
        let reason = if name.is_empty() {
            "the name is empty"
        } else if name.contains(['/', '\\', '\0']) {
            "the name has a slash or a zero byte"
        } else if self.names.iter().any(|known| known == name) {
            "there is one already"
        } else {
            return Ok(());
        };
        Err(FileError::BadName {
            path: PathBuf::from(path),
            name: name.to_owned(),
            reason,
        })
    }
}

fn zip_error(path: &Path, error: ZipError) -> FileError {
    match error {
        ZipError::Io(source) => FileError::from_io(path, source),
        error => FileError::from_io(path, io::Error::other(error)),
    }
}
