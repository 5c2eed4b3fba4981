//! P-JEPA models: encoder, predictor (latent dynamics), auxiliary head, and the losses that train
//! them together (Yu et al. 2025, section 3).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::conv_stack::FrameBatch;
use crate::encoder::cnn::CnnConfig;
use crate::encoder::{Encoder, EncoderKind};
use crate::error::ModelError;
use crate::head::{Head, HeadKind};
use crate::init::Init;
use crate::predictor::{ActionBatch, Predictor, PredictorKind};

/// Architecture of a P-JEPA, checked by [`Pjepa::new`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Kind of encoder E.
    pub encoder: EncoderKind,
    /// Kind of predictor T (latent dynamics).
    pub predictor: PredictorKind,
    /// Kind of auxiliary head P.
    pub head: HeadKind,
    /// Dimensions of the latent, from 1 to 4096. They must be even for a bounded predictor, and for
    /// a bounded head with `head_layers` above 0.
    pub latent: usize,
    /// Hidden width of plain predictors and of plain and two-hot heads, from 1 to 4096.
    pub hidden: usize,
    /// Number of layers in each network of a bounded predictor, from 1 to 4096.
    pub predictor_layers: usize,
    /// Number of orthogonal layers before the linear map of a bounded head, from 0 to 4096; 0 makes
    /// the head linear.
    pub head_layers: usize,
    /// Lipschitz constant of a bounded head, a positive number.
    pub head_lipschitz: f32,
    /// Number format of the factors in convolutions and dense layers of encoder, plain predictors,
    /// and plain and two-hot heads. Sums, parameters and their gradients are always f32. Only the
    /// device `cpu` has `bf16`.
    pub precision: Precision,
    /// Convolutions of the `cnn` encoder.
    pub cnn: CnnConfig,
}

impl Default for ModelConfig {
    /// Returns bounded networks on the generic encoder, with a linear head. A linear head cannot
    /// tell apart what the encoder does not. This makes the contrast between joint and
    /// auxiliary-only training sharpest.
    fn default() -> Self {
        Self {
            encoder: EncoderKind::Cnn,
            predictor: PredictorKind::Bounded,
            head: HeadKind::Bounded,
            latent: 32,
            hidden: 512,
            predictor_layers: 3,
            head_layers: 0,
            head_lipschitz: 0.25,
            precision: Precision::F32,
            cnn: CnnConfig::default(),
        }
    }
}

/// Shapes of inputs and outputs, which the environment or the data fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoSpec {
    /// Shape `[height, width, channels]` of an observation.
    pub observation: [usize; 3],
    /// Number of distinct actions.
    pub actions: usize,
    /// Length of an action vector.
    pub action_width: usize,
    /// Length of p.
    pub target_width: usize,
}

/// P-JEPA: encoder `E`, predictor `T` (latent dynamics) and auxiliary head `P`.
#[derive(Module, Debug)]
pub struct Pjepa {
    /// Encoder `E: image -> latent`.
    pub encoder: Encoder,
    /// Predictor `T: (latent, action) -> next latent`.
    pub predictor: Predictor,
    /// Auxiliary head `P: latent -> p`.
    pub head: Head,
}

impl Pjepa {
    /// Builds a freshly initialized model.
    ///
    /// # Errors
    /// A config that cannot be built: names the key, its value and the possible values.
    pub fn new(
        config: &ModelConfig,
        interface: &IoSpec,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.check()?;
        config.check_fits(interface)?;
        let encoder_init = &mut Init::new(rng, device, 1_000).with_precision(config.precision);
        let encoder = Encoder::new(encoder_init, config, interface.observation);
        let predictor = Predictor::new(
            &mut Init::new(rng, device, 2_000).with_precision(config.precision),
            config.predictor,
            config.latent,
            config.hidden,
            config.predictor_layers,
            interface.actions,
            interface.action_width,
        );
        let head = Head::new(
            &mut Init::new(rng, device, 3_000).with_precision(config.precision),
            config,
            interface.target_width,
        );
        Ok(Self {
            encoder,
            predictor,
            head,
        })
    }

    /// Returns the declared Lipschitz constant of `z -> P(T^w(z))`. It holds for every word `w`,
    /// since a bounded predictor never stretches distances. `None` means finite, but not known.
    pub fn rollout_lipschitz(&self) -> Option<f32> {
        Some(self.predictor.lipschitz()? * self.head.lipschitz()?)
    }
}

/// Batch of consecutive observations as tensors.
#[derive(Debug, Clone)]
pub struct TensorBatch {
    /// Frames `[rows, height, width, channels]`.
    pub observations: FrameBatch,
    /// Action of each transition.
    pub actions: ActionBatch,
    /// p of each row, `[rows, width]`.
    pub targets: Tensor<2>,
    /// Rows whose successor is the next row, `[transitions]`.
    pub sources: Tensor<1, Int>,
    /// Number of transitions. `T` sees only these rows.
    pub transitions: usize,
}

/// Losses that may change the encoder. A loss that may not sees detached latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderGradients {
    /// Whether `L_dyn` reaches the encoder.
    pub dynamics: bool,
    /// Whether `L_p` reaches the encoder.
    pub auxiliary: bool,
    /// Whether the target `E(o')` of `L_dyn` is detached. The paper's reference does not detach it.
    pub stop_target: bool,
}

/// Noise added to the latents that enter `T` and `P`, `[rows, latent]` each.
#[derive(Debug, Clone)]
pub struct LatentNoise {
    /// Noise on the latents that enter `T`.
    pub dynamics: Tensor<2>,
    /// Noise on the latents that enter `P`.
    pub auxiliary: Tensor<2>,
}

/// Losses of a batch, each of shape `[1]`, and the latents they came from.
#[derive(Debug)]
pub struct Losses {
    /// Dynamics loss: mean over transitions of `|| T(E(o), a) - E(o') ||^2`.
    pub dynamics: Tensor<1>,
    /// Auxiliary loss: mean over rows of the loss of `P(E(o))` against `p(o)`.
    pub auxiliary: Tensor<1>,
    /// Latents `[rows, latent]`, without noise.
    pub latents: Tensor<2>,
}

impl Pjepa {
    /// Computes both losses of one batch. Every observation is encoded once.
    pub fn losses(
        &self,
        batch: &TensorBatch,
        gradients: EncoderGradients,
        noise: Option<LatentNoise>,
    ) -> Losses {
        let latents = self.encoder.forward(&batch.observations);
        let seen_by = |reaches: bool| {
            if reaches {
                latents.clone()
            } else {
                latents.clone().detach()
            }
        };

        let source = seen_by(gradients.dynamics);
        let target = seen_by(gradients.dynamics && !gradients.stop_target);
        let (into_predictor, into_head) = match noise {
            Some(noise) => (
                source + noise.dynamics,
                seen_by(gradients.auxiliary) + noise.auxiliary,
            ),
            None => (source, seen_by(gradients.auxiliary)),
        };

        let dynamics = if batch.transitions == 0 {
            // A mean over no transitions would be 0 / 0.
            latents.clone().sum() * 0.0
        } else {
            let from = into_predictor.select(0, batch.sources.clone());
            let to = target.select(0, batch.sources.clone() + 1);
            let predicted = self.predictor.prepare().step(from, &batch.actions);
            (predicted - to).square().sum() / batch.transitions as f32
        };
        let auxiliary = self
            .head
            .row_losses(into_head, batch.targets.clone())
            .mean();
        Losses {
            dynamics,
            auxiliary,
            latents,
        }
    }
}

/// Largest width and number of layers. It is far above anything that trains here, and turns a
/// typing error into an error instead of an exhausted machine.
const MOST: usize = 4096;

impl ModelConfig {
    /// Checks the keys that do not depend on the data.
    ///
    /// # Errors
    /// Names the key, its value and the possible values.
    pub fn check(&self) -> Result<(), ModelError> {
        let bounded = self.predictor == PredictorKind::Bounded
            || (self.head == HeadKind::Bounded && self.head_layers > 0);
        for (key, value) in [
            ("model.latent", self.latent),
            ("model.hidden", self.hidden),
            ("model.predictor_layers", self.predictor_layers),
        ] {
            if !(1..=MOST).contains(&value) {
                return Err(bad(key, value.to_string(), "a whole number from 1 to 4096"));
            }
        }
        if self.head_layers > MOST {
            let value = self.head_layers.to_string();
            return Err(bad(
                "model.head_layers",
                value,
                "a whole number from 0 to 4096",
            ));
        }
        if bounded && !self.latent.is_multiple_of(2) {
            let expected = "an even number: bounded networks sort pairs of coordinates";
            return Err(bad("model.latent", self.latent.to_string(), expected));
        }
        if !(self.head_lipschitz.is_finite() && self.head_lipschitz > 0.0) {
            let value = self.head_lipschitz.to_string();
            return Err(bad("model.head_lipschitz", value, "a positive number"));
        }
        self.cnn.check()
    }

    /// Checks the keys whose possible values depend on the data.
    fn check_fits(&self, interface: &IoSpec) -> Result<(), ModelError> {
        if self.head == HeadKind::TwoHot && interface.target_width != 1 {
            let expected =
                "`plain` or `bounded`: two-hot bins take a scalar p, and this target is a vector";
            return Err(bad("model.head", "two-hot".to_string(), expected));
        }
        let [height, width, channels] = interface.observation;
        if height < 16 || width < 16 || channels == 0 {
            let found = format!("{height}x{width}x{channels}");
            return Err(bad("observation", found, "images of at least 16x16 pixels"));
        }
        if self.encoder == EncoderKind::Cnn {
            self.cnn.check_fits(interface.observation, self.latent)?;
        }
        Ok(())
    }
}

fn bad(key: &'static str, value: String, expected: &'static str) -> ModelError {
    ModelError::BadConfig {
        key,
        value,
        expected,
    }
}

/// Converts u8 pixels, channels-last, to `[rows, height, width, channels]` in `[0, 1]`.
pub fn images(frames: &[u8], shape: [usize; 3], device: &Device) -> Tensor<4> {
    let [height, width, channels] = shape;
    let rows = frames.len() / (height * width * channels).max(1);
    let values: Vec<f32> = frames
        .iter()
        .map(|&byte| f32::from(byte) * (1.0 / 255.0))
        .collect();
    Tensor::from_data(
        TensorData::new(values, [rows, height, width, channels]),
        device,
    )
}
