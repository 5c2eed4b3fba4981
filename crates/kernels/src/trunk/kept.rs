//! What the backward pass needs of a forward pass.

use std::sync::{Mutex, PoisonError};

/// The output of every layer of a trunk but the last.
#[derive(Clone, Debug, Default)]
pub struct Kept(Vec<Vec<f32>>);

/// Buffers of steps that are over, for the next: an allocator hands large ones back to the system,
/// which clears every page of them anew. At 512 images that took an eighth of a training step.
static SPARE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Spare buffers in all; the largest stay.
const MOST: usize = 16;

impl Kept {
    /// Layers of these lengths, with any contents.
    pub(crate) fn of_lens(lens: impl Iterator<Item = usize>) -> Self {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = |len: usize| {
            let fits = |buffer: &Vec<f32>| (len..=2 * len).contains(&buffer.capacity());
            let mut buffer = match spare.iter().position(fits) {
                Some(index) => spare.swap_remove(index),
                None => Vec::new(),
            };
            buffer.resize(len, 0.0);
            buffer
        };
        Self(lens.map(&mut taken).collect())
    }

    pub(crate) fn layers(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.0.iter().map(Vec::as_slice)
    }

    pub(crate) fn layers_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.0.iter_mut().map(Vec::as_mut_slice)
    }

    pub(crate) fn layer(&self, index: usize) -> &[f32] {
        &self.0[index]
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        spare.append(&mut self.0);
        if spare.len() > MOST {
            spare.sort_by_key(|buffer| std::cmp::Reverse(buffer.capacity()));
            spare.truncate(MOST);
        }
    }
}
