//! Encoders from images to latents.
//!
//! * [`cnn`]: strided convolutions, flattened. Generic: nothing in it is specific to counting.
//! * [`resnet`]: the paper's reference, eight residual blocks of 32 channels.
//! * [`patch`]: features of patches, summed over positions. Cheap, with a strong prior: a sum over
//!   positions counts by construction, and cannot tell where anything is.

pub mod cnn;
pub mod patch;
pub mod resnet;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::conv_stack::FrameBatch;
use crate::init::Init;
use crate::pjepa::ModelConfig;

/// Kind of encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncoderKind {
    /// Strided convolutions, flattened. It has no pooling prior.
    Cnn,
    /// The paper's reference: eight residual blocks of 32 channels.
    Resnet,
    /// Features of patches, summed over positions. It is cheap and has a counting prior.
    Patch,
}

/// Image encoder from u8 frames `[batch, height, width, channels]` to `[batch, latent]`.
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
    /// Builds the configured encoder for frames of `shape` `[height, width, channels]`.
    pub fn new(init: &mut Init, config: &ModelConfig, shape: [usize; 3]) -> Self {
        let latent = config.latent;
        match config.encoder {
            EncoderKind::Cnn => Self::Cnn(cnn::Cnn::new(init, &config.cnn, shape, latent)),
            EncoderKind::Resnet => Self::Resnet(resnet::Resnet::new(init, shape, latent)),
            EncoderKind::Patch => Self::Patch(patch::Patch::new(init, shape, latent)),
        }
    }

    /// Encodes frames as latents.
    pub fn forward(&self, frames: &FrameBatch) -> Tensor<2> {
        match self {
            Self::Cnn(encoder) => encoder.forward(frames),
            Self::Resnet(encoder) => encoder.forward(frames),
            Self::Patch(encoder) => encoder.forward(frames),
        }
    }
}

/// Returns the output length of a convolution along one axis.
pub(crate) fn convolved(length: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    (length + 2 * padding - kernel) / stride + 1
}
