//! Adam for each network of a P-JEPA, with gradients clipped network by network.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Gradients, Tensor};
use tellapart_model::Pjepa;
use tellapart_model::adam::{Adam, sum_of_squares};

use crate::config::OptimizerConfig;
use crate::schedule;

/// The three optimisers of a run and what they are set to.
pub struct Optimisers {
    config: OptimizerConfig,
    encoder: ModuleOptimizer,
    dynamics: ModuleOptimizer,
    head: ModuleOptimizer,
}

/// Gradient norms of one update, before clipping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientNorms {
    /// Of the encoder.
    pub encoder: f32,
    /// Of the latent dynamics.
    pub dynamics: f32,
    /// Of the auxiliary head.
    pub head: f32,
}

impl GradientNorms {
    /// Whether all three are numbers.
    pub fn are_finite(&self) -> bool {
        [self.encoder, self.dynamics, self.head]
            .iter()
            .all(|norm| norm.is_finite())
    }
}

impl Optimisers {
    /// Fresh moments.
    pub fn new(config: &OptimizerConfig) -> Self {
        let adam = || Adam::optimizer(config.beta1, config.beta2, config.epsilon);
        Self {
            config: config.clone(),
            encoder: adam(),
            dynamics: adam(),
            head: adam(),
        }
    }

    /// Leaves fresh moments behind.
    pub(crate) fn take(&mut self) -> Self {
        let fresh = Self::new(&self.config);
        std::mem::replace(self, fresh)
    }

    /// One update of a model.
    pub fn step(
        &mut self,
        model: Pjepa,
        mut gradients: Gradients,
        update: u64,
    ) -> (Pjepa, GradientNorms) {
        let rate = self.config.learning_rate * schedule::rate(&self.config, update);
        let clip = self.config.clip;
        let [encoder, dynamics, head] = [
            self.config.encoder_rate,
            self.config.dynamics_rate,
            self.config.head_rate,
        ]
        .map(|factor| rate * factor);
        let gradients = &mut gradients;
        let (encoder, of_encoder) =
            moved(&mut self.encoder, model.encoder, gradients, encoder, clip);
        let (dynamics, of_dynamics) = moved(
            &mut self.dynamics,
            model.dynamics,
            gradients,
            dynamics,
            clip,
        );
        let (head, of_head) = moved(&mut self.head, model.head, gradients, head, clip);
        let model = Pjepa {
            encoder,
            dynamics,
            head,
        };
        let norms = GradientNorms {
            encoder: of_encoder,
            dynamics: of_dynamics,
            head: of_head,
        };
        (model, norms)
    }

    /// The moments, to store: encoder, dynamics, head.
    ///
    /// # Errors
    /// As Burn reports them.
    pub fn to_bytes(&self) -> Result<[Bytes; 3], String> {
        let bytes =
            |optimiser: &ModuleOptimizer| optimiser.into_bytes().map_err(|error| error.to_string());
        Ok([
            bytes(&self.encoder)?,
            bytes(&self.dynamics)?,
            bytes(&self.head)?,
        ])
    }

    /// Moments that were stored.
    ///
    /// # Errors
    /// As Burn reports them.
    pub fn with_bytes(self, [encoder, dynamics, head]: [Bytes; 3]) -> Result<Self, String> {
        let load = |optimiser: ModuleOptimizer, bytes: Bytes| {
            optimiser
                .from_bytes(bytes)
                .map_err(|error| error.to_string())
        };
        Ok(Self {
            config: self.config,
            encoder: load(self.encoder, encoder)?,
            dynamics: load(self.dynamics, dynamics)?,
            head: load(self.head, head)?,
        })
    }
}

/// Clips the gradients of one module to a common norm and takes one step; also returns the norm before. A module
/// that nobody else holds is changed where it is.
pub(crate) fn moved<M: Module>(
    optimiser: &mut ModuleOptimizer,
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
        module.visit(&mut Scale {
            gradients: &mut own,
            factor: clip / norm,
        });
    }
    (optimiser.step(rate, module, own), norm)
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

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f32,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id: ParamId = param.id;
        if let Some(gradient) = self.gradients.remove::<D>(id) {
            self.gradients.register(id, gradient * self.factor);
        }
    }
}
