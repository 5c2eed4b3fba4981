//! The paper's reference encoder: eight residual blocks of 32 channels.

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use super::convolved;
use crate::conv_stack::{FrameBatch, Stage, StagePrologue, conv_stack};
use crate::init::Init;
use crate::layers::{Conv, LayerNorm, Linear};

const CHANNELS: usize = 32;
const STAGES: usize = 4;
const BLOCKS_PER_STAGE: usize = 2;
const EPSILON: f32 = 1e-5;

/// Options of the `resnet` encoder: there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResnetConfig {}

/// Residual encoder of four stages, flattened into one dense layer. Each stage halves the image
/// with a strided convolution and runs two residual blocks,
/// `x + conv(relu(norm(conv(relu(norm(x))))))`.
#[derive(Module, Debug)]
pub struct Resnet {
    downs: Vec<Conv>,
    blocks: Vec<ResidualBlock>,
    norm: LayerNorm,
    latent: Linear,
    #[module(skip)]
    precision: Precision,
}

/// Residual block: twice normalization, ReLU and convolution, plus its input.
#[derive(Module, Debug)]
pub struct ResidualBlock {
    norms: Vec<LayerNorm>,
    convs: Vec<Conv>,
}

impl Resnet {
    pub(crate) fn new(
        init: &mut Init,
        shape: [usize; 3],
        latent: usize,
        precision: Precision,
    ) -> Self {
        let [mut height, mut width, mut channels] = shape;
        let (mut downs, mut blocks) = (Vec::new(), Vec::new());
        for _ in 0..STAGES {
            downs.push(Conv::new(init, channels, CHANNELS, 3, 2, 1));
            channels = CHANNELS;
            height = convolved(height, 3, 2, 1);
            width = convolved(width, 3, 2, 1);
            blocks.extend((0..BLOCKS_PER_STAGE).map(|_| ResidualBlock::new(init)));
        }
        let flat = height * width * CHANNELS;
        Self {
            downs,
            blocks,
            norm: LayerNorm::new(init, flat, EPSILON),
            latent: Linear::new(init, flat, latent, 1.0),
            precision,
        }
    }

    pub(crate) fn forward(&self, frames: &FrameBatch) -> Tensor<2> {
        let mut stages = Vec::new();
        for (down, blocks) in self.downs.iter().zip(self.blocks.chunks(BLOCKS_PER_STAGE)) {
            stages.push(down.stage(StagePrologue::Nothing));
            for block in blocks {
                block.extend(&mut stages);
            }
        }
        let x = conv_stack(frames, &stages, self.precision);
        let x = self.norm.forward(activation::relu(x).flatten(1, 3));
        self.latent.forward(x, self.precision)
    }
}

impl ResidualBlock {
    fn new(init: &mut Init) -> Self {
        Self {
            norms: (0..2)
                .map(|_| LayerNorm::new(init, CHANNELS, EPSILON))
                .collect(),
            convs: (0..2)
                .map(|_| Conv::new(init, CHANNELS, CHANNELS, 3, 1, 1))
                .collect(),
        }
    }

    /// Appends the block to the stages, and adds the output of the last stage before it to its own.
    fn extend(&self, stages: &mut Vec<Stage>) {
        let from = stages.len() - 1;
        for (norm, conv) in self.norms.iter().zip(&self.convs) {
            stages.push(conv.stage(norm.stage_prologue()));
        }
        if let Some(last) = stages.last_mut() {
            last.add = Some(from);
        }
    }
}
