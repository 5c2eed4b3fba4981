//! A writer that keeps its first error for later.

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Passes writes on until one fails. Keeps that error, and swallows all later writes.
///
/// The zip writer completes its archive also when dropped after an error, and complains on standard
/// error when that fails again. This wrapper hides errors from it; [`DeferredFailure`] returns
/// them.
#[derive(Debug)]
pub(crate) struct DeferErrors<W> {
    inner: W,
    failure: DeferredFailure,
    position: u64,
    end: u64,
}

/// First error of a [`DeferErrors`], shared with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeferredFailure(Arc<Mutex<DeferredState>>);

#[derive(Debug, Default)]
struct DeferredState {
    failed: bool,
    error: Option<io::Error>,
}

impl DeferredFailure {
    /// Returns the error once; later calls only report that there was one.
    pub(crate) fn check(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.error.take() {
            Some(error) => Err(error),
            None if state.failed => Err(io::Error::other("an earlier write failed")),
            None => Ok(()),
        }
    }

    fn failed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed
    }

    fn keep(&self, error: io::Error) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.failed {
            *state = DeferredState {
                failed: true,
                error: Some(error),
            };
        }
    }
}

impl<W> DeferErrors<W> {
    pub(crate) fn new(inner: W, failure: DeferredFailure) -> Self {
        Self {
            inner,
            failure,
            position: 0,
            end: 0,
        }
    }
}

impl<W: Write> Write for DeferErrors<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = bytes.len();
        if !self.failure.failed() {
            match self.inner.write(bytes) {
                Ok(0) if !bytes.is_empty() => self.failure.keep(io::ErrorKind::WriteZero.into()),
                Ok(count) => written = count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => self.failure.keep(error),
            }
        }
        self.position += written as u64;
        self.end = self.end.max(self.position);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.failure.failed()
            && let Err(error) = self.inner.flush()
        {
            self.failure.keep(error);
        }
        Ok(())
    }
}

impl<W: Seek> Seek for DeferErrors<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
        };
        let position = position.ok_or(io::ErrorKind::InvalidInput)?;
        if position != self.position
            && !self.failure.failed()
            && let Err(error) = self.inner.seek(SeekFrom::Start(position))
        {
            self.failure.keep(error);
        }
        self.position = position;
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A writer on which every write fails after the first `room` bytes.
    struct Full {
        inner: Cursor<Vec<u8>>,
        room: usize,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            self.room -= count;
            if count == 0 {
                Err(io::ErrorKind::StorageFull.into())
            } else {
                self.inner.write(&bytes[..count])
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.inner.seek(to)
        }
    }

    #[test]
    fn an_archive_on_a_full_disk_fails_once_and_quietly_wherever_it_fills_up() {
        for room in (0..400).step_by(7) {
            let failure = DeferredFailure::default();
            let full = Full {
                inner: Cursor::new(Vec::new()),
                room,
            };
            let mut zip = zip::ZipWriter::new(DeferErrors::new(full, failure.clone()));
            for name in ["a", "b"] {
                let options = zip::write::SimpleFileOptions::default();
                zip.start_file(name, options).unwrap();
                zip.write_all(
                    &(0..200_u32)
                        .flat_map(|i| (i * i).to_le_bytes())
                        .collect::<Vec<_>>(),
                )
                .unwrap();
            }
            zip.finish().unwrap();
            assert_eq!(
                failure.check().unwrap_err().kind(),
                io::ErrorKind::StorageFull
            );
            assert_eq!(
                failure.check().unwrap_err().to_string(),
                "an earlier write failed"
            );
        }
    }
}
