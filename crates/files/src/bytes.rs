//! A whole file as bytes, mapped into memory where that is sound.

use std::fs::File;
use std::io::Read as _;
use std::ops::Deref;
use std::path::Path;

use memmap2::{Mmap, MmapOptions};

use crate::atomic;
use crate::error::{ArrayProblem, FileError};

/// Bytes of a file, at an address that is a multiple of 8.
///
/// [`FileBytes::open`] maps the file where only its user could change it meanwhile, which costs no
/// memory of its own and no copy. Elsewhere it reads the file.
#[derive(Debug)]
pub struct FileBytes(Storage);

#[derive(Debug)]
enum Storage {
    Mapped(Mmap),
    /// Words, because a vector of bytes has no alignment.
    Read {
        words: Vec<u64>,
        length: usize,
    },
}

impl FileBytes {
    /// Maps the file if [it is safe](Self#when-a-file-is-mapped), otherwise reads it.
    ///
    /// # When a file is mapped
    /// Mapped bytes are the file itself. Writing into the file changes them. Truncating the file
    /// removes them, and the system then ends the program that touches them. So a file is mapped
    /// only under two conditions:
    ///
    /// - It belongs to the user that runs the program or to the superuser.
    /// - Neither its group nor others may write to it, nor any access list (its mask shows as the
    ///   group's right).
    ///
    /// The user and the superuser remain. They can write into the program's memory as well, and no
    /// program is safe from that. This program never writes into a file in place: it writes a new
    /// one next to it and renames that, while the mapping keeps the old one. The user must not
    /// truncate or overwrite a file in place (`cp` onto it, `truncate`, an editor) while a program
    /// uses it. Where rights cannot be queried (other than on Unix), files are read.
    ///
    /// # Errors
    /// [`FileError`] if there is no such file, it is a folder or not an ordinary file, permission
    /// is denied, reading fails, or memory runs out.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (file, length) = atomic::open(path)?;
        if length > 0 && only_its_user_writes(&file) {
            return match map(&file) {
                Ok(map) => Ok(Self(Storage::Mapped(map))),
                // Some file systems cannot map.
                Err(_) => Self::read(path, file, length),
            };
        }
        Self::read(path, file, length)
    }

    /// Copies bytes that are in memory already.
    #[must_use]
    pub fn copy(bytes: &[u8]) -> Self {
        let mut words = vec![0_u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        let length = bytes.len();
        Self(Storage::Read { words, length })
    }

    /// Whether the bytes are the file itself rather than a copy.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        matches!(self.0, Storage::Mapped(_))
    }

    fn read(path: &Path, mut file: File, length: u64) -> Result<Self, FileError> {
        let mut words: Vec<u64> = Vec::new();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if words.try_reserve_exact(length.div_ceil(8)).is_err() {
            let bytes = length as u64;
            return Err(FileError::in_array(
                path,
                None,
                ArrayProblem::OutOfMemory { bytes },
            ));
        }
        words.resize(length.div_ceil(8), 0);
        let bytes = &mut bytemuck::cast_slice_mut(&mut words)[..length];
        file.read_exact(bytes)
            .map_err(|source| FileError::from_io(path, source))?;
        Ok(Self(Storage::Read { words, length }))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Storage::Mapped(map) => map,
            Storage::Read { words, length } => &bytemuck::cast_slice(words)[..*length],
        }
    }
}

#[allow(unsafe_code, reason = "the one place where a file is mapped")]
fn map(file: &File) -> std::io::Result<Mmap> {
    // All pages will be read, so mapping them at once saves a page fault for each.
    let mut options = MmapOptions::new();
    options.populate();
    // SAFETY: the slice that is made of the mapping must not change or vanish while it lives. Only
    // a writer of the file could do that, and only those who control this process anyway may write
    // (`only_its_user_writes`). To them, as to `/proc/self/mem` and to debuggers, Rust's guarantees
    // do not extend (documentation of `std::os::unix::io`). This program writes new files next to
    // the old ones and renames them, so it never changes one that it has mapped.
    unsafe { options.map(file) }
}

/// Whether only the user of this process and the superuser may write to the file. Queries the open
/// file, not its path, which might lead elsewhere by now.
#[cfg(unix)]
fn only_its_user_writes(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const GROUP_AND_OTHERS_WRITE: u32 = 0o022;
    file.metadata().is_ok_and(|metadata| {
        let owner = metadata.uid();
        let is_ours = owner == 0 || owner == rustix::process::geteuid().as_raw();
        is_ours && metadata.mode() & GROUP_AND_OTHERS_WRITE == 0
    })
}

#[cfg(not(unix))]
fn only_its_user_writes(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_read_and_mapped_alike() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, 7, 8, 9, 4095, 4096, 4097] {
            let bytes: Vec<u8> = (0..length).map(|byte: usize| (byte * 7) as u8).collect();
            let path = folder.path().join("bytes");
            std::fs::write(&path, &bytes).unwrap();
            let (file, found) = atomic::open(&path).unwrap();
            let read = FileBytes::read(&path, file, found).unwrap();
            for copy in [
                FileBytes::open(&path).unwrap(),
                read,
                FileBytes::copy(&bytes),
            ] {
                assert_eq!(*copy, *bytes);
                assert_eq!(copy.as_ptr() as usize % 8, 0);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_write_is_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        std::fs::write(&path, "some").unwrap();
        for (mode, is_mapped) in [(0o644, true), (0o400, true), (0o664, false), (0o602, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                FileBytes::open(&path).unwrap().is_mapped(),
                is_mapped,
                "{mode:o}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_mapped_file_outlives_its_replacement() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        std::fs::write(&path, "old").unwrap();
        let old = FileBytes::open(&path).unwrap();
        crate::write_atomically(&path, |file| file.write_all(b"new and longer")).unwrap();
        assert_eq!(*old, *b"old");
        assert_eq!(*FileBytes::open(&path).unwrap(), *b"new and longer");
    }
}
