//! Validation of configurations.

use std::ops::Deref;

use serde::Serialize;
use tellapart_env::{ValidWorld, World};
use tellapart_model::objective::Target;
use tellapart_model::{Precision, device};

use super::{Config, ConfigError, LossConfig, Source, TargetKind, WeightConfig};

/// Configuration that has been checked. Only [`Config::validate`] makes it; it is read through
/// `Deref`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ValidConfig {
    config: Config,
    #[serde(skip)]
    world: ValidWorld,
}

impl Deref for ValidConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}

impl Config {
    /// Checks every value once.
    ///
    /// # Errors
    /// The first impossible value: its key, the value, and what was expected.
    pub fn validate(self) -> Result<ValidConfig, ConfigError> {
        let world = self.environment.clone().validate();
        let world = world.map_err(|error| ConfigError::Environment {
            problem: error.to_string(),
        })?;
        if let Source::Recording(path) = &self.data.source
            && path
                .to_str()
                .is_some_and(|name| name.parse::<World>().is_ok())
        {
            let expected = "`live`, with the world in `environment.world`, or a trajectory file";
            return bad("data.source", &self.data.source.to_string(), expected);
        }
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
        check_losses(&self.loss)?;
        self.gradients.target.check()?;
        if self.is_live()
            && let Some(rule) = &data.action_rule
        {
            let expected = "absent: a live world has a rule of its own (data.source names no file)";
            return bad("data.action_rule", &rule.to_string(), expected);
        }
        if self.is_live()
            && let Some(of) = data.p_of
        {
            let expected =
                "absent: in a live world p belongs to the observation (data.source names no file)";
            return bad("data.p_of", &of.to_string(), expected);
        }
        if !self.gradients.dynamics && self.gradients.target != Target::default() {
            return bad(
                "gradients.target",
                self.gradients.target.name(),
                "`same`: with gradients.dynamics=false the dynamics loss sees detached latents",
            );
        }
        if self.is_live() {
            self.check_memory(&world)?;
        }
        if let Some(rule) = &data.action_rule
            && !rule.is_fixed()
        {
            return bad(
                "data.action_rule",
                &rule.to_string(),
                "`sign` or edges such as at:-0.5,0.5: other rules depend on the recording, and the \
                 model would not fit another one",
            );
        }
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
        let [height, width, _] = world.build(0, 0).observation_shape();
        if self.is_live() && self.decoder.updates > 0 && !(height % 8 == 0 && width % 8 == 0) {
            return bad(
                "decoder.updates",
                &self.decoder.updates.to_string(),
                &format!(
                    "0: the decoder needs images of multiples of 8 pixels, and these have \
                     {height}x{width}"
                ),
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
        Ok(ValidConfig {
            config: self,
            world,
        })
    }

    /// Whether observations come from a live world.
    pub fn is_live(&self) -> bool {
        self.data.source == Source::Live
    }
}

/// Largest size in bytes of the observations that are held in memory at once.
const MOST_BYTES: usize = 4 << 30;

impl Config {
    /// Checks that validation and held-out observations of a live world fit into memory.
    fn check_memory(&self, world: &ValidWorld) -> Result<(), ConfigError> {
        let batch = world.build(0, 0);
        let (states, bytes) = (batch.num_states(), batch.frame_bytes());
        let evaluation = &self.evaluation;
        for (key, per_state, rows_each) in [
            (
                "evaluation.validation_per_state",
                evaluation.validation_per_state,
                2,
            ),
            (
                "evaluation.held_out_per_state",
                evaluation.held_out_per_state,
                1,
            ),
        ] {
            let one = states.saturating_mul(bytes).saturating_mul(rows_each);
            if one.saturating_mul(per_state) > MOST_BYTES {
                let most = match MOST_BYTES / one.max(1) {
                    0 | 1 => "smaller images or fewer states".to_owned(),
                    most => format!("at most {most}, smaller images or fewer states"),
                };
                let expected = format!(
                    "{most}: {states} states with {bytes} bytes an image have to fit into 4 GiB"
                );
                return bad(key, &per_state.to_string(), &expected);
            }
        }
        Ok(())
    }
}

impl ValidConfig {
    /// Returns the configuration, to be changed and validated again.
    pub fn into_inner(self) -> Config {
        self.config
    }

    /// Returns the world of `environment`.
    pub fn world(&self) -> &ValidWorld {
        &self.world
    }
}

fn check_losses(loss: &LossConfig) -> Result<(), ConfigError> {
    for (name, term) in loss.terms() {
        let key = |key: &str| format!("loss.{name}.{key}");
        let weight = f64::from(term.weight);
        within(key("weight"), weight, 0.0..=1e6)?;
        within(key("ramp_floor"), f64::from(term.ramp_floor), 0.0..=1.0)?;
        at_least(key("ramp_end"), term.ramp_end, term.ramp_start)?;
    }
    within("loss.latent_noise", f64::from(loss.latent_noise), 0.0..=1e3)
}

impl LossConfig {
    /// Returns the weight of every loss, by name.
    pub(crate) fn terms(&self) -> [(&'static str, WeightConfig); 4] {
        [
            ("dynamics", self.dynamics),
            ("auxiliary", self.auxiliary),
            ("variance", self.variance),
            ("covariance", self.covariance),
        ]
    }
}

fn at_least(key: impl Into<String>, value: u64, least: u64) -> Result<(), ConfigError> {
    if value < least {
        return bad(key, &value.to_string(), &format!("at least {least}"));
    }
    Ok(())
}

fn count(
    key: impl Into<String>,
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
    key: impl Into<String>,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<(), ConfigError> {
    if !range.contains(&value) {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        return bad(key, &value.to_string(), &expected);
    }
    Ok(())
}

fn bad<T>(key: impl Into<String>, value: &str, expected: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Impossible {
        key: key.into(),
        value: value.to_string(),
        expected: expected.to_string(),
    })
}
