//! One vector of lanes on each instruction set, and the choice among them at run time.

use crate::bf16::{halves, pair};

/// Lanes of the widest vector there is.
pub(crate) const WIDEST: usize = 16;

/// Vector registers: `f32` sums, and the items whose products are summed.
///
/// Every method is inlined into a function compiled for the instruction set.
pub(crate) trait Lanes: Copy {
    /// Lanes of one vector.
    const WIDTH: usize;
    /// Rows of a register tile, which is two vectors wide: the accumulators fill the registers.
    const ROWS: usize;
    /// One factor of a product: a number, or several whose products are summed at once.
    type Item: Copy;
    /// A register of items.
    type Items: Copy;
    /// A register of sums.
    type Sums: Copy;

    /// # Safety
    /// `from` is readable for `WIDTH` items; the processor has the instruction set.
    unsafe fn load_items(from: *const Self::Item) -> Self::Items;
    /// All lanes the same.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn splat(item: Self::Item) -> Self::Items;
    /// `a * b + c`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn multiply_add(a: Self::Items, b: Self::Items, c: Self::Sums) -> Self::Sums;
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn zero() -> Self::Sums;
    /// # Safety
    /// `from` is readable for `WIDTH` sums; the processor has the instruction set.
    unsafe fn load(from: *const f32) -> Self::Sums;
    /// # Safety
    /// `to` is writable for `WIDTH` sums; the processor has the instruction set.
    unsafe fn store(to: *mut f32, sums: Self::Sums);
    /// `a + b`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn add(a: Self::Sums, b: Self::Sums) -> Self::Sums;
    /// `a - b`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn subtract(a: Self::Sums, b: Self::Sums) -> Self::Sums;
    /// `a + by * b`.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn add_scaled(a: Self::Sums, by: f32, b: Self::Sums) -> Self::Sums;
    /// `a` where `x > 0`, else zero.
    /// # Safety
    /// The processor has the instruction set.
    unsafe fn where_positive(x: Self::Sums, a: Self::Sums) -> Self::Sums;

    /// The first `count` lanes of `a`, and the others of `b`.
    /// # Safety
    /// `a` is readable for `count` sums; `b` behind as many, for those that are left; the processor has the
    /// instruction set.
    #[inline(always)]
    unsafe fn load_joined(a: *const f32, b: *const f32, count: usize) -> Self::Sums {
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

    /// The numbers of `WIDTH / 2` pairs, in order.
    /// # Safety
    /// `from` is readable for `WIDTH / 2` pairs; the processor has the instruction set.
    #[inline(always)]
    unsafe fn load_pairs(from: *const Pair) -> Self::Sums {
        let mut numbers = [[0.0; 2]; WIDEST / 2];
        // SAFETY: as the caller promises.
        unsafe {
            for (lane, numbers) in numbers[..Self::WIDTH / 2].iter_mut().enumerate() {
                *numbers = halves(from.add(lane).read_unaligned());
            }
            Self::load(numbers.as_flattened().as_ptr())
        }
    }

    /// Rounds to bf16, each two neighbours as a pair.
    /// # Safety
    /// `to` is writable for `WIDTH / 2` pairs; the processor has the instruction set.
    #[inline(always)]
    unsafe fn store_pairs(to: *mut Pair, sums: Self::Sums) {
        let mut numbers = [[0.0; 2]; WIDEST / 2];
        // SAFETY: as the caller promises.
        unsafe {
            Self::store(numbers.as_flattened_mut().as_mut_ptr(), sums);
            for (lane, &[low, high]) in numbers[..Self::WIDTH / 2].iter().enumerate() {
                to.add(lane).write_unaligned(pair(low, high));
            }
        }
    }

    /// Rounds to bf16, each lane of `a` and `b` as a pair.
    /// # Safety
    /// `to` is writable for `WIDTH` pairs; the processor has the instruction set.
    #[inline(always)]
    unsafe fn store_joined(to: *mut Pair, a: Self::Sums, b: Self::Sums) {
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

/// Two bf16 numbers, the first in the low half: a product of two pairs is the sum of two products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Pair(pub(crate) u32);

/// Lanes of plain arithmetic, which compilers turn into the vectors every target has.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// The same over pairs, `WIDTH` lanes.
#[derive(Clone, Copy)]
pub(crate) struct PortablePairs<const WIDTH: usize>;

macro_rules! portable {
    ([$($generic:tt)*] $name:ty, $width:expr, $item:ty, $multiply_add:expr) => {
        impl<$($generic)*> Lanes for $name {
            const WIDTH: usize = $width;
            const ROWS: usize = 4;
            type Item = $item;
            type Items = [$item; $width];
            type Sums = [f32; $width];

            #[inline(always)]
            unsafe fn load_items(from: *const $item) -> Self::Items {
                // SAFETY: readable for that many, as the caller promises; no alignment is assumed.
                unsafe { from.cast::<[$item; $width]>().read_unaligned() }
            }
            #[inline(always)]
            unsafe fn splat(item: $item) -> Self::Items {
                [item; $width]
            }
            #[inline(always)]
            unsafe fn multiply_add(a: Self::Items, b: Self::Items, c: Self::Sums) -> Self::Sums {
                std::array::from_fn(|lane| $multiply_add(a[lane], b[lane], c[lane]))
            }
            #[inline(always)]
            unsafe fn zero() -> Self::Sums {
                [0.0; $width]
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self::Sums {
                // SAFETY: as above.
                unsafe { from.cast::<[f32; $width]>().read_unaligned() }
            }
            #[inline(always)]
            unsafe fn store(to: *mut f32, sums: Self::Sums) {
                // SAFETY: writable for that many, as the caller promises; no alignment is assumed.
                unsafe { to.cast::<[f32; $width]>().write_unaligned(sums) }
            }
            #[inline(always)]
            unsafe fn add(a: Self::Sums, b: Self::Sums) -> Self::Sums {
                std::array::from_fn(|lane| a[lane] + b[lane])
            }
            #[inline(always)]
            unsafe fn subtract(a: Self::Sums, b: Self::Sums) -> Self::Sums {
                std::array::from_fn(|lane| a[lane] - b[lane])
            }
            #[inline(always)]
            unsafe fn add_scaled(a: Self::Sums, by: f32, b: Self::Sums) -> Self::Sums {
                std::array::from_fn(|lane| a[lane] + by * b[lane])
            }
            #[inline(always)]
            unsafe fn where_positive(x: Self::Sums, a: Self::Sums) -> Self::Sums {
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
