//! Objectives: the losses that train a P-JEPA, one file each.
//!
//! A batch is encoded once, as [`Views`]. Each [`Objective`] makes one loss of them. A training
//! minimizes their weighted sum.

mod auxiliary;
mod dynamics;
mod target;
mod vicreg;

use burn::tensor::Tensor;

pub use auxiliary::Auxiliary;
pub use dynamics::{Distance, Dynamics};
pub use target::{EmaTarget, SameTarget, StopGradientTarget, Target, TargetEncoder};
pub use vicreg::{Covariance, Variance};

use crate::pjepa::{LatentNoise, Pjepa, TensorBatch};

/// Loss of a batch.
pub trait Objective: std::fmt::Debug + Send + Sync {
    /// Returns the name of the loss in metrics, such as `dynamics`.
    fn name(&self) -> &str;

    /// Returns the number of items that the loss is a mean of, to average over batches. A batch
    /// without any has no such loss. Default: the rows.
    fn items(&self, batch: &TensorBatch) -> usize {
        batch.targets.dims()[0]
    }

    /// Computes the loss, of shape `[1]`.
    fn loss(&self, model: &Pjepa, views: &Views<'_>) -> Tensor<1>;
}

/// Batch as the objectives see it.
#[derive(Debug, Clone)]
pub struct Views<'a> {
    /// Observations, actions, transitions and values of p.
    pub batch: &'a TensorBatch,
    /// Latents `[rows, latent]` of the encoder, with gradients.
    pub latents: Tensor<2>,
    /// Latents `[rows, latent]` that predictions are compared with: see [`Target`].
    pub targets: Tensor<2>,
    /// Noise for the latents that enter `T` and `P`, if any.
    pub noise: Option<LatentNoise>,
}

impl<'a> Views<'a> {
    /// Encodes a batch, once by the encoder, and once more by its moving average if there is one.
    pub fn new(
        model: &Pjepa,
        batch: &'a TensorBatch,
        target: Target,
        average: Option<&TargetEncoder>,
        noise: Option<LatentNoise>,
    ) -> Self {
        let latents = model.encoder.forward(&batch.observations);
        let targets = match (average, target) {
            (Some(average), _) => average.encode(&batch.observations),
            (None, Target::Same(_)) => latents.clone(),
            (None, _) => latents.clone().detach(),
        };
        Self {
            batch,
            latents,
            targets,
            noise,
        }
    }
}

/// Returns latents that reach the encoder, or detached ones that do not.
fn reaching(latents: &Tensor<2>, encoder: bool) -> Tensor<2> {
    if encoder {
        latents.clone()
    } else {
        latents.clone().detach()
    }
}
