//! What the backward pass needs of a forward pass.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::buffer::Buffer;

/// The output of every layer of a trunk but the last.
#[derive(Debug, Default)]
pub struct Kept(Vec<Buffer>);

/// Buffers of steps that are over, for the next, the oldest first: an allocator hands large ones back
/// to the system, which clears every page of them anew. At 512 images that took an eighth of a
/// training step.
static SPARE: Mutex<VecDeque<Buffer>> = Mutex::new(VecDeque::new());

/// Spare buffers in all: enough for the layers of several runs side by side.
const MOST: usize = 64;

/// Gives the memory of all spare buffers back; call it where a training ends.
pub fn forget_spare_buffers() {
    drop(std::mem::take(&mut *spare()));
}

fn spare() -> MutexGuard<'static, VecDeque<Buffer>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    /// Layers of these lengths, with any contents.
    pub(crate) fn of_lens(lens: impl Iterator<Item = usize>) -> Self {
        let taken = |len: usize| {
            let fits = |buffer: &Buffer| (len..=2 * len).contains(&buffer.capacity());
            let mut spare = spare();
            let found = spare.iter().position(fits);
            let mut buffer = found.and_then(|at| spare.remove(at)).unwrap_or_default();
            drop(spare);
            buffer.set_len(len);
            buffer
        };
        Self(lens.map(taken).collect())
    }

    pub(crate) fn layers(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.0.iter().map(Deref::deref)
    }

    pub(crate) fn layers_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.0.iter_mut().map(DerefMut::deref_mut)
    }

    pub(crate) fn layer(&self, index: usize) -> &[f32] {
        &self.0[index]
    }

    pub(crate) fn layer_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.0[index]
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut spare = spare();
        spare.extend(self.0.drain(..).filter(|buffer| buffer.capacity() > 0));
        let surplus = spare.len().saturating_sub(MOST);
        let gone: Vec<Buffer> = spare.drain(..surplus).collect();
        drop(spare);
        // Freed by others than those who wait for the lock.
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_the_lengths_asked_for_whatever_lay_in_the_buffers() {
        for lens in [[5, 300], [300, 5], [4, 200], [0, 301], [5, 300]] {
            let mut kept = Kept::of_lens(lens.into_iter());
            assert!(kept.layers().map(<[f32]>::len).eq(lens));
            kept.layers_mut().for_each(|layer| layer.fill(7.0));
        }
        for _ in 0..2 * MOST {
            drop(Kept::of_lens([1000, 2].into_iter()));
        }
        assert!(spare().len() <= MOST);
    }
}
