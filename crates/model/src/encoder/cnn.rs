//! The generic strided encoder.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{THREADS, convolved};
use crate::init::Init;
use crate::layers::{Conv, LayerNorm, Linear};
use crate::trunk::{Frames, Stage, StageInput, trunk};

const CHANNELS: [usize; 3] = [32, 32, 64];
const KERNELS: [(usize, usize, usize); 3] = [(8, 4, 2), (3, 2, 1), (3, 2, 1)];
const HIDDEN: usize = 256;
const EPSILON: f32 = 1e-5;

/// Three strided convolutions (8/4, 3/2, 3/2; 32, 32, 64 channels), channel LayerNorm and ReLU
/// after each, flattened, one hidden layer of 256.
///
/// The LayerNorm before the last ReLU matters: without it the encoder collapsed in trials.
#[derive(Module, Debug)]
pub struct Cnn {
    convs: Vec<Conv>,
    norms: Vec<LayerNorm>,
    hidden: Linear,
    hidden_norm: LayerNorm,
    latent: Linear,
}

impl Cnn {
    pub(crate) fn new(init: &mut Init, shape: [usize; 3], latent: usize) -> Self {
        let [mut height, mut width, mut channels] = shape;
        let (mut convs, mut norms) = (Vec::new(), Vec::new());
        for (&out, &(kernel, stride, padding)) in CHANNELS.iter().zip(&KERNELS) {
            convs.push(Conv::new(init, channels, out, kernel, stride, padding));
            norms.push(LayerNorm::new(init, out, EPSILON));
            height = convolved(height, kernel, stride, padding);
            width = convolved(width, kernel, stride, padding);
            channels = out;
        }
        Self {
            convs,
            norms,
            hidden: Linear::new(init, height * width * channels, HIDDEN, 1.0),
            hidden_norm: LayerNorm::new(init, HIDDEN, EPSILON),
            latent: Linear::new(init, HIDDEN, latent, 1.0),
        }
    }

    pub(crate) fn forward(&self, frames: &Frames) -> Tensor<2> {
        // Each normalisation belongs to the convolution after it; the last one stands alone.
        let inputs = self.norms.iter().map(LayerNorm::stage_input);
        let inputs = std::iter::once(StageInput::Plain).chain(inputs);
        let stages: Vec<Stage> = self
            .convs
            .iter()
            .zip(inputs)
            .map(|(conv, input)| conv.stage(input))
            .collect();
        let mut x = trunk(frames, &stages, THREADS);
        if let Some(norm) = self.norms.last() {
            x = norm.forward_relu(x);
        }
        let x = self.hidden.forward(x.flatten(1, 3));
        self.latent.forward(self.hidden_norm.forward_relu(x))
    }
}
