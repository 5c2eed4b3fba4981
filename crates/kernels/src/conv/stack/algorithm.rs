//! Choice of the fastest algorithm for a layer's convolution and its gradients, by shape.

use crate::conv::direct::data_gradient::DataGradient;
use crate::conv::direct::forward::{Forward, Windows};
use crate::conv::direct::weight_gradient::WeightGradient;
use crate::conv::padded::{Scratch, Source};
use crate::conv::stored::Stored;
use crate::conv::strided::{self, StridedWinograd, StridedWinogradWeightGradient};
use crate::conv::winograd::{self, Winograd, WinogradWeightGradient};
use crate::gemm::element::Element;
use crate::gemm::epilogue::Out;
use crate::gemm::microkernel::Accumulator;
use crate::memory::workspace::Workspace;
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Algorithm of the convolution.
pub(super) enum ForwardAlgorithm<I> {
    Direct(Windows, Forward<I>),
    Winograd(Winograd<I>),
    StridedWinograd(Box<StridedWinograd>),
}

/// Algorithm of the gradient with respect to weight and bias.
pub(super) enum WeightGradientAlgorithm<I> {
    Direct(Windows, WeightGradient),
    Winograd(WinogradWeightGradient<I>),
    StridedWinograd(Box<StridedWinogradWeightGradient>),
}

/// Algorithm of the gradient with respect to the input.
pub(super) enum InputGradientAlgorithm<I> {
    Direct(DataGradient<I>),
    Winograd(Winograd<I>),
    StridedWinograd(Box<StridedWinograd>),
}

/// Whether a convolution and its gradients multiply their inputs untransformed.
pub(super) fn are_direct<I: Element>(shape: &ConvShape) -> bool {
    !winograd::pays::<I>(shape) && !strided::pays::<I>(shape) && !strided::pays_back::<I>(shape)
}

impl<I: Element> ForwardAlgorithm<I> {
    /// Chooses the algorithm, for up to `images` images in one call.
    pub(super) fn new(
        isa: Isa,
        shape: &ConvShape,
        weight: &[f32],
        bias: &[f32],
        images: usize,
    ) -> Self {
        if winograd::pays::<I>(shape) {
            return Self::Winograd(Winograd::new(isa, shape, weight, bias, images));
        }
        if strided::pays::<I>(shape) {
            return Self::StridedWinograd(Box::new(StridedWinograd::new(
                isa, shape, weight, bias, images,
            )));
        }
        let windows = Windows::over_channels::<I>(shape, images);
        let forward = Forward::new(isa, shape, &windows, weight, bias);
        Self::Direct(windows, forward)
    }

    pub(super) fn scratch(&self) -> Scratch<I> {
        match self {
            Self::Direct(windows, _) => windows.scratch(),
            Self::Winograd(_) | Self::StridedWinograd(_) => Scratch::default(),
        }
    }

    /// Convolves `input` and overwrites `out`.
    pub(super) fn run(
        &self,
        isa: Isa,
        input: Source<'_>,
        out: Out<'_>,
        scratch: &mut Scratch<I>,
        workspace: &mut Workspace,
    ) {
        match self {
            Self::Direct(windows, forward) => {
                forward.run(isa, windows, input, out, scratch);
            }
            Self::Winograd(winograd) => {
                let (epilogue, out) = out.values();
                winograd.run(isa, input, epilogue, out, workspace);
            }
            Self::StridedWinograd(strided) => {
                let (epilogue, out) = out.values();
                strided.run(isa, input, epilogue, out, workspace);
            }
        }
    }
}

impl<I: Element> WeightGradientAlgorithm<I> {
    /// Chooses the algorithm, for up to `images` images in one call.
    pub(super) fn new(isa: Isa, shape: &ConvShape, images: usize) -> Self {
        if winograd::pays::<I>(shape) {
            return Self::Winograd(WinogradWeightGradient::new(isa, shape, images));
        }
        if strided::pays::<I>(shape) {
            return Self::StridedWinograd(Box::new(StridedWinogradWeightGradient::new(
                isa, shape, images,
            )));
        }
        let windows = Windows::over_pixels::<I>(shape, images);
        let sum = WeightGradient::new(isa, shape, &windows);
        Self::Direct(windows, sum)
    }

    pub(super) fn scratch(&self) -> Scratch<I> {
        match self {
            Self::Direct(windows, _) => windows.scratch(),
            Self::Winograd(_) | Self::StridedWinograd(_) => Scratch::default(),
        }
    }

    pub(super) fn sums_len(&self) -> usize {
        match self {
            Self::Direct(_, sum) => sum.sums_len(),
            Self::Winograd(sum) => sum.sums_len(),
            Self::StridedWinograd(sum) => sum.sums_len(),
        }
    }

    /// Adds to `sums` what the images of `input` contribute.
    pub(super) fn add(
        &self,
        isa: Isa,
        input: Source<'_>,
        gradient: Stored<'_>,
        sums: Accumulator<'_>,
        scratch: &mut Scratch<I>,
        workspace: &mut Workspace,
    ) {
        match self {
            Self::Direct(windows, sum) => {
                sum.add(isa, windows, input, gradient, sums, scratch);
            }
            Self::Winograd(sum) => {
                sum.add(isa, input, gradient.values(), sums, workspace);
            }
            Self::StridedWinograd(sum) => sum.add(isa, input, gradient.values(), sums, workspace),
        }
    }

    /// Turns sums into the gradients with respect to `weight` and `bias`. The results of several
    /// parts may be added up, and then be [arranged](Self::arrange).
    pub(super) fn finish(&self, isa: Isa, sums: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        match self {
            Self::Direct(_, sum) => sum.finish(sums, weight, bias),
            Self::Winograd(sum) => sum.finish(sums, weight, bias),
            Self::StridedWinograd(sum) => sum.finish(isa, sums, weight, bias),
        }
    }

    /// Arranges a finished weight gradient as `[out, in, kernel_height, kernel_width]`.
    pub(super) fn arrange(&self, weight: &mut [f32]) {
        match self {
            Self::Direct(..) | Self::Winograd(_) => {}
            Self::StridedWinograd(sum) => sum.arrange(weight),
        }
    }
}

impl<I: Element> InputGradientAlgorithm<I> {
    /// Chooses the algorithm, for up to `images` images in one call.
    pub(super) fn new(isa: Isa, shape: &ConvShape, weight: &[f32], images: usize) -> Self {
        if winograd::pays::<I>(shape) {
            return Self::Winograd(Winograd::data_gradient(isa, shape, weight, images));
        }
        if strided::pays_back::<I>(shape) {
            return Self::StridedWinograd(Box::new(StridedWinograd::data_gradient(
                isa, shape, weight, images,
            )));
        }
        Self::Direct(DataGradient::new(isa, shape, weight, images))
    }

    pub(super) fn scratch(&self) -> Scratch<I> {
        match self {
            Self::Direct(data) => data.scratch(),
            Self::Winograd(_) | Self::StridedWinograd(_) => Scratch::default(),
        }
    }

    /// Computes the gradient with respect to the input, and overwrites `out`.
    pub(super) fn run(
        &self,
        isa: Isa,
        gradient: Stored<'_>,
        out: Out<'_>,
        scratch: &mut Scratch<I>,
        workspace: &mut Workspace,
    ) {
        match self {
            Self::Direct(data) => data.run(isa, gradient, out, scratch),
            Self::Winograd(winograd) => {
                let (epilogue, out) = out.values();
                winograd.run(isa, Source::Stored(gradient), epilogue, out, workspace);
            }
            Self::StridedWinograd(strided) => {
                let (epilogue, out) = out.values();
                strided.run(isa, Source::Stored(gradient), epilogue, out, workspace);
            }
        }
    }
}
