//! Writes text with many numbers quickly.

use std::io::{self, Write};
use std::path::Path;

use tellapart_files::PendingFile;

use crate::SystemError;

/// Size in bytes from which the buffer is passed on.
const PIECE_BYTES: usize = 1 << 16;

/// Writes a text file that appears whole or not at all.
pub(super) fn write_text(
    path: &Path,
    write: impl FnOnce(&mut Text<'_>) -> io::Result<()>,
) -> Result<(), SystemError> {
    Ok(pending_text(path, write)?.finish()?)
}

/// Writes a text file that is not yet in its place.
pub(super) fn pending_text(
    path: &Path,
    write: impl FnOnce(&mut Text<'_>) -> io::Result<()>,
) -> Result<PendingFile, SystemError> {
    Ok(PendingFile::write(path, |writer| {
        let mut text = Text {
            writer,
            buffer: Vec::with_capacity(2 * PIECE_BYTES),
        };
        write(&mut text)?;
        text.writer.write_all(&text.buffer)
    })?)
}

pub(super) struct Text<'w> {
    writer: &'w mut dyn Write,
    buffer: Vec<u8>,
}

impl Text<'_> {
    pub(super) fn add(&mut self, text: &str) -> &mut Self {
        self.buffer.extend_from_slice(text.as_bytes());
        self
    }

    pub(super) fn number(&mut self, number: u32) -> &mut Self {
        self.add(itoa::Buffer::new().format(number))
    }

    pub(super) fn end_line(&mut self) -> io::Result<()> {
        self.buffer.push(b'\n');
        if self.buffer.len() >= PIECE_BYTES {
            self.writer.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
