//! One vector of `f32` lanes on each instruction set, and the choice among them at run time.

/// Lanes of the widest vector there is.
pub(crate) const WIDEST: usize = 16;

/// A vector register of `f32`.
///
/// Every method is inlined into a function compiled for the instruction set, see [`with_lanes`].
pub(crate) trait Lanes: Copy {
    /// Lanes of one vector.
    const WIDTH: usize;
    /// Rows of a register tile, which is two vectors wide: the accumulators fill the registers.
    const ROWS: usize;
    /// The register.
    type Vector: Copy;

    /// # Safety
    /// `from` is readable for `WIDTH` elements; the processor has the instruction set.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// # Safety
    /// `to` is writable for `WIDTH` elements; the processor has the instruction set.
    unsafe fn store(to: *mut f32, vector: Self::Vector);
    /// All lanes the same.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn splat(value: f32) -> Self::Vector;
    /// `a * b + c`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a + b`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
}

/// Four lanes of plain arithmetic, which compilers turn into the vectors every target has.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Lanes for Portable {
    const WIDTH: usize = 4;
    const ROWS: usize = 4;
    type Vector = [f32; 4];

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: readable for four elements, as the caller promises; no alignment is assumed.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: [f32; 4]) {
        // SAFETY: writable for four elements, as the caller promises; no alignment is assumed.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(vector) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; 4] {
        [value; 4]
    }
    #[inline(always)]
    unsafe fn multiply_add(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        // Not `mul_add`: without the instruction it is a call into the C library.
        [
            a[0] * b[0] + c[0],
            a[1] * b[1] + c[1],
            a[2] * b[2] + c[2],
            a[3] * b[3] + c[3],
        ]
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps,
        _mm256_storeu_ps, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps,
        _mm512_storeu_ps,
    };

    use super::Lanes;

    /// Eight lanes: 12 of the 16 registers accumulate.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2;
    /// Sixteen lanes: 16 of the 32 registers accumulate, which hides the latency of the additions;
    /// more rows would run out of registers for their addresses.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512;

    macro_rules! lanes {
        ($name:ident, $vector:ty, $width:literal, $rows:literal,
         $load:ident, $store:ident, $splat:ident, $multiply_add:ident, $add:ident) => {
            impl Lanes for $name {
                const WIDTH: usize = $width;
                const ROWS: usize = $rows;
                type Vector = $vector;

                #[inline(always)]
                unsafe fn load(from: *const f32) -> $vector {
                    // SAFETY: readable and supported, as the caller promises.
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(to: *mut f32, vector: $vector) {
                    // SAFETY: writable and supported, as the caller promises.
                    unsafe { $store(to, vector) }
                }
                #[inline(always)]
                unsafe fn splat(value: f32) -> $vector {
                    // SAFETY: supported, as the caller promises.
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                unsafe fn multiply_add(a: $vector, b: $vector, c: $vector) -> $vector {
                    // SAFETY: supported, as the caller promises.
                    unsafe { $multiply_add(a, b, c) }
                }
                #[inline(always)]
                unsafe fn add(a: $vector, b: $vector) -> $vector {
                    // SAFETY: supported, as the caller promises.
                    unsafe { $add(a, b) }
                }
            }
        };
    }
    lanes!(
        Avx2,
        __m256,
        8,
        6,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps
    );
    lanes!(
        Avx512,
        __m512,
        16,
        8,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps
    );
}

/// An instruction set this processor was found to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isa {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The widest instruction set of this processor.
    pub(crate) fn detect() -> Self {
        *Self::available().last().unwrap_or(&Self::Portable)
    }

    /// All of them, narrowest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut all = vec![Self::Portable];
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    all.push(Self::Avx512);
                }
            }
        }
        all
    }

    /// Columns of a register tile, two vectors: what packed matrices are padded to.
    pub(crate) fn columns(self) -> usize {
        2 * match self {
            Self::Portable => Portable::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::WIDTH,
        }
    }
}
