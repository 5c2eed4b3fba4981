//! Activations that the backward pass needs of a forward pass.

use std::ops::Range;

use crate::memory::buffer::Buffer;

/// Output of every layer of a stack but the last, in the form that the next layer reads. Where the
/// next layer normalizes, also the mean and inverse deviation of each pixel.
#[derive(Debug, Default)]
pub struct SavedActivations(Vec<SavedLayer>);

#[derive(Debug)]
struct SavedLayer {
    values: Buffer,
    moments: Buffer,
}

/// Saved values and moments of a layer, of some images.
pub(super) struct Part<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) moments: &'a mut [f32],
}

impl SavedActivations {
    /// Makes layers of the given numbers of values and moments, with any contents.
    pub(super) fn of_lens(lens: impl Iterator<Item = [usize; 2]>) -> Self {
        let layer = |lens: [usize; 2]| {
            let [values, moments] = lens.map(Buffer::of_len);
            SavedLayer { values, moments }
        };
        Self(lens.map(layer).collect())
    }

    /// Numbers of values and moments of each layer.
    pub(super) fn lens(&self) -> impl ExactSizeIterator<Item = [usize; 2]> {
        let layers = self.0.iter();
        layers.map(|layer| [layer.values.len(), layer.moments.len()])
    }

    pub(super) fn layers_mut(&mut self) -> impl Iterator<Item = Part<'_>> {
        self.0.iter_mut().map(|layer| Part {
            values: &mut layer.values,
            moments: &mut layer.moments,
        })
    }

    /// Returns the values and moments of a layer.
    pub(super) fn layer(&self, index: usize) -> [&[f32]; 2] {
        let layer = &self.0[index];
        [&layer.values, &layer.moments]
    }
}

impl<'a> Part<'a> {
    /// Splits the part of `of` images into the first `count` images and the others.
    pub(super) fn split_at(self, count: usize, of: usize) -> [Part<'a>; 2] {
        let per_image = |len: usize| len / of.max(1) * count;
        let (values, other_values) = self.values.split_at_mut(per_image(self.values.len()));
        let (moments, other_moments) = self.moments.split_at_mut(per_image(self.moments.len()));
        let other = Part {
            values: other_values,
            moments: other_moments,
        };
        [Part { values, moments }, other]
    }

    /// Returns the part of a range among `of` images.
    pub(super) fn images(&mut self, images: &Range<usize>, of: usize) -> Part<'_> {
        fn part<'b>(all: &'b mut [f32], images: &Range<usize>, of: usize) -> &'b mut [f32] {
            let len = all.len() / of.max(1);
            &mut all[images.start * len..images.end * len]
        }
        Part {
            values: part(self.values, images, of),
            moments: part(self.moments, images, of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_the_lengths_asked_for_whatever_lay_in_the_buffers() {
        for lens in [[5, 3000], [3000, 5], [4, 2000], [0, 3001], [5, 3000]] {
            let mut saved = SavedActivations::of_lens([lens, lens].into_iter());
            assert!(saved.lens().eq([lens, lens]));
            saved.layers_mut().for_each(|layer| layer.values.fill(7.0));
        }
    }
}
