//! Auxiliary heads `P: latent -> prediction of p`.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::bounded::OrthogonalStack;
use crate::config::{IoSpec, ModelConfig};
use crate::init::Init;
use crate::layers::{LayerNorm, Linear};

const EPSILON: f32 = 1e-5;
/// Number of bins in two-hot classification, over `symlog(p)` in `[-10, 10]`, as in the paper's
/// reference.
pub(crate) const BINS: usize = 101;
const BIN_RANGE: f32 = 10.0;

/// Kind of auxiliary head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// Orthogonal layers, then a linear map of fixed norm, with a declared Lipschitz constant.
    Bounded,
    /// MLP of two hidden layers with LayerNorm and Mish, trained on the squared error.
    Plain,
    /// MLP of two hidden layers with LayerNorm and Mish, trained on the cross-entropy over 101
    /// two-hot bins of `symlog(p)`. Only for scalar p.
    TwoHot,
}

/// Auxiliary head `P: [batch, latent] -> [batch, width of p]`. Where p belongs to steps, it
/// predicts one value for each action, and the action taken chooses among them.
#[derive(Module, Debug)]
pub enum Head {
    /// See [`BoundedHead`].
    Bounded(BoundedHead),
    /// See [`Mlp`].
    Plain(Mlp),
    /// See [`Mlp`]; its outputs are logits over bins.
    TwoHot(Mlp),
}

impl Head {
    /// Builds a head for the p of the interface, from the keys `head*`, `latent` and `hidden` of
    /// the config.
    pub fn new(init: &mut Init, config: &ModelConfig, interface: &IoSpec) -> Self {
        let (latent, hidden) = (config.latent, config.hidden);
        let (width, values) = (interface.target_width, interface.head_outputs());
        let mlp = |init: &mut Init, outputs| {
            Mlp::new(init, [latent, hidden, values * outputs], config.precision)
        };
        match config.head {
            HeadKind::Bounded => Self::Bounded(BoundedHead::new(
                init,
                latent,
                config.head_layers,
                [values, width],
                config.head_lipschitz,
            )),
            HeadKind::Plain => Self::Plain(mlp(init, width)),
            HeadKind::TwoHot => Self::TwoHot(mlp(init, BINS)),
        }
    }

    /// Predicts p, `[batch, width of p]`. Where it belongs to steps, `taken` is the action of each
    /// row, one-hot `[batch, actions]`.
    pub fn predict(&self, latent: Tensor<2>, taken: Option<&Tensor<2>>) -> Tensor<2> {
        match self {
            Self::Bounded(head) => chosen(head.forward(latent), taken),
            Self::Plain(head) => chosen(head.forward(latent), taken),
            Self::TwoHot(head) => expected_value(chosen(head.forward(latent), taken)),
        }
    }

    /// Computes the loss of each row, `[batch, 1]`, against `targets` `[batch, width]`: the mean
    /// squared error over the width, or the two-hot cross-entropy. `taken` as in [`Head::predict`].
    pub fn row_losses(
        &self,
        latent: Tensor<2>,
        targets: Tensor<2>,
        taken: Option<&Tensor<2>>,
    ) -> Tensor<2> {
        match self {
            Self::TwoHot(head) => {
                let logits = chosen(head.forward(latent), taken);
                let log_probabilities = activation::log_softmax(logits, 1);
                (two_hot(targets) * log_probabilities).sum_dim(1).neg()
            }
            _ => (self.predict(latent, taken) - targets).square().mean_dim(1),
        }
    }

    /// Returns the declared Lipschitz constant of a bounded head. `None` for others: it is finite,
    /// but not known.
    pub fn lipschitz(&self) -> Option<f32> {
        match self {
            Self::Bounded(head) => Some(head.lipschitz),
            Self::Plain(_) | Self::TwoHot(_) => None,
        }
    }
}

/// Orthogonal layers with MaxMin (possibly none), then a linear map of Frobenius norm `lipschitz`,
/// or one for each action where p belongs to steps. That norm bounds the spectral norm from above,
/// and equals it for scalar p.
#[derive(Module, Debug)]
pub struct BoundedHead {
    trunk: Option<OrthogonalStack>,
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    lipschitz: f32,
    /// Number of linear maps.
    maps: usize,
}

impl BoundedHead {
    fn new(
        init: &mut Init,
        latent: usize,
        layers: usize,
        [maps, width]: [usize; 2],
        lipschitz: f32,
    ) -> Self {
        Self {
            trunk: (layers > 0).then(|| OrthogonalStack::new(init, 1, layers, latent, true)),
            weight: init.uniform([maps * width, latent], 1.0 / (latent as f32).sqrt()),
            bias: init.constant([maps * width], 0.0),
            lipschitz,
            maps,
        }
    }

    fn forward(&self, latent: Tensor<2>) -> Tensor<2> {
        let shape = latent.dims();
        let features = match &self.trunk {
            Some(trunk) => trunk
                .forward(&trunk.orthogonal_weights(), latent)
                .reshape(shape),
            None => latent,
        };
        let weight = self.weight.val();
        let weight = match self.maps {
            1 => {
                let norm = weight.clone().square().sum().sqrt().unsqueeze();
                weight / norm * self.lipschitz
            }
            maps => {
                let shape = weight.dims();
                let each = weight.reshape([maps, shape[0] / maps * shape[1]]);
                let norms = each.clone().square().sum_dim(1).sqrt();
                (each / norms * self.lipschitz).reshape(shape)
            }
        };
        features.matmul(weight.transpose()) + self.bias.val().unsqueeze()
    }
}

/// MLP of two hidden layers, each with LayerNorm and Mish.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    norms: Vec<LayerNorm>,
    output: Linear,
    #[module(skip)]
    precision: Precision,
}

impl Mlp {
    fn new(init: &mut Init, [inputs, hidden, outputs]: [usize; 3], precision: Precision) -> Self {
        Self {
            layers: vec![
                Linear::new(init, inputs, hidden, 1.0),
                Linear::new(init, hidden, hidden, 1.0),
            ],
            norms: (0..2)
                .map(|_| LayerNorm::new(init, hidden, EPSILON))
                .collect(),
            output: Linear::new(init, hidden, outputs, 1.0),
            precision,
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mut x = x;
        for (layer, norm) in self.layers.iter().zip(&self.norms) {
            x = norm.forward_mish(layer.forward(x, self.precision));
        }
        self.output.forward(x, self.precision)
    }
}

/// Chooses the outputs of the action taken, `[batch, width]`, among those of all actions, `[batch,
/// actions * width]`.
fn chosen(outputs: Tensor<2>, taken: Option<&Tensor<2>>) -> Tensor<2> {
    let Some(taken) = taken else {
        return outputs;
    };
    let [[batch, all], [_, actions]] = [outputs.dims(), taken.dims()];
    let width = all / actions.max(1);
    let of_actions = outputs.reshape([batch, actions, width]);
    let mask = taken.clone().reshape([batch, actions, 1]);
    (of_actions * mask).sum_dim(1).reshape([batch, width])
}

/// Encodes `[batch, 1]` as `[batch, bins]`: the two bins around `symlog(p)` share its weight
/// linearly.
fn two_hot(targets: Tensor<2>) -> Tensor<2> {
    let centers = bin_centers(&targets);
    let step = 2.0 * BIN_RANGE / (BINS - 1) as f32;
    let symlog = targets.clone().sign() * targets.abs().log1p();
    let distance = (symlog.clamp(-BIN_RANGE, BIN_RANGE) - centers).abs() / step;
    (distance.neg() + 1.0).clamp_min(0.0)
}

/// Decodes logits `[batch, bins]` to `[batch, 1]`: symexp of the expected bin center.
fn expected_value(logits: Tensor<2>) -> Tensor<2> {
    let centers = bin_centers(&logits);
    let symlog = (activation::softmax(logits, 1) * centers).sum_dim(1);
    symlog.clone().sign() * (symlog.abs().exp() - 1.0)
}

/// Returns the bin centers, `[1, bins]`.
fn bin_centers(like: &Tensor<2>) -> Tensor<2> {
    let step = 2.0 * BIN_RANGE / (BINS - 1) as f32;
    let centers: Vec<f32> = (0..BINS).map(|bin| bin as f32 * step - BIN_RANGE).collect();
    Tensor::<1>::from_floats(centers.as_slice(), &like.device()).unsqueeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn two_hot_is_a_distribution_whose_mean_is_the_value() {
        let device = Device::flex();
        for value in [-3.0f32, -0.2, 0.0, 0.1, 1.0, 7.5] {
            let targets = Tensor::<2>::from_floats([[value]], &device);
            let bins = two_hot(targets);
            let sum = bins.clone().sum().into_scalar::<f32>();
            assert!((sum - 1.0).abs() < 1e-4, "{value}: weights sum to {sum}");
            // Logits of a known distribution: ln of the weights.
            let back = expected_value((bins + 1e-12).log()).into_scalar::<f32>();
            assert!(
                (back - value).abs() < 1e-3 * (1.0 + value.abs()),
                "{value} became {back}"
            );
        }
    }
}
