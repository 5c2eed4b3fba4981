//! Where sums of products are stored, and what is applied to each on the way: nothing, a ReLU, or its gradient.

use std::ops::Range;

use crate::bf16::{halves, pair};
use crate::precision::Pair;
use crate::simd::Lanes;

/// Where sums are stored, overwritten, and what becomes of them.
pub(crate) enum Out<'a> {
    Values(&'a mut [f32], Epilogue<'a, f32>),
    /// As [`Stored::Pairs`].
    Pairs(&'a mut [Pair], Epilogue<'a, Pair>),
}

/// What becomes of a sum before it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Epilogue<'a, T> {
    Nothing,
    /// Clipped at zero from below.
    Relu,
    /// Zero where the number in the same place is not above zero: a ReLU's gradient.
    WherePositive(&'a [T]),
}

impl<'a> Out<'a> {
    /// Where it is known that it does not take pairs.
    pub(crate) fn values(self) -> (Epilogue<'a, f32>, &'a mut [f32]) {
        match self {
            Self::Values(out, epilogue) => (epilogue, out),
            Self::Pairs(..) => unreachable!("only what is multiplied as it is lies in pairs"),
        }
    }

    /// Accumulator as they are.
    pub(crate) fn plain(out: &'a mut [f32]) -> Self {
        Self::Values(out, Epilogue::Nothing)
    }

    /// How many numbers it has room for.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Values(out, _) => out.len(),
            Self::Pairs(out, _) => 2 * out.len(),
        }
    }

    /// Of how many numbers it is known what they meet.
    pub(crate) fn seen(&self) -> Option<usize> {
        match self {
            Self::Values(_, epilogue) => epilogue.seen(),
            Self::Pairs(_, epilogue) => epilogue.seen().map(|pairs| 2 * pairs),
        }
    }

    /// From a number on, the first of a pixel.
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

/// Where sums are stored; what is known at compile time is not asked for every row.
pub(crate) trait Sink {
    /// `at` is even where pairs are stored.
    ///
    /// # Safety
    /// There are two vectors from number `at` on, in what they meet, too; the processor has the instruction set.
    unsafe fn store<S: Lanes>(&mut self, at: usize, sums: [S::Vector; 2]);

    /// Fewer than two vectors, from number `at` on.
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
    /// From a number on.
    pub(crate) fn from(self, first: usize) -> Self {
        match self {
            Epilogue::WherePositive(seen) => Epilogue::WherePositive(&seen[first..]),
            other => other,
        }
    }

    /// Of some numbers.
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

    /// One sum; `at` finds what it meets.
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
    /// The sums from number `at` on, to `to`.
    pub(crate) fn copy(&self, at: usize, sums: &[f32], to: &mut [f32]) {
        for (index, (to, &sum)) in to.iter_mut().zip(sums).enumerate() {
            *to = self.number(sum, |seen| seen[at + index]);
        }
    }

    /// The sums from number `at` on.
    ///
    /// # Safety
    /// What they meet is as long; the processor has the instruction set.
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
