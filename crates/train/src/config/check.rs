//! What makes a configuration possible.

use std::ops::Deref;

use serde::Serialize;
use tellapart_model::device;

use super::{Config, ConfigError, TargetKind};

/// A configuration that has been checked. Made only by [`Config::validate`]; read through `Deref`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ValidConfig(Config);

impl Deref for ValidConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0
    }
}

impl Config {
    /// Checks every value once.
    ///
    /// # Errors
    /// The first impossible value: its key, the value, what was expected.
    pub fn validate(self) -> Result<ValidConfig, ConfigError> {
        self.environment
            .clone()
            .validate()
            .map_err(|error| ConfigError::Environment { problem: error.to_string() })?;
        self.model.check()?;
        device::by_name(&self.device)?;
        let data = &self.data;
        at_least("data.copies", data.copies as u64, 1)?;
        at_least("data.window", data.window as u64, 2)?;
        at_least("data.windows", data.windows as u64, 1)?;
        let batch = (data.window * data.windows) as u64;
        at_least("data.replay_rows", data.replay_rows as u64, batch)?;
        within("data.held_out", data.held_out, 0.0..=0.9)?;
        at_least("target.width", self.target.width as u64, 1)?;
        if self.is_live() && self.target.kind == TargetKind::Array {
            return bad(
                "target.kind",
                "array",
                "`reward` or `random`: a live environment has no arrays (set `data.source` to a file)",
            );
        }
        let loss = &self.loss;
        within("loss.auxiliary_weight", f64::from(loss.auxiliary_weight), 0.0..=1e6)?;
        within("loss.dynamics_weight", f64::from(loss.dynamics_weight), 0.0..=1e6)?;
        within("loss.ramp_floor", f64::from(loss.ramp_floor), 0.0..=1.0)?;
        at_least("loss.ramp_end", loss.ramp_end, loss.ramp_start)?;
        within("loss.latent_noise", f64::from(loss.latent_noise), 0.0..=1e3)?;
        let optimizer = &self.optimizer;
        at_least("optimizer.updates", optimizer.updates, 1)?;
        within("optimizer.learning_rate", optimizer.learning_rate, 0.0..=10.0)?;
        within("optimizer.encoder_rate", optimizer.encoder_rate, 0.0..=1e3)?;
        within("optimizer.dynamics_rate", optimizer.dynamics_rate, 0.0..=1e3)?;
        within("optimizer.head_rate", optimizer.head_rate, 0.0..=1e3)?;
        within("optimizer.beta1", f64::from(optimizer.beta1), 0.0..=0.9999)?;
        within("optimizer.beta2", f64::from(optimizer.beta2), 0.0..=0.99999)?;
        within("optimizer.epsilon", f64::from(optimizer.epsilon), 1e-12..=1.0)?;
        within("optimizer.final_rate", optimizer.final_rate, 0.0..=1.0)?;
        within("optimizer.clip", f64::from(optimizer.clip), 1e-6..=1e9)?;
        let evaluation = &self.evaluation;
        at_least("evaluation.log_every", evaluation.log_every, 1)?;
        at_least("evaluation.every", evaluation.every, 1)?;
        at_least("evaluation.validation_per_state", evaluation.validation_per_state as u64, 2)?;
        at_least("evaluation.held_out_per_state", evaluation.held_out_per_state as u64, 2)?;
        at_least("evaluation.horizon_steps", evaluation.horizon_steps as u64, 1)?;
        at_least("decoder.batch", self.decoder.batch as u64, 1)?;
        if self.is_live() && self.decoder.updates > 0 && !self.environment.image_side.is_multiple_of(8) {
            return bad(
                "environment.image_side",
                &self.environment.image_side.to_string(),
                "a multiple of 8, which the decoder needs (or set decoder.updates=0)",
            );
        }
        within("decoder.learning_rate", self.decoder.learning_rate, 0.0..=10.0)?;
        if self.name.trim().is_empty() {
            return bad("name", "\"\"", "a name");
        }
        Ok(ValidConfig(self))
    }

    /// Whether observations come from a live environment.
    pub fn is_live(&self) -> bool {
        self.data.source == "counting"
    }
}

impl ValidConfig {
    /// The configuration, to change and validate again.
    pub fn into_inner(self) -> Config {
        self.0
    }
}

fn at_least(key: &'static str, value: u64, least: u64) -> Result<(), ConfigError> {
    if value < least {
        return bad(key, &value.to_string(), &format!("at least {least}"));
    }
    Ok(())
}

fn within(
    key: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<(), ConfigError> {
    if !range.contains(&value) {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        return bad(key, &value.to_string(), &expected);
    }
    Ok(())
}

fn bad<T>(key: &'static str, value: &str, expected: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Impossible {
        key,
        value: value.to_string(),
        expected: expected.to_string(),
    })
}
