//! What the backward pass needs of a forward pass.

use std::ops::{Deref, DerefMut};

use crate::buffer::Buffer;

/// The output of every layer of a trunk but the last.
#[derive(Debug, Default)]
pub struct Kept(Vec<Buffer>);

impl Kept {
    /// Layers of these lengths, with any contents.
    pub(crate) fn of_lens(lens: impl Iterator<Item = usize>) -> Self {
        Self(lens.map(Buffer::of_len).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_the_lengths_asked_for_whatever_lay_in_the_buffers() {
        for lens in [[5, 3000], [3000, 5], [4, 2000], [0, 3001], [5, 3000]] {
            let mut kept = Kept::of_lens(lens.into_iter());
            assert!(kept.layers().map(<[f32]>::len).eq(lens));
            kept.layers_mut().for_each(|layer| layer.fill(7.0));
        }
    }
}
