//! Vectors of each instruction set, behind one trait, and the choice among them at run time.

pub(crate) mod bf16;
pub(crate) mod each_isa;
pub(crate) mod precision;

use crate::ablation::{Part, has};
use crate::simd::bf16::{halves, pair};
use crate::simd::precision::Pair;

/// Lanes of the widest vector.
pub(crate) const WIDEST: usize = 16;

/// Vector registers of one instruction set: `f32` sums, and the elements whose products are summed.
///
/// Every method is inlined into a function compiled for the instruction set.
pub(crate) trait Lanes: Copy {
    /// Lanes of one vector.
    const WIDTH: usize;
    /// Rows of a register tile, which is two vectors wide: the accumulators fill the registers.
    const ROWS: usize;
    /// Factor of a product: one value, or several whose products are summed at once.
    type Element: Copy;
    /// Register of elements.
    type Elements: Copy;
    /// Register of sums.
    type Vector: Copy;

    /// Loads a vector of elements.
    /// # Safety
    /// `from` is readable for `WIDTH` elements; the processor has the instruction set.
    unsafe fn load_elements(from: *const Self::Element) -> Self::Elements;
    /// Copies an element to all lanes.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn splat(element: Self::Element) -> Self::Elements;
    /// Returns `a * b + c`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn multiply_add(a: Self::Elements, b: Self::Elements, c: Self::Vector) -> Self::Vector;
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn zero() -> Self::Vector;
    /// # Safety
    /// `from` is readable for `WIDTH` sums; the processor has the instruction set.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// # Safety
    /// `to` is writable for `WIDTH` sums; the processor has the instruction set.
    unsafe fn store(to: *mut f32, sums: Self::Vector);
    /// Returns `a + b`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns `a - b`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn subtract(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns `a + by * b`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn add_scaled(a: Self::Vector, by: f32, b: Self::Vector) -> Self::Vector;
    /// Returns `a` where `x > 0`, else zero.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn where_positive(x: Self::Vector, a: Self::Vector) -> Self::Vector;

    /// Loads the first `count` lanes from `a`, and the others from `b`, each lane at its own index.
    /// # Safety
    /// `a` is readable for `count` values; `b` is readable from index `count` up to `WIDTH`; the
    /// processor has the instruction set.
    #[inline(always)]
    unsafe fn load_joined(a: *const f32, b: *const f32, count: usize) -> Self::Vector {
        let mut numbers = [0.0; WIDEST];
        // SAFETY: as the caller promises.
        unsafe {
            for (lane, number) in numbers[..Self::WIDTH].iter_mut().enumerate() {
                let from = if lane < count { a } else { b };
                *number = from.wrapping_add(lane).read();
            }
            Self::load(numbers.as_ptr())
        }
    }

    /// Loads the values of `WIDTH / 2` pairs, in order.
    /// # Safety
    /// `from` is readable for `WIDTH / 2` pairs; the processor has the instruction set.
    #[inline(always)]
    unsafe fn load_pairs(from: *const Pair) -> Self::Vector {
        let mut numbers = [[0.0; 2]; WIDEST / 2];
        // SAFETY: as the caller promises.
        unsafe {
            for (lane, numbers) in numbers[..Self::WIDTH / 2].iter_mut().enumerate() {
                *numbers = halves(from.add(lane).read_unaligned());
            }
            Self::load(numbers.as_flattened().as_ptr())
        }
    }

    /// Rounds to bf16 and stores each two neighbors as a pair.
    /// # Safety
    /// `to` is writable for `WIDTH / 2` pairs; the processor has the instruction set.
    #[inline(always)]
    unsafe fn store_pairs(to: *mut Pair, sums: Self::Vector) {
        let mut numbers = [[0.0; 2]; WIDEST / 2];
        // SAFETY: as the caller promises.
        unsafe {
            Self::store(numbers.as_flattened_mut().as_mut_ptr(), sums);
            for (lane, &[low, high]) in numbers[..Self::WIDTH / 2].iter().enumerate() {
                to.add(lane).write_unaligned(pair(low, high));
            }
        }
    }

    /// Rounds to bf16 and stores each lane of `a` and `b` as a pair.
    /// # Safety
    /// `to` is writable for `WIDTH` pairs; the processor has the instruction set.
    #[inline(always)]
    unsafe fn store_joined(to: *mut Pair, a: Self::Vector, b: Self::Vector) {
        let mut numbers = [[0.0; WIDEST]; 2];
        // SAFETY: as the caller promises.
        unsafe {
            Self::store(numbers[0].as_mut_ptr(), a);
            Self::store(numbers[1].as_mut_ptr(), b);
            let [a, b] = numbers;
            for (lane, (&a, &b)) in a.iter().zip(&b).take(Self::WIDTH).enumerate() {
                to.add(lane).write_unaligned(pair(a, b));
            }
        }
    }
}

/// Vectors in plain arithmetic, which compilers turn into the vectors that every target has.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// Vectors of `WIDTH` lanes in plain arithmetic over pairs of bf16.
#[derive(Clone, Copy)]
pub(crate) struct PortablePairs<const WIDTH: usize>;

macro_rules! portable {
    ([$($generic:tt)*] $name:ty, $width:expr, $element:ty, $multiply_add:expr) => {
        impl<$($generic)*> Lanes for $name {
            const WIDTH: usize = $width;
            const ROWS: usize = 4;
            type Element = $element;
            type Elements = [$element; $width];
            type Vector = [f32; $width];

            #[inline(always)]
            unsafe fn load_elements(from: *const $element) -> Self::Elements {
                // SAFETY: readable for that many, as the caller promises; no alignment is assumed.
                unsafe { from.cast::<[$element; $width]>().read_unaligned() }
            }
            #[inline(always)]
            unsafe fn splat(element: $element) -> Self::Elements {
                [element; $width]
            }
            #[inline(always)]
            unsafe fn multiply_add(a: Self::Elements, b: Self::Elements, c: Self::Vector) -> Self::Vector {
                std::array::from_fn(|lane| $multiply_add(a[lane], b[lane], c[lane]))
            }
            #[inline(always)]
            unsafe fn zero() -> Self::Vector {
                [0.0; $width]
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self::Vector {
                // SAFETY: readable for that many, as the caller promises; no alignment is assumed.
                unsafe { from.cast::<[f32; $width]>().read_unaligned() }
            }
            #[inline(always)]
            unsafe fn store(to: *mut f32, sums: Self::Vector) {
                // SAFETY: writable for that many, as the caller promises; no alignment is assumed.
                unsafe { to.cast::<[f32; $width]>().write_unaligned(sums) }
            }
            #[inline(always)]
            unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                std::array::from_fn(|lane| a[lane] + b[lane])
            }
            #[inline(always)]
            unsafe fn subtract(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                std::array::from_fn(|lane| a[lane] - b[lane])
            }
            #[inline(always)]
            unsafe fn add_scaled(a: Self::Vector, by: f32, b: Self::Vector) -> Self::Vector {
                std::array::from_fn(|lane| a[lane] + by * b[lane])
            }
            #[inline(always)]
            unsafe fn where_positive(x: Self::Vector, a: Self::Vector) -> Self::Vector {
                std::array::from_fn(|lane| if x[lane] > 0.0 { a[lane] } else { 0.0 })
            }
        }
    };
}
// Not `mul_add`: without the instruction it is a call into the C library.
portable!([] Portable, 4, f32, |a: f32, b: f32, c: f32| a * b + c);
portable!(
    [const WIDTH: usize] PortablePairs<WIDTH>, WIDTH, Pair,
    |a: Pair, b: Pair, c: f32| {
        let ([a, high_a], [b, high_b]) = (halves(a), halves(b));
        a * b + (high_a * high_b + c)
    }
);

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Avx512Pairs};

#[cfg(target_arch = "x86_64")]
mod x86;

/// Instruction set that this processor was found to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isa {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// Returns this processor's widest instruction set.
    pub(crate) fn detect() -> Self {
        let all = Self::available();
        let is_used = |isa: &&Self| has(Part::Avx512) || isa.width() < WIDEST;
        *all.iter().rfind(is_used).unwrap_or(&Self::Portable)
    }

    /// Returns this processor's instruction sets, the narrowest first.
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

    /// Columns of a register tile, two vectors; packed matrices are padded to it.
    pub(crate) fn columns(self) -> usize {
        2 * self.width()
    }

    /// Lanes of a vector.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Portable => Portable::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::WIDTH,
        }
    }
}
