//! One update: losses of a batch, gradients, a step of every optimiser.

use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use tellapart_data::Batch;
use tellapart_model::pjepa::EncoderGradients;
use tellapart_model::{Interface, Pjepa, device};

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::optimiser::{GradientNorms, Optimisers};
use crate::schedule;
use crate::seeds::{Purpose, generator, generator_at};
use crate::tensors::{latent_noise, tensor_batch};

/// A model and its optimisers.
pub struct Learner {
    pub(crate) model: Pjepa,
    pub(crate) optimisers: Optimisers,
    config: ValidConfig,
    interface: Interface,
    device: Device,
}

/// What one update saw; the losses are those before its step.
#[derive(Debug)]
pub struct Update {
    /// Weighted sum of the losses, `[1]`.
    pub(crate) total: Tensor<1>,
    pub(crate) dynamics: Tensor<1>,
    pub(crate) auxiliary: Tensor<1>,
    /// `[rows, latent]`, without autodiff.
    pub(crate) latents: Tensor<2>,
    pub(crate) norms: GradientNorms,
}

impl Learner {
    /// A fresh model for this interface, on the configured device.
    ///
    /// # Errors
    /// A model that cannot be built, or a device that does not exist.
    pub fn new(config: &ValidConfig, interface: Interface) -> Result<Self, TrainError> {
        let device = device::by_name(&config.device)?.autodiff();
        let mut rng: ChaCha8Rng = generator(config.seed, Purpose::Initialisation);
        Ok(Self {
            model: Pjepa::new(&config.model, &interface, &mut rng, &device)?,
            optimisers: Optimisers::new(&config.optimizer),
            config: config.clone(),
            interface,
            device,
        })
    }

    /// Trains on one batch; `update` (0-based) sets rate, ramp and noise.
    pub fn update(&mut self, batch: &Batch, update: u64) -> Update {
        let config = &self.config;
        let tensors = tensor_batch(batch, &self.interface, &self.device);
        let noise = latent_noise(
            &mut generator_at(config.seed, Purpose::Noise, update),
            config.loss.latent_noise,
            batch.rows,
            config.model.latent,
            &self.device,
        );
        let reaches = EncoderGradients {
            dynamics: config.gradients.dynamics,
            auxiliary: config.gradients.auxiliary,
            stop_target: config.gradients.stop_target,
        };
        let losses = self.model.losses(&tensors, reaches, noise);
        let total = losses.dynamics.clone() * dynamics_weight(config, update)
            + losses.auxiliary.clone() * config.loss.auxiliary_weight;
        let gradients = total.backward();
        let norms = self.optimisers.step(&mut self.model, gradients, update);
        Update {
            total: total.inner(),
            dynamics: losses.dynamics.inner(),
            auxiliary: losses.auxiliary.inner(),
            latents: losses.latents.inner(),
            norms,
        }
    }
}

/// Where `L_dyn` cannot reach the encoder there is nothing to ramp: T simply learns.
pub(crate) fn dynamics_weight(config: &ValidConfig, update: u64) -> f32 {
    if config.gradients.dynamics {
        schedule::dynamics_weight(&config.loss, update)
    } else {
        1.0
    }
}
