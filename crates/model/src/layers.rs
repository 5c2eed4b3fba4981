//! The layers all networks here are built from.
//!
//! Weights have PyTorch's names and layouts (`weight` `[out, in]`, convolution `[out, in, kh, kw]`),
//! so that a checkpoint loads elsewhere without transposing anything.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

use crate::conv::{Conv2dOptions, channel_norm_relu, conv2d};
use crate::init::Init;

/// `y = x W^T + b`, `[batch, inputs] -> [batch, outputs]`.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Linear {
    /// Weight and bias uniform in `±scale / sqrt(inputs)`; `scale` 1 is PyTorch's default.
    pub fn new(init: &mut Init, inputs: usize, outputs: usize, scale: f32) -> Self {
        let bound = scale / (inputs as f32).sqrt();
        Self {
            weight: init.uniform([outputs, inputs], bound),
            bias: init.uniform([outputs], bound),
        }
    }

    /// Cost: `batch * inputs * outputs` multiplications.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }
}

/// Normalisation over the last dimension, then scale and shift (Ba et al. 2016).
#[derive(Module, Debug)]
pub struct LayerNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    epsilon: f32,
}

impl LayerNorm {
    /// Identity scale, zero shift.
    pub fn new(init: &mut Init, width: usize, epsilon: f32) -> Self {
        Self {
            weight: init.constant([width], 1.0),
            bias: init.constant([width], 0.0),
            epsilon,
        }
    }

    /// `[..., width] -> [..., width]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mean = x.clone().mean_dim(D - 1);
        let centred = x - mean;
        let variance = centred.clone().square().mean_dim(D - 1);
        let normal = centred / (variance + self.epsilon).sqrt();
        normal * self.weight.val().unsqueeze() + self.bias.val().unsqueeze()
    }

    /// The same, then ReLU.
    pub fn forward_relu<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        channel_norm_relu(x, self.weight.val(), self.bias.val(), self.epsilon, 1)
    }
}

/// Convolution over channels-last images, `[batch, height, width, in] -> [batch, h', w', out]`.
#[derive(Module, Debug)]
pub struct Conv {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
    stride: usize,
    padding: usize,
}

impl Conv {
    /// A square kernel; PyTorch's default initialisation.
    pub fn new(
        init: &mut Init,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Self {
        let bound = 1.0 / ((inputs * kernel * kernel) as f32).sqrt();
        Self {
            weight: init.uniform([outputs, inputs, kernel, kernel], bound),
            bias: init.uniform([outputs], bound),
            stride,
            padding,
        }
    }

    /// Zero padding on all sides.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        // One thread: runs are trained side by side, one to a core.
        let options = Conv2dOptions {
            stride: self.stride,
            padding: self.padding,
            threads: 1,
        };
        conv2d(x, self.weight.val(), Some(self.bias.val()), options)
    }

    /// What the layer answers where its whole window is zero: its bias, `[1, out]`.
    pub fn response_to_nothing(&self) -> Tensor<2> {
        self.bias.val().unsqueeze()
    }
}

/// `MaxMin` (Anil et al. 2019): sorts pairs of coordinates, so it is 1-Lipschitz and keeps
/// gradient norms. Pairs are (i, i + width/2); the width must be even.
pub fn max_min<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let mut halves = x.chunk(2, D - 1).into_iter();
    match (halves.next(), halves.next()) {
        (Some(a), Some(b)) => {
            Tensor::cat(vec![a.clone().max_pair(b.clone()), a.min_pair(b)], D - 1)
        }
        (Some(a), None) => a,
        _ => unreachable!("chunk(2) gives one or two pieces"),
    }
}

/// Mish (Misra 2019): `x tanh(softplus(x))`.
pub fn mish<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::mish(x)
}
