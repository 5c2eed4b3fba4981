//! Trains a P-JEPA with an objective of one's own: its latents should be sparse.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::model::objective::{Objective, Views};
use tellapart::model::{Pjepa, Tensor};
use tellapart::train::config::{ConfigLayer, WeightConfig, parse};
use tellapart::train::{Objectives, train_on};

/// Mean absolute value of the latents.
#[derive(Debug)]
struct Sparsity;

impl Objective for Sparsity {
    fn name(&self) -> &str {
        "sparsity"
    }

    fn loss(&self, _model: &Pjepa, views: &Views<'_>) -> Tensor<1> {
        views.latents.clone().abs().mean()
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = "environment = \"torus\"\nmodel.encoder = \"mlp\"\noptimizer.updates = 20\n\
        evaluation.validation_per_state = 2";
    let config = parse(&[ConfigLayer { text, origin: "" }], &[])?;

    // Next to the losses of the configuration. An objective of weight 0 is only measured.
    let after = |weight| -> Result<f64, Box<dyn std::error::Error>> {
        let ramp = WeightConfig::default();
        let objectives = Objectives::of(&config).with(Sparsity, WeightConfig { weight, ..ramp });
        let trained = train_on(&config, &objectives, None, &mut ())?;
        let last = trained.records.last().ok_or("no record")?;
        Ok(last.get("loss_sparsity").ok_or("no such column")?)
    };
    let (measured, trained) = (after(0.0)?, after(1.0)?);
    println!("mean absolute value: {measured:.3}, and {trained:.3} with the objective");
    assert!(trained < measured);
    Ok(())
}
