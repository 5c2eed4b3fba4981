//! Layout of values between two layers.

use crate::conv::stored::Stored;
use crate::gemm::element::Element;
use crate::gemm::epilogue::{Epilogue, Out};
use crate::simd::precision::Pair;

/// Layout of a layer's output, and of the gradient with respect to it. What only the next layer
/// reads is stored as it reads it: clipped once and rounded once, not at every read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    /// Whether negative values are already zero.
    pub(super) rectified: bool,
    /// Whether values lie as [`Stored::Pairs`].
    pub(super) paired: bool,
}

impl Layout {
    /// Words of memory that hold `numbers` values.
    pub(super) fn words(self, numbers: usize) -> usize {
        if self.paired { numbers / 2 } else { numbers }
    }

    pub(super) fn read(self, words: &[f32]) -> Stored<'_> {
        if self.paired {
            Stored::Pairs(Pair::of_words(words))
        } else {
            Stored::Values(words)
        }
    }

    /// Returns the destination of an output.
    pub(super) fn output(self, words: &mut [f32]) -> Out<'_> {
        match (self.paired, self.rectified) {
            (true, true) => Out::Pairs(Pair::of_words_mut(words), Epilogue::Relu),
            (true, false) => Out::Pairs(Pair::of_words_mut(words), Epilogue::Nothing),
            (false, true) => Out::Values(words, Epilogue::Relu),
            (false, false) => Out::plain(words),
        }
    }

    /// Returns the destination of the gradient with respect to an output, through the ReLU that has
    /// `seen` it, if any.
    pub(super) fn gradient<'a>(self, words: &'a mut [f32], seen: Option<Stored<'a>>) -> Out<'a> {
        match seen {
            Some(Stored::Pairs(seen)) => {
                Out::Pairs(Pair::of_words_mut(words), Epilogue::WherePositive(seen))
            }
            Some(Stored::Values(seen)) => Out::Values(words, Epilogue::WherePositive(seen)),
            None if self.paired => Out::Pairs(Pair::of_words_mut(words), Epilogue::Nothing),
            None => Out::plain(words),
        }
    }
}
