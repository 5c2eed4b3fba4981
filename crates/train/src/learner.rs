//! One update: losses of a batch, gradients, a step of every optimizer.

use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use tellapart_data::Batch;
use tellapart_model::objective::{TargetEncoder, Views};
use tellapart_model::pjepa::{LatentNoise, TensorBatch};
use tellapart_model::{IoSpec, Pjepa, device};

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::objectives::Objectives;
use crate::optimizer::{GradientNorms, Optimizers};
use crate::seeds::{Purpose, generator, generator_at};
use crate::tensors::{latent_noise, tensor_batch};

/// Model and its optimizers.
pub struct Learner {
    pub(crate) model: Pjepa,
    pub(crate) optimizers: Optimizers,
    /// Moving average of the encoder, if predictions are compared with that.
    pub(crate) average: Option<TargetEncoder>,
    config: ValidConfig,
    device: Device,
}

/// Results of one update. The losses are those before its step.
#[derive(Debug)]
pub struct Update {
    /// Weighted sum of the losses, `[1]`.
    pub(crate) total: Tensor<1>,
    /// Every loss, in the order of the objectives; `None` where the batch had nothing to measure.
    pub(crate) losses: Vec<Option<Tensor<1>>>,
    /// Latents `[rows, latent]`, without autodiff.
    pub(crate) latents: Tensor<2>,
    pub(crate) norms: GradientNorms,
}

impl Learner {
    /// Builds a fresh model for this interface, on the configured device.
    ///
    /// # Errors
    /// A model that cannot be built, or a device that does not exist.
    pub fn new(config: &ValidConfig, interface: IoSpec) -> Result<Self, TrainError> {
        tellapart_kernels::keep_freed_memory();
        let device = device::by_name(&config.device)?.autodiff();
        let mut rng: ChaCha8Rng = generator(config.seed, Purpose::Initialization);
        let model = Pjepa::new(&config.model, &interface, &mut rng, &device)?;
        Ok(Self {
            average: TargetEncoder::new(config.gradients.target, &model.encoder),
            model,
            optimizers: Optimizers::new(&config.optimizer),
            config: config.clone(),
            device,
        })
    }

    /// Returns the preparer that turns batches into inputs of updates.
    pub fn feed(&self) -> BatchPreparer {
        BatchPreparer {
            seed: self.config.seed,
            latent_noise: self.config.loss.latent_noise,
            latent: self.config.model.latent,
            device: self.device.clone(),
        }
    }

    /// Trains on one batch. `update` (0-based) sets the learning rate and the weights. Takes `self`
    /// by value so that Burn sees unique ownership and updates parameters in place.
    #[must_use]
    pub fn update(
        mut self,
        inputs: UpdateInputs,
        objectives: &Objectives,
        update: u64,
    ) -> (Self, Update) {
        let (target, average) = (self.config.gradients.target, self.average.as_ref());
        let views = Views::new(&self.model, &inputs.batch, target, average, inputs.noise);
        let (total, losses) = objectives.losses(&self.model, &views, update);
        let latents = views.latents;
        let gradients = total.backward();
        let (model, norms) = self.optimizers.step(self.model, gradients, update);
        self.average = self
            .average
            .map(|average| average.moved_towards(&model.encoder));
        self.model = model;
        let done = Update {
            total: total.inner(),
            losses: losses
                .into_iter()
                .map(|loss| loss.map(Tensor::inner))
                .collect(),
            latents: latents.inner(),
            norms,
        };
        (self, done)
    }
}

/// Preparer that turns batches into inputs of updates ahead of time.
#[derive(Clone, Debug)]
pub struct BatchPreparer {
    seed: u64,
    latent_noise: f32,
    latent: usize,
    device: Device,
}

/// Inputs of an update, on the device.
#[derive(Clone, Debug)]
pub struct UpdateInputs {
    batch: TensorBatch,
    noise: Option<LatentNoise>,
}

impl BatchPreparer {
    /// Prepares the inputs of an update from its batch. `update` (0-based) sets the noise.
    pub fn inputs(&self, batch: Batch, update: u64) -> UpdateInputs {
        let mut rng = generator_at(self.seed, Purpose::Noise, update);
        UpdateInputs {
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
