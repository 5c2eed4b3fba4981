//! What minimal filtering computes on the way.

use crate::buffer::{Buffer, LINE};

/// One serves all layers of a thread, so that it stays in the cache.
#[derive(Default)]
pub(crate) struct Workspace(Buffer);

impl Workspace {
    /// So many numbers, of any values, for images as the convolution sees them, for a block of tiles, transformed, and for
    /// their products, or what they are multiplied by. All of them lie in one piece, which large pages hold.
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

    /// Of what must not matter.
    #[cfg(test)]
    pub(crate) fn of(value: f32) -> Self {
        let mut buffer = Buffer::of_len(3 << 16);
        buffer.fill(value);
        Self(buffer)
    }
}

/// How far apart the numbers of two positions lie, at least `len`. What is in the same place of all of
/// them must not fall into one set of the first-level cache, which has 8 lines: with planes of whole
/// pages everything took a third longer.
pub(crate) fn apart(len: usize) -> usize {
    const PAGE: usize = 1024;
    const LINES: usize = 48;
    len.next_multiple_of(PAGE) + LINES
}
