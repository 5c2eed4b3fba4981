//! Auxiliary loss `L_p`: predictions of p against it.

use burn::tensor::Tensor;

use super::{Objective, Views, reaching};
use crate::pjepa::Pjepa;

/// Mean over rows of the loss of `P(E(o))` against `p(o)`.
#[derive(Debug, Clone, Copy)]
pub struct Auxiliary {
    /// Whether the loss trains the encoder. If not, it sees detached latents.
    pub reaches_encoder: bool,
}

impl Objective for Auxiliary {
    fn name(&self) -> &str {
        "auxiliary"
    }

    fn loss(&self, model: &Pjepa, views: &Views<'_>) -> Tensor<1> {
        let latents = reaching(&views.latents, self.reaches_encoder);
        let latents = match &views.noise {
            Some(noise) => latents + noise.auxiliary.clone(),
            None => latents,
        };
        let losses = model.head.row_losses(latents, views.batch.targets.clone());
        losses.mean()
    }
}
