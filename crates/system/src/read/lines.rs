//! Lines of a text file, one after the other, without copying each.
//!
//! A byte order mark at the start of UTF-8 is skipped; UTF-16 and UTF-32 are errors.

use std::io::{self, Read};
use std::path::Path;

use tellapart_files::FileError;

use super::scan::LineError;
use crate::SystemError;

/// Number of bytes that are read at once.
const BLOCK_BYTES: usize = 1 << 18;

/// Byte order mark in UTF-8, which has no meaning there.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Iterates over a file line by line. Memory: a block, or the longest line.
pub(super) struct Lines<'p, R> {
    reader: R,
    path: &'p Path,
    longest: usize,
    buffer: Vec<u8>,
    /// Part of the buffer that has not been returned yet.
    start: usize,
    end: usize,
    number: u64,
    has_begun: bool,
    has_ended: bool,
}

impl<'p, R: Read> Lines<'p, R> {
    /// Reads lines of up to `longest` bytes. Longer ones are errors: the file must be of another
    /// kind.
    pub(super) fn new(reader: R, path: &'p Path, longest: usize) -> Self {
        Self {
            reader,
            path,
            longest,
            buffer: vec![0; BLOCK_BYTES],
            start: 0,
            end: 0,
            number: 0,
            has_begun: false,
            has_ended: false,
        }
    }

    /// Returns the next line without its end (`\n` or `\r\n`); `None` at the end of the file.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, SystemError> {
        if !self.has_begun {
            self.begin()?;
        }
        let mut searched = 0;
        let length = loop {
            let unsearched = &self.buffer[self.start + searched..self.end];
            if let Some(at) = memchr::memchr(b'\n', unsearched) {
                break searched + at;
            }
            searched = self.end - self.start;
            if searched > self.longest {
                break searched;
            }
            if self.has_ended {
                if searched == 0 {
                    return Ok(None);
                }
                break searched;
            }
            self.fill()?;
        };
        self.number += 1;
        if length > self.longest {
            let longest = self.longest;
            let problem = format!("the line is longer than {longest} bytes");
            return Err(self.fail(LineError { column: 1, problem }));
        }
        let line = &self.buffer[self.start..self.start + length];
        self.start = (self.start + length + 1).min(self.end);
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Returns the bytes in memory that follow, from the beginning of the next line.
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Skips the next line, of `length` bytes with its end, all of them in memory.
    #[inline]
    pub(super) fn pass(&mut self, length: usize) {
        self.start = (self.start + length).min(self.end);
        self.number += 1;
    }

    pub(super) fn path(&self) -> &Path {
        self.path
    }

    /// Number of the line returned last, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Makes an error in the line returned last.
    pub(super) fn fail(&self, error: LineError) -> SystemError {
        self.fail_at(self.number, error)
    }

    /// Makes an error in the line that would come next.
    pub(super) fn fail_at_end(&self, problem: impl Into<String>) -> SystemError {
        let problem = problem.into();
        self.fail_at(self.number + 1, LineError { column: 1, problem })
    }

    pub(super) fn fail_at(
        &self,
        line: u64,
        LineError { column, problem }: LineError,
    ) -> SystemError {
        SystemError::Text {
            path: self.path.to_path_buf(),
            line,
            column,
            problem,
        }
    }

    /// Looks at the first bytes, which tell the encoding of the text.
    #[cold]
    fn begin(&mut self) -> Result<(), SystemError> {
        self.has_begun = true;
        while self.end < 4 && !self.has_ended {
            self.fill()?;
        }
        if let Some(encoding) = foreign_encoding(self.rest()) {
            let problem = format!("this is {encoding} text; save it as UTF-8");
            return Err(self.fail_at(1, LineError { column: 1, problem }));
        }
        if self.rest().starts_with(UTF_8_MARK) {
            self.start = UTF_8_MARK.len();
        }
        Ok(())
    }

    /// Makes room after the remaining bytes, and reads into it.
    fn fill(&mut self) -> Result<(), SystemError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        let got = loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let got = got.map_err(|source| FileError::from_io(self.path, source))?;
        self.end += got;
        self.has_ended = got == 0;
        Ok(())
    }
}

/// Returns the name of the encoding of a text that begins with these bytes, if it is UTF-16 or
/// UTF-32, with a byte order mark or without.
pub(super) fn foreign_encoding(start: &[u8]) -> Option<&'static str> {
    match *start {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if a.is_ascii() && b.is_ascii() && a != 0 && b != 0 => {
            Some("UTF-16")
        }
        _ => None,
    }
}

/// Removes the byte order mark that some programs put before UTF-8.
pub(super) fn without_mark(start: &[u8]) -> &[u8] {
    start.strip_prefix(UTF_8_MARK).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that returns a few bytes at a time.
    struct Trickle<'t>(&'t [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn lines_are_those_of_the_text() {
        let long = "x".repeat(3 * BLOCK_BYTES);
        let texts = [
            "",
            "\n",
            "a",
            "a\n",
            "a\r\n\r\nb\rc\n\nd",
            &long,
            &format!("a\n{long}\nb"),
        ];
        for text in texts {
            for step in [1, 7, usize::MAX] {
                if step == 1 && text.len() > 1000 {
                    continue;
                }
                let trickle = Trickle(text.as_bytes(), step);
                let mut lines = Lines::new(trickle, Path::new("t"), 1 << 20);
                for (index, expected) in text.lines().enumerate() {
                    let found = lines.next().unwrap();
                    assert!(found == Some(expected.as_bytes()));
                    assert_eq!(lines.number(), index as u64 + 1);
                }
                assert!(lines.next().unwrap().is_none() && lines.next().unwrap().is_none());
            }
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_allowed() {
        for (length, is_fine) in [(10, true), (11, false)] {
            for end in ["", "\n", "\nmore"] {
                let text = format!("first\n{}{end}", "x".repeat(length));
                let mut lines = Lines::new(text.as_bytes(), Path::new("t"), 10);
                lines.next().unwrap();
                match lines.next() {
                    Ok(line) => assert!(is_fine && line.unwrap().len() == length),
                    Err(error) => {
                        let message = "t:2:1: the line is longer than 10 bytes";
                        assert!(!is_fine && error.to_string() == message);
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_bytes_tell_the_encoding() {
        for (text, is_fine) in [
            (&b"\xef\xbb\xbfa b\nc"[..], true),
            (b"a b\nc", true),
            (b"\xff\xfea\0 \0", false),
            (b"\xfe\xff\0a\0 ", false),
            (b"a\0 \0b\0", false),
            (b"\0a\0 \0b", false),
            (b"\xff\xfe\0\0a\0\0\0", false),
        ] {
            for step in [1, 2, usize::MAX] {
                let mut lines = Lines::new(Trickle(text, step), Path::new("t"), 1 << 20);
                match lines.next() {
                    Ok(line) => assert!(is_fine && line == Some(b"a b"), "{text:?}"),
                    Err(error) => {
                        let message = error.to_string();
                        assert!(
                            !is_fine && message.starts_with("t:1:1: this is UTF-"),
                            "{message}"
                        );
                    }
                }
            }
        }
        let mut lines = Lines::new(&b"\xef\xbb\xbf"[..], Path::new("t"), 1);
        assert!(lines.next().unwrap().is_none());
    }
}
