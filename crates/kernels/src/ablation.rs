//! Parts of the kernels that the benchmark `ablation` leaves out, one at a time.
//!
//! Without the feature `ablation`, which only the benchmarks turn on, [`has`] is a constant: the
//! program has no switch, and the compiler removes what would run without a part.

/// Part that can be left out. Something slower, with equal results up to rounding, replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Winograd for 3x3 convolutions of stride 1; without it they are computed directly.
    Winograd,
    /// Strided Winograd; without it strided convolutions are computed directly.
    StridedWinograd,
    /// Normalization while a convolution reads its input; without it in a pass before.
    FusedPrologue,
    /// Blocks of few images that go through all layers; without them whole parts of the batch do.
    ImageBlocks,
    /// Kernel of normalization and activation; without it Burn's operations.
    NormActivate,
    /// Dense layers; without them Burn's matrix product.
    DenseLayers,
    /// Orthogonal matrices and MaxMin networks; without them Burn's operations.
    BoundedNetworks,
    /// Adam, and norms of gradients; without it Burn's.
    Adam,
    /// Large pages; without them small ones.
    LargePages,
    /// Reuse of the memory of dropped buffers; without it the system clears new memory.
    SpareBuffers,
    /// Memory that the allocator keeps; see [`keep_freed_memory`](crate::keep_freed_memory). What
    /// is kept stays for as long as the process lives: it needs a process of its own.
    FreedMemory,
    /// AVX-512; without it AVX2.
    Avx512,
}

/// Returns whether a part is used: always.
#[cfg(not(feature = "ablation"))]
#[must_use]
pub const fn has(_: Part) -> bool {
    true
}

#[cfg(feature = "ablation")]
pub use switches::{has, leave_out};

#[cfg(feature = "ablation")]
mod switches {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Part;

    /// Parts that are left out, one bit each.
    ///
    /// A static, because a value would have to be passed through every layer of the model down to
    /// every kernel, and would then be part of the normal program. Tests run with all parts, and
    /// never set it.
    static LEFT_OUT: AtomicU32 = AtomicU32::new(0);

    /// Leaves these parts out from now on, and no others. Call it between steps: the forward and
    /// the backward pass of a step must agree.
    pub fn leave_out(parts: &[Part]) {
        let bits = parts.iter().fold(0, |bits, &part| bits | bit(part));
        LEFT_OUT.store(bits, Ordering::SeqCst);
        // Memory of one kind must not serve another.
        crate::forget_spare_buffers();
    }

    /// Returns whether a part is used.
    #[must_use]
    pub fn has(part: Part) -> bool {
        LEFT_OUT.load(Ordering::Relaxed) & bit(part) == 0
    }

    fn bit(part: Part) -> u32 {
        1 << part as u32
    }
}
