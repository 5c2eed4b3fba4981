//! Normalization and ReLU in vectors of sixteen (AVX-512), for channels that fill them. The results
//! equal those of the plain loops bit for bit, in less time. Compilers handle short rows badly.
//!
//! A sum over a row ends with adding up the lanes of a vector, most of which then idle. Here the
//! lanes of sixteen rows are added up at once.

use std::arch::x86_64::{
    __m512, _CMP_GT_OQ, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_div_ps, _mm512_loadu_ps,
    _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_mul_ps, _mm512_permutexvar_ps, _mm512_set1_ps,
    _mm512_setr_epi32, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_shuffle_ps, _mm512_sqrt_ps,
    _mm512_storeu_ps, _mm512_sub_ps,
};

use super::{Affine, TOGETHER};

/// Lanes of a vector.
const LANES: usize = 16;
// The sums of the rows of a block are the lanes of one vector.
const _: () = assert!(TOGETHER == LANES);

/// Whether rows of `channels` channels are whole vectors.
pub(super) fn fits(channels: usize) -> bool {
    channels.is_multiple_of(LANES)
}

/// Computes `forward_relu` of the plain loops; the channels [fit](fits).
#[target_feature(enable = "avx512f")]
pub(super) fn forward(input: &[f32], affine: Affine<'_>, out: &mut [f32]) {
    let channels = affine.gamma.len();
    let each_row = input
        .chunks_exact(channels)
        .zip(out.chunks_exact_mut(channels));
    for ((row, out), &[mean, scale]) in each_row.zip(affine.moments) {
        let (mean, scale) = spread([mean, scale]);
        for (at, to) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let normal = _mm512_mul_ps(_mm512_sub_ps(vector(row, at), mean), scale);
            let scaled = _mm512_mul_ps(normal, vector(affine.gamma, at));
            let value = _mm512_add_ps(scaled, vector(affine.beta, at));
            // For NaN `max` returns its second operand, zero, as the plain loop does.
            store(to, _mm512_max_ps(value, _mm512_setzero_ps()));
        }
    }
}

/// Computes `backward_relu` of the plain loops; the channels [fit](fits).
#[target_feature(enable = "avx512f")]
pub(super) fn backward(input: &[f32], affine: Affine<'_>, gradient: &mut [f32], sums: &mut [f32]) {
    let channels = affine.gamma.len();
    let share = _mm512_set1_ps(1.0 / channels as f32);
    let block = TOGETHER * channels;
    let blocks = input.chunks(block).zip(gradient.chunks_mut(block));
    let mut of_rows = [[_mm512_setzero_ps(); TOGETHER]; 2];
    for ((rows, to_input), moments) in blocks.zip(affine.moments.chunks(TOGETHER)) {
        for at in 0..channels / LANES {
            backward_column(rows, affine, moments, at, to_input, sums, &mut of_rows);
        }
        let plain = array(_mm512_mul_ps(across(of_rows[0]), share));
        let along = array(_mm512_mul_ps(across(of_rows[1]), share));
        let each_row = to_input
            .chunks_exact_mut(channels)
            .zip(rows.chunks_exact(channels));
        for (place, (to_input, row)) in each_row.enumerate() {
            let (mean, scale) = spread(moments[place]);
            let (plain, along) = spread([plain[place], along[place]]);
            for (at, to) in to_input.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let normal = _mm512_mul_ps(_mm512_sub_ps(vector(row, at), mean), scale);
                let rest = _mm512_sub_ps(load(to), plain);
                let rest = _mm512_sub_ps(rest, _mm512_mul_ps(normal, along));
                store(to, _mm512_mul_ps(scale, rest));
            }
        }
    }
}

/// Replaces the gradient of one vector of channels of at most sixteen rows by its product with
/// gamma, where it passes the ReLU.
///
/// The product is added to the sums of its row, `plain` and `along` the normalized values; the
/// first column begins them. The loop goes down a column, so that sums over rows stay in registers.
/// Through memory each would wait for the one before.
#[inline]
#[target_feature(enable = "avx512f")]
fn backward_column(
    rows: &[f32],
    affine: Affine<'_>,
    moments: &[[f32; 2]],
    at: usize,
    gradient: &mut [f32],
    sums: &mut [f32],
    [plain, along]: &mut [[__m512; TOGETHER]; 2],
) {
    let channels = affine.gamma.len();
    let (gamma, beta) = (vector(affine.gamma, at), vector(affine.beta, at));
    let (to_gamma, to_beta) = sums.split_at_mut(channels);
    let [to_gamma, to_beta] =
        [to_gamma, to_beta].map(|sums| &mut sums.as_chunks_mut::<LANES>().0[at]);
    let (mut of_gamma, mut of_beta) = (load(to_gamma), load(to_beta));
    let each_row = rows
        .chunks_exact(channels)
        .zip(gradient.chunks_exact_mut(channels));
    let each_sum = plain.iter_mut().zip(along);
    for (((row, gradient), moments), (plain, along)) in each_row.zip(moments).zip(each_sum) {
        let (mean, scale) = spread(*moments);
        let normal = _mm512_mul_ps(_mm512_sub_ps(vector(row, at), mean), scale);
        let value = _mm512_add_ps(_mm512_mul_ps(normal, gamma), beta);
        let to = &mut gradient.as_chunks_mut::<LANES>().0[at];
        // Chosen, not multiplied: nothing must pass where an infinite gradient arrives at a zero.
        let is_passed = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(value, _mm512_setzero_ps());
        let passed = _mm512_maskz_mov_ps(is_passed, load(to));
        of_gamma = _mm512_add_ps(of_gamma, _mm512_mul_ps(passed, normal));
        of_beta = _mm512_add_ps(of_beta, passed);
        let passed = _mm512_mul_ps(passed, gamma);
        let [before, before_along] = if at == 0 {
            [_mm512_setzero_ps(); 2]
        } else {
            [*plain, *along]
        };
        *plain = _mm512_add_ps(before, passed);
        *along = _mm512_add_ps(before_along, _mm512_mul_ps(passed, normal));
        store(to, passed);
    }
    store(to_gamma, of_gamma);
    store(to_beta, of_beta);
}

/// Computes `moments` of the plain loops; the channels [fit](fits).
#[target_feature(enable = "avx512f")]
pub(super) fn measure(input: &[f32], epsilon: f32, to: &mut [[f32; 2]]) {
    let channels = input.len() / to.len().max(1);
    let rows = input.chunks((TOGETHER * channels).max(1));
    for (rows, to) in rows.zip(to.chunks_mut(TOGETHER)) {
        let (means, scales) = moments(rows, channels, epsilon);
        for (to, moments) in to.iter_mut().zip(means.into_iter().zip(scales)) {
            *to = moments.into();
        }
    }
}

/// Returns the mean, and one over the deviation, of each row of at most sixteen.
#[inline]
#[target_feature(enable = "avx512f")]
fn moments(rows: &[f32], channels: usize, epsilon: f32) -> ([f32; LANES], [f32; LANES]) {
    let share = _mm512_set1_ps(1.0 / channels as f32);
    let mut sums = [_mm512_setzero_ps(); TOGETHER];
    for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(channels)) {
        let mut own = _mm512_setzero_ps();
        for numbers in row.as_chunks::<LANES>().0 {
            own = _mm512_add_ps(own, load(numbers));
        }
        *sum = own;
    }
    let means = array(_mm512_mul_ps(across(sums), share));
    let mut squares = [_mm512_setzero_ps(); TOGETHER];
    let each_row = rows.chunks_exact(channels).zip(means);
    for (square, (row, mean)) in squares.iter_mut().zip(each_row) {
        let mean = _mm512_set1_ps(mean);
        let mut own = _mm512_setzero_ps();
        for numbers in row.as_chunks::<LANES>().0 {
            let centered = _mm512_sub_ps(load(numbers), mean);
            own = _mm512_add_ps(own, _mm512_mul_ps(centered, centered));
        }
        *square = own;
    }
    let variances = _mm512_mul_ps(across(squares), share);
    let deviations = _mm512_sqrt_ps(_mm512_add_ps(variances, _mm512_set1_ps(epsilon)));
    (means, array(_mm512_div_ps(_mm512_set1_ps(1.0), deviations)))
}

/// Sums the lanes of each row, halves onto halves: 15 additions of vectors for all.
#[inline]
#[target_feature(enable = "avx512f")]
fn across(rows: [__m512; TOGETHER]) -> __m512 {
    /// Adds halves of every two vectors, taken by two shuffles of one kind.
    macro_rules! folded {
        ($shuffle:ident, $low:literal, $high:literal, $from:ident, $half:literal) => {{
            let mut to = [_mm512_setzero_ps(); $half];
            for place in 0..$half {
                let (a, b) = ($from[place], $from[place + $half]);
                to[place] = _mm512_add_ps($shuffle::<$low>(a, b), $shuffle::<$high>(a, b));
            }
            to
        }};
    }
    let eights = folded!(_mm512_shuffle_f32x4, 0b01_00_01_00, 0b11_10_11_10, rows, 8);
    let fours = folded!(
        _mm512_shuffle_f32x4,
        0b10_00_10_00,
        0b11_01_11_01,
        eights,
        4
    );
    let twos = folded!(_mm512_shuffle_ps, 0b01_00_01_00, 0b11_10_11_10, fours, 2);
    let ones = folded!(_mm512_shuffle_ps, 0b10_00_10_00, 0b11_01_11_01, twos, 1);
    // The shuffles left the rows in this order.
    let order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
    _mm512_permutexvar_ps(order, ones[0])
}

/// Copies two values to all lanes of two vectors. (Closures over vectors are compiled for no
/// instruction set, and called.)
#[inline]
#[target_feature(enable = "avx512f")]
fn spread([a, b]: [f32; 2]) -> (__m512, __m512) {
    (_mm512_set1_ps(a), _mm512_set1_ps(b))
}

/// Loads one vector of a row.
#[inline]
#[target_feature(enable = "avx512f")]
fn vector(row: &[f32], at: usize) -> __m512 {
    load(&row.as_chunks::<LANES>().0[at])
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(from: &[f32; LANES]) -> __m512 {
    // SAFETY: as many values as a vector has are read; no alignment is assumed.
    unsafe { _mm512_loadu_ps(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(to: &mut [f32; LANES], values: __m512) {
    // SAFETY: as many values as a vector has are written; no alignment is assumed.
    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), values) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn array(values: __m512) -> [f32; LANES] {
    let mut to = [0.0; LANES];
    store(&mut to, values);
    to
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use crate::nn::norm::{
        Affine, measure, measure_plainly, normalize, normalize_gradient,
        normalize_gradient_plainly, normalize_plainly,
    };
    use crate::simd::Isa;

    #[test]
    fn the_numbers_are_those_of_the_plain_loops() {
        let Some(&isa) = Isa::available().iter().find(|isa| **isa == Isa::Avx512) else {
            return;
        };
        for seed in 0..60 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let channels = 16 * random.random_range(1..6);
            let rows = random.random_range(0..50);
            let mut numbers = |count: usize| -> Vec<f32> {
                (0..count).map(|_| random.random_range(-2.0..2.0)).collect()
            };
            let (gamma, beta) = (numbers(channels), numbers(channels));
            let (input, mut gradient) = (numbers(rows * channels), numbers(rows * channels));
            let sums = numbers(2 * channels);
            let (mut moments, mut plain) = (vec![7.0; 2 * rows], vec![7.0; 2 * rows]);
            measure(isa, &input, 1e-5, &mut moments);
            measure_plainly(isa, &input, 1e-5, plain.as_chunks_mut().0);
            let affine = Affine::new(&gamma, &beta, &moments);
            if let Some(last) = gradient.last_mut() {
                *last = f32::INFINITY;
            }
            let bits = |numbers: &[f32]| -> Vec<u32> {
                // NaN has many bit patterns; all are taken for one.
                let number = |x: &f32| if x.is_nan() { f32::NAN } else { *x };
                numbers.iter().map(|x| number(x).to_bits()).collect()
            };
            let run =
                |forward: fn(Isa, &[f32], Affine<'_>, &mut [f32]),
                 backward: fn(Isa, &[f32], Affine<'_>, &mut [f32], &mut [f32])| {
                    let (mut out, mut gradient, mut sums) =
                        (vec![7.0; input.len()], gradient.clone(), sums.clone());
                    forward(isa, &input, affine, &mut out);
                    backward(isa, &input, affine, &mut gradient, &mut sums);
                    [bits(&out), bits(&gradient), bits(&sums)]
                };
            assert_eq!(
                bits(&moments),
                bits(&plain),
                "seed {seed}: {rows} rows of {channels}"
            );
            assert_eq!(
                run(normalize, normalize_gradient),
                run(normalize_plainly, normalize_gradient_plainly),
                "seed {seed}: {rows} rows of {channels}"
            );
        }
    }
}
