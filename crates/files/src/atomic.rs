//! Writes files that appear whole or not at all, and opens ordinary files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::FileError;

/// Writes a temporary file next to `path`, which replaces it at the end.
///
/// `write` fills a buffered temporary file in the same folder, which is then flushed to the disk
/// and renamed over `path`. When anything fails, also inside `write`, the temporary file is removed
/// and the file at `path` is untouched. Permissions of a replaced file are kept; a symbolic link is
/// followed. A process killed in the middle may leave the temporary file (`.NAME.XXXXXX.tmp`),
/// never a damaged target.
///
/// # Errors
/// [`FileError::NotFound`] if the folder is missing, [`FileError::IsDirectory`],
/// [`FileError::NotAFile`] for devices and pipes, [`FileError::DiskFull`],
/// [`FileError::PermissionDenied`], or [`FileError::Io`] for all else, errors of `write` included.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    PendingFile::write(path, write)?.finish()
}

/// A file that is written, but not yet in its place. Dropped before [`PendingFile::finish`], it
/// leaves nothing behind.
///
/// Files that belong together are all written before the first of them takes its place.
#[derive(Debug)]
pub struct PendingFile {
    temporary: NamedTempFile,
    /// Final path of the file, with links resolved.
    target: PathBuf,
    /// Path as given, for errors.
    path: PathBuf,
}

impl PendingFile {
    /// Writes a temporary file next to `path`, as [`write_atomically`] does.
    ///
    /// # Errors
    /// Those of [`write_atomically`].
    pub fn write(
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Self, FileError> {
        let pending = Self::create(path)?;
        let mut writer = BufWriter::with_capacity(1 << 16, pending.file());
        write(&mut writer)
            .and_then(|()| writer.flush())
            .map_err(|source| FileError::from_io(path, source))?;
        drop(writer);
        Ok(pending)
    }

    /// Removes the file in whose place this one will be, if there is one. Its permissions are kept
    /// all the same.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn remove_replaced(&self) -> Result<(), FileError> {
        match fs::remove_file(&self.target) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(FileError::from_io(&self.path, source))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn create(path: &Path) -> Result<Self, FileError> {
        let fail = |source| FileError::from_io(path, source);
        let existing = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(FileError::IsDirectory {
                    path: path.to_path_buf(),
                });
            }
            Ok(metadata) if !metadata.is_file() => {
                return Err(FileError::NotAFile {
                    path: path.to_path_buf(),
                });
            }
            Ok(metadata) => Some(metadata.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error)),
        };
        // A rename would replace a link rather than the file that it points to.
        let target = match &existing {
            Some(_) => fs::canonicalize(path).map_err(fail)?,
            None => path.to_path_buf(),
        };
        let (Some(name), Some(folder)) = (target.file_name(), target.parent()) else {
            return Err(FileError::IsDirectory {
                path: path.to_path_buf(),
            });
        };
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        {
            // Sets the rights of any new file (the process's mask applies), since tempfile's
            // default is private.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let temporary = builder.tempfile_in(folder).map_err(fail)?;
        if let Some(permissions) = existing {
            temporary
                .as_file()
                .set_permissions(permissions)
                .map_err(fail)?;
        }
        Ok(Self {
            temporary,
            target,
            path: path.to_path_buf(),
        })
    }

    pub(crate) fn file(&self) -> &File {
        self.temporary.as_file()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes to the disk, then renames over the target.
    ///
    /// # Errors
    /// The error of the file system; the target is then untouched.
    pub fn finish(self) -> Result<(), FileError> {
        let Self {
            temporary,
            target,
            path,
        } = self;
        let fail = |source| FileError::from_io(&path, source);
        temporary.as_file().sync_all().map_err(fail)?;
        temporary
            .persist(&target)
            .map_err(|error| fail(error.error))?;
        // Makes the rename durable. Not every file system supports it; the file is whole either
        // way.
        if let Some(Ok(folder)) = target.parent().map(File::open) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// Opens an ordinary file for reading, and returns its number of bytes.
///
/// # Errors
/// [`FileError::NotFound`], [`FileError::IsDirectory`], [`FileError::NotAFile`] for devices and
/// pipes, [`FileError::PermissionDenied`], or [`FileError::Io`].
pub fn open(path: &Path) -> Result<(File, u64), FileError> {
    let fail = |source| FileError::from_io(path, source);
    // Checked before opening, since opening a pipe would wait for a writer.
    let metadata = fs::metadata(path).map_err(fail)?;
    if metadata.is_dir() {
        return Err(FileError::IsDirectory {
            path: path.to_path_buf(),
        });
    }
    if !metadata.is_file() {
        return Err(FileError::NotAFile {
            path: path.to_path_buf(),
        });
    }
    Ok((File::open(path).map_err(fail)?, metadata.len()))
}

/// Computes a checksum of the bytes of a file: CRC-32.
///
/// # Errors
/// The error of the file system.
pub fn file_checksum(path: impl AsRef<Path>) -> Result<u32, FileError> {
    let path = path.as_ref();
    let (mut file, _) = open(path)?;
    let (mut hash, mut bytes) = (crc32fast::Hasher::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut bytes) {
            Ok(0) => return Ok(hash.finalize()),
            Ok(count) => hash.update(&bytes[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(FileError::from_io(path, source)),
        }
    }
}
