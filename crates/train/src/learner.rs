//! One update: losses of a batch, gradients, a step of every optimiser.

use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use tellapart_data::Batch;
use tellapart_model::pjepa::{EncoderGradients, LatentNoise, TensorBatch};
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
        tellapart_kernels::keep_freed_memory();
        let device = device::by_name(&config.device)?.autodiff();
        let mut rng: ChaCha8Rng = generator(config.seed, Purpose::Initialisation);
        Ok(Self {
            model: Pjepa::new(&config.model, &interface, &mut rng, &device)?,
            optimisers: Optimisers::new(&config.optimizer),
            config: config.clone(),
            device,
        })
    }

    /// What turns batches into the inputs of updates.
    pub fn feed(&self) -> Feed {
        Feed {
            seed: self.config.seed,
            latent_noise: self.config.loss.latent_noise,
            latent: self.config.model.latent,
            device: self.device.clone(),
        }
    }

    /// Trains on one batch; `update` (0-based) sets rate and ramp. The learner goes in and comes out, because
    /// parameters that only one owns are changed where they are.
    #[must_use]
    pub fn update(mut self, inputs: Inputs, update: u64) -> (Self, Update) {
        let config = &self.config;
        let reaches = EncoderGradients {
            dynamics: config.gradients.dynamics,
            auxiliary: config.gradients.auxiliary,
            stop_target: config.gradients.stop_target,
        };
        let losses = self.model.losses(&inputs.batch, reaches, inputs.noise);
        let total = losses.dynamics.clone() * dynamics_weight(config, update)
            + losses.auxiliary.clone() * config.loss.auxiliary_weight;
        let gradients = total.backward();
        let (model, norms) = self.optimisers.step(self.model, gradients, update);
        self.model = model;
        let done = Update {
            total: total.inner(),
            dynamics: losses.dynamics.inner(),
            auxiliary: losses.auxiliary.inner(),
            latents: losses.latents.inner(),
            norms,
        };
        (self, done)
    }
}

/// Turns batches into the inputs of updates, before their turn comes.
#[derive(Clone, Debug)]
pub struct Feed {
    seed: u64,
    latent_noise: f32,
    latent: usize,
    device: Device,
}

/// What an update computes with, on the device.
#[derive(Clone, Debug)]
pub struct Inputs {
    batch: TensorBatch,
    noise: Option<LatentNoise>,
}

impl Feed {
    /// `update` (0-based) sets the noise.
    pub fn inputs(&self, batch: Batch, update: u64) -> Inputs {
        let mut rng = generator_at(self.seed, Purpose::Noise, update);
        Inputs {
            noise: latent_noise(
                &mut rng,
                self.latent_noise,
                batch.rows,
                self.latent,
                &self.device,
            ),
            batch: tensor_batch(batch, &self.device),
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
