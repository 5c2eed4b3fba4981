//! Rounding to bf16, and pairs of bf16 values.
//!
//! Processors that multiply bf16 also round to it: one instruction for sixteen values, where plain
//! arithmetic takes ten. (It flushes values below 1e-38 to zero, as the multiplication does.)

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, __m512, _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh, _mm512_loadu_ps, _mm512_or_si512,
    _mm512_slli_epi32, _mm512_storeu_si512,
};

use crate::simd::Isa;
use crate::simd::each_isa::on_each_isa;
use crate::simd::precision::Pair;

/// Rounds each two neighbors of `from` to a pair.
pub(crate) fn pair_up(isa: Isa, from: &[f32], to: &mut [Pair]) {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 && has_bf16() {
        // SAFETY: the instructions were detected just above.
        return unsafe { pairs_by_instruction(from, to) };
    }
    pair_up_plainly(isa, from, to);
}

/// Converts pixels of `channels` bytes, scaled by 1/255, each two channels of a pixel to a pair.
pub(crate) fn pair_bytes(bytes: &[u8], channels: usize, to: &mut [Pair]) {
    // Channel counts known at compile time unroll the loop over channels.
    match channels {
        1 => pair_pixels(bytes, 1, to),
        3 => pair_pixels(bytes, 3, to),
        4 => pair_pixels(bytes, 4, to),
        _ => pair_pixels(bytes, channels, to),
    }
}

#[inline(always)]
fn pair_pixels(bytes: &[u8], channels: usize, to: &mut [Pair]) {
    let pixels = to.chunks_exact_mut(channels.div_ceil(2));
    for (pixel, to) in bytes.chunks_exact(channels).zip(pixels) {
        for (at, to) in to.iter_mut().enumerate() {
            let high = pixel
                .get(2 * at + 1)
                .map_or(0, |&byte| SCALED[usize::from(byte)] << 16);
            *to = Pair(SCALED[usize::from(pixel[2 * at])] | high);
        }
    }
}

/// Bits of each byte scaled by 1/255 and rounded to bf16.
static SCALED: [u32; 256] = {
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = bf16(byte as f32 * (1.0 / 255.0));
        byte += 1;
    }
    all
};

/// Rounds `a` and `b` to pairs, value by value: `a` in the low half, `b` in the high half.
pub(crate) fn join(isa: Isa, a: &[f32], b: &[f32], to: &mut [Pair]) {
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 && has_bf16() {
        // SAFETY: the instructions were detected just above.
        return unsafe { join_by_instruction(a, b, to) };
    }
    join_plainly(isa, a, b, to);
}

on_each_isa!(pair_up_plainly = pair_neighbors(from: &[f32], to: &mut [Pair]));
on_each_isa!(join_plainly = pair_rows(a: &[f32], b: &[f32], to: &mut [Pair]));
on_each_isa!(round_each = to_bf16(numbers: &mut [f32]));

#[inline(always)]
fn pair_neighbors(from: &[f32], to: &mut [Pair]) {
    for (numbers, to) in from.chunks_exact(2).zip(to) {
        *to = pair(numbers[0], numbers[1]);
    }
}

#[inline(always)]
fn pair_rows(a: &[f32], b: &[f32], to: &mut [Pair]) {
    for ((&a, &b), to) in a.iter().zip(b).zip(to) {
        *to = pair(a, b);
    }
}

#[inline(always)]
fn to_bf16(numbers: &mut [f32]) {
    for number in numbers {
        *number = f32::from_bits(bf16(*number) << 16);
    }
}

/// Rounds two values to a pair, `low` in the low half.
#[inline(always)]
pub(crate) fn pair(low: f32, high: f32) -> Pair {
    Pair(bf16(low) | bf16(high) << 16)
}

/// Returns the two values of a pair, the low half first.
#[inline(always)]
pub(crate) fn halves(pair: Pair) -> [f32; 2] {
    [
        f32::from_bits(pair.0 << 16),
        f32::from_bits(pair.0 & 0xffff_0000),
    ]
}

/// Returns the bits of the nearest bf16 value; of two equally near, the even one.
#[inline(always)]
pub(crate) const fn bf16(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = (bits.wrapping_add(0x7fff + (bits >> 16 & 1))) >> 16;
    // Rounding the bits of a NaN could carry into the exponent and make it a number.
    if x.is_nan() { 0x7fc0 } else { rounded }
}

/// Writes the values of pairs as `f32`.
pub(crate) fn unpair(pairs: &[Pair], to: &mut [f32]) {
    let to = to.as_chunks_mut::<2>().0;
    to.iter_mut()
        .zip(pairs)
        .for_each(|(to, &pair)| *to = halves(pair));
}

/// Transposes two rows of pairs: writes the first values of `a` and `b` as a pair, then their
/// second values, and so on.
pub(crate) fn across(isa: Isa, a: &[Pair], b: &[Pair], to: &mut [Pair]) {
    across_on(isa, a, b, to.as_chunks_mut().0);
}

/// Interleaves a row of pairs, the first at `left` and zeros around it, with that row from `step`
/// on, by [`across`]. Where both are zeros, `to` is unchanged.
pub(crate) fn shifted_across(isa: Isa, row: &[Pair], left: usize, step: usize, to: &mut [Pair]) {
    let zeros = [Pair::default(); 64];
    let count = to.len() / 2;
    // Where the row, and the row from `step` on, begin and end.
    let [first, second] = [left, left.saturating_sub(step)].map(|at| at.min(count));
    let ends = [left + row.len(), (left + row.len()).saturating_sub(step)];
    let [end, second_end] = ends.map(|at| at.min(count));
    let mut write = |from: usize, to_end: usize, has: [bool; 2]| {
        let mut at = from;
        while at < to_end {
            let whole = has[0] && has[1];
            let len = if whole {
                to_end - at
            } else {
                (to_end - at).min(zeros.len())
            };
            let part = |has: bool, start: usize| {
                if has {
                    &row[start..start + len]
                } else {
                    &zeros[..len]
                }
            };
            let a = part(has[0], at.wrapping_sub(left));
            let b = part(has[1], (at + step).wrapping_sub(left));
            across(isa, a, b, &mut to[2 * at..2 * (at + len)]);
            at += len;
        }
    };
    write(second, first.min(second_end), [false, true]);
    write(first, second_end, [true, true]);
    write(first.max(second_end), end, [true, false]);
}

on_each_isa!(across_on = each_across(a: &[Pair], b: &[Pair], to: &mut [[Pair; 2]]));
on_each_isa!(across_rows = each_row_across(rows: &[Pair], width: usize, columns: usize, to: &mut [Pair]));
on_each_isa!(add_paired_rows = add_each_paired_row(rows: &[Pair], to: &mut [f32]));

/// Interleaves each two rows of `width` pairs by [`across`], a last one with zeros, to rows of
/// `columns`.
#[inline(always)]
fn each_row_across(rows: &[Pair], width: usize, columns: usize, to: &mut [Pair]) {
    for (two, to) in rows.chunks(2 * width).zip(to.chunks_exact_mut(columns)) {
        let (a, b) = two.split_at(width);
        let to = to.as_chunks_mut().0;
        if b.is_empty() {
            a.iter()
                .zip(to)
                .for_each(|(a, to)| *to = halves(*a).map(|number| pair(number, 0.0)));
        } else {
            each_across(a, b, to);
        }
    }
}

#[inline(always)]
fn each_across(a: &[Pair], b: &[Pair], to: &mut [[Pair; 2]]) {
    for ((&Pair(a), &Pair(b)), to) in a.iter().zip(b).zip(to) {
        *to = [Pair(a & 0xffff | b << 16), Pair(a >> 16 | b & 0xffff_0000)];
    }
}

/// Adds the values of pairs to `to`, row by row.
#[inline(always)]
fn add_each_paired_row(rows: &[Pair], to: &mut [f32]) {
    for row in rows.chunks_exact(to.len()) {
        for (to, &pair) in to.iter_mut().zip(row) {
            let [first, second] = halves(pair);
            *to += first + second;
        }
    }
}

/// Whether the processor rounds to bf16 and multiplies it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_bf16() -> bool {
    is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f")
}

/// Rounds sixteen values to bf16, the first in the lowest bits.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn rounded(numbers: __m512) -> __m256i {
    // SAFETY: both are 256 bits of plain values.
    unsafe { std::mem::transmute(_mm512_cvtneps_pbh(numbers)) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn pairs_by_instruction(from: &[f32], to: &mut [Pair]) {
    let (blocks, rest) = from.as_chunks::<16>();
    let (to_blocks, to_rest) = to[..from.len() / 2].as_chunks_mut::<8>();
    for (numbers, to) in blocks.iter().zip(to_blocks) {
        // SAFETY: an array of sixteen values is read.
        let numbers = unsafe { _mm512_loadu_ps(numbers.as_ptr()) };
        // SAFETY: eight pairs are the 256 bits of sixteen bf16 values, in this order.
        *to = unsafe { std::mem::transmute::<__m256i, [Pair; 8]>(rounded(numbers)) };
    }
    pair_neighbors(rest, to_rest);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn join_by_instruction(a: &[f32], b: &[f32], to: &mut [Pair]) {
    let length = a.len().min(b.len()).min(to.len());
    let (a_blocks, a_rest) = a[..length].as_chunks::<16>();
    let (b_blocks, b_rest) = b[..length].as_chunks::<16>();
    let (to_blocks, to_rest) = to[..length].as_chunks_mut::<16>();
    for ((a, b), to) in a_blocks.iter().zip(b_blocks).zip(to_blocks) {
        // SAFETY: arrays of sixteen values are read, and sixteen pairs written.
        unsafe {
            let low = _mm512_cvtepu16_epi32(rounded(_mm512_loadu_ps(a.as_ptr())));
            let high = _mm512_cvtepu16_epi32(rounded(_mm512_loadu_ps(b.as_ptr())));
            let pairs = _mm512_or_si512(low, _mm512_slli_epi32::<16>(high));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), pairs);
        }
    }
    pair_rows(a_rest, b_rest, to_rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every instruction set makes the same pairs; values too small to be normal may become zero.
    #[test]
    fn all_ways_round_alike() {
        let number = |at: usize| {
            let bits = (at as u32).wrapping_mul(2_654_435_761) ^ 0x3f80_1234;
            let x = f32::from_bits(bits);
            if x.is_normal() { x } else { 0.0 }
        };
        for length in [0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 75, 128] {
            let a: Vec<f32> = (0..length).map(number).collect();
            let b: Vec<f32> = (0..length).map(|at| number(at + 1000)).collect();
            for isa in Isa::available() {
                let (mut found, mut plain) = (vec![Pair(7); length], vec![Pair(7); length]);
                join(isa, &a, &b, &mut found);
                pair_rows(&a, &b, &mut plain);
                assert_eq!(found, plain, "{isa:?} {length}");
                pair_up(isa, &a, &mut found);
                pair_neighbors(&a, &mut plain);
                assert_eq!(found, plain, "{isa:?} {length}");
            }
        }
    }

    /// Operations on rows of pairs must equal those on their values as f32, one by one.
    #[test]
    fn pairs_across_each_other_are_those_of_their_numbers() {
        let row = |len: usize, from: usize| -> Vec<Pair> {
            let number = |at: usize| ((at * 37 + from) % 101) as f32 - 50.0;
            (0..len)
                .map(|at| pair(number(2 * at), number(2 * at + 1)))
                .collect()
        };
        let number = |row: &[Pair], at: Option<usize>| {
            let pair = at
                .and_then(|at| row.get(at / 2).copied())
                .unwrap_or_default();
            halves(pair)[at.unwrap_or(0) % 2]
        };
        for isa in Isa::available() {
            for (len, left, step, reach) in [
                (40, 3, 6, 43),
                (40, 16, 16, 90),
                (3, 2, 5, 9),
                (5, 0, 7, 4),
                (100, 80, 7, 170),
                (1, 0, 1, 1),
            ] {
                let from = row(len, 5);
                let mut to = vec![Pair::default(); 2 * reach];
                shifted_across(isa, &from, left, step, &mut to);
                for (at, &found) in to.iter().enumerate() {
                    let [low, high] = [at, at + 2 * step].map(|at| at.checked_sub(2 * left));
                    let expected = [number(&from, low), number(&from, high)];
                    assert_eq!(
                        halves(found),
                        expected,
                        "{isa:?} {len} {left} {step} at {at}"
                    );
                }
            }
            for (width, count) in [(1, 1), (8, 5), (16, 4), (17, 3)] {
                let (from, columns) = (row(width * count, 9), 2 * width + 3);
                let mut to = vec![Pair(7); count.div_ceil(2) * columns];
                across_rows(isa, &from, width, columns, &mut to);
                for (at, &found) in to.iter().enumerate() {
                    let (two, column) = (at / columns, at % columns);
                    if column >= 2 * width {
                        assert_eq!(found, Pair(7));
                        continue;
                    }
                    let at = 4 * two * width + column;
                    let expected = [number(&from, Some(at)), number(&from, Some(at + 2 * width))];
                    assert_eq!(halves(found), expected, "{isa:?} {width} {count}");
                }
                let mut sums = vec![1.0; width];
                add_paired_rows(isa, &from, &mut sums);
                for (column, &sum) in sums.iter().enumerate() {
                    let terms = from[column..].iter().step_by(width);
                    let expected: f32 = terms.map(|&pair| halves(pair).iter().sum::<f32>()).sum();
                    assert_eq!(sum, 1.0 + expected, "{isa:?} {width} {count}");
                }
            }
        }
    }

    #[test]
    fn bytes_are_scaled_and_rounded() {
        let bytes: Vec<u8> = (0..=255).chain(0..104).collect();
        for channels in [1, 2, 3, 4, 5, 8] {
            let mut to = vec![Pair(7); bytes.len() / channels * channels.div_ceil(2)];
            pair_bytes(&bytes, channels, &mut to);
            let number = |&byte: &u8| f32::from(byte) * (1.0 / 255.0);
            let pixels = bytes
                .chunks_exact(channels)
                .flat_map(|pixel| pixel.chunks(2));
            let expected = pixels.map(|two| pair(number(&two[0]), two.get(1).map_or(0.0, number)));
            assert_eq!(to, expected.collect::<Vec<Pair>>(), "{channels}");
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let numbers = [f32::NAN, f32::INFINITY, -1.0, f32::NEG_INFINITY].repeat(8);
        for isa in Isa::available() {
            let mut to = vec![Pair::default(); 16];
            pair_up(isa, &numbers, &mut to);
            assert!(f32::from_bits(to[0].0 << 16).is_nan(), "{isa:?}");
            assert_eq!(f32::from_bits(to[0].0 & 0xffff_0000), f32::INFINITY);
        }
    }
}
