//! Dynamics loss `L_dyn`: predictions of the next latent against it.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Objective, Views, reaching};
use crate::pjepa::{Pjepa, TensorBatch};

/// Smallest norm that a latent is divided by.
const SMALLEST_NORM: f32 = 1e-12;

/// Mean over transitions of the distance between `T(E(o), a)` and the target latent of `o'`. Zero
/// if there is no transition.
#[derive(Debug, Clone, Copy)]
pub struct Dynamics {
    /// Whether the loss trains the encoder. If not, it sees detached latents.
    pub reaches_encoder: bool,
    /// Distance of latents.
    pub distance: Distance,
}

/// Distance of a predicted latent and its target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// Squared Euclidean distance, as in the paper.
    #[default]
    Squared,
    /// Squared Euclidean distance of the normalized latents, `2 - 2 cos`, as in BYOL (Grill et al.
    /// 2020).
    Cosine,
}

impl Objective for Dynamics {
    fn name(&self) -> &str {
        "dynamics"
    }

    fn items(&self, batch: &TensorBatch) -> usize {
        batch.transitions
    }

    fn loss(&self, model: &Pjepa, views: &Views<'_>) -> Tensor<1> {
        let batch = views.batch;
        if batch.transitions == 0 {
            // A mean over no transitions would be 0 / 0.
            return views.latents.clone().sum() * 0.0;
        }
        let source = reaching(&views.latents, self.reaches_encoder);
        let target = reaching(&views.targets, self.reaches_encoder);
        let source = match &views.noise {
            Some(noise) => source + noise.dynamics.clone(),
            None => source,
        };
        let from = source.select(0, batch.sources.clone());
        let to = target.select(0, batch.sources.clone() + 1);
        let predicted = model.predictor.prepare().step(from, &batch.actions);
        self.distance.sum(predicted, to) / batch.transitions as f32
    }
}

impl Distance {
    /// Sums the distances of all rows.
    fn sum(self, predicted: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        match self {
            Self::Squared => (predicted - target).square().sum(),
            Self::Cosine => (unit(predicted) - unit(target)).square().sum(),
        }
    }
}

fn unit(latents: Tensor<2>) -> Tensor<2> {
    let squares = latents.clone().square().sum_dim(1);
    latents / (squares + SMALLEST_NORM).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn distances_are_those_worked_out_by_hand() {
        let device = Device::flex();
        let rows = |values: [[f32; 2]; 2]| Tensor::<2>::from_floats(values, &device);
        for (distance, a, b, expected) in [
            (Distance::Squared, [0.0, 0.0], [1.0, 1.0], 2.0),
            (Distance::Cosine, [3.0, 0.0], [0.0, 0.5], 2.0),
            (Distance::Cosine, [3.0, 0.0], [-1.0, 0.0], 4.0),
            (Distance::Cosine, [2.0, 2.0], [0.1, 0.1], 0.0),
        ] {
            // The second row adds nothing.
            let sum = distance.sum(rows([a, [1.0, 0.0]]), rows([b, [1.0, 0.0]]));
            let found = sum.into_scalar::<f32>();
            assert!((found - expected).abs() < 1e-5, "{distance:?}: {found}");
        }
    }
}
