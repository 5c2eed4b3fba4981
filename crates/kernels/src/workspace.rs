//! What minimal filtering computes on the way.

use crate::buffer::Buffer;

/// One serves all layers of a thread, so that it stays in the cache.
#[derive(Default)]
pub(crate) struct Workspace {
    /// Images as the convolution sees them.
    pub(crate) images: Buffer,
    /// A block of tiles, transformed.
    pub(crate) inputs: Buffer,
    /// Their products, or what they are multiplied by.
    pub(crate) outputs: Buffer,
}

impl Workspace {
    /// Buffers of what must not matter.
    #[cfg(test)]
    pub(crate) fn of(value: f32) -> Self {
        let buffer = || {
            let mut buffer = Buffer::of_len(1 << 16);
            buffer.fill(value);
            buffer
        };
        Self {
            images: buffer(),
            inputs: buffer(),
            outputs: buffer(),
        }
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
