//! The generic strided encoder.

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use super::convolved;
use crate::error::ModelError;
use crate::init::Init;
use crate::layers::{Conv, LayerNorm, Linear};
use crate::trunk::{Frames, Stage, StageInput, trunk};

const EPSILON: f32 = 1e-5;

/// Weights, and activations of one image: a slip of the keyboard is an error rather than an exhausted
/// machine.
const MOST: usize = 100_000_000;

/// The convolutions of a [`Cnn`]: one for each element of `channels`, `kernels` and `strides`.
///
/// Images are padded with zeros on every side by half of what a kernel is wider than its stride,
/// rounded up: at stride 2 or more each convolution divides a size that is a multiple of its stride by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CnnConfig {
    /// Channels of each output.
    pub channels: Vec<usize>,
    /// Rows and columns of each kernel.
    pub kernels: Vec<usize>,
    /// Steps between neighbouring outputs.
    pub strides: Vec<usize>,
    /// Layer normalisation over the channels of each pixel, before the ReLU after each convolution
    /// (the hidden layer is always normalised). It matters: without it before the last ReLU the
    /// encoder collapsed in trials.
    pub normalise: bool,
    /// Width of the dense layer before the latent; 0 for none.
    pub hidden: usize,
}

impl Default for CnnConfig {
    /// 8/4, 3/2, 3/2 with 32, 32, 64 channels, and one hidden layer of 256.
    fn default() -> Self {
        Self {
            channels: vec![32, 32, 64],
            kernels: vec![8, 3, 3],
            strides: vec![4, 2, 2],
            normalise: true,
            hidden: 256,
        }
    }
}

/// Strided convolutions with ReLU, flattened; then at most one hidden layer.
#[derive(Module, Debug)]
pub struct Cnn {
    convs: Vec<Conv>,
    norms: Vec<LayerNorm>,
    hidden: Option<Linear>,
    hidden_norm: Option<LayerNorm>,
    latent: Linear,
}

impl Cnn {
    /// Of a config that [fits](CnnConfig::check_fits).
    pub(crate) fn new(
        init: &mut Init,
        config: &CnnConfig,
        shape: [usize; 3],
        latent: usize,
    ) -> Self {
        let [mut height, mut width, mut channels] = shape;
        let (mut convs, mut norms) = (Vec::new(), Vec::new());
        for (out, kernel, stride) in config.convolutions() {
            let padding = padding(kernel, stride);
            convs.push(Conv::new(init, channels, out, kernel, stride, padding));
            if config.normalise {
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
        }
    }

    pub(crate) fn forward(&self, frames: &Frames) -> Tensor<2> {
        // What follows a convolution belongs to the next one; what follows the last stands alone.
        let stages: Vec<Stage> = self
            .convs
            .iter()
            .enumerate()
            .map(|(index, conv)| {
                conv.stage(match index.checked_sub(1) {
                    None => StageInput::Plain,
                    Some(before) => self
                        .norms
                        .get(before)
                        .map_or(StageInput::Relu, LayerNorm::stage_input),
                })
            })
            .collect();
        let x = trunk(frames, &stages);
        let x = match self.norms.last() {
            Some(norm) => norm.forward_relu(x),
            None => activation::relu(x),
        };
        let mut x = x.flatten(1, 3);
        if let (Some(hidden), Some(norm)) = (&self.hidden, &self.hidden_norm) {
            x = norm.forward_relu(hidden.forward(x));
        }
        self.latent.forward(x)
    }
}

impl CnnConfig {
    fn convolutions(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let sizes = self.kernels.iter().zip(&self.strides);
        let all = self.channels.iter().zip(sizes);
        all.map(|(&channels, (&kernel, &stride))| (channels, kernel, stride))
    }

    /// Checks what does not depend on the data.
    ///
    /// # Errors
    /// Names the key, the value and what is possible.
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
                "model.cnn.channels",
                &self.channels,
                1024,
                "one to 16 whole numbers from 1 to 1024",
            ),
            (
                "model.cnn.kernels",
                &self.kernels,
                64,
                "one to 16 whole numbers from 1 to 64",
            ),
            (
                "model.cnn.strides",
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
            ("model.cnn.kernels", &self.kernels),
            ("model.cnn.strides", &self.strides),
        ] {
            if list.len() != self.channels.len() {
                let expected = "as many numbers as model.cnn.channels has";
                return bad(key, format!("{list:?}"), expected);
            }
        }
        if self.hidden > 4096 {
            let expected = "a whole number from 0 to 4096";
            return bad("model.cnn.hidden", self.hidden.to_string(), expected);
        }
        Ok(())
    }

    /// Checks that images of `[height, width, channels]` have something left after each convolution,
    /// and that weights and activations are of a size that a computer may hold.
    ///
    /// # Errors
    /// Names the key, the value and what is possible.
    pub(crate) fn check_fits(&self, shape: [usize; 3], latent: usize) -> Result<(), ModelError> {
        let [height, width, mut channels] = shape;
        let mut size = [height, width];
        let (mut weights, mut activations) = (0, 0);
        for (out, kernel, stride) in self.convolutions() {
            let padding = padding(kernel, stride);
            if size.iter().any(|&length| length + 2 * padding < kernel) {
                return Err(ModelError::BadConfig {
                    key: "model.cnn.kernels",
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
                key: "model.cnn.channels",
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

/// Zeros on every side.
fn padding(kernel: usize, stride: usize) -> usize {
    kernel.saturating_sub(stride).div_ceil(2)
}
