//! Reusable buffers of values that begin at a cache line; large ones lie in large pages.
//!
//! A vector that begins in the middle of a cache line touches two. Large pages spare the processor
//! address lookups, and what fits into the second-level cache stays there; scattered small pages
//! evict each other. Both together take a tenth off a training step of the default recipe.

use std::collections::VecDeque;
use std::fmt;
use std::hint::black_box;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ablation::{Part, has};
pub(crate) use memory::LINE;
use memory::Memory;

mod memory;

/// Buffer of a given length with any contents. Its memory serves a later buffer.
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Memory,
    len: usize,
}

/// Memory of dropped buffers, the oldest first. An allocator hands large blocks back to the system,
/// which clears every page of them anew. At 512 images that took an eighth of a training step.
static SPARE: Mutex<VecDeque<Memory>> = Mutex::new(VecDeque::new());

/// Most values in all spare memory, 1 GiB: enough for the steps of several runs side by side. (The
/// mappings that some of it is part of may be larger.)
const MOST: usize = 1 << 28;

/// Most spare blocks, so that a search among them is quick.
const MOST_BUFFERS: usize = 1 << 10;

/// Values of the smallest block that is saved.
const SMALLEST: usize = 1 << 10;

/// Gives all spare memory back; call it where a training ends.
pub fn forget_spare_buffers() {
    drop(std::mem::take(&mut *spare()));
    Memory::share_no_more();
}

/// Makes the allocator of the C library keep up to 62 MiB of freed memory, for as long as the
/// process lives. Call it where a training begins.
///
/// Otherwise glibc hands pages back in every update and takes them again, which took 4 % of a
/// training step. From the largest block freed it learns how much to keep, and up to which size not
/// to map memory separately. So one is freed, unused.
pub fn keep_freed_memory() {
    if has(Part::FreedMemory) {
        drop(black_box(Vec::<u8>::with_capacity(31 << 20)));
    }
}

fn spare() -> MutexGuard<'static, VecDeque<Memory>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Buffer {
    pub(crate) fn of_len(len: usize) -> Self {
        Self {
            memory: taken(len),
            len,
        }
    }

    /// Returns the first `len` values of a buffer, which grows if it is shorter.
    pub(crate) fn sized(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            *self = Self::of_len(len);
        }
        &mut self[..len]
    }
}

/// Returns memory for `len` values, spare or new.
fn taken(len: usize) -> Memory {
    let fits = |memory: &Memory| (len..=2 * len).contains(&memory.capacity());
    let mut spare = spare();
    // The smallest that fits leaves larger ones to larger requests.
    let fitting = spare.iter().enumerate().filter(|(_, memory)| fits(memory));
    let found = fitting
        .min_by_key(|(_, memory)| memory.capacity())
        .map(|(at, _)| at);
    let found = found.and_then(|at| spare.remove(at));
    drop(spare);
    found.unwrap_or_else(|| Memory::new(len))
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        if memory.capacity() < SMALLEST || !has(Part::SpareBuffers) {
            return;
        }
        let mut spare = spare();
        spare.push_back(memory);
        let mut numbers: usize = spare.iter().map(Memory::capacity).sum();
        let mut gone = Vec::new();
        while numbers > MOST || spare.len() > MOST_BUFFERS {
            let Some(oldest) = spare.pop_front() else {
                break;
            };
            numbers -= oldest.capacity();
            gone.push(oldest);
        }
        drop(spare);
        // Freed outside the lock, for which others may wait.
        drop(gone);
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory.numbers()[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory.numbers_mut()[..self.len]
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
        let most = if cfg!(miri) { 3 } else { 10_000_000 };
        for len in [0, 1, 17, 5, 5_000, 50_000, 500_000, most, 2, 50_000] {
            let mut buffer = Buffer::of_len(len);
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr().align_offset(64), 0);
            buffer.fill(7.0);
            assert_eq!(buffer.sized(len.min(2)).len(), len.min(2));
            assert_eq!(buffer.sized(len + 100).len(), len + 100);
            assert_eq!(buffer.as_ptr().align_offset(64), 0);
        }
    }

    #[test]
    fn spare_memory_is_used_again_and_not_hoarded() {
        // The old contents are still there. Other tests may take the memory first, but not always.
        let again = || {
            Buffer::of_len(77_777).fill(7.0);
            Buffer::of_len(77_777).iter().all(|&number| number == 7.0)
        };
        assert!((0..100).any(|_| again()));
        if cfg!(miri) {
            return;
        }
        let held: Vec<Buffer> = (0..MOST_BUFFERS + 10)
            .map(|_| Buffer::of_len(SMALLEST))
            .collect();
        drop(held);
        assert!(spare().len() <= MOST_BUFFERS);
    }
}
