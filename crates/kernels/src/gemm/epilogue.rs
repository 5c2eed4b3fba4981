//! Destination of sums of products, and the operation on each sum before it is stored: none, a
//! ReLU, or its gradient.

use std::ops::Range;

use crate::simd::Lanes;
use crate::simd::bf16::{halves, pair};
use crate::simd::precision::Pair;

/// Destination of sums, overwritten, and the operation on each.
pub(crate) enum Out<'a> {
    Values(&'a mut [f32], Epilogue<'a, f32>),
    /// Pairs of bf16, as [`Stored::Pairs`](crate::conv::stored::Stored::Pairs).
    Pairs(&'a mut [Pair], Epilogue<'a, Pair>),
}

/// Operation on a sum before it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Epilogue<'a, T> {
    Nothing,
    /// Clips at zero from below.
    Relu,
    /// Zeroes a sum where the value at the same index is not above zero: the gradient of a ReLU.
    WherePositive(&'a [T]),
}

impl<'a> Out<'a> {
    /// Returns the epilogue and the `f32` values.
    ///
    /// # Panics
    /// If the destination takes pairs.
    pub(crate) fn values(self) -> (Epilogue<'a, f32>, &'a mut [f32]) {
        match self {
            Self::Values(out, epilogue) => (epilogue, out),
            Self::Pairs(..) => unreachable!("only what is multiplied as it is lies in pairs"),
        }
    }

    /// Stores sums unchanged.
    pub(crate) fn plain(out: &'a mut [f32]) -> Self {
        Self::Values(out, Epilogue::Nothing)
    }

    /// Values that fit.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Values(out, _) => out.len(),
            Self::Pairs(out, _) => 2 * out.len(),
        }
    }

    /// Values that the epilogue compares with, if it does.
    pub(crate) fn seen(&self) -> Option<usize> {
        match self {
            Self::Values(_, epilogue) => epilogue.seen(),
            Self::Pairs(_, epilogue) => epilogue.seen().map(|pairs| 2 * pairs),
        }
    }

    /// Returns the destination from value `first` on, the first one of a pixel.
    pub(crate) fn from(&mut self, first: usize) -> Out<'_> {
        match self {
            Self::Values(out, epilogue) => Out::Values(&mut out[first..], epilogue.from(first)),
            Self::Pairs(out, epilogue) => {
                let first = first / 2;
                Out::Pairs(&mut out[first..], epilogue.from(first))
            }
        }
    }

    pub(crate) fn fill_with_zeros(&mut self) {
        match self {
            Self::Values(out, _) => out.fill(0.0),
            Self::Pairs(out, _) => out.fill(Pair::default()),
        }
    }
}

/// Destination of vectors of sums. What is known at compile time is not checked for every row.
pub(crate) trait Sink {
    /// Stores two vectors from value `at` on; `at` is even where pairs are stored.
    ///
    /// # Safety
    /// There are two vectors from value `at` on, also in what the epilogue compares with; the
    /// processor has the instruction set.
    unsafe fn store<S: Lanes>(&mut self, at: usize, sums: [S::Vector; 2]);

    /// Stores fewer than two vectors, from value `at` on.
    fn store_each(&mut self, at: usize, sums: &[f32]);
}

impl Sink for &mut [f32] {
    #[inline(always)]
    unsafe fn store<S: Lanes>(&mut self, at: usize, sums: [S::Vector; 2]) {
        // SAFETY: as the caller promises.
        unsafe {
            let to = self.as_mut_ptr().add(at);
            S::store(to, sums[0]);
            S::store(to.add(S::WIDTH), sums[1]);
        }
    }

    fn store_each(&mut self, at: usize, sums: &[f32]) {
        self[at..at + sums.len()].copy_from_slice(sums);
    }
}

impl Sink for (&mut [f32], Epilogue<'_, f32>) {
    #[inline(always)]
    unsafe fn store<S: Lanes>(&mut self, at: usize, sums: [S::Vector; 2]) {
        let (out, epilogue) = self;
        // SAFETY: as the caller promises.
        unsafe {
            let to = out.as_mut_ptr().add(at);
            S::store(to, epilogue.vector::<S>(at, sums[0]));
            let sums = epilogue.vector::<S>(at + S::WIDTH, sums[1]);
            S::store(to.add(S::WIDTH), sums);
        }
    }

    fn store_each(&mut self, at: usize, sums: &[f32]) {
        let (out, epilogue) = self;
        epilogue.copy(at, sums, &mut out[at..]);
    }
}

impl Sink for (&mut [Pair], Epilogue<'_, Pair>) {
    #[inline(always)]
    unsafe fn store<S: Lanes>(&mut self, at: usize, sums: [S::Vector; 2]) {
        let (out, epilogue) = self;
        // SAFETY: as the caller promises.
        unsafe {
            for (vector, sums) in sums.into_iter().enumerate() {
                let at = (at + vector * S::WIDTH) / 2;
                let sums = match epilogue {
                    Epilogue::Nothing => sums,
                    Epilogue::Relu => S::where_positive(sums, sums),
                    Epilogue::WherePositive(seen) => {
                        S::where_positive(S::load_pairs(seen.as_ptr().add(at)), sums)
                    }
                };
                S::store_pairs(out.as_mut_ptr().add(at), sums);
            }
        }
    }

    fn store_each(&mut self, at: usize, sums: &[f32]) {
        let (out, epilogue) = self;
        let to = out[at / 2..].iter_mut();
        for (index, (to, sums)) in to.zip(sums.as_chunks::<2>().0).enumerate() {
            let number = |side: usize| {
                epilogue.number(sums[side], |seen| halves(seen[at / 2 + index])[side])
            };
            *to = pair(number(0), number(1));
        }
    }
}

impl<T: Copy> Epilogue<'_, T> {
    /// Returns the epilogue of the values from `first` on.
    pub(crate) fn from(self, first: usize) -> Self {
        match self {
            Epilogue::WherePositive(seen) => Epilogue::WherePositive(&seen[first..]),
            other => other,
        }
    }

    /// Returns the epilogue of a range of values.
    pub(crate) fn part(self, numbers: Range<usize>) -> Self {
        match self {
            Epilogue::WherePositive(seen) => Epilogue::WherePositive(&seen[numbers]),
            other => other,
        }
    }

    fn seen(&self) -> Option<usize> {
        match self {
            Epilogue::Nothing | Epilogue::Relu => None,
            Epilogue::WherePositive(seen) => Some(seen.len()),
        }
    }

    /// Applies the epilogue to one sum; `at` finds the value that it is compared with.
    #[inline(always)]
    fn number(&self, sum: f32, at: impl Fn(&[T]) -> f32) -> f32 {
        let passes = match self {
            Epilogue::Nothing => true,
            Epilogue::Relu => sum > 0.0,
            Epilogue::WherePositive(seen) => at(seen) > 0.0,
        };
        if passes { sum } else { 0.0 }
    }
}

impl Epilogue<'_, f32> {
    /// Writes the sums of the values from `at` on to `to`, with the epilogue applied.
    pub(crate) fn copy(&self, at: usize, sums: &[f32], to: &mut [f32]) {
        for (index, (to, &sum)) in to.iter_mut().zip(sums).enumerate() {
            *to = self.number(sum, |seen| seen[at + index]);
        }
    }

    /// Applies the epilogue to a vector of sums, of the values from `at` on.
    ///
    /// # Safety
    /// The values that the epilogue compares with, if any, reach as far; the processor has the
    /// instruction set.
    #[inline(always)]
    pub(crate) unsafe fn vector<S: Lanes>(&self, at: usize, sums: S::Vector) -> S::Vector {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Epilogue::Nothing => sums,
                Epilogue::Relu => S::where_positive(sums, sums),
                Epilogue::WherePositive(seen) => {
                    S::where_positive(S::load(seen.as_ptr().add(at)), sums)
                }
            }
        }
    }
}
