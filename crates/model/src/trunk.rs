//! The convolutional part of an encoder as one differentiable operation: frames in, features out.
//!
//! On the CPU device it runs `tellapart-kernels`' [`Trunk`](tellapart_kernels::Trunk) through Burn's
//! extension mechanism, with hand-written gradients; on any other device, and for other precisions
//! than `f32`, it is made of Burn's own operations. One model definition serves both.

use std::sync::Arc;

use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Int, Tensor, TensorData, activation, module};
use tellapart_kernels::{Before, Layer, Precision};

use crate::extension::{self, checked, has_kernels};

#[cfg(test)]
mod tests;

/// Frames as they are at rest, u8 `[batch, height, width, channel]`, on a device.
#[derive(Clone, Debug)]
pub struct Frames(Tensor<4, Int>);

impl Frames {
    /// `shape` is `[height, width, channels]`; what does not fill a whole frame is left out.
    pub fn new(bytes: impl Into<Vec<u8>>, shape: [usize; 3], device: &Device) -> Self {
        let [height, width, channels] = shape;
        let frame = height * width * channels;
        let mut bytes = bytes.into();
        let rows = bytes.len() / frame.max(1);
        bytes.truncate(rows * frame);
        let data = TensorData::new(bytes, [rows, height, width, channels]);
        // Only our kernels are known to take bytes; elsewhere integers are what the device calls so.
        Self(if extension::is_cpu(device) {
            Tensor::from_data(data, (device, DType::U8))
        } else {
            Tensor::from_data(data, device)
        })
    }

    /// One black square frame of the same kind.
    pub fn black(&self, size: usize) -> Self {
        let channels = self.0.dims()[3];
        Self::new(
            vec![0; size * size * channels],
            [size, size, channels],
            &self.0.device(),
        )
    }

    /// How many.
    pub fn rows(&self) -> usize {
        self.0.dims()[0]
    }
}

/// One convolution of a trunk, with its parameters.
#[derive(Clone, Debug)]
pub struct Stage {
    /// `[out, in, kernel_height, kernel_width]`.
    pub weight: Tensor<4>,
    /// `[out]`.
    pub bias: Tensor<1>,
    /// Step between neighbouring outputs, along both axes.
    pub stride: usize,
    /// Zeros on every side.
    pub padding: usize,
    /// Of the products; a trunk has that of its first stage.
    pub precision: Precision,
    /// What happens to the input first.
    pub input: StageInput,
    /// Adds the output of this earlier stage: a residual connection.
    pub add: Option<usize>,
}

/// What happens to the input of a convolution first.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each convolution: a box would save nothing"
)]
pub enum StageInput {
    /// Nothing.
    Plain,
    /// `max(x, 0)`.
    Relu,
    /// Layer normalisation over the channels of each pixel, then ReLU.
    NormRelu {
        /// Scale, `[in]`.
        gamma: Tensor<1>,
        /// Shift, `[in]`.
        beta: Tensor<1>,
        /// Added to the (biased) variance.
        epsilon: f32,
    },
}

/// Convolves frames, scaled to `[0, 1]`, through all stages: `[batch, height', width', channels]`.
///
/// # Panics
/// As all tensor operations do: if shapes, or the devices of the tensors, do not fit together.
#[must_use]
pub fn trunk(frames: &Frames, stages: &[Stage]) -> Tensor<4> {
    let [batch, height, width, channels] = frames.0.dims();
    if !stages.iter().all(|stage| has_kernels(&stage.bias)) {
        return composed(frames, stages);
    }
    let layers: Vec<Layer> = stages.iter().map(Stage::layer).collect();
    let plan = checked(tellapart_kernels::Trunk::new(
        [height, width, channels],
        &layers,
        stages
            .first()
            .map_or(Precision::F32, |stage| stage.precision),
    ));
    let [height, width, channels] = plan.output();
    let parameters = Tensor::cat(stages.iter().flat_map(Stage::parameters).collect(), 0);
    extension::run_trunk(frames.0.clone(), parameters, Arc::new(plan))
        .reshape([batch, height, width, channels])
}

impl Stage {
    fn layer(&self) -> Layer {
        let [channels, _, height, width] = self.weight.dims();
        Layer {
            channels,
            kernel: [height, width],
            stride: self.stride,
            padding: self.padding,
            before: match &self.input {
                StageInput::Plain => Before::Nothing,
                StageInput::Relu => Before::Relu,
                StageInput::NormRelu { epsilon, .. } => Before::NormRelu { epsilon: *epsilon },
            },
            add: self.add,
        }
    }

    /// In the order of the kernels.
    fn parameters(&self) -> Vec<Tensor<1>> {
        let own = [self.weight.clone().flatten(0, 3), self.bias.clone()];
        match &self.input {
            StageInput::Plain | StageInput::Relu => own.to_vec(),
            StageInput::NormRelu { gamma, beta, .. } => [gamma.clone(), beta.clone()]
                .into_iter()
                .chain(own)
                .collect(),
        }
    }
}

/// [`trunk`] made of Burn's own operations: any device, any precision, and the twin of our tests.
#[must_use]
pub fn composed(frames: &Frames, stages: &[Stage]) -> Tensor<4> {
    let mut x = frames.0.clone().float() * (1.0 / 255.0);
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

fn prepared(x: Tensor<4>, input: &StageInput) -> Tensor<4> {
    match input {
        StageInput::Plain => x,
        StageInput::Relu => activation::relu(x),
        StageInput::NormRelu {
            gamma,
            beta,
            epsilon,
        } => {
            let centred = x.clone() - x.mean_dim(3);
            let variance = centred.clone().square().mean_dim(3);
            let normal = centred / (variance + *epsilon).sqrt();
            activation::relu(normal * gamma.clone().unsqueeze() + beta.clone().unsqueeze())
        }
    }
}
