//! Generic encoder of strided convolutions.

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use super::convolved;
use crate::conv_stack::{FrameBatch, Stage, StagePrologue, conv_stack};
use crate::error::ModelError;
use crate::init::Init;
use crate::layers::{Conv, LayerNorm, Linear};

const EPSILON: f32 = 1e-5;

/// Largest number of weights, and of activations of one image. A typing error then gives an error
/// instead of exhausting the machine.
const MOST: usize = 100_000_000;

/// Convolutions of the `cnn` encoder: one for each element of `channels`, `kernels` and `strides`,
/// which have equal lengths from 1 to 16. Weights, and activations of one image, are limited to 100
/// million each.
///
/// Zero padding on every side is half of `kernel - stride`, rounded up, and never negative. At
/// stride 2 or more, a convolution therefore divides any multiple of its stride by the stride.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CnnConfig {
    /// Output channels of each convolution, from 1 to 1024.
    pub channels: Vec<usize>,
    /// Height and width of each kernel in pixels, from 1 to 64.
    pub kernels: Vec<usize>,
    /// Stride of each convolution along both axes, from 1 to 64.
    pub strides: Vec<usize>,
    /// Whether layer normalization over the channels of each pixel precedes the ReLU after each
    /// convolution. The hidden layer is always normalized. In trials, the encoder collapsed without
    /// normalization before the last of these ReLUs.
    pub normalize: bool,
    /// Width of the dense layer before the latent, from 0 to 4096; 0 for none.
    pub hidden: usize,
}

impl Default for CnnConfig {
    /// Returns convolutions 8/4, 3/2 and 3/2 (kernel/stride) with 32, 32 and 64 channels, and one
    /// hidden layer of 256.
    fn default() -> Self {
        Self {
            channels: vec![32, 32, 64],
            kernels: vec![8, 3, 3],
            strides: vec![4, 2, 2],
            normalize: true,
            hidden: 256,
        }
    }
}

/// Encoder of strided convolutions with ReLU, flattened, then at most one hidden layer.
#[derive(Module, Debug)]
pub struct Cnn {
    convs: Vec<Conv>,
    norms: Vec<LayerNorm>,
    hidden: Option<Linear>,
    hidden_norm: Option<LayerNorm>,
    latent: Linear,
    #[module(skip)]
    precision: Precision,
}

impl Cnn {
    /// Builds the encoder of a config that [fits](CnnConfig::check_fits).
    pub(crate) fn new(
        init: &mut Init,
        config: &CnnConfig,
        shape: [usize; 3],
        latent: usize,
        precision: Precision,
    ) -> Self {
        let [mut height, mut width, mut channels] = shape;
        let (mut convs, mut norms) = (Vec::new(), Vec::new());
        for (out, kernel, stride) in config.convolutions() {
            let padding = padding(kernel, stride);
            convs.push(Conv::new(init, channels, out, kernel, stride, padding));
            if config.normalize {
                norms.push(LayerNorm::new(init, out, EPSILON));
            }
            height = convolved(height, kernel, stride, padding);
            width = convolved(width, kernel, stride, padding);
            channels = out;
        }
        let flat = height * width * channels;
        let (hidden, hidden_norm, last) = match config.hidden {
            0 => (None, None, flat),
            hidden => (
                Some(Linear::new(init, flat, hidden, 1.0)),
                Some(LayerNorm::new(init, hidden, EPSILON)),
                hidden,
            ),
        };
        Self {
            convs,
            norms,
            hidden,
            hidden_norm,
            latent: Linear::new(init, last, latent, 1.0),
            precision,
        }
    }

    pub(crate) fn forward(&self, frames: &FrameBatch) -> Tensor<2> {
        // A stage begins with what follows the convolution before it; what follows the last
        // convolution comes after the stack.
        let stages: Vec<Stage> = self
            .convs
            .iter()
            .enumerate()
            .map(|(index, conv)| {
                conv.stage(match index.checked_sub(1) {
                    None => StagePrologue::Nothing,
                    Some(before) => self
                        .norms
                        .get(before)
                        .map_or(StagePrologue::Relu, LayerNorm::stage_prologue),
                })
            })
            .collect();
        let x = conv_stack(frames, &stages, self.precision);
        let x = match self.norms.last() {
            Some(norm) => norm.forward_relu(x),
            None => activation::relu(x),
        };
        let mut x = x.flatten(1, 3);
        if let (Some(hidden), Some(norm)) = (&self.hidden, &self.hidden_norm) {
            x = norm.forward_relu(hidden.forward(x, self.precision));
        }
        self.latent.forward(x, self.precision)
    }
}

impl CnnConfig {
    fn convolutions(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let sizes = self.kernels.iter().zip(&self.strides);
        let all = self.channels.iter().zip(sizes);
        all.map(|(&channels, (&kernel, &stride))| (channels, kernel, stride))
    }

    /// Checks the keys that do not depend on the data.
    ///
    /// # Errors
    /// Names the key, its value and the possible values.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let bad = |key, found: String, expected| {
            Err(ModelError::BadConfig {
                key,
                value: found,
                expected,
            })
        };
        for (key, list, most, expected) in [
            (
                "model.encoder.channels",
                &self.channels,
                1024,
                "one to 16 whole numbers from 1 to 1024",
            ),
            (
                "model.encoder.kernels",
                &self.kernels,
                64,
                "one to 16 whole numbers from 1 to 64",
            ),
            (
                "model.encoder.strides",
                &self.strides,
                64,
                "one to 16 whole numbers from 1 to 64",
            ),
        ] {
            if !(1..=16).contains(&list.len()) || list.iter().any(|n| !(1..=most).contains(n)) {
                return bad(key, format!("{list:?}"), expected);
            }
        }
        for (key, list) in [
            ("model.encoder.kernels", &self.kernels),
            ("model.encoder.strides", &self.strides),
        ] {
            if list.len() != self.channels.len() {
                let expected = "as many numbers as model.encoder.channels has";
                return bad(key, format!("{list:?}"), expected);
            }
        }
        if self.hidden > 4096 {
            let expected = "a whole number from 0 to 4096";
            return bad("model.encoder.hidden", self.hidden.to_string(), expected);
        }
        Ok(())
    }

    /// Checks that each convolution leaves something of images of `[height, width, channels]`, and
    /// that a computer may hold the weights and activations.
    ///
    /// # Errors
    /// Names the key, its value and the possible values.
    pub(crate) fn check_fits(&self, shape: [usize; 3], latent: usize) -> Result<(), ModelError> {
        let [height, width, mut channels] = shape;
        let mut size = [height, width];
        let (mut weights, mut activations) = (0, 0);
        for (out, kernel, stride) in self.convolutions() {
            let padding = padding(kernel, stride);
            if size.iter().any(|&length| length + 2 * padding < kernel) {
                return Err(ModelError::BadConfig {
                    key: "model.encoder.kernels",
                    value: format!("{:?}", self.kernels),
                    expected: "kernels no larger than the padded images they meet: use smaller \
                               ones, smaller strides or fewer convolutions",
                });
            }
            size = size.map(|length| convolved(length, kernel, stride, padding));
            weights += channels * kernel * kernel * out;
            activations += size[0] * size[1] * out;
            channels = out;
        }
        let flat = size[0] * size[1] * channels;
        weights += match self.hidden {
            0 => flat * latent,
            hidden => flat * hidden + hidden * latent,
        };
        if weights.max(activations) > MOST {
            return Err(ModelError::BadConfig {
                key: "model.encoder.channels",
                value: format!(
                    "{:?}, which makes {weights} weights and {activations} activations an image",
                    self.channels
                ),
                expected: "at most 100 million of each: use fewer channels, larger strides or a \
                           smaller hidden layer",
            });
        }
        Ok(())
    }
}

/// Returns the number of zeros on every side.
fn padding(kernel: usize, stride: usize) -> usize {
    kernel.saturating_sub(stride).div_ceil(2)
}
