//! Auxiliary loss `L_p`: predictions of p against it.

use burn::tensor::Tensor;

use super::{Objective, Views, reaching};
use crate::pjepa::{Pjepa, TensorBatch};

/// Mean over the rows whose p is known of the loss of `P(E(o))` against `p(o)`, or of `P(E(o), a)`
/// against `p(o, a)` where p belongs to steps.
#[derive(Debug, Clone, Copy)]
pub struct Auxiliary {
    /// Whether the loss trains the encoder. If not, it sees detached latents.
    pub reaches_encoder: bool,
}

impl Objective for Auxiliary {
    fn name(&self) -> &str {
        "auxiliary"
    }

    fn items(&self, batch: &TensorBatch) -> usize {
        let rows = batch.targets.dims()[0];
        batch.known.as_ref().map_or(rows, |known| known.dims()[0])
    }

    fn loss(&self, model: &Pjepa, views: &Views<'_>) -> Tensor<1> {
        if self.items(views.batch) == 0 {
            // A mean over no rows would be 0 / 0.
            return views.latents.clone().sum() * 0.0;
        }
        let latents = reaching(&views.latents, self.reaches_encoder);
        let latents = match &views.noise {
            Some(noise) => latents + noise.auxiliary.clone(),
            None => latents,
        };
        let of_known = |rows: Tensor<2>| match &views.batch.known {
            Some(known) => rows.select(0, known.clone()),
            None => rows,
        };
        let targets = of_known(views.batch.targets.clone());
        let taken = views.batch.taken.clone().map(of_known);
        let losses = model
            .head
            .row_losses(of_known(latents), targets, taken.as_ref());
        losses.mean()
    }
}
