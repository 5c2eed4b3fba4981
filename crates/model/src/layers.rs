//! Layers that all networks are built from.
//!
//! Weights have PyTorch's names and layouts (`weight` `[out, in]`, convolution
//! `[out, in, kh, kw]`), so that checkpoints load elsewhere without transposes.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};
use tellapart_kernels::ablation::{Part, has};
use tellapart_kernels::{Activation, Precision};

use crate::conv_stack::{Stage, StagePrologue};
use crate::extension::{has_kernels, run_linear, run_norm_activate};
use crate::init::Init;

/// Dense layer `y = x W^T + b`, `[batch, inputs] -> [batch, outputs]`.
#[derive(Module, Debug)]
pub struct Linear {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Linear {
    /// Draws weight and bias uniformly in `±scale / sqrt(inputs)`; `scale` 1 is PyTorch's default.
    pub fn new(init: &mut Init, inputs: usize, outputs: usize, scale: f32) -> Self {
        let bound = scale / (inputs as f32).sqrt();
        Self {
            weight: init.uniform([outputs, inputs], bound),
            bias: init.uniform([outputs], bound),
        }
    }

    /// Applies the layer. `precision` is that of the products on the CPU device. Cost:
    /// `batch * inputs * outputs` multiplications.
    pub fn forward(&self, x: Tensor<2>, precision: Precision) -> Tensor<2> {
        if has(Part::DenseLayers) && has_kernels(&x) {
            return run_linear(x, self.weight.val(), self.bias.val(), precision);
        }
        x.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }

    #[cfg(test)]
    pub(crate) fn gradients(&self, of: &burn::tensor::Gradients) -> (Tensor<2>, Tensor<1>) {
        (
            self.weight.val().grad(of).unwrap(),
            self.bias.val().grad(of).unwrap(),
        )
    }

    /// Returns the layer, applied at every pixel, as a stage of a convolution stack.
    pub fn stage(&self, input: StagePrologue) -> Stage {
        let weight = self.weight.val();
        let [outputs, inputs] = weight.dims();
        Stage {
            weight: weight.reshape([outputs, inputs, 1, 1]),
            bias: self.bias.val(),
            stride: 1,
            padding: 0,
            input,
            add: None,
        }
    }
}

/// Layer normalization over the last dimension, then scale and shift (Ba et al. 2016).
#[derive(Module, Debug)]
pub struct LayerNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    epsilon: f32,
}

impl LayerNorm {
    /// Initializes with scale 1 and shift 0.
    pub fn new(init: &mut Init, width: usize, epsilon: f32) -> Self {
        Self {
            weight: init.constant([width], 1.0),
            bias: init.constant([width], 0.0),
            epsilon,
        }
    }

    /// Normalizes `[..., width] -> [..., width]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mean = x.clone().mean_dim(D - 1);
        let centered = x - mean;
        let variance = centered.clone().square().mean_dim(D - 1);
        let normal = centered / (variance + self.epsilon).sqrt();
        normal * self.weight.val().unsqueeze() + self.bias.val().unsqueeze()
    }

    /// Normalizes, then applies ReLU. On the CPU device this takes one pass over memory forward and
    /// one backward.
    pub fn forward_relu<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if has(Part::NormActivate) && has_kernels(&x) {
            self.activated(x, Activation::Relu)
        } else {
            activation::relu(self.forward(x))
        }
    }

    /// Normalizes, then applies Mish (Misra 2019), `x tanh(softplus(x))`. On the CPU device this
    /// takes one pass over memory forward and one backward.
    pub fn forward_mish<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if has(Part::NormActivate) && has_kernels(&x) {
            self.activated(x, Activation::Mish)
        } else {
            activation::mish(self.forward(x))
        }
    }

    fn activated<const D: usize>(&self, x: Tensor<D>, activation: Activation) -> Tensor<D> {
        run_norm_activate(
            x,
            self.weight.val(),
            self.bias.val(),
            self.epsilon,
            activation,
        )
    }

    /// Returns the normalization, followed by ReLU, as the prologue of a stage.
    pub fn stage_prologue(&self) -> StagePrologue {
        StagePrologue::NormRelu {
            gamma: self.weight.val(),
            beta: self.bias.val(),
            epsilon: self.epsilon,
        }
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
    /// Builds a convolution with a square kernel and PyTorch's default initialization.
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

    /// Returns the convolution as a stage of a convolution stack, with zero padding on all sides.
    pub fn stage(&self, input: StagePrologue) -> Stage {
        Stage {
            weight: self.weight.val(),
            bias: self.bias.val(),
            stride: self.stride,
            padding: self.padding,
            input,
            add: None,
        }
    }
}

/// Applies MaxMin (Anil et al. 2019), also called GroupSort2. It sorts pairs of coordinates, so it
/// is 1-Lipschitz and keeps gradient norms. Pairs are (i, i + width/2); the width must be even.
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
