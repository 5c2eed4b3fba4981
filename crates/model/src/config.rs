//! Architecture of a P-JEPA, and the checks that it can be built.

use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::encoder::EncoderConfig;
use crate::error::ModelError;
use crate::head::{BINS, HeadKind};
use crate::observation::ObservationSpec;
use crate::predictor::PredictorKind;

/// Architecture of a P-JEPA, checked by [`Pjepa::new`](crate::Pjepa::new).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Encoder E, with its options. A bare word chooses the kind, with its default options.
    pub encoder: EncoderConfig,
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
}

impl Default for ModelConfig {
    /// Returns bounded networks on the generic encoder, with a linear head. A linear head cannot
    /// tell apart what the encoder does not. This makes the contrast between joint and
    /// auxiliary-only training sharpest.
    fn default() -> Self {
        Self {
            encoder: EncoderConfig::default(),
            predictor: PredictorKind::Bounded,
            head: HeadKind::Bounded,
            latent: 32,
            hidden: 512,
            predictor_layers: 3,
            head_layers: 0,
            head_lipschitz: 0.25,
            precision: Precision::F32,
        }
    }
}

/// Shapes of inputs and outputs, which the environment or the data fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoSpec {
    /// Kind and shape of an observation.
    pub observation: ObservationSpec,
    /// Number of distinct actions.
    pub actions: usize,
    /// Length of an action vector.
    pub action_width: usize,
    /// Length of p.
    pub target_width: usize,
    /// Whether p belongs to steps: then the head has one output for each distinct action.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub p_of_step: bool,
}

impl IoSpec {
    /// Returns the number of values of p that the head predicts of one latent: one, or one for each
    /// distinct action.
    #[must_use]
    pub fn head_outputs(&self) -> usize {
        if self.p_of_step { self.actions } else { 1 }
    }
}

/// Largest width and number of layers. It is far above anything that trains here, and turns a
/// typing error into an error instead of an exhausted machine.
const MOST: usize = 4096;
/// Largest number of weights of a bounded predictor, and of the last layer of a head.
const MOST_WEIGHTS: usize = 100_000_000;

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
        self.encoder.check()
    }

    /// Checks the keys whose possible values depend on the data.
    pub(crate) fn check_fits(&self, interface: &IoSpec) -> Result<(), ModelError> {
        if self.head == HeadKind::TwoHot && interface.target_width != 1 {
            let expected =
                "`plain` or `bounded`: two-hot bins take a scalar p, and this target is a vector";
            return Err(bad("model.head", "two-hot".to_string(), expected));
        }
        let outputs = interface.head_outputs().saturating_mul(match self.head {
            HeadKind::TwoHot => BINS,
            HeadKind::Bounded | HeadKind::Plain => interface.target_width,
        });
        if outputs.saturating_mul(self.hidden.max(self.latent)) > MOST_WEIGHTS {
            let found = format!("{outputs} outputs, for {} actions", interface.actions);
            let expected = "a head of at most 100 million weights: p belongs to steps, so each action has its own";
            return Err(bad("model.head", found, expected));
        }
        if self.predictor == PredictorKind::Bounded {
            let matrices = interface.actions.saturating_mul(self.predictor_layers);
            let weights = matrices.saturating_mul(self.latent * self.latent);
            if weights > MOST_WEIGHTS {
                let found = format!(
                    "{} for {} actions",
                    self.predictor_layers, interface.actions
                );
                let expected = "at most 100 million weights: use fewer layers, or a smaller latent";
                return Err(bad("model.predictor_layers", found, expected));
            }
        }
        self.encoder.check_fits(interface.observation, self.latent)
    }
}

pub(crate) fn bad(key: &'static str, value: String, expected: &'static str) -> ModelError {
    ModelError::BadConfig {
        key,
        value,
        expected,
    }
}
