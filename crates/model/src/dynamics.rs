//! Latent dynamics `T: (latent, action) -> next latent`.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::bounded::{OrthogonalStack, OrthogonalWeights};
use crate::init::Init;
use crate::layers::{LayerNorm, Linear};

const EPSILON: f32 = 1e-5;

/// Which latent dynamics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DynamicsKind {
    /// One orthogonal network per action: Lipschitz constant 1.
    Bounded,
    /// One hidden layer with LayerNorm and Mish on latent and action together.
    Plain,
}

/// The actions of a batch, in the two forms dynamics take them.
#[derive(Debug, Clone)]
pub struct ActionBatch {
    /// `[batch, action width]`: as the environment takes them.
    vectors: Tensor<2>,
    /// `[batch]`: which distinct action.
    chosen: Arc<[u32]>,
}

impl ActionBatch {
    /// `vectors` is `[batch, width]` flat; `ids[row]` is the distinct action of the row.
    pub fn new(vectors: &[f32], width: usize, ids: &[u32], device: &Device) -> Self {
        let vectors = TensorData::new(vectors.to_vec(), [ids.len(), width]);
        Self {
            vectors: Tensor::from_data(vectors, device),
            chosen: Arc::from(ids),
        }
    }
}

/// `T: ([batch, latent], actions) -> [batch, latent]`.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a run has one of these, and Burn derives modules for plain variants"
)]
pub enum Dynamics {
    /// See [`BoundedDynamics`].
    Bounded(BoundedDynamics),
    /// See [`PlainDynamics`].
    Plain(PlainDynamics),
}

/// What stays the same over many steps with the same weights.
#[derive(Debug, Clone)]
pub struct PreparedDynamics<'a> {
    dynamics: &'a Dynamics,
    weights: Option<OrthogonalWeights>,
}

impl Dynamics {
    /// `actions`: how many distinct ones; `action_width`: length of an action vector.
    pub fn new(
        init: &mut Init,
        kind: DynamicsKind,
        latent: usize,
        hidden: usize,
        layers: usize,
        actions: usize,
        action_width: usize,
    ) -> Self {
        match kind {
            DynamicsKind::Bounded => Self::Bounded(BoundedDynamics {
                networks: OrthogonalStack::new(init, actions, layers, latent, false),
            }),
            DynamicsKind::Plain => Self::Plain(PlainDynamics {
                input: Linear::new(init, latent + action_width, hidden, 1.0),
                norm: LayerNorm::new(init, hidden, EPSILON),
                output: Linear::new(init, hidden, latent, 1.0),
            }),
        }
    }

    /// Works out what does not depend on the input, once for several steps.
    pub fn prepare(&self) -> PreparedDynamics<'_> {
        let weights = match self {
            Self::Bounded(bounded) => Some(bounded.networks.orthogonal_weights()),
            Self::Plain(_) => None,
        };
        PreparedDynamics {
            dynamics: self,
            weights,
        }
    }

    /// The declared Lipschitz constant in the latent, the same for every action; `None` for plain
    /// dynamics: finite, but not known.
    pub fn lipschitz(&self) -> Option<f32> {
        match self {
            Self::Bounded(_) => Some(1.0),
            Self::Plain(_) => None,
        }
    }
}

impl PreparedDynamics<'_> {
    /// One step.
    pub fn step(&self, latent: Tensor<2>, actions: &ActionBatch) -> Tensor<2> {
        match (self.dynamics, &self.weights) {
            (Dynamics::Bounded(bounded), Some(weights)) => {
                bounded
                    .networks
                    .forward_chosen(weights, latent, &actions.chosen)
            }
            (Dynamics::Bounded(_), None) => unreachable!("prepare() works the weights out"),
            (Dynamics::Plain(plain), _) => plain.step(latent, actions.vectors.clone()),
        }
    }
}

/// One orthogonal network per distinct action; the row's action chooses which answers.
#[derive(Module, Debug)]
pub struct BoundedDynamics {
    networks: OrthogonalStack,
}

/// The reference's dynamics: one hidden layer, LayerNorm, Mish.
#[derive(Module, Debug)]
pub struct PlainDynamics {
    input: Linear,
    norm: LayerNorm,
    output: Linear,
}

impl PlainDynamics {
    fn step(&self, latent: Tensor<2>, actions: Tensor<2>) -> Tensor<2> {
        let x = self.input.forward(Tensor::cat(vec![latent, actions], 1));
        self.output.forward(self.norm.forward_mish(x))
    }
}
