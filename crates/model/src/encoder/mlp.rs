//! Encoder of dense layers, for vectors.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use tellapart_kernels::Precision;

use crate::error::ModelError;
use crate::init::Init;
use crate::layers::{LayerNorm, Linear};
use crate::observation::ObservationSpec;

const EPSILON: f32 = 1e-5;
/// Largest number of weights. A typing error then gives an error instead of exhausting the machine.
const MOST: usize = 100_000_000;

/// Layers of the `mlp` encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Widths of the hidden layers, none to 16 whole numbers from 1 to 4096.
    pub hidden: Vec<usize>,
}

impl Default for MlpConfig {
    /// Returns two hidden layers of 256.
    fn default() -> Self {
        Self {
            hidden: vec![256, 256],
        }
    }
}

impl MlpConfig {
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        if self.hidden.len() > 16 || self.hidden.iter().any(|width| !(1..=4096).contains(width)) {
            return Err(ModelError::BadConfig {
                key: "model.encoder.hidden",
                value: format!("{:?}", self.hidden),
                expected: "none to 16 whole numbers from 1 to 4096",
            });
        }
        Ok(())
    }

    pub(crate) fn check_fits(
        &self,
        observation: ObservationSpec,
        latent: usize,
    ) -> Result<(), ModelError> {
        let width: usize = Vec::from(observation).iter().product();
        let sizes: Vec<usize> = [width].into_iter().chain(self.hidden.clone()).collect();
        let last = sizes.last().copied().unwrap_or(width) * latent;
        let weights = sizes
            .windows(2)
            .map(|pair| pair[0] * pair[1])
            .sum::<usize>()
            + last;
        if width == 0 || weights > MOST {
            return Err(ModelError::BadConfig {
                key: "model.encoder.hidden",
                value: format!("{:?} for {observation}, {weights} weights", self.hidden),
                expected: "at most 100 million weights: use narrower layers",
            });
        }
        Ok(())
    }
}

/// Dense layers, each with layer normalization and ReLU, then a dense map to the latent.
///
/// Inputs are taken as they are: numbers of very different sizes are best scaled before.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    norms: Vec<LayerNorm>,
    latent: Linear,
    #[module(skip)]
    precision: Precision,
}

impl Mlp {
    pub(crate) fn new(
        init: &mut Init,
        config: &MlpConfig,
        inputs: usize,
        latent: usize,
        precision: Precision,
    ) -> Self {
        let (mut layers, mut norms, mut width) = (Vec::new(), Vec::new(), inputs);
        for &hidden in &config.hidden {
            layers.push(Linear::new(init, width, hidden, 1.0));
            norms.push(LayerNorm::new(init, hidden, EPSILON));
            width = hidden;
        }
        Self {
            layers,
            norms,
            latent: Linear::new(init, width, latent, 1.0),
            precision,
        }
    }

    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let mut x = x;
        for (layer, norm) in self.layers.iter().zip(&self.norms) {
            x = norm.forward_relu(layer.forward(x, self.precision));
        }
        self.latent.forward(x, self.precision)
    }
}
