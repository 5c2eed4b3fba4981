//! Predictors `T: (latent, action) -> next latent`.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::bounded::{OrthogonalStack, OrthogonalWeights};
use crate::config::{IoSpec, ModelConfig};
use crate::init::Init;
use crate::layers::{LayerNorm, Linear};

const EPSILON: f32 = 1e-5;

/// Kind of predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictorKind {
    /// One orthogonal network per action, with Lipschitz constant 1.
    Bounded,
    /// One hidden layer with LayerNorm and Mish on the concatenated latent and action.
    Plain,
}

/// Actions of a batch, in the two forms that predictors take.
#[derive(Debug, Clone)]
pub struct ActionBatch {
    /// Action vectors `[batch, action width]`, as the environment takes them.
    vectors: Tensor<2>,
    /// Index of the distinct action of each row, `[batch]`.
    chosen: Arc<[u32]>,
}

impl ActionBatch {
    /// Moves actions to the device: `vectors` is `[batch, width]` flat, and `ids[row]` is the
    /// distinct action of the row.
    pub fn new(vectors: &[f32], width: usize, ids: &[u32], device: &Device) -> Self {
        let vectors = TensorData::new(vectors.to_vec(), [ids.len(), width]);
        Self {
            vectors: Tensor::from_data(vectors, device),
            chosen: Arc::from(ids),
        }
    }
}

/// Predictor `T: ([batch, latent], actions) -> [batch, latent]`.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a run has one of these, and Burn derives modules for plain variants"
)]
pub enum Predictor {
    /// See [`BoundedPredictor`].
    Bounded(BoundedPredictor),
    /// See [`PlainPredictor`].
    Plain(PlainPredictor),
}

/// Predictor with the results that stay the same over many steps with the same weights.
#[derive(Debug, Clone)]
pub struct PreparedPredictor<'a> {
    predictor: &'a Predictor,
    weights: Option<OrthogonalWeights>,
}

impl Predictor {
    /// Builds a predictor for the actions of the interface, from the keys `predictor*`, `latent`
    /// and `hidden` of the config.
    pub fn new(init: &mut Init, config: &ModelConfig, interface: &IoSpec) -> Self {
        let (latent, hidden) = (config.latent, config.hidden);
        match config.predictor {
            PredictorKind::Bounded => Self::Bounded(BoundedPredictor {
                networks: OrthogonalStack::new(
                    init,
                    interface.actions,
                    config.predictor_layers,
                    latent,
                    false,
                ),
            }),
            PredictorKind::Plain => Self::Plain(PlainPredictor {
                input: Linear::new(init, latent + interface.action_width, hidden, 1.0),
                norm: LayerNorm::new(init, hidden, EPSILON),
                output: Linear::new(init, hidden, latent, 1.0),
                precision: config.precision,
            }),
        }
    }

    /// Computes what does not depend on the input, once for several steps.
    pub fn prepare(&self) -> PreparedPredictor<'_> {
        let weights = match self {
            Self::Bounded(bounded) => Some(bounded.networks.orthogonal_weights()),
            Self::Plain(_) => None,
        };
        PreparedPredictor {
            predictor: self,
            weights,
        }
    }

    /// Returns the declared Lipschitz constant in the latent, equal for all actions. `None` for a
    /// plain predictor: it is finite, but not known.
    pub fn lipschitz(&self) -> Option<f32> {
        match self {
            Self::Bounded(_) => Some(1.0),
            Self::Plain(_) => None,
        }
    }
}

impl PreparedPredictor<'_> {
    /// Predicts the next latents, one step ahead.
    pub fn step(&self, latent: Tensor<2>, actions: &ActionBatch) -> Tensor<2> {
        match (self.predictor, &self.weights) {
            (Predictor::Bounded(bounded), Some(weights)) => {
                bounded
                    .networks
                    .forward_chosen(weights, latent, &actions.chosen)
            }
            (Predictor::Bounded(_), None) => unreachable!("prepare() works the weights out"),
            (Predictor::Plain(plain), _) => plain.step(latent, actions.vectors.clone()),
        }
    }
}

/// Predictor with one orthogonal network per distinct action. The action of a row selects its
/// network.
#[derive(Module, Debug)]
pub struct BoundedPredictor {
    networks: OrthogonalStack,
}

/// Predictor of the paper's reference: one hidden layer, LayerNorm, Mish.
#[derive(Module, Debug)]
pub struct PlainPredictor {
    input: Linear,
    norm: LayerNorm,
    output: Linear,
    #[module(skip)]
    precision: Precision,
}

impl PlainPredictor {
    fn step(&self, latent: Tensor<2>, actions: Tensor<2>) -> Tensor<2> {
        let x = Tensor::cat(vec![latent, actions], 1);
        let x = self.input.forward(x, self.precision);
        self.output
            .forward(self.norm.forward_mish(x), self.precision)
    }
}
