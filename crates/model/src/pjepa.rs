//! A P-JEPA: encoder, latent dynamics and auxiliary head, and the loss that trains them together
//! (Yu et al. 2025, section 3).

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::dynamics::{ActionBatch, Dynamics, DynamicsKind};
use crate::encoder::cnn::CnnConfig;
use crate::encoder::{Encoder, EncoderKind};
use crate::error::ModelError;
use crate::head::{Head, HeadKind};
use crate::init::Init;
use crate::trunk::Frames;

/// The shape of a P-JEPA, checked by [`Pjepa::new`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Which encoder.
    pub encoder: EncoderKind,
    /// Which latent dynamics.
    pub dynamics: DynamicsKind,
    /// Which auxiliary head.
    pub head: HeadKind,
    /// Dimensions of the latent; even where dynamics or head are bounded.
    pub latent: usize,
    /// Hidden width of plain dynamics and heads.
    pub hidden: usize,
    /// Layers of each bounded dynamics network.
    pub dynamics_layers: usize,
    /// Orthogonal layers of a bounded head before its linear map; 0 for a linear head.
    pub head_layers: usize,
    /// Lipschitz constant of a bounded head.
    pub head_lipschitz: f32,
    /// Of the products in convolutions and dense layers of encoder, plain dynamics and plain heads
    /// on the CPU device; sums, parameters and their gradients are f32 always.
    pub precision: Precision,
    /// The convolutions of the `cnn` encoder.
    pub cnn: CnnConfig,
}

impl Default for ModelConfig {
    /// The bounded setting on the generic encoder. The head is linear: it leaves no room for the
    /// head to tell apart what the encoder does not, and the contrast between joint and
    /// auxiliary-only training is sharpest.
    fn default() -> Self {
        Self {
            encoder: EncoderKind::Cnn,
            dynamics: DynamicsKind::Bounded,
            head: HeadKind::Bounded,
            latent: 32,
            hidden: 512,
            dynamics_layers: 3,
            head_layers: 0,
            head_lipschitz: 0.25,
            precision: Precision::F32,
            cnn: CnnConfig::default(),
        }
    }
}

/// What the model is trained on: fixed by the environment or the data, not by choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// `[height, width, channels]` of an observation.
    pub observation: [usize; 3],
    /// How many distinct actions there are.
    pub actions: usize,
    /// Length of an action vector.
    pub action_width: usize,
    /// Length of p.
    pub target_width: usize,
}

/// Encoder `E`, latent dynamics `T` and auxiliary head `P`.
#[derive(Module, Debug)]
pub struct Pjepa {
    /// `E: image -> latent`.
    pub encoder: Encoder,
    /// `T: (latent, action) -> next latent`.
    pub dynamics: Dynamics,
    /// `P: latent -> p`.
    pub head: Head,
}

impl Pjepa {
    /// A freshly initialised model.
    ///
    /// # Errors
    /// A config that cannot be built names the key, the value and what is possible.
    pub fn new(
        config: &ModelConfig,
        interface: &Interface,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.check()?;
        config.check_fits(interface)?;
        let encoder_init = &mut Init::new(rng, device, 1_000).with_precision(config.precision);
        let encoder = Encoder::new(encoder_init, config, interface.observation);
        let dynamics = Dynamics::new(
            &mut Init::new(rng, device, 2_000).with_precision(config.precision),
            config.dynamics,
            config.latent,
            config.hidden,
            config.dynamics_layers,
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
            dynamics,
            head,
        })
    }

    /// The declared Lipschitz constant of `z -> P(T^w(z))`, the same for every word `w`, since
    /// bounded dynamics never stretch; `None` where it is finite but not known.
    pub fn rollout_lipschitz(&self) -> Option<f32> {
        Some(self.dynamics.lipschitz()? * self.head.lipschitz()?)
    }
}

/// One batch of consecutive observations as tensors.
#[derive(Debug, Clone)]
pub struct TensorBatch {
    /// `[rows, height, width, channels]`.
    pub observations: Frames,
    /// The action taken in each transition.
    pub actions: ActionBatch,
    /// p of each row, `[rows, width]`.
    pub targets: Tensor<2>,
    /// `[transitions]`: the rows whose successor is the next row.
    pub sources: Tensor<1, Int>,
    /// How many there are: `T` sees no other row.
    pub transitions: usize,
}

/// Which loss may change the encoder; where it may not, it sees detached latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderGradients {
    /// `L_dyn` reaches the encoder.
    pub dynamics: bool,
    /// `L_p` reaches the encoder.
    pub auxiliary: bool,
    /// The target `E(o')` of `L_dyn` is detached (the reference does not).
    pub stop_target: bool,
}

/// Noise added to the latents that enter `T` and `P`, `[rows, latent]` each.
#[derive(Debug, Clone)]
pub struct LatentNoise {
    /// Enters `T`.
    pub dynamics: Tensor<2>,
    /// Enters `P`.
    pub auxiliary: Tensor<2>,
}

/// The two losses, each of shape `[1]`, and the latents they came from.
#[derive(Debug)]
pub struct Losses {
    /// Mean over transitions of `|| T(E(o), a) - E(o') ||^2`.
    pub dynamics: Tensor<1>,
    /// Mean over rows of the loss of `P(E(o))` against `p(o)`.
    pub auxiliary: Tensor<1>,
    /// `[rows, latent]`.
    pub latents: Tensor<2>,
}

impl Pjepa {
    /// Both losses of one batch; every observation is encoded once.
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
        let (into_dynamics, into_head) = match noise {
            Some(noise) => (
                source + noise.dynamics,
                seen_by(gradients.auxiliary) + noise.auxiliary,
            ),
            None => (source, seen_by(gradients.auxiliary)),
        };

        let dynamics = if batch.transitions == 0 {
            latents.clone().sum() * 0.0
        } else {
            let from = into_dynamics.select(0, batch.sources.clone());
            let to = target.select(0, batch.sources.clone() + 1);
            let predicted = self.dynamics.prepare().step(from, &batch.actions);
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

/// Far above anything that trains here, and small enough that a slip of the keyboard is an error
/// rather than an exhausted machine.
const MOST: usize = 4096;

impl ModelConfig {
    /// Checks what does not depend on the data.
    ///
    /// # Errors
    /// Names the key, the value and what is possible.
    pub fn check(&self) -> Result<(), ModelError> {
        let bounded = self.dynamics == DynamicsKind::Bounded
            || (self.head == HeadKind::Bounded && self.head_layers > 0);
        for (key, value) in [
            ("model.latent", self.latent),
            ("model.hidden", self.hidden),
            ("model.dynamics_layers", self.dynamics_layers),
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

    /// Checks what the data decides.
    fn check_fits(&self, interface: &Interface) -> Result<(), ModelError> {
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

/// u8 pixels, channels-last, to `[rows, height, width, channels]` in `[0, 1]`.
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
