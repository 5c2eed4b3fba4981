//! Validation of configurations.

use std::ops::Deref;

use serde::Serialize;
use tellapart_model::{Precision, device};

use super::{Config, ConfigError, TargetKind};

/// Configuration that has been checked. Only [`Config::validate`] makes it; it is read through
/// `Deref`.
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
    /// The first impossible value: its key, the value, and what was expected.
    pub fn validate(self) -> Result<ValidConfig, ConfigError> {
        self.environment
            .clone()
            .validate()
            .map_err(|error| ConfigError::Environment {
                problem: error.to_string(),
            })?;
        self.model.check()?;
        device::by_name(&self.device)?;
        if self.model.precision == Precision::Bf16 && self.device != "cpu" {
            return bad(
                "model.precision",
                "bf16",
                "`f32`: only the kernels of the device `cpu` multiply bf16 numbers",
            );
        }
        let data = &self.data;
        count("data.num_envs", data.num_envs, 1..=65_536)?;
        count("data.window", data.window, 2..=65_536)?;
        count("data.windows", data.windows, 1..=65_536)?;
        count(
            "data.replay_rows",
            data.replay_rows,
            data.window..=100_000_000,
        )?;
        within("data.held_out", data.held_out, 0.0..=0.9)?;
        count("target.width", self.target.width, 1..=65_536)?;
        if self.is_live() && self.target.kind == TargetKind::Array {
            return bad(
                "target.kind",
                "array",
                "`reward` or `random`: a live environment has no arrays (set `data.source` to a file)",
            );
        }
        let loss = &self.loss;
        within(
            "loss.auxiliary_weight",
            f64::from(loss.auxiliary_weight),
            0.0..=1e6,
        )?;
        within(
            "loss.dynamics_weight",
            f64::from(loss.dynamics_weight),
            0.0..=1e6,
        )?;
        within("loss.ramp_floor", f64::from(loss.ramp_floor), 0.0..=1.0)?;
        at_least("loss.ramp_end", loss.ramp_end, loss.ramp_start)?;
        within("loss.latent_noise", f64::from(loss.latent_noise), 0.0..=1e3)?;
        let optimizer = &self.optimizer;
        at_least("optimizer.updates", optimizer.updates, 1)?;
        within(
            "optimizer.learning_rate",
            optimizer.learning_rate,
            0.0..=10.0,
        )?;
        within("optimizer.encoder_rate", optimizer.encoder_rate, 0.0..=1e3)?;
        within(
            "optimizer.predictor_rate",
            optimizer.predictor_rate,
            0.0..=1e3,
        )?;
        within("optimizer.head_rate", optimizer.head_rate, 0.0..=1e3)?;
        within("optimizer.beta1", f64::from(optimizer.beta1), 0.0..=0.9999)?;
        within("optimizer.beta2", f64::from(optimizer.beta2), 0.0..=0.99999)?;
        within(
            "optimizer.epsilon",
            f64::from(optimizer.epsilon),
            1e-12..=1.0,
        )?;
        within("optimizer.final_rate", optimizer.final_rate, 0.0..=1.0)?;
        within("optimizer.clip", f64::from(optimizer.clip), 1e-6..=1e9)?;
        let evaluation = &self.evaluation;
        at_least("evaluation.log_every", evaluation.log_every, 1)?;
        at_least("evaluation.every", evaluation.every, 1)?;
        count(
            "evaluation.validation_per_state",
            evaluation.validation_per_state,
            2..=100_000,
        )?;
        count(
            "evaluation.held_out_per_state",
            evaluation.held_out_per_state,
            2..=100_000,
        )?;
        count(
            "evaluation.horizon_steps",
            evaluation.horizon_steps,
            1..=1000,
        )?;
        count("decoder.batch", self.decoder.batch, 1..=65_536)?;
        if self.is_live()
            && self.decoder.updates > 0
            && !self.environment.image_side.is_multiple_of(8)
        {
            return bad(
                "environment.image_side",
                &self.environment.image_side.to_string(),
                "a multiple of 8, which the decoder needs (or set decoder.updates=0)",
            );
        }
        within(
            "decoder.learning_rate",
            self.decoder.learning_rate,
            0.0..=10.0,
        )?;
        // The name becomes a folder.
        if self.name.trim().is_empty()
            || self.name.starts_with('.')
            || self.name.contains(['/', '\\'])
        {
            return bad(
                "name",
                &format!("{:?}", self.name),
                "a name without slashes or leading dot",
            );
        }
        if i64::try_from(self.seed).is_err() {
            return bad(
                "seed",
                &self.seed.to_string(),
                "at most 9223372036854775807",
            );
        }
        Ok(ValidConfig(self))
    }

    /// Whether observations come from a live environment.
    pub fn is_live(&self) -> bool {
        self.data.source == "counting"
    }
}

impl ValidConfig {
    /// Returns the configuration, to be changed and validated again.
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

fn count(
    key: &'static str,
    value: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<(), ConfigError> {
    if !range.contains(&value) {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        return bad(key, &value.to_string(), &expected);
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
