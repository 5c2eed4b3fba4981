//! Scratch memory of the Winograd convolutions.

use crate::memory::buffer::{Buffer, LINE};

/// Scratch of one thread. All layers share it, so that it stays in the cache.
#[derive(Default)]
pub(crate) struct Workspace(Buffer);

impl Workspace {
    /// Returns slices of these lengths, with any contents, in one piece, which large pages hold.
    /// They are for images as the convolution reads them, a block of transformed tiles, and their
    /// products or other factors.
    pub(crate) fn parts(&mut self, lens: [usize; 3]) -> [&mut [f32]; 3] {
        let mut rest = self
            .0
            .sized(lens.iter().map(|len| len.next_multiple_of(LINE)).sum());
        lens.map(|len| {
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(len.next_multiple_of(LINE));
            rest = behind;
            &mut part[..len]
        })
    }

    /// Fills the scratch with a value that must not matter.
    #[cfg(test)]
    pub(crate) fn of(value: f32) -> Self {
        let mut buffer = Buffer::of_len(3 << 16);
        buffer.fill(value);
        Self(buffer)
    }
}

/// Returns the distance between the values of two positions (planes), at least `len`. Values at the
/// same place of all planes must not fall into one set of the first-level cache, which has 8 lines.
/// With planes of whole pages everything took a third longer.
pub(crate) fn apart(len: usize) -> usize {
    const PAGE: usize = 1024;
    const LINES: usize = 48;
    len.next_multiple_of(PAGE) + LINES
}
