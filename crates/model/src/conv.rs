//! 2-D convolution over channels-last images, and the channel normalisation with ReLU that follows
//! it in the encoders; differentiable on every device.
//!
//! On the CPU device it runs the kernels of `tellapart-kernels` through Burn's extension mechanism,
//! with hand-written gradients; on any other device, and for other precisions than `f32`, it is made
//! of Burn's own operations (a convolution between two permutes). One model definition serves both.

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{DType, Tensor};
use tellapart_kernels::{ConvShape, KernelError};

use extension::KernelExtension;

mod extension;
#[cfg(test)]
mod tests;

/// What is free in a convolution besides its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dOptions {
    /// Step between neighbouring outputs, along both axes; at least 1.
    pub stride: usize,
    /// Zeros on every side of the image.
    pub padding: usize,
    /// Threads that share the images on the CPU device; the result does not depend on it.
    pub threads: usize,
}

/// Convolves channels-last images.
///
/// `x` is `[batch, height, width, in]`, `weight` is `[out, in, kernel_height, kernel_width]`, as
/// PyTorch stores it, `bias` is `[out]`; the result is `[batch, out_height, out_width, out]`. No
/// gradient is computed for an `x` that needs none, such as the frames at the first layer.
///
/// # Panics
/// As all tensor operations do: if shapes, or the devices of the tensors, do not fit together.
#[must_use]
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: Conv2dOptions,
) -> Tensor<4> {
    let Conv2dOptions {
        stride,
        padding,
        threads,
    } = options;
    if !has_kernels(&x) {
        return composed::conv2d(x, weight, bias, stride, padding);
    }
    let shape = checked(ConvShape::new(x.dims(), weight.dims(), stride, padding));
    let x = x.into_dispatch();
    let weight = weight.into_dispatch();
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::convolve_biased(x, weight, bias.into_dispatch(), shape, threads),
        None => Dispatch::convolve(x, weight, shape, threads),
    })
}

/// Normalises over the last dimension (the channels of each pixel), scales, shifts, applies ReLU.
///
/// `gamma` and `beta` are `[channels]`; `epsilon` is added to the (biased) variance. Equal to a
/// layer normalisation followed by ReLU, in one pass over memory forward and one backward on the
/// CPU device, where `threads` share the pixels; the result does not depend on their number.
///
/// # Panics
/// As all tensor operations do: if shapes, or the devices of the tensors, do not fit together.
#[must_use]
pub fn channel_norm_relu<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f32,
    threads: usize,
) -> Tensor<D> {
    if has_kernels(&x) {
        let parameters = (gamma.into_dispatch(), beta.into_dispatch());
        return Tensor::from_dispatch(Dispatch::norm_relu(
            x.into_dispatch(),
            parameters.0,
            parameters.1,
            epsilon,
            threads,
        ));
    }
    composed::channel_norm_relu(x, gamma, beta, epsilon)
}

/// The same made of Burn's own operations: any device, any precision, and the twin of our tests.
mod composed {
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Tensor, activation, module};

    pub(super) fn conv2d(
        x: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        stride: usize,
        padding: usize,
    ) -> Tensor<4> {
        let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
        let x = x.permute([0, 3, 1, 2]);
        module::conv2d(x, weight, bias, options).permute([0, 2, 3, 1])
    }

    pub(super) fn channel_norm_relu<const D: usize>(
        x: Tensor<D>,
        gamma: Tensor<1>,
        beta: Tensor<1>,
        epsilon: f32,
    ) -> Tensor<D> {
        let centred = x.clone() - x.mean_dim(D - 1);
        let variance = centred.clone().square().mean_dim(D - 1);
        let normal = centred / (variance + epsilon).sqrt();
        activation::relu(normal * gamma.unsqueeze() + beta.unsqueeze())
    }
}

/// Whether the kernels serve this tensor.
fn has_kernels<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32
        && matches!(
            x.device().as_dispatch().clone().inner(),
            DispatchDevice::Flex(_)
        )
}

/// Sizes that do not fit together are a fault of the calling code, as in every tensor operation.
#[expect(clippy::panic)]
#[track_caller]
fn checked<T>(result: Result<T, KernelError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
