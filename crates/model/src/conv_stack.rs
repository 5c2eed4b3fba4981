//! Convolutional part of an encoder as one differentiable operation, from frames to features.
//!
//! On the CPU device it runs [`ConvStack`](tellapart_kernels::ConvStack) of `tellapart-kernels`
//! through Burn's extension mechanism, with hand-written gradients. On other devices, and for
//! tensors of other types than `f32`, it consists of Burn's own operations. One model definition
//! serves both.

use std::sync::Arc;

use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Int, Tensor, TensorData, activation, module};
use tellapart_kernels::{ConvLayer, Precision, Prologue};

use crate::extension::{self, checked, has_kernels};

#[cfg(test)]
mod tests;

/// Batch of frames on a device, u8 `[batch, height, width, channel]`.
#[derive(Clone, Debug)]
pub struct FrameBatch(Tensor<4, Int>);

impl FrameBatch {
    /// Moves frames of `shape` `[height, width, channels]` to a device. Bytes that do not fill a
    /// whole frame are left out.
    pub fn new(bytes: impl Into<Vec<u8>>, shape: [usize; 3], device: &Device) -> Self {
        let [height, width, channels] = shape;
        let frame = height * width * channels;
        let mut bytes = bytes.into();
        let rows = bytes.len() / frame.max(1);
        bytes.truncate(rows * frame);
        let data = TensorData::new(bytes, [rows, height, width, channels]);
        // Only the kernels are known to take bytes. Elsewhere the device chooses its integer type.
        Self(if extension::is_cpu(device) {
            Tensor::from_data(data, (device, DType::U8))
        } else {
            Tensor::from_data(data, device)
        })
    }

    /// Returns one black square frame with the same channels, on the same device.
    pub fn black(&self, size: usize) -> Self {
        let channels = self.0.dims()[3];
        Self::new(
            vec![0; size * size * channels],
            [size, size, channels],
            &self.0.device(),
        )
    }

    /// Returns the frames scaled to `[0, 1]`, `[batch, height, width, channels]`.
    pub fn scaled(&self) -> Tensor<4> {
        self.0.clone().float() * (1.0 / 255.0)
    }

    /// Returns the number of frames.
    pub fn rows(&self) -> usize {
        self.0.dims()[0]
    }
}

/// One convolution of a convolution stack, with its parameters.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Weight `[out, in, kernel_height, kernel_width]`.
    pub weight: Tensor<4>,
    /// Bias `[out]`.
    pub bias: Tensor<1>,
    /// Stride along both axes.
    pub stride: usize,
    /// Number of zeros on every side.
    pub padding: usize,
    /// Operation on the input before the convolution.
    pub input: StagePrologue,
    /// Index of the earlier stage whose output is added: a residual connection.
    pub add: Option<usize>,
}

/// Operation on the input of a convolution.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each convolution: a box would save nothing"
)]
pub enum StagePrologue {
    /// Nothing.
    Nothing,
    /// `max(x, 0)`.
    Relu,
    /// Layer normalization over the channels of each pixel, then ReLU.
    NormRelu {
        /// Scale, `[in]`.
        gamma: Tensor<1>,
        /// Shift, `[in]`.
        beta: Tensor<1>,
        /// Offset of the (biased) variance.
        epsilon: f32,
    },
}

/// Convolves frames, scaled to `[0, 1]`, through all stages: `[batch, height', width', channels]`.
/// `precision` is that of the products on the CPU device.
///
/// # Panics
/// Like all tensor operations: if shapes, or the devices of the tensors, do not fit together.
#[must_use]
pub fn conv_stack(frames: &FrameBatch, stages: &[Stage], precision: Precision) -> Tensor<4> {
    let [batch, height, width, channels] = frames.0.dims();
    if !stages.iter().all(|stage| has_kernels(&stage.bias)) {
        return composed(frames, stages);
    }
    let layers: Vec<ConvLayer> = stages.iter().map(Stage::layer).collect();
    let plan = checked(tellapart_kernels::ConvStack::new(
        [height, width, channels],
        &layers,
        precision,
    ));
    let [height, width, channels] = plan.output();
    let parameters = Tensor::cat(stages.iter().flat_map(Stage::parameters).collect(), 0);
    extension::run_conv_stack(frames.0.clone(), parameters, Arc::new(plan))
        .reshape([batch, height, width, channels])
}

impl Stage {
    fn layer(&self) -> ConvLayer {
        let [channels, _, height, width] = self.weight.dims();
        ConvLayer {
            channels,
            kernel: [height, width],
            stride: self.stride,
            padding: self.padding,
            prologue: match &self.input {
                StagePrologue::Nothing => Prologue::Nothing,
                StagePrologue::Relu => Prologue::Relu,
                StagePrologue::NormRelu { epsilon, .. } => Prologue::NormRelu { epsilon: *epsilon },
            },
            add: self.add,
        }
    }

    /// Returns the parameters in the order of the kernels.
    fn parameters(&self) -> Vec<Tensor<1>> {
        let own = [self.weight.clone().flatten(0, 3), self.bias.clone()];
        match &self.input {
            StagePrologue::Nothing | StagePrologue::Relu => own.to_vec(),
            StagePrologue::NormRelu { gamma, beta, .. } => [gamma.clone(), beta.clone()]
                .into_iter()
                .chain(own)
                .collect(),
        }
    }
}

/// Computes [`conv_stack`] by Burn's own operations, on any device and for any float type. It is
/// the reference implementation of the tests.
#[must_use]
pub fn composed(frames: &FrameBatch, stages: &[Stage]) -> Tensor<4> {
    let mut x = frames.scaled();
    let mut outputs: Vec<Tensor<4>> = Vec::with_capacity(stages.len());
    for stage in stages {
        let options = ConvOptions::new([stage.stride; 2], [stage.padding; 2], [1; 2], 1);
        let input = prepared(x, &stage.input).permute([0, 3, 1, 2]);
        let bias = Some(stage.bias.clone());
        x = module::conv2d(input, stage.weight.clone(), bias, options).permute([0, 2, 3, 1]);
        if let Some(add) = stage.add {
            x = x + outputs[add].clone();
        }
        outputs.push(x.clone());
    }
    x
}

fn prepared(x: Tensor<4>, input: &StagePrologue) -> Tensor<4> {
    match input {
        StagePrologue::Nothing => x,
        StagePrologue::Relu => activation::relu(x),
        StagePrologue::NormRelu {
            gamma,
            beta,
            epsilon,
        } => {
            let centered = x.clone() - x.mean_dim(3);
            let variance = centered.clone().square().mean_dim(3);
            let normal = centered / (variance + *epsilon).sqrt();
            activation::relu(normal * gamma.clone().unsqueeze() + beta.clone().unsqueeze())
        }
    }
}
