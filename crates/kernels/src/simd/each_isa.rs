//! Macro that compiles a loop once for each instruction set.

/// Defines a function that takes an [`Isa`](crate::simd::Isa) and calls the compilation of `$body`
/// for it. There are three forms:
///
/// - plain: a safe function, whose loops the compiler turns into vectors by itself;
/// - `of lanes`: a function that is safe wherever the processor has the instruction set of its
///   first generic argument, a [`Lanes`](crate::simd::Lanes); the generic arguments in brackets
///   follow;
/// - `of pairs`: as `of lanes`, with lanes over pairs of bf16.
macro_rules! on_each_isa {
    ($name:ident = $body:ident($($argument:ident: $type:ty),*)) => {
        pub(crate) fn $name(isa: $crate::simd::Isa, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) {
                $body($($argument),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            fn avx512($($argument: $type),*) {
                $body($($argument),*);
            }
            match isa {
                $crate::simd::Isa::Portable => $body($($argument),*),
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Isa::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Isa::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
    ($name:ident = $body:ident of pairs $([$($more:tt),*])? ($($argument:ident: $type:ty),* $(,)?)) => {
        pub(crate) fn $name(isa: $crate::simd::Isa, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) {
                // SAFETY: this function has the instruction set.
                unsafe { $body::<$crate::simd::PortablePairs<8> $($(, $more)*)?>($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            fn avx512($($argument: $type),*) {
                // SAFETY: this function has the instruction set.
                unsafe { $body::<$crate::simd::PortablePairs<16> $($(, $more)*)?>($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bf16")]
            fn bf16($($argument: $type),*) {
                // SAFETY: this function has the instruction set.
                unsafe { $body::<$crate::simd::Avx512Pairs $($(, $more)*)?>($($argument),*) }
            }
            match isa {
                // SAFETY: every processor runs portable code.
                $crate::simd::Isa::Portable => unsafe {
                    $body::<$crate::simd::PortablePairs<4> $($(, $more)*)?>($($argument),*);
                },
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Isa::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: the instructions were detected by the guard.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Isa::Avx512 if $crate::simd::bf16::has_bf16() => unsafe {
                    bf16($($argument),*);
                },
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Isa::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
    ($name:ident = $body:ident of lanes $([$($more:tt),*])? ($($argument:ident: $type:ty),* $(,)?)) => {
        pub(crate) fn $name(isa: $crate::simd::Isa, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) {
                // SAFETY: this function has the instruction set.
                unsafe { $body::<$crate::simd::Avx2 $($(, $more)*)?>($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            fn avx512($($argument: $type),*) {
                // SAFETY: this function has the instruction set.
                unsafe { $body::<$crate::simd::Avx512 $($(, $more)*)?>($($argument),*) }
            }
            match isa {
                // SAFETY: every processor runs portable code.
                $crate::simd::Isa::Portable => unsafe {
                    $body::<$crate::simd::Portable $($(, $more)*)?>($($argument),*);
                },
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Isa::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Isa::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}
pub(crate) use on_each_isa;
