//! Vectors of AVX2, AVX-512 and AVX512-BF16.

use std::arch::x86_64::{
    __m256, __m512, __m512bh, __m512i, _CMP_GT_OQ, _mm256_add_ps, _mm256_and_ps, _mm256_cmp_ps,
    _mm256_cmpgt_epi32, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_ps,
    _mm256_or_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32, _mm256_setzero_ps,
    _mm256_storeu_ps, _mm256_storeu_si256, _mm256_sub_ps, _mm256_xor_si256, _mm512_add_ps,
    _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_cvtepu16_epi32, _mm512_dpbf16_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_loadu_ps,
    _mm512_maskz_loadu_ps, _mm512_maskz_mov_ps, _mm512_or_si512, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_slli_epi32, _mm512_storeu_ps, _mm512_storeu_si512, _mm512_sub_ps,
};

use super::Lanes;
use crate::simd::bf16::rounded;
use crate::simd::precision::Pair;

/// Vectors of AVX2, eight lanes: 12 of the 16 registers accumulate.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;
/// Vectors of AVX-512, sixteen lanes: 16 of the 32 registers accumulate, which hides the latency of
/// the additions. More rows would run out of registers for their addresses.
#[derive(Clone, Copy)]
pub(crate) struct Avx512;
/// Vectors of AVX512-BF16, sixteen lanes over pairs of bf16.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Pairs;

// Implements [`Lanes`] by the given intrinsics.
macro_rules! lanes {
    ($name:ident, $width:literal, $rows:literal, $element:ty, $elements:ty, $sums:ty,
     $load_elements:expr, $splat:expr, $multiply_add:expr,
     $zero:ident, $load:ident, $store:ident, $add:ident, $subtract:ident, $add_scaled:expr, $where_positive:expr $(, $more:item)*) => {
        impl Lanes for $name {
            const WIDTH: usize = $width;
            const ROWS: usize = $rows;
            type Element = $element;
            type Elements = $elements;
            type Vector = $sums;

            #[inline(always)]
            unsafe fn load_elements(from: *const $element) -> $elements {
                // SAFETY: readable and supported, as the caller promises.
                unsafe { $load_elements(from) }
            }
            #[inline(always)]
            unsafe fn splat(element: $element) -> $elements {
                // SAFETY: supported, as the caller promises.
                unsafe { $splat(element) }
            }
            #[inline(always)]
            unsafe fn multiply_add(a: $elements, b: $elements, c: $sums) -> $sums {
                // SAFETY: supported, as the caller promises.
                unsafe { $multiply_add(a, b, c) }
            }
            #[inline(always)]
            unsafe fn zero() -> $sums {
                // SAFETY: supported, as the caller promises.
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> $sums {
                // SAFETY: readable and supported, as the caller promises.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(to: *mut f32, sums: $sums) {
                // SAFETY: writable and supported, as the caller promises.
                unsafe { $store(to, sums) }
            }
            #[inline(always)]
            unsafe fn add(a: $sums, b: $sums) -> $sums {
                // SAFETY: supported, as the caller promises.
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn subtract(a: $sums, b: $sums) -> $sums {
                // SAFETY: supported, as the caller promises.
                unsafe { $subtract(a, b) }
            }
            #[inline(always)]
            unsafe fn add_scaled(a: $sums, by: f32, b: $sums) -> $sums {
                // SAFETY: supported, as the caller promises.
                unsafe { $add_scaled(a, by, b) }
            }
            #[inline(always)]
            unsafe fn where_positive(x: $sums, a: $sums) -> $sums {
                // SAFETY: supported, as the caller promises.
                unsafe { $where_positive(x, a) }
            }
            $($more)*
        }
    };
}

lanes!(
    Avx2,
    8,
    6,
    f32,
    __m256,
    __m256,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    |a, by, b| _mm256_fmadd_ps(_mm256_set1_ps(by), b, a),
    |x, a| _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps()), a),
    #[inline(always)]
    unsafe fn load_joined(a: *const f32, b: *const f32, count: usize) -> __m256 {
        // SAFETY: readable and supported, as the caller promises; other lanes are not touched.
        unsafe {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let first = _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes);
            let others = _mm256_xor_si256(first, _mm256_set1_epi32(-1));
            _mm256_or_ps(_mm256_maskload_ps(a, first), _mm256_maskload_ps(b, others))
        }
    }
);

/// Implements [`Lanes`] with sixteen lanes of sums over any elements.
macro_rules! lanes_of_512_bits {
    ($name:ident, $element:ty, $elements:ty, $load_elements:expr, $splat:expr, $multiply_add:expr $(, $more:item)*) => {
        lanes!(
            $name,
            16,
            8,
            $element,
            $elements,
            __m512,
            $load_elements,
            $splat,
            $multiply_add,
            _mm512_setzero_ps,
            _mm512_loadu_ps,
            _mm512_storeu_ps,
            _mm512_add_ps,
            _mm512_sub_ps,
            |a, by, b| _mm512_fmadd_ps(_mm512_set1_ps(by), b, a),
            |x, a| _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps()), a)
            $(, $more)*
        );
    };
}

lanes_of_512_bits!(
    Avx512,
    f32,
    __m512,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    #[inline(always)]
    unsafe fn load_joined(a: *const f32, b: *const f32, count: usize) -> __m512 {
        // SAFETY: readable and supported, as the caller promises; other lanes are not touched.
        unsafe {
            let first = ((1u32 << count) - 1) as u16;
            _mm512_mask_loadu_ps(_mm512_maskz_loadu_ps(!first, b), first, a)
        }
    }
);
lanes_of_512_bits!(
    Avx512Pairs,
    Pair,
    __m512i,
    |from: *const Pair| _mm512_loadu_si512(from.cast()),
    |pair: Pair| _mm512_set1_epi32(pair.0.cast_signed()),
    |a, b, c| _mm512_dpbf16_ps(c, bits(a), bits(b)),
    #[inline(always)]
    unsafe fn load_pairs(from: *const Pair) -> __m512 {
        // SAFETY: readable and supported, as the caller promises.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    },
    #[inline(always)]
    unsafe fn store_pairs(to: *mut Pair, sums: __m512) {
        // SAFETY: writable and supported, as the caller promises.
        unsafe { _mm256_storeu_si256(to.cast(), rounded(sums)) }
    },
    #[inline(always)]
    unsafe fn store_joined(to: *mut Pair, a: __m512, b: __m512) {
        // SAFETY: writable and supported, as the caller promises.
        unsafe {
            let [a, b] = [a, b].map(|sums| _mm512_cvtepu16_epi32(rounded(sums)));
            let joined = _mm512_or_si512(a, _mm512_slli_epi32::<16>(b));
            _mm512_storeu_si512(to.cast(), joined);
        }
    }
);

/// Views a register as bf16 values.
#[inline(always)]
fn bits(register: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits of plain values.
    unsafe { std::mem::transmute(register) }
}
