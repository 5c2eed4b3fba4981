//! A layer's convolution and its gradients, each in the way that its shape makes fastest.

use crate::data_gradient::DataGradient;
use crate::forward::{Forward, Windows};
use crate::item::Item;
use crate::lanes::Isa;
use crate::padded::{Scratch, Source};
use crate::shape::ConvShape;
use crate::stored::{Out, Stored};
use crate::strided::{self, Strided, StridedWeightGradient};
use crate::tile::Sums;
use crate::weight_gradient::WeightGradient;
use crate::winograd::{self, Minimal, MinimalWeightGradient};
use crate::workspace::Workspace;

/// The convolution.
pub(super) enum Convolution<I> {
    Direct(Windows, Forward<I>),
    Minimal(Minimal<I>),
    Strided(Box<Strided>),
}

/// Its gradient with respect to weight and bias.
pub(super) enum ToWeight<I> {
    Direct(Windows, WeightGradient),
    Minimal(MinimalWeightGradient<I>),
    Strided(Box<StridedWeightGradient>),
}

/// Its gradient with respect to the input.
pub(super) enum ToInput<I> {
    Direct(DataGradient<I>),
    Minimal(Minimal<I>),
    Strided(Box<Strided>),
}

/// Whether a convolution and its gradients multiply what they read as it is.
pub(super) fn are_direct<I: Item>(shape: &ConvShape) -> bool {
    !winograd::pays::<I>(shape) && !strided::pays::<I>(shape) && !strided::pays_back::<I>(shape)
}

impl<I: Item> Convolution<I> {
    /// For up to `images` images in one call.
    pub(super) fn new(
        isa: Isa,
        shape: &ConvShape,
        weight: &[f32],
        bias: &[f32],
        images: usize,
    ) -> Self {
        if winograd::pays::<I>(shape) {
            return Self::Minimal(Minimal::new(isa, shape, weight, bias, images));
        }
        if strided::pays::<I>(shape) {
            return Self::Strided(Box::new(Strided::new(isa, shape, weight, bias, images)));
        }
        let windows = Windows::over_channels::<I>(shape, images);
        let forward = Forward::new(isa, shape, &windows, weight, bias);
        Self::Direct(windows, forward)
    }

    pub(super) fn scratch(&self) -> Scratch<I> {
        match self {
            Self::Direct(windows, _) => windows.scratch(),
            Self::Minimal(_) | Self::Strided(_) => Scratch::default(),
        }
    }

    /// Into `out`, overwritten.
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
            Self::Minimal(minimal) => {
                let (finish, out) = out.values();
                minimal.run(isa, input, finish, out, workspace);
            }
            Self::Strided(strided) => {
                let (finish, out) = out.values();
                strided.run(isa, input, finish, out, workspace);
            }
        }
    }
}

impl<I: Item> ToWeight<I> {
    /// For up to `images` images in one call.
    pub(super) fn new(isa: Isa, shape: &ConvShape, images: usize) -> Self {
        if winograd::pays::<I>(shape) {
            return Self::Minimal(MinimalWeightGradient::new(isa, shape, images));
        }
        if strided::pays::<I>(shape) {
            return Self::Strided(Box::new(StridedWeightGradient::new(isa, shape, images)));
        }
        let windows = Windows::over_pixels::<I>(shape, images);
        let sum = WeightGradient::new(isa, shape, &windows);
        Self::Direct(windows, sum)
    }

    pub(super) fn scratch(&self) -> Scratch<I> {
        match self {
            Self::Direct(windows, _) => windows.scratch(),
            Self::Minimal(_) | Self::Strided(_) => Scratch::default(),
        }
    }

    pub(super) fn sums_len(&self) -> usize {
        match self {
            Self::Direct(_, sum) => sum.sums_len(),
            Self::Minimal(sum) => sum.sums_len(),
            Self::Strided(sum) => sum.sums_len(),
        }
    }

    /// Adds to `sums` what the images of `input` contribute.
    pub(super) fn add(
        &self,
        isa: Isa,
        input: Source<'_>,
        gradient: Stored<'_>,
        sums: Sums<'_>,
        scratch: &mut Scratch<I>,
        workspace: &mut Workspace,
    ) {
        match self {
            Self::Direct(windows, sum) => {
                sum.add(isa, windows, input, gradient, sums, scratch);
            }
            Self::Minimal(sum) => {
                sum.add(isa, input, gradient.values(), sums, workspace);
            }
            Self::Strided(sum) => sum.add(isa, input, gradient.values(), sums, workspace),
        }
    }

    /// Makes sums the gradients with respect to `weight` and `bias`; what several parts have made of theirs may be
    /// added up, and then be [arranged](Self::arrange).
    pub(super) fn finish(&self, isa: Isa, sums: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        match self {
            Self::Direct(_, sum) => sum.finish(sums, weight, bias),
            Self::Minimal(sum) => sum.finish(sums, weight, bias),
            Self::Strided(sum) => sum.finish(isa, sums, weight, bias),
        }
    }

    pub(super) fn arrange(&self, weight: &mut [f32]) {
        match self {
            Self::Direct(..) | Self::Minimal(_) => {}
            Self::Strided(sum) => sum.arrange(weight),
        }
    }
}

impl<I: Item> ToInput<I> {
    /// For up to `images` images in one call.
    pub(super) fn new(isa: Isa, shape: &ConvShape, weight: &[f32], images: usize) -> Self {
        if winograd::pays::<I>(shape) {
            return Self::Minimal(Minimal::data_gradient(isa, shape, weight, images));
        }
        if strided::pays_back::<I>(shape) {
            return Self::Strided(Box::new(Strided::data_gradient(isa, shape, weight, images)));
        }
        Self::Direct(DataGradient::new(isa, shape, weight, images))
    }

    pub(super) fn scratch(&self) -> Scratch<I> {
        match self {
            Self::Direct(data) => data.scratch(),
            Self::Minimal(_) | Self::Strided(_) => Scratch::default(),
        }
    }

    /// Into `out`, overwritten.
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
            Self::Minimal(minimal) => {
                let (finish, out) = out.values();
                minimal.run(isa, Source::Stored(gradient), finish, out, workspace);
            }
            Self::Strided(strided) => {
                let (finish, out) = out.values();
                strided.run(isa, Source::Stored(gradient), finish, out, workspace);
            }
        }
    }
}
