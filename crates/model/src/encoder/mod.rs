//! Encoders from observations to latents.
//!
//! * [`cnn`]: strided convolutions, flattened. Generic: nothing in it is specific to counting.
//! * [`resnet`]: the paper's reference, eight residual blocks of 32 channels.
//! * [`patch`]: features of patches, summed over positions. Cheap, with a strong prior: a sum over
//!   positions counts by construction, and cannot tell where anything is.
//! * [`mlp`]: dense layers, for vectors (and for images, flattened).
//! * [`vit`]: a vision transformer over patch tokens.

pub mod cnn;
pub mod mlp;
pub mod patch;
pub mod resnet;
pub mod vit;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::config::bad;
use crate::error::ModelError;
use crate::init::Init;
use crate::observation::{ObservationBatch, ObservationSpec};

/// Kind of encoder, with the options of that kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EncoderConfig {
    /// Strided convolutions, flattened. It has no pooling prior.
    Cnn(cnn::CnnConfig),
    /// The paper's reference: eight residual blocks of 32 channels.
    Resnet(resnet::ResnetConfig),
    /// Features of patches, summed over positions. It is cheap and has a counting prior.
    Patch(patch::PatchConfig),
    /// Dense layers, for vectors, and for images as vectors of pixels.
    Mlp(mlp::MlpConfig),
    /// Vision transformer over patch tokens.
    Vit(vit::VitConfig),
}

impl Default for EncoderConfig {
    /// Returns the `cnn` encoder.
    fn default() -> Self {
        Self::Cnn(cnn::CnnConfig::default())
    }
}

impl EncoderConfig {
    /// Returns every kind with its default options.
    pub fn all() -> [Self; 5] {
        [
            Self::default(),
            Self::Resnet(resnet::ResnetConfig::default()),
            Self::Patch(patch::PatchConfig::default()),
            Self::Mlp(mlp::MlpConfig::default()),
            Self::Vit(vit::VitConfig::default()),
        ]
    }

    /// Returns the name of the kind, as configurations spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cnn(_) => "cnn",
            Self::Resnet(_) => "resnet",
            Self::Patch(_) => "patch",
            Self::Mlp(_) => "mlp",
            Self::Vit(_) => "vit",
        }
    }

    /// Checks the options that do not depend on the data.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        match self {
            Self::Cnn(options) => options.check(),
            Self::Mlp(options) => options.check(),
            Self::Vit(options) => options.check(),
            Self::Resnet(_) | Self::Patch(_) => Ok(()),
        }
    }

    /// Checks that the encoder takes these observations.
    pub(crate) fn check_fits(
        &self,
        observation: ObservationSpec,
        latent: usize,
    ) -> Result<(), ModelError> {
        if let Self::Mlp(options) = self {
            return options.check_fits(observation, latent);
        }
        let ObservationSpec::Image(shape) = observation else {
            let expected = "`mlp`: the observations are vectors, and the others take images";
            return Err(bad("model.encoder", self.name().to_owned(), expected));
        };
        let [height, width, channels] = shape;
        if height < 16 || width < 16 || channels == 0 {
            let found = format!("{height}x{width}x{channels}");
            let expected = "images of at least 16x16 pixels, or `model.encoder` as `mlp`";
            return Err(bad("observation", found, expected));
        }
        match self {
            Self::Cnn(options) => options.check_fits(shape, latent),
            Self::Vit(options) => options.check_fits(shape),
            _ => Ok(()),
        }
    }
}

/// Encoder from observations to latents, `[batch, latent]`.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a model has one encoder: a box would save nothing"
)]
pub enum Encoder {
    /// See [`cnn`].
    Cnn(cnn::Cnn),
    /// See [`resnet`].
    Resnet(resnet::Resnet),
    /// See [`patch`].
    Patch(patch::Patch),
    /// See [`mlp`].
    Mlp(mlp::Mlp),
    /// See [`vit`].
    Vit(vit::Vit),
}

impl Encoder {
    /// Builds the configured encoder for such observations, which it takes
    /// ([`crate::Pjepa::new`] checks that).
    pub(crate) fn new(
        init: &mut Init,
        config: &EncoderConfig,
        observation: ObservationSpec,
        latent: usize,
        precision: Precision,
    ) -> Self {
        let image = match observation {
            ObservationSpec::Image(shape) => shape,
            ObservationSpec::Vector(width) => [1, 1, width],
        };
        match config {
            EncoderConfig::Cnn(options) => {
                Self::Cnn(cnn::Cnn::new(init, options, image, latent, precision))
            }
            EncoderConfig::Resnet(_) => {
                Self::Resnet(resnet::Resnet::new(init, image, latent, precision))
            }
            EncoderConfig::Patch(_) => {
                Self::Patch(patch::Patch::new(init, image, latent, precision))
            }
            EncoderConfig::Mlp(options) => {
                let width = image.iter().product();
                Self::Mlp(mlp::Mlp::new(init, options, width, latent, precision))
            }
            EncoderConfig::Vit(options) => {
                Self::Vit(vit::Vit::new(init, options, image, latent, precision))
            }
        }
    }

    /// Encodes observations as latents.
    ///
    /// # Panics
    /// Like all tensor operations: if the observations are not those that the model was built for.
    pub fn forward(&self, observations: &ObservationBatch) -> Tensor<2> {
        match self {
            Self::Cnn(encoder) => encoder.forward(observations.frames()),
            Self::Resnet(encoder) => encoder.forward(observations.frames()),
            Self::Patch(encoder) => encoder.forward(observations.frames()),
            Self::Mlp(encoder) => encoder.forward(observations.flat()),
            Self::Vit(encoder) => encoder.forward(observations.frames()),
        }
    }
}

/// Returns the output length of a convolution along one axis.
pub(crate) fn convolved(length: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    (length + 2 * padding - kernel) / stride + 1
}
