//! CPU kernels of the encoders: stacks of 2-D convolutions over frames, dense layers, MaxMin
//! networks, normalization with ReLU or Mish, orthogonal matrices, the gradients of all of them,
//! and Adam. Plain slices go in and come out.
//!
//! Images are channels-last, `[batch, height, width, channel]`, in C order. Weights are
//! `[out, in, kernel_height, kernel_width]`, as PyTorch stores them. Values are `f32`; the factors
//! of products may be rounded to bf16, see [`Precision`].
//!
//! Two register-blocked loops (`gemm::microkernel`) compute all matrix products. They are generic
//! over a trait (`simd`) and compiled for AVX-512, for AVX2 with FMA, and portably. The widest
//! instruction set of the processor is chosen at run time. Images are copied a few at a time into a
//! zero-padded scratch that fits the second-level cache. There every tap of a kernel row is one
//! contiguous run: no `im2col`. Most 3x3 convolutions of stride 1 (`conv::winograd`) and, in f32,
//! most strided ones (`conv::strided`) take fewer products.
//!
//! The threads of the current rayon pool share the work. Results do not depend on their number, bit
//! for bit. They may differ in the last bits between processors, because the instruction sets round
//! differently.

// `unsafe` is for raw loads and stores in inner loops whose bounds were checked before, and for
// memory in cache lines and large pages, seen as values (`memory`).
#![allow(unsafe_code)]

#[doc(hidden)]
pub mod ablation;
mod conv;
mod gemm;
mod memory;
mod nn;
mod parallel;
#[cfg(test)]
mod reference;
mod shape;
mod simd;

pub use conv::stack::{ConvLayer, ConvStack, Prologue, SavedActivations};
pub use memory::buffer::{forget_spare_buffers, keep_freed_memory};
pub use nn::adam::{AdamStep, adam, sum_of_squares};
pub use nn::dense::{Dense, DenseGradients};
pub use nn::maxmin::{MaxMinGradients, MaxMinNetworks, MaxMinParameters};
pub use nn::norm::{Activation, NormGradients, norm_activate, norm_activate_gradient};
pub use nn::orthogonal::Orthogonal;
pub use nn::weighted_rows::weighted_rows;
pub use shape::{ConvShape, KernelError};
pub use simd::precision::Precision;
