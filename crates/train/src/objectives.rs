//! Objectives of a run, with their weights.

use burn::tensor::Tensor;
use tellapart_model::Pjepa;
use tellapart_model::objective::{Auxiliary, Covariance, Dynamics, Objective, Variance, Views};

use crate::config::{Config, WeightConfig};
use crate::schedule;

/// Losses whose weighted sum a run minimizes.
#[derive(Debug, Default)]
pub struct Objectives {
    terms: Vec<Term>,
}

/// One loss, with its weight over the run.
#[derive(Debug)]
pub struct Term {
    objective: Box<dyn Objective>,
    weight: WeightConfig,
}

impl Objectives {
    /// Returns the objectives of a configuration: `dynamics`, `auxiliary`, and every other one that
    /// has a weight.
    pub fn of(config: &Config) -> Self {
        let (loss, gradients) = (&config.loss, &config.gradients);
        // If `L_dyn` cannot reach the encoder, there is nothing to ramp: T simply learns.
        let dynamics = if gradients.dynamics {
            loss.dynamics
        } else {
            WeightConfig {
                weight: 1.0,
                ..WeightConfig::default()
            }
        };
        let mut objectives = Self::default()
            .with(
                Dynamics {
                    reaches_encoder: gradients.dynamics,
                    distance: loss.distance,
                },
                dynamics,
            )
            .with(
                Auxiliary {
                    reaches_encoder: gradients.auxiliary,
                },
                loss.auxiliary,
            );
        if loss.variance.weight > 0.0 {
            objectives = objectives.with(Variance, loss.variance);
        }
        if loss.covariance.weight > 0.0 {
            objectives = objectives.with(Covariance, loss.covariance);
        }
        objectives
    }

    /// Adds an objective. Its name becomes a part of column names in `metrics.csv`.
    #[must_use]
    pub fn with(mut self, objective: impl Objective + 'static, weight: WeightConfig) -> Self {
        self.terms.push(Term {
            objective: Box::new(objective),
            weight,
        });
        self
    }

    /// Iterates over the terms.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter()
    }

    /// Computes every loss, and their sum with the weights at `update`, each of shape `[1]`. A loss
    /// is `None` if the batch has nothing that it is a mean of.
    pub(crate) fn losses(
        &self,
        model: &Pjepa,
        views: &Views<'_>,
        update: u64,
    ) -> (Tensor<1>, Vec<Option<Tensor<1>>>) {
        let of = |term: &Term| {
            let is_measured = term.objective.items(views.batch) > 0;
            is_measured.then(|| term.objective.loss(model, views))
        };
        let losses: Vec<Option<Tensor<1>>> = self.terms.iter().map(of).collect();
        let weighted = self.terms.iter().zip(&losses);
        let weighted =
            weighted.filter_map(|(term, loss)| Some(loss.clone()? * term.weight_at(update)));
        let total = weighted.reduce(|sum, loss| sum + loss);
        let nothing = || views.latents.clone().sum() * 0.0;
        (total.unwrap_or_else(nothing), losses)
    }
}

impl Term {
    /// Returns the name of the objective.
    pub fn name(&self) -> &str {
        self.objective.name()
    }

    /// Returns the objective.
    pub fn objective(&self) -> &dyn Objective {
        &*self.objective
    }

    /// Returns the weight at `update` (0-based).
    pub fn weight_at(&self, update: u64) -> f32 {
        schedule::weight(&self.weight, update)
    }
}
