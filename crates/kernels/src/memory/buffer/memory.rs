//! Memory of buffers: cache lines of the allocator, or large pages, in a mapping of its own or
//! shared.

use std::ops::Range;
use std::slice::{from_raw_parts, from_raw_parts_mut};
use std::sync::{Arc, Mutex, PoisonError};

use memmap2::{MmapMut, MmapRaw};

#[cfg(target_os = "linux")]
use crate::ablation::{Part, has};

/// Block of values that begins at a cache line; only its owner has access.
pub(super) enum Memory {
    /// Few values.
    Lines(Vec<CacheLine>),
    /// Part of a mapping, as a range of values. No two parts of one mapping overlap.
    Pages(Arc<MmapRaw>, Range<usize>),
}

/// Cache line of values.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct CacheLine([f32; LINE]);

/// Values in a cache line.
pub(crate) const LINE: usize = 16;

/// Smallest number of values that lies in large pages.
const SMALL: usize = 1 << 12;

/// Values in a shared mapping: eight large pages, which the system provides when written to.
const SHARED: usize = 1 << 22;

/// Smallest number of values with a mapping of its own.
const LARGE: usize = 1 << 20;

/// Shared mapping, and the number of its values that have been given away. A part that is no longer
/// needed serves the next buffer that fits. If too much memory is spare and a part is dropped, its
/// memory goes with the last part of its mapping.
static SHARE: Mutex<Option<(Arc<MmapRaw>, usize)>> = Mutex::new(None);

impl Memory {
    /// Returns memory for `len` values, with any contents.
    pub(super) fn new(len: usize) -> Self {
        let len = len.next_multiple_of(LINE);
        let pages = match len {
            // Miri has no mappings.
            _ if cfg!(miri) || len < SMALL => None,
            LARGE.. => mapped(len).map(|pages| Self::Pages(pages, 0..len)),
            _ => Self::share(len),
        };
        pages.unwrap_or_else(|| Self::Lines(vec![CacheLine([0.0; LINE]); len / LINE]))
    }

    /// Returns the next part of the shared mapping, or the first part of another.
    fn share(len: usize) -> Option<Self> {
        let mut share = SHARE.lock().unwrap_or_else(PoisonError::into_inner);
        let (pages, used) = match share.take() {
            Some((pages, used)) if used + len <= SHARED => (pages, used),
            _ => (mapped(SHARED)?, 0),
        };
        *share = Some((pages.clone(), used + len));
        Some(Self::Pages(pages, used..used + len))
    }

    /// Lets the shared mapping go with its last part.
    pub(super) fn share_no_more() {
        *SHARE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Values that fit.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.len() * LINE,
            Self::Pages(_, part) => part.len(),
        }
    }

    pub(super) fn numbers(&self) -> &[f32] {
        match self {
            // SAFETY: lines are values without gaps, borrowed as long as the slice.
            Self::Lines(lines) => unsafe { from_raw_parts(lines.as_ptr().cast(), self.capacity()) },
            // SAFETY: the part lies in the mapping, which lives as long as the slice and begins at
            // a multiple of any value's size; any bytes are values. No two parts overlap, and no
            // other memory has this one: nothing writes to it while it is borrowed.
            Self::Pages(pages, part) => unsafe {
                from_raw_parts(pages.as_ptr().cast::<f32>().add(part.start), part.len())
            },
        }
    }

    pub(super) fn numbers_mut(&mut self) -> &mut [f32] {
        let len = self.capacity();
        match self {
            // SAFETY: lines are values without gaps, borrowed as long as the slice, and borrowed
            // exclusively.
            Self::Lines(lines) => unsafe { from_raw_parts_mut(lines.as_mut_ptr().cast(), len) },
            // SAFETY: the part lies in the mapping, as in `numbers`; this memory is borrowed
            // exclusively, so nothing else reads it, either.
            Self::Pages(pages, part) => unsafe {
                from_raw_parts_mut(pages.as_mut_ptr().cast::<f32>().add(part.start), len)
            },
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

/// Maps memory for `len` values, zeros, in large pages where the system has them.
fn mapped(len: usize) -> Option<Arc<MmapRaw>> {
    let pages = MmapMut::map_anon(len.checked_mul(size_of::<f32>())?).ok()?;
    // Only advice: a system without large pages maps small ones.
    #[cfg(target_os = "linux")]
    drop(pages.advise(if has(Part::LargePages) {
        memmap2::Advice::HugePage
    } else {
        memmap2::Advice::NoHugePage
    }));
    Some(Arc::new(pages.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_memories_overlap() {
        let most = if cfg!(miri) { 20 } else { 200 };
        let mut held: Vec<Memory> = (0..most)
            .map(|index| Memory::new(1 + index * 7_919 % (LARGE + 5)))
            .collect();
        for (index, memory) in held.iter_mut().enumerate() {
            memory.numbers_mut().fill(index as f32);
        }
        for (index, memory) in held.iter().enumerate() {
            assert!(
                memory
                    .numbers()
                    .iter()
                    .all(|&number| number == index as f32)
            );
        }
    }
}
