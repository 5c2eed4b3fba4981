//! NumPy files (`.npy`, `.npz`), memory-mapped files and atomic writes.
//!
//! ```
//! use tellapart_files::{Archive, ArchiveWriter, Array, Values};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("system.npz");
//! let next = Array::new(vec![2, 3], Values::U32(vec![0, 1, 1, 0, 0, 1]))?;
//! let mut writer = ArchiveWriter::create(&path)?;
//! writer.add("next", &next)?;
//! writer.finish()?; // only now does `path` appear
//!
//! let mut archive = Archive::open(&path)?;
//! assert_eq!(archive.names(), ["next"]);
//! assert_eq!(archive.read("next")?, next);
//! # Ok(())
//! # }
//! ```
//!
//! Readers take files of `numpy.save`, `numpy.savez` and `numpy.savez_compressed`, of the types of
//! [`Dtype`]. They know format versions 1 to 3, either byte order, and C or Fortran order (returned
//! in C order). Complex numbers, times, objects and structured types are errors that say how to
//! convert them. So is text, except where a list of strings is asked for
//! ([`Archive::read_strings`]).
//!
//! Bytes are not trusted: no input makes these functions panic. Memory is bounded by what the file
//! can really hold, not by what a header claims. The bound is the length of the file, times 1032
//! for deflate, its largest ratio. Archives compress, so a genuine one may well grow a
//! thousandfold: bound the size of files from strangers before reading them.
//!
//! Writers fill a temporary file next to the target and rename it over the target. A reader
//! therefore sees the whole old file or the whole new one, also when the disk fills up.

mod archive;
mod archive_writer;
mod array;
mod atomic;
mod bytes;
mod convert;
mod deferred;
mod error;
mod header;
mod npy;
mod text;

pub use archive::Archive;
pub use archive_writer::ArchiveWriter;
pub use array::{Array, Dtype, Values};
pub use atomic::{PendingFile, file_checksum, open, write_atomically};
pub use bytes::FileBytes;
pub use convert::BadValue;
pub use error::{ArrayProblem, FileError};
pub use half::f16;
pub use npy::{Element, decode_npy, describe_npy, encode_npy, read_npy, write_npy};
