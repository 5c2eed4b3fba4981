//! Factors of the inner loops: `f32` values, or pairs of bf16 whose products are summed in `f32`.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::conv::padded::Source;
use crate::conv::stored::Stored;
use crate::gemm::epilogue::Out;
use crate::gemm::microkernel::{
    ImplicitGemm, WeightGradGemm, implicit_gemm_unchecked, weight_grad_gemm_unchecked,
};
use crate::memory::buffer::Buffer;
use crate::nn::elementwise::add_rows;
#[cfg(target_arch = "x86_64")]
use crate::simd::bf16::has_bf16;
use crate::simd::bf16::{
    across_rows, add_paired_rows, join, pair, pair_bytes, pair_up, round_each, shifted_across,
};
use crate::simd::precision::Pair;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512, Avx512Pairs};
use crate::simd::{Isa, Lanes, Portable, PortablePairs};

/// Factor of a product: one `f32` value or a pair of bf16 values.
pub(crate) trait Element: Copy + Default + Send + Sync {
    /// Values in one element, which belong to neighboring terms of a sum.
    const VALUES: usize;

    /// Computes the product.
    /// # Safety
    /// The bounds that `implicit_gemm` checks; the processor has `isa`.
    unsafe fn implicit_gemm(isa: Isa, product: &ImplicitGemm<'_, Self>, out: Out<'_>);

    /// Adds the product to the sums, or overwrites them with it.
    /// # Safety
    /// The bounds that `weight_grad_gemm` checks; the processor has `isa`.
    unsafe fn weight_grad_gemm(isa: Isa, product: &WeightGradGemm<'_, Self>, sums: &mut [f32]);

    /// Makes an element of `count` values, at most [`VALUES`](Self::VALUES), followed by zeros.
    fn of_each(count: usize, at: impl Fn(usize) -> f32) -> Self;

    /// Writes whole pixels of `channels` values, an element for each [`VALUES`](Self::VALUES)
    /// channels. `buffer` is scratch of the calls with one `to`, and empty before the first.
    fn channels(
        isa: Isa,
        from: Source<'_>,
        channels: usize,
        buffer: &mut Vec<f32>,
        to: &mut [Self],
    );

    /// Writes a row of values `from` with zeros around it, the first at `left`: an element for each
    /// value. A second value of an element is the one `step` further on.
    fn neighbors(
        isa: Isa,
        from: Source<'_>,
        left: usize,
        step: usize,
        buffer: &mut Vec<f32>,
        to: &mut [Self],
    );

    /// Views words of memory as the elements in them.
    fn of_words(words: &[f32]) -> &[Self];

    /// Views words of memory as elements, to be written.
    fn of_words_mut(words: &mut [f32]) -> &mut [Self];

    /// Returns the values as elements where an element is one value, else `None`.
    fn as_elements(numbers: &[f32]) -> Option<&[Self]>;

    /// Adds rows of elements, each as long as `to`, to `to`; the values of an element are summed.
    fn add_rows(isa: Isa, rows: &[Self], to: &mut [f32]);

    /// Writes rows of `width` values to rows of `columns` elements. Each [`VALUES`](Self::VALUES)
    /// consecutive rows share a row of elements.
    fn group_rows(isa: Isa, rows: Stored<'_>, width: usize, columns: usize, to: &mut [Self]);

    /// Interleaves rows `a` and `b` of equal length, element by element; `None` stands for a row of
    /// zeros. Only elements of several values have a second row.
    fn interleave(isa: Isa, a: &[f32], b: Option<&[f32]>, to: &mut [Self]);
}

/// Elements that begin at a cache line.
#[derive(Debug)]
pub(crate) struct ElementBuffer<I> {
    words: Buffer,
    kind: PhantomData<I>,
}

impl<I: Element> ElementBuffer<I> {
    /// Returns `len` elements of zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut elements = Self::unspecified(len);
        elements.words.fill(0.0);
        elements
    }

    /// Returns `len` elements with any contents.
    pub(crate) fn unspecified(len: usize) -> Self {
        Self {
            words: Buffer::of_len(len),
            kind: PhantomData,
        }
    }

    pub(crate) fn words_mut(&mut self) -> &mut [f32] {
        &mut self.words
    }
}

impl<I> Default for ElementBuffer<I> {
    fn default() -> Self {
        Self {
            words: Buffer::default(),
            kind: PhantomData,
        }
    }
}

impl<I: Element> Deref for ElementBuffer<I> {
    type Target = [I];

    fn deref(&self) -> &[I] {
        I::of_words(&self.words)
    }
}

impl<I: Element> DerefMut for ElementBuffer<I> {
    fn deref_mut(&mut self) -> &mut [I] {
        I::of_words_mut(&mut self.words)
    }
}

/// Selects the compilation of a loop for an instruction set.
macro_rules! compiled {
    ($isa:expr, $portable:expr, $avx2:expr, $avx512:expr) => {
        match $isa {
            Isa::Portable => $portable,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => $avx2,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => $avx512,
        }
    };
}

impl Element for f32 {
    const VALUES: usize = 1;

    unsafe fn implicit_gemm(isa: Isa, product: &ImplicitGemm<'_, f32>, out: Out<'_>) {
        // SAFETY: as the caller promises.
        unsafe {
            (compiled!(
                isa,
                implicit_gemm_unchecked::<Portable, { Portable::ROWS }>,
                implicit_gemm_avx2,
                implicit_gemm_avx512
            ))(product, out);
        }
    }

    unsafe fn weight_grad_gemm(isa: Isa, product: &WeightGradGemm<'_, f32>, sums: &mut [f32]) {
        // SAFETY: as the caller promises.
        unsafe {
            (compiled!(
                isa,
                weight_grad_gemm_unchecked::<Portable, { Portable::ROWS }>,
                weight_grad_gemm_avx2,
                weight_grad_gemm_avx512
            ))(product, sums);
        }
    }

    #[inline(always)]
    fn of_each(_: usize, at: impl Fn(usize) -> f32) -> f32 {
        at(0)
    }

    fn channels(isa: Isa, from: Source<'_>, _: usize, _: &mut Vec<f32>, to: &mut [f32]) {
        from.write(isa, to);
    }

    fn neighbors(
        isa: Isa,
        from: Source<'_>,
        left: usize,
        _: usize,
        _: &mut Vec<f32>,
        to: &mut [f32],
    ) {
        from.write(isa, &mut to[left..left + from.len()]);
    }

    fn of_words(words: &[f32]) -> &[f32] {
        words
    }

    fn of_words_mut(words: &mut [f32]) -> &mut [f32] {
        words
    }

    fn as_elements(numbers: &[f32]) -> Option<&[f32]> {
        Some(numbers)
    }

    fn add_rows(isa: Isa, rows: &[f32], to: &mut [f32]) {
        add_rows(isa, rows, to);
    }

    fn group_rows(isa: Isa, rows: Stored<'_>, width: usize, columns: usize, to: &mut [f32]) {
        let starts = (0..rows.len()).step_by(width);
        for (start, to) in starts.zip(to.chunks_exact_mut(columns)) {
            Source::Stored(rows.part(start..start + width)).write(isa, &mut to[..width]);
        }
    }

    fn interleave(_: Isa, a: &[f32], _: Option<&[f32]>, to: &mut [f32]) {
        to[..a.len()].copy_from_slice(a);
    }
}

impl Element for Pair {
    const VALUES: usize = 2;

    unsafe fn implicit_gemm(isa: Isa, product: &ImplicitGemm<'_, Pair>, out: Out<'_>) {
        // SAFETY: as the caller promises; AVX512-BF16 is detected at run time.
        unsafe {
            (compiled!(
                isa,
                implicit_gemm_unchecked::<PortablePairs<4>, 4>,
                implicit_gemm_pairs_avx2,
                if has_bf16() {
                    implicit_gemm_bf16
                } else {
                    implicit_gemm_pairs_avx512
                }
            ))(product, out);
        }
    }

    unsafe fn weight_grad_gemm(isa: Isa, product: &WeightGradGemm<'_, Pair>, sums: &mut [f32]) {
        // SAFETY: as the caller promises; AVX512-BF16 is detected at run time.
        unsafe {
            (compiled!(
                isa,
                weight_grad_gemm_unchecked::<PortablePairs<4>, 4>,
                weight_grad_gemm_pairs_avx2,
                if has_bf16() {
                    weight_grad_gemm_bf16
                } else {
                    weight_grad_gemm_pairs_avx512
                }
            ))(product, sums);
        }
    }

    #[inline(always)]
    fn of_each(count: usize, at: impl Fn(usize) -> f32) -> Pair {
        pair(at(0), if count > 1 { at(1) } else { 0.0 })
    }

    fn channels(
        isa: Isa,
        from: Source<'_>,
        channels: usize,
        buffer: &mut Vec<f32>,
        to: &mut [Pair],
    ) {
        match from {
            Source::Stored(Stored::Pairs(pairs)) => return to.copy_from_slice(pairs),
            Source::Stored(Stored::Values(values)) if channels.is_multiple_of(2) => {
                return pair_up(isa, values, to);
            }
            Source::Frames(bytes) => return pair_bytes(bytes, channels, to),
            _ => {}
        }
        buffer.resize(from.len(), 0.0);
        from.write(isa, buffer);
        if channels.is_multiple_of(2) {
            return pair_up(isa, buffer, to);
        }
        // Rounding all values at once vectorizes; what remains is to move halves of words.
        round_each(isa, buffer);
        let pixels = to.chunks_exact_mut(channels.div_ceil(2));
        for (pixel, to) in buffer.chunks_exact(channels).zip(pixels) {
            for (numbers, to) in pixel.chunks(2).zip(to) {
                let high = numbers.get(1).map_or(0, |number| number.to_bits());
                *to = Pair(numbers[0].to_bits() >> 16 | high);
            }
        }
    }

    fn neighbors(
        isa: Isa,
        from: Source<'_>,
        left: usize,
        step: usize,
        buffer: &mut Vec<f32>,
        to: &mut [Pair],
    ) {
        if let Source::Stored(Stored::Pairs(pairs)) = from {
            return shifted_across(isa, pairs, left / 2, step / 2, to);
        }
        // A scratch serves one kind of row: what surrounds its values stays zero.
        buffer.resize(to.len() + step, 0.0);
        from.write(isa, &mut buffer[left..left + from.len()]);
        join(isa, &buffer[..to.len()], &buffer[step..], to);
    }

    fn of_words(words: &[f32]) -> &[Pair] {
        // SAFETY: of equal size and alignment, and any bits are a pair.
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
    }

    fn of_words_mut(words: &mut [f32]) -> &mut [Pair] {
        // SAFETY: of equal size and alignment, and any bits are a pair, or an `f32`.
        unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len()) }
    }

    fn as_elements(_: &[f32]) -> Option<&[Pair]> {
        None
    }

    fn add_rows(isa: Isa, rows: &[Pair], to: &mut [f32]) {
        add_paired_rows(isa, rows, to);
    }

    fn group_rows(isa: Isa, rows: Stored<'_>, width: usize, columns: usize, to: &mut [Pair]) {
        match rows {
            Stored::Pairs(rows) => across_rows(isa, rows, width / 2, columns, to),
            Stored::Values(rows) => {
                for (two, to) in rows.chunks(2 * width).zip(to.chunks_exact_mut(columns)) {
                    let (a, b) = two.split_at(width);
                    let b = (!b.is_empty()).then_some(b);
                    Self::interleave(isa, a, b, to);
                }
            }
        }
    }

    fn interleave(isa: Isa, a: &[f32], b: Option<&[f32]>, to: &mut [Pair]) {
        match b {
            Some(b) => join(isa, a, b, to),
            None => to.iter_mut().zip(a).for_each(|(to, &a)| *to = pair(a, 0.0)),
        }
    }
}

// Compiles both loops for one set of CPU features.
macro_rules! compiled_for {
    ($implicit_gemm:ident, $weight_grad_gemm:ident, $features:literal, $lanes:ty, $element:ty) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe fn $implicit_gemm(product: &ImplicitGemm<'_, $element>, out: Out<'_>) {
            // SAFETY: as the caller promises.
            unsafe { implicit_gemm_unchecked::<$lanes, { <$lanes>::ROWS }>(product, out) }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe fn $weight_grad_gemm(product: &WeightGradGemm<'_, $element>, sums: &mut [f32]) {
            // SAFETY: as the caller promises.
            unsafe { weight_grad_gemm_unchecked::<$lanes, { <$lanes>::ROWS }>(product, sums) }
        }
    };
}
compiled_for!(
    implicit_gemm_avx2,
    weight_grad_gemm_avx2,
    "avx2,fma",
    Avx2,
    f32
);
compiled_for!(
    implicit_gemm_avx512,
    weight_grad_gemm_avx512,
    "avx512f",
    Avx512,
    f32
);
compiled_for!(
    implicit_gemm_bf16,
    weight_grad_gemm_bf16,
    "avx512f,avx512bf16",
    Avx512Pairs,
    Pair
);
compiled_for!(
    implicit_gemm_pairs_avx2,
    weight_grad_gemm_pairs_avx2,
    "avx2,fma",
    PortablePairs<8>,
    Pair
);
compiled_for!(
    implicit_gemm_pairs_avx512,
    weight_grad_gemm_pairs_avx512,
    "avx512f",
    PortablePairs<16>,
    Pair
);
