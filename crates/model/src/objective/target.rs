//! Targets of predicted latents: the encoder itself, detached, or its moving average.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::observation::ObservationBatch;

/// Encoder whose latents predictions are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Target {
    /// The encoder itself, with gradients, as in the paper.
    Same(SameTarget),
    /// The encoder itself, detached.
    StopGradient(StopGradientTarget),
    /// An exponential moving average of the encoder, detached (BYOL, I-JEPA).
    Ema(EmaTarget),
}

/// Options of the target `same`: there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SameTarget {}

/// Options of the target `stop-gradient`: there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StopGradientTarget {}

/// Options of the target `ema`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmaTarget {
    /// Share of the average that an update keeps, from 0 to 1: `decay * average + (1 - decay) *
    /// encoder`.
    pub decay: f32,
}

impl Default for EmaTarget {
    fn default() -> Self {
        Self { decay: 0.99 }
    }
}

impl Default for Target {
    /// Returns the encoder itself, as in the paper.
    fn default() -> Self {
        Self::Same(SameTarget {})
    }
}

impl Target {
    /// Returns every kind with its default options.
    pub fn all() -> [Self; 3] {
        [
            Self::default(),
            Self::StopGradient(StopGradientTarget {}),
            Self::Ema(EmaTarget::default()),
        ]
    }

    /// Returns the name of the kind, as configurations spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Same(_) => "same",
            Self::StopGradient(_) => "stop-gradient",
            Self::Ema(_) => "ema",
        }
    }

    /// Checks the options.
    ///
    /// # Errors
    /// Names the key, its value and the possible values.
    pub fn check(&self) -> Result<(), ModelError> {
        match self {
            Self::Ema(EmaTarget { decay }) if !(0.0..=1.0).contains(decay) => {
                Err(ModelError::BadConfig {
                    key: "gradients.target.decay",
                    value: decay.to_string(),
                    expected: "a number from 0 to 1",
                })
            }
            _ => Ok(()),
        }
    }
}

/// Exponential moving average of an encoder, which gathers no gradients.
#[derive(Debug, Clone)]
pub struct TargetEncoder {
    encoder: Encoder,
    decay: f32,
}

impl TargetEncoder {
    /// Begins with a copy of the encoder. `None` if the target is no average.
    pub fn new(target: Target, encoder: &Encoder) -> Option<Self> {
        match target {
            Target::Ema(EmaTarget { decay }) => Some(Self {
                encoder: encoder.clone().no_grad(),
                decay,
            }),
            _ => None,
        }
    }

    /// Returns the averaged encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Replaces the averaged encoder, as when a run is continued.
    #[must_use]
    pub fn with_encoder(self, encoder: Encoder) -> Self {
        Self {
            encoder: encoder.no_grad(),
            ..self
        }
    }

    /// Returns the average without autodiff.
    #[must_use]
    pub fn valid(&self) -> Self {
        Self {
            encoder: self.encoder.valid(),
            decay: self.decay,
        }
    }

    /// Encodes observations, detached.
    pub fn encode(&self, observations: &ObservationBatch) -> Tensor<2> {
        self.encoder.forward(observations).detach()
    }

    /// Moves the average towards the encoder. Cost: one pass over all parameters.
    #[must_use]
    pub fn moved_towards(self, encoder: &Encoder) -> Self {
        let mut online = Collector(HashMap::new());
        encoder.visit(&mut online);
        let mut average = Averager {
            online: online.0,
            decay: self.decay,
        };
        Self {
            encoder: self.encoder.map(&mut average),
            decay: self.decay,
        }
    }
}

/// Parameters of a module, flat and detached, by id.
struct Collector(HashMap<ParamId, Tensor<1>>);

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let count: usize = value.dims().iter().product();
        self.0.insert(param.id, value.detach().reshape([count]));
    }
}

struct Averager {
    online: HashMap<ParamId, Tensor<1>>,
    decay: f32,
}

impl ModuleMapper for Averager {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(online) = self.online.remove(&param.id) else {
            return param;
        };
        let average = param.val();
        let online = online.reshape(average.dims());
        let value = average * self.decay + online * (1.0 - self.decay);
        Param::initialized(param.id, value.detach())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::EncoderConfig;
    use crate::encoder::mlp::MlpConfig;
    use crate::init::Init;
    use crate::observation::ObservationSpec;
    use crate::parameters::{ParameterValues, parameters, with_parameters};
    use burn::tensor::Device;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use tellapart_kernels::Precision;

    #[test]
    fn an_average_from_zero_towards_one_is_a_hundredth() {
        let device = Device::flex().autodiff();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let config = EncoderConfig::Mlp(MlpConfig { hidden: vec![3] });
        let encoder = Encoder::new(
            &mut Init::new(&mut rng, &device, 0),
            &config,
            ObservationSpec::Vector(2),
            4,
            Precision::F32,
        );
        let filled = |value: f32| {
            let stored = parameters(&encoder).into_iter().map(|(name, of)| {
                let values = vec![value; of.values.len()];
                (
                    name,
                    ParameterValues {
                        shape: of.shape,
                        values,
                    },
                )
            });
            with_parameters(encoder.clone(), &stored.collect()).unwrap()
        };
        let average = TargetEncoder::new(Target::all()[2], &filled(0.0)).unwrap();
        let average = average.moved_towards(&filled(1.0));
        let found = parameters(average.encoder());
        assert_eq!(found.len(), 6);
        for (name, of) in found {
            let off = of.values.iter().map(|value| (value - 0.01).abs());
            assert!(off.fold(0.0, f32::max) < 1e-7, "{name}: {:?}", of.values);
        }
    }
}
