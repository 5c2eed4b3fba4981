//! Vision transformer (Dosovitskiy et al. 2021): patch tokens, pre-norm blocks.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::conv_stack::FrameBatch;
use crate::error::ModelError;
use crate::init::Init;
use crate::layers::{LayerNorm, Linear};

const EPSILON: f32 = 1e-6;
/// Bound of the initial position embeddings and of the class token.
const EMBEDDING: f32 = 0.02;
/// Largest number of weights, and of activations of one image. A typing error then gives an error
/// instead of exhausting the machine.
const MOST: usize = 100_000_000;
/// Largest number of tokens of an image: attention needs its square.
const MOST_TOKENS: usize = 4096;

/// Sizes of the `vit` encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VitConfig {
    /// Height and width of a patch in pixels, from 1 to 64. It divides height and width of the
    /// image, which has at most 4096 patches.
    pub patch: usize,
    /// Width of a token, from 1 to 4096, a multiple of `heads`.
    pub width: usize,
    /// Number of blocks, from 1 to 64.
    pub depth: usize,
    /// Number of attention heads, from 1 to 64.
    pub heads: usize,
    /// Width of the hidden layer of a block, as a multiple of `width`, from 1 to 16.
    pub expansion: usize,
    /// What becomes the latent.
    pub token: Token,
}

/// Token that a transformer's latent is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Token {
    /// The mean over all patches.
    Mean,
    /// A token of its own, which belongs to no patch.
    Class,
}

impl Default for VitConfig {
    /// Returns patches of 8 pixels, 4 blocks of width 64 with 4 heads, and the class token.
    fn default() -> Self {
        Self {
            patch: 8,
            width: 64,
            depth: 4,
            heads: 4,
            expansion: 4,
            token: Token::Class,
        }
    }
}

impl VitConfig {
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        for (key, value, most, expected) in [
            ("model.encoder.patch", self.patch, 64, "from 1 to 64"),
            ("model.encoder.width", self.width, 4096, "from 1 to 4096"),
            ("model.encoder.depth", self.depth, 64, "from 1 to 64"),
            ("model.encoder.heads", self.heads, 64, "from 1 to 64"),
            (
                "model.encoder.expansion",
                self.expansion,
                16,
                "from 1 to 16",
            ),
        ] {
            if !(1..=most).contains(&value) {
                return bad(key, value.to_string(), expected);
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            let expected = "a multiple of model.encoder.heads";
            return bad("model.encoder.width", self.width.to_string(), expected);
        }
        Ok(())
    }

    pub(crate) fn check_fits(&self, shape: [usize; 3]) -> Result<(), ModelError> {
        let [height, width, channels] = shape;
        let divides = height.is_multiple_of(self.patch) && width.is_multiple_of(self.patch);
        if !divides || self.patches(height, width) > MOST_TOKENS {
            let found = format!("{} for images of {height}x{width}", self.patch);
            let expected = "a size that divides both sides into at most 4096 patches";
            return bad("model.encoder.patch", found, expected);
        }
        let tokens = self.patches(height, width) + 1;
        let block = (4 + 2 * self.expansion) * self.width * self.width;
        let embedding = self.patch * self.patch * channels * self.width;
        let weights = self.depth * block + embedding + tokens * self.width;
        let activations = self.depth * tokens * (self.heads * tokens + self.width * self.expansion);
        if weights.max(activations) > MOST {
            let found = format!(
                "{}, {weights} weights, {activations} activations",
                self.width
            );
            let expected = "at most 100 million weights, and activations an image: use a smaller \
                            width, depth or number of heads, or larger patches";
            return bad("model.encoder.width", found, expected);
        }
        Ok(())
    }

    fn patches(&self, height: usize, width: usize) -> usize {
        (height / self.patch) * (width / self.patch)
    }
}

fn bad<T>(key: &'static str, value: String, expected: &'static str) -> Result<T, ModelError> {
    Err(ModelError::BadConfig {
        key,
        value,
        expected,
    })
}

/// Vision transformer: a dense embedding of each patch, plus a learned embedding of its position,
/// through blocks of self-attention; then layer normalization and a dense map to the latent.
#[derive(Module, Debug)]
pub struct Vit {
    embed: Linear,
    position: Param<Tensor<3>>,
    class: Option<Param<Tensor<3>>>,
    blocks: Vec<TransformerBlock>,
    norm: LayerNorm,
    latent: Linear,
    patch: usize,
    #[module(skip)]
    precision: Precision,
}

/// Pre-norm block: `x + attention(norm(x))`, then `x + mlp(norm(x))` with GELU.
#[derive(Module, Debug)]
pub struct TransformerBlock {
    attention_norm: LayerNorm,
    /// Queries, keys and values, one after the other.
    qkv: Linear,
    project: Linear,
    mlp_norm: LayerNorm,
    expand: Linear,
    contract: Linear,
    heads: usize,
}

impl Vit {
    pub(crate) fn new(
        init: &mut Init,
        config: &VitConfig,
        [height, width, channels]: [usize; 3],
        latent: usize,
        precision: Precision,
    ) -> Self {
        let (size, patches) = (config.width, config.patches(height, width));
        let class = config.token == Token::Class;
        Self {
            embed: Linear::new(init, config.patch * config.patch * channels, size, 1.0),
            position: init.uniform([1, patches, size], EMBEDDING),
            class: class.then(|| init.uniform([1, 1, size], EMBEDDING)),
            blocks: (0..config.depth)
                .map(|_| TransformerBlock::new(init, config))
                .collect(),
            norm: LayerNorm::new(init, size, EPSILON),
            latent: Linear::new(init, size, latent, 1.0),
            patch: config.patch,
            precision,
        }
    }

    pub(crate) fn forward(&self, frames: &FrameBatch) -> Tensor<2> {
        let mut x = self.tokens(frames.scaled()) + self.position.val();
        let [batch, _, width] = x.dims();
        if let Some(class) = &self.class {
            let class = class.val().repeat_dim(0, batch);
            x = Tensor::cat(vec![class, x], 1);
        }
        for block in &self.blocks {
            x = block.forward(x, self.precision);
        }
        let x = self.norm.forward(x);
        let x = match self.class {
            Some(_) => x.narrow(1, 0, 1),
            None => x.mean_dim(1),
        };
        self.latent
            .forward(x.reshape([batch, width]), self.precision)
    }

    /// Embeds patches, row by row: `[batch, patches, width]`.
    fn tokens(&self, images: Tensor<4>) -> Tensor<3> {
        let [batch, height, width, channels] = images.dims();
        let size = self.patch;
        let (down, across) = (height / size, width / size);
        let patches = images
            .reshape([batch, down, size, across, size, channels])
            .permute([0, 1, 3, 2, 4, 5])
            .reshape([batch, down * across, size * size * channels]);
        each_token(&self.embed, patches, self.precision)
    }
}

impl TransformerBlock {
    fn new(init: &mut Init, config: &VitConfig) -> Self {
        let (width, hidden) = (config.width, config.width * config.expansion);
        Self {
            attention_norm: LayerNorm::new(init, width, EPSILON),
            qkv: Linear::new(init, width, 3 * width, 1.0),
            project: Linear::new(init, width, width, 1.0),
            mlp_norm: LayerNorm::new(init, width, EPSILON),
            expand: Linear::new(init, width, hidden, 1.0),
            contract: Linear::new(init, hidden, width, 1.0),
            heads: config.heads,
        }
    }

    fn forward(&self, x: Tensor<3>, precision: Precision) -> Tensor<3> {
        let seen = self.attention(self.attention_norm.forward(x.clone()), precision);
        let x = x + seen;
        let hidden = each_token(&self.expand, self.mlp_norm.forward(x.clone()), precision);
        let hidden = activation::gelu(hidden);
        x + each_token(&self.contract, hidden, precision)
    }

    fn attention(&self, x: Tensor<3>, precision: Precision) -> Tensor<3> {
        let [batch, tokens, width] = x.dims();
        let size = width / self.heads;
        let [queries, keys, values] = {
            let all = each_token(&self.qkv, x, precision)
                .reshape([batch, tokens, 3, self.heads, size])
                .permute([2, 0, 3, 1, 4]);
            [0, 1, 2].map(|part| {
                let shape = [batch, self.heads, tokens, size];
                all.clone().narrow(0, part, 1).reshape(shape)
            })
        };
        let scores = queries.matmul(keys.transpose()) / (size as f32).sqrt();
        let mixed = activation::softmax(scores, 3).matmul(values);
        let mixed = mixed.permute([0, 2, 1, 3]).reshape([batch, tokens, width]);
        each_token(&self.project, mixed, precision)
    }
}

/// Applies a dense layer to every token.
fn each_token(layer: &Linear, x: Tensor<3>, precision: Precision) -> Tensor<3> {
    let [batch, tokens, width] = x.dims();
    let y = layer.forward(x.reshape([batch * tokens, width]), precision);
    let width = y.dims()[1];
    y.reshape([batch, tokens, width])
}
