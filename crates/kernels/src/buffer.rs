//! Numbers that are used again and again, in whole cache lines, and large ones in large pages.
//!
//! A vector that begins in the middle of a line touches two of them. Large pages spare the processor looking up
//! addresses. Together they take a twentieth off a training step.

use std::fmt;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// As long as asked for, with any contents.
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Memory,
    len: usize,
}

/// Numbers from which on a buffer has pages of its own: two large pages.
const LARGE: usize = 1 << 20;

enum Memory {
    Lines(Vec<Line>),
    Pages(MmapMut),
}

/// A cache line, zeros.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const LINE: usize = 16;

impl Buffer {
    /// Zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        Self {
            memory: Memory::zeros(len),
            len,
        }
    }

    /// Numbers that it has room for.
    pub(crate) fn capacity(&self) -> usize {
        match &self.memory {
            Memory::Lines(lines) => lines.len() * LINE,
            Memory::Pages(pages) => pages.len() / size_of::<f32>(),
        }
    }

    /// The first `len` numbers of a buffer, which grows if it is shorter.
    pub(crate) fn sized(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            self.set_len(len);
        }
        &mut self[..len]
    }

    /// Makes it as long as that, with any contents.
    pub(crate) fn set_len(&mut self, len: usize) {
        if self.capacity() < len {
            self.memory = Memory::zeros(len);
        }
        self.len = len;
    }
}

impl Memory {
    fn zeros(len: usize) -> Self {
        let pages = || MmapMut::map_anon(len * size_of::<f32>()).ok();
        match (len >= LARGE && !cfg!(miri)).then(pages).flatten() {
            Some(pages) => {
                // Advice: whoever has no such pages gets others.
                #[cfg(target_os = "linux")]
                drop(pages.advise(memmap2::Advice::HugePage));
                Self::Pages(pages)
            }
            None => Self::Lines(vec![Line([0.0; LINE]); len.div_ceil(LINE)]),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let from = match &self.memory {
            Memory::Lines(lines) => lines.as_ptr().cast(),
            Memory::Pages(pages) => pages.as_ptr().cast(),
        };
        // SAFETY: lines are numbers without gaps, pages begin at a multiple of any number's size and any bytes
        // are numbers; there are at least `len`, and they are borrowed as long as the buffer.
        unsafe { std::slice::from_raw_parts(from, self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        let from = match &mut self.memory {
            Memory::Lines(lines) => lines.as_mut_ptr().cast(),
            Memory::Pages(pages) => pages.as_mut_ptr().cast(),
        };
        // SAFETY: as above; nobody else has the buffer.
        unsafe { std::slice::from_raw_parts_mut(from, self.len) }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} numbers", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_as_long_as_asked_for_and_begins_with_a_line() {
        let mut buffer = Buffer::default();
        assert!(buffer.is_empty() && buffer.capacity() == 0);
        for len in [
            1,
            17,
            5,
            LARGE - 1,
            if cfg!(miri) { 3 } else { 3 * LARGE + 1 },
            2,
        ] {
            buffer.set_len(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr().align_offset(64), 0);
            buffer.fill(7.0);
            assert_eq!(buffer.sized(len.min(2)).len(), len.min(2));
            assert_eq!(buffer.len(), len);
        }
        assert_eq!(*Buffer::zeros(33), [0.0; 33]);
    }
}
