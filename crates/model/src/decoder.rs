//! Decoder from latents to images. It is always trained on detached latents: it shows what a latent
//! still contains, and never influences it.

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use tellapart_kernels::Precision::F32;

use crate::init::Init;
use crate::layers::{LayerNorm, Linear};

const PATCH: usize = 8;
const FEATURES: usize = 64;
const HIDDEN: usize = 256;
const EPSILON: f32 = 1e-5;

/// Decoder: a dense layer of 256, features for every 8x8 patch, and one dense map from features to
/// pixels that all patches share. It uses matrix products only, about 8 MFLOP an image, forward.
#[derive(Module, Debug)]
pub struct Decoder {
    hidden: Linear,
    hidden_norm: LayerNorm,
    features: Linear,
    pixels: Linear,
    /// Patches down, patches across, channels.
    layout: [usize; 3],
}

impl Decoder {
    /// Builds a decoder for images of `shape` `[height, width, channels]`. Height and width must be
    /// multiples of 8.
    pub fn new(init: &mut Init, latent: usize, shape: [usize; 3]) -> Self {
        let [height, width, channels] = shape;
        let layout = [height / PATCH, width / PATCH, channels];
        let patches = layout[0] * layout[1];
        Self {
            hidden: Linear::new(init, latent, HIDDEN, 1.0),
            hidden_norm: LayerNorm::new(init, HIDDEN, EPSILON),
            features: Linear::new(init, HIDDEN, patches * FEATURES, 1.0),
            pixels: Linear::new(init, FEATURES, PATCH * PATCH * channels, 1.0),
            layout,
        }
    }

    /// Decodes `[batch, latent] -> [batch, height, width, channels]`, without clamping to `[0, 1]`.
    pub fn forward(&self, latent: Tensor<2>) -> Tensor<4> {
        let batch = latent.dims()[0];
        let [down, across, channels] = self.layout;
        let x = self
            .hidden_norm
            .forward_relu(self.hidden.forward(latent, F32));
        let x = activation::relu(self.features.forward(x, F32));
        let x = self
            .pixels
            .forward(x.reshape([batch * down * across, FEATURES]), F32);
        x.reshape([batch, down, across, PATCH, PATCH, channels])
            .permute([0, 1, 3, 2, 4, 5])
            .reshape([batch, down * PATCH, across * PATCH, channels])
    }
}
