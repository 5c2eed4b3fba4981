//! Encoders: image -> latent.
//!
//! * [`cnn`]: strided convolutions, flattened. Generic: nothing in it knows about counting.
//! * [`resnet`]: the paper's reference, eight residual blocks of 32 channels.
//! * [`patch`]: per-patch features summed over positions. Cheap, and with a strong prior: a sum over
//!   positions counts by construction, and cannot tell where anything is.

pub mod cnn;
pub mod patch;
pub mod resnet;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::init::Init;
use crate::pjepa::ModelConfig;
use crate::trunk::Frames;

/// Which encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncoderKind {
    /// Strided convolutions, flattened: no pooling prior.
    Cnn,
    /// The paper's reference: eight residual blocks of 32 channels.
    Resnet,
    /// Per-patch features summed over positions: cheap, with a counting prior.
    Patch,
}

/// An image encoder, u8 frames `[batch, height, width, channels]` -> `[batch, latent]`.
#[derive(Module, Debug)]
pub enum Encoder {
    /// See [`cnn`].
    Cnn(cnn::Cnn),
    /// See [`resnet`].
    Resnet(resnet::Resnet),
    /// See [`patch`].
    Patch(patch::Patch),
}

impl Encoder {
    /// `shape` is `[height, width, channels]`.
    pub fn new(init: &mut Init, config: &ModelConfig, shape: [usize; 3]) -> Self {
        let latent = config.latent;
        match config.encoder {
            EncoderKind::Cnn => Self::Cnn(cnn::Cnn::new(init, &config.cnn, shape, latent)),
            EncoderKind::Resnet => Self::Resnet(resnet::Resnet::new(init, shape, latent)),
            EncoderKind::Patch => Self::Patch(patch::Patch::new(init, shape, latent)),
        }
    }

    /// Frames to latents.
    pub fn forward(&self, frames: &Frames) -> Tensor<2> {
        match self {
            Self::Cnn(encoder) => encoder.forward(frames),
            Self::Resnet(encoder) => encoder.forward(frames),
            Self::Patch(encoder) => encoder.forward(frames),
        }
    }
}

/// Output length of a convolution along one axis.
pub(crate) fn convolved(length: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    (length + 2 * padding - kernel) / stride + 1
}
