//! Adam for each network of a P-JEPA. Gradients are clipped network by network.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Gradients, Tensor};
use tellapart_model::Pjepa;
use tellapart_model::adam::{Adam, sum_of_squares};

use crate::config::OptimizerConfig;
use crate::schedule;

/// The three optimizers of a run and their settings.
pub struct Optimizers {
    config: OptimizerConfig,
    encoder: ModuleOptimizer,
    predictor: ModuleOptimizer,
    head: ModuleOptimizer,
}

/// Gradient norms of one update, before clipping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientNorms {
    /// Norm of the encoder's gradient.
    pub encoder: f32,
    /// Norm of the predictor's gradient.
    pub predictor: f32,
    /// Norm of the auxiliary head's gradient.
    pub head: f32,
}

impl GradientNorms {
    /// Whether all three norms are finite.
    pub fn are_finite(&self) -> bool {
        [self.encoder, self.predictor, self.head]
            .iter()
            .all(|norm| norm.is_finite())
    }
}

impl Optimizers {
    /// Creates optimizers with fresh moments.
    pub fn new(config: &OptimizerConfig) -> Self {
        let adam = || Adam::optimizer(config.beta1, config.beta2, config.epsilon);
        Self {
            config: config.clone(),
            encoder: adam(),
            predictor: adam(),
            head: adam(),
        }
    }

    /// Takes the optimizers out and leaves fresh moments behind.
    pub(crate) fn take(&mut self) -> Self {
        let fresh = Self::new(&self.config);
        std::mem::replace(self, fresh)
    }

    /// Updates a model once.
    pub fn step(
        &mut self,
        model: Pjepa,
        mut gradients: Gradients,
        update: u64,
    ) -> (Pjepa, GradientNorms) {
        let rate = self.config.learning_rate * schedule::rate(&self.config, update);
        let clip = self.config.clip;
        let [encoder, predictor, head] = [
            self.config.encoder_rate,
            self.config.predictor_rate,
            self.config.head_rate,
        ]
        .map(|factor| rate * factor);
        let gradients = &mut gradients;
        let (encoder, of_encoder) =
            moved(&mut self.encoder, model.encoder, gradients, encoder, clip);
        let (predictor, of_predictor) = moved(
            &mut self.predictor,
            model.predictor,
            gradients,
            predictor,
            clip,
        );
        let (head, of_head) = moved(&mut self.head, model.head, gradients, head, clip);
        let model = Pjepa {
            encoder,
            predictor,
            head,
        };
        let norms = GradientNorms {
            encoder: of_encoder,
            predictor: of_predictor,
            head: of_head,
        };
        (model, norms)
    }

    /// Returns the moments for storage: encoder, predictor, head.
    ///
    /// # Errors
    /// Those of Burn.
    pub fn to_bytes(&self) -> Result<[Bytes; 3], String> {
        let bytes =
            |optimizer: &ModuleOptimizer| optimizer.into_bytes().map_err(|error| error.to_string());
        Ok([
            bytes(&self.encoder)?,
            bytes(&self.predictor)?,
            bytes(&self.head)?,
        ])
    }

    /// Restores stored moments: encoder, predictor, head.
    ///
    /// # Errors
    /// Index of the network whose bytes cannot be read, and Burn's words.
    pub fn with_bytes(
        self,
        [encoder, predictor, head]: [Bytes; 3],
    ) -> Result<Self, (usize, String)> {
        let load = |network, optimizer: ModuleOptimizer, bytes: Bytes| {
            optimizer
                .from_bytes(bytes)
                .map_err(|error| (network, error.to_string()))
        };
        Ok(Self {
            config: self.config,
            encoder: load(0, self.encoder, encoder)?,
            predictor: load(1, self.predictor, predictor)?,
            head: load(2, self.head, head)?,
        })
    }
}

/// Clips the gradients of one module to a common norm and takes one step. Also returns the norm
/// before clipping. A module with a single owner is updated in place.
pub(crate) fn moved<M: Module>(
    optimizer: &mut ModuleOptimizer,
    module: M,
    gradients: &mut Gradients,
    rate: f64,
    clip: f32,
) -> (M, f32) {
    let mut own = GradientsParams::from_module(gradients, &module);
    let mut squares = SquaredNorm {
        gradients: &mut own,
        sum: 0.0,
    };
    module.visit(&mut squares);
    let norm = squares.sum.sqrt();
    if norm > clip {
        module.visit(&mut GradientScale {
            gradients: &mut own,
            factor: clip / norm,
        });
    }
    (optimizer.step(rate, module, own), norm)
}

struct SquaredNorm<'a> {
    gradients: &'a mut GradientsParams,
    sum: f32,
}

impl ModuleVisitor for SquaredNorm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id: ParamId = param.id;
        if let Some(gradient) = self.gradients.remove::<D>(id) {
            let (sum, gradient) = sum_of_squares(gradient);
            self.sum += sum;
            self.gradients.register(id, gradient);
        }
    }
}

struct GradientScale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f32,
}

impl ModuleVisitor for GradientScale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id: ParamId = param.id;
        if let Some(gradient) = self.gradients.remove::<D>(id) {
            self.gradients.register(id, gradient * self.factor);
        }
    }
}
