//! Configuration of a run: everything that decides its result, in one TOML file.
//!
//! [`read`] reads it and checks it once. The rest of this crate takes only the resulting
//! [`ValidConfig`].

mod check;
mod read;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tellapart_data::{ActionRule, BelongsTo};
use tellapart_env::WorldOptions;
use tellapart_model::ModelConfig;
use tellapart_model::objective::{Distance, Target};

pub use check::ValidConfig;
pub use read::{ConfigError, ConfigLayer, parse, read};

/// Configuration of one run. Every key has a default; the defaults are the `joint-reward` run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the run in tables and figures, and of its folder. It must not be empty, contain a
    /// slash or begin with a dot.
    pub name: String,
    /// Seed of all randomness in the run, from 0 to 2^63 - 1.
    pub seed: u64,
    /// Device that computes: `cpu`, or `wgpu` if the program was built with that feature.
    pub device: String,
    /// Source of the observations, and how batches are drawn from them.
    pub data: DataConfig,
    /// World that `data.source = "live"` trains on, with its options. A bare word chooses the
    /// world, with its default options.
    pub environment: WorldOptions,
    /// Auxiliary function p.
    pub target: TargetConfig,
    /// Networks.
    pub model: ModelConfig,
    /// Losses that train the encoder.
    pub gradients: GradientConfig,
    /// Weights of the losses.
    pub loss: LossConfig,
    /// Optimizer and learning rates.
    pub optimizer: OptimizerConfig,
    /// Measurements during and after training.
    pub evaluation: EvaluationConfig,
    /// Decoder that is trained after the model.
    pub decoder: DecoderConfig,
}

/// Source of the observations, and how batches are drawn from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// `live` for the world of `environment`, or the path of a recording (`.npz` or HDF5). Windows
    /// of a file are drawn uniformly from its training episodes; `num_envs`, `sampling` and
    /// `replay_rows` then have no effect.
    pub source: Source,
    /// Rule for equal action vectors of a file: `sign` or `at:-0.5,0.5`. A bounded predictor has
    /// one network for each action, and needs it. Absent for no rule.
    #[serde(with = "as_text", skip_serializing_if = "Option::is_none")]
    pub action_rule: Option<ActionRule>,
    /// Path of the observations in an HDF5 file that has several, such as `observations/image`.
    /// Absent for the single ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observations: Option<String>,
    /// What the values of p in a file belong to: `observation`, the one in the same row; `arrival`,
    /// the one that the step from the row led to; or `step`, the observation and the action taken
    /// there, for which the head has one output for each action. Absent for what the file says.
    #[serde(with = "as_text", skip_serializing_if = "Option::is_none")]
    pub p_of: Option<BelongsTo>,
    /// Number of live environments that are stepped together, from 1 to 65536.
    pub num_envs: usize,
    /// Consecutive observations in one window of a batch, from 2 to 65536.
    pub window: usize,
    /// Windows in a batch that is drawn from a file or a replay buffer, from 1 to 65536. A `latest`
    /// batch has one window of each environment instead.
    pub windows: usize,
    /// Source of the windows in a batch from a live environment.
    pub sampling: Sampling,
    /// Observations that the replay buffer of `uniform` sampling holds, from `window` to 100000000.
    /// It holds at least one window of each environment. An observation of the counting world takes
    /// 12 KiB.
    pub replay_rows: usize,
    /// Share of the episodes of a file that is never trained on, from 0 to 0.9. A file with an
    /// array `splits` decides by itself instead: 0 marks training rows, 1 held-out rows.
    pub held_out: f64,
}

/// Where observations come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    /// The world of `environment`, stepped while the run trains.
    Live,
    /// A trajectory file.
    Recording(PathBuf),
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        match text.as_str() {
            "live" => Self::Live,
            _ => Self::Recording(PathBuf::from(text)),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Recording(path) => path.display().fmt(f),
        }
    }
}

mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&value.as_ref().map_or_else(String::new, ToString::to_string))
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        // A number of bins is a rule for actions, too, even if others refuse it later.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Bins(u32),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Bins(bins) => bins.to_string(),
        };
        text.parse().map(Some).map_err(Error::custom)
    }
}

/// Source of the windows in a batch from a live environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// The window that each environment has just produced.
    Latest,
    /// Windows drawn uniformly from a replay buffer, after one new window of each environment.
    Uniform,
}

/// Auxiliary function p, which the head learns to predict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetConfig {
    /// The function that is p.
    pub kind: TargetKind,
    /// Length of p for `random`, from 1 to 65536. Other kinds ignore it.
    pub width: usize,
    /// Name of the array in the trajectory file that is p, for `array`. Other kinds ignore it.
    pub array: String,
}

/// Kind of auxiliary function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// The reward: the value of a live world, or the array `rewards` of a file.
    Reward,
    /// A fixed random linear map of the pixels, scaled to mean square 1.
    Random,
    /// An array of the file, with one row per observation. A live environment has none.
    Array,
}

/// Losses that train the encoder. A loss that does not reach the encoder is computed on detached
/// latents and still trains its own network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientConfig {
    /// Whether `L_dyn` trains the encoder. If not, its weight in the total loss is 1 for the whole
    /// run.
    pub dynamics: bool,
    /// Whether `L_p` trains the encoder.
    pub auxiliary: bool,
    /// Encoder of the target `E(o')` of `L_dyn`: `same`, `stop-gradient` or `ema`, a moving
    /// average. The paper's reference uses `same`, with gradients.
    pub target: Target,
}

/// Weights of the losses. The total is their weighted sum; a loss whose weight is 0 for the whole
/// run is not computed, except `dynamics` and `auxiliary`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossConfig {
    /// Weight of `L_dyn`. It is 1 for the whole run if `gradients.dynamics` is false.
    pub dynamics: WeightConfig,
    /// Weight of `L_p`.
    pub auxiliary: WeightConfig,
    /// Weight of the variance term of VICReg, which keeps every dimension of the latent spread.
    pub variance: WeightConfig,
    /// Weight of the covariance term of VICReg, which keeps dimensions uncorrelated.
    pub covariance: WeightConfig,
    /// Distance of a predicted latent and its target in `L_dyn`: `squared` as in the paper, or
    /// `cosine` of normalized latents as in BYOL. `cosine` trains only the direction of `T(z, a)`,
    /// so open-loop predictions and certificates need `squared` (or a bounded predictor).
    pub distance: Distance,
    /// Standard deviation of the normal noise added to the latents that enter T and P in training,
    /// from 0 to 1000.
    pub latent_noise: f32,
}

/// Weight of one loss, with a linear ramp.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightConfig {
    /// Weight at the top of the ramp, from 0 to 1e6.
    pub weight: f32,
    /// Share of `weight` that applies before the ramp begins, from 0 to 1.
    pub ramp_floor: f32,
    /// Update at which the linear ramp begins.
    pub ramp_start: u64,
    /// Update at which the ramp reaches `weight`, at least `ramp_start`. Equal values mean a step
    /// instead of a ramp.
    pub ramp_end: u64,
}

/// Adam, one instance for each network, with linear warm-up and cosine decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Number of updates in the run, at least 1. The cosine decay ends there.
    pub updates: u64,
    /// Peak learning rate, from 0 to 10.
    pub learning_rate: f64,
    /// Factor on the learning rate for the encoder, from 0 to 1000.
    pub encoder_rate: f64,
    /// Factor on the learning rate for the predictor T, from 0 to 1000.
    pub predictor_rate: f64,
    /// Factor on the learning rate for the head P, from 0 to 1000.
    pub head_rate: f64,
    /// Decay of the first moment in Adam, from 0 to 0.9999.
    pub beta1: f32,
    /// Decay of the second moment in Adam, from 0 to 0.99999.
    pub beta2: f32,
    /// Offset of the denominator in Adam, from 1e-12 to 1.
    pub epsilon: f32,
    /// Number of updates over which the learning rate rises linearly to its peak.
    pub warmup: u64,
    /// Share of the peak learning rate at the end of the cosine decay, from 0 to 1.
    pub final_rate: f64,
    /// Largest gradient norm of each network, from 1e-6 to 1e9. Larger gradients are scaled down to
    /// it.
    pub clip: f32,
}

/// Measurements during and after training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Number of updates between two rows of `metrics.csv`, at least 1. Updates that are validated
    /// get a row, too.
    pub log_every: u64,
    /// Number of updates between two validations, each with a checkpoint, at least 1. The last
    /// update is always validated.
    pub every: u64,
    /// Validation observations per start state of a live environment, from 2 to 100000. From a
    /// file, at most 1024 held-out rows are validated instead.
    pub validation_per_state: usize,
    /// Observations per state in the final evaluation, from 2 to 100000. Training and the choice of
    /// the best checkpoint never see them.
    pub held_out_per_state: usize,
    /// Number of steps over which open-loop predictions are compared with what happened, from 1 to
    /// 1000.
    pub horizon_steps: usize,
}

/// Decoder from latents to images, trained after the model on detached latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    /// Number of updates of the decoder; 0 for no decoder. Otherwise height and width of an image
    /// must be multiples of 8. Runs on a file have no decoder.
    pub updates: u64,
    /// Observations in a batch of the decoder, from 1 to 65536.
    pub batch: usize,
    /// Peak learning rate of the decoder, from 0 to 10: Adam with a short warm-up and a cosine
    /// decay.
    pub learning_rate: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "joint-reward".to_string(),
            seed: 1,
            device: "cpu".to_string(),
            data: DataConfig::default(),
            environment: WorldOptions::default(),
            target: TargetConfig::default(),
            model: ModelConfig::default(),
            gradients: GradientConfig::default(),
            loss: LossConfig::default(),
            optimizer: OptimizerConfig::default(),
            evaluation: EvaluationConfig::default(),
            decoder: DecoderConfig::default(),
        }
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: Source::Live,
            action_rule: None,
            observations: None,
            p_of: None,
            num_envs: 1,
            window: 128,
            windows: 1,
            sampling: Sampling::Latest,
            replay_rows: 16_384,
            held_out: 0.1,
        }
    }
}

impl Default for TargetConfig {
    fn default() -> Self {
        Self {
            kind: TargetKind::Reward,
            width: 256,
            array: "aux".to_string(),
        }
    }
}

impl Default for GradientConfig {
    fn default() -> Self {
        Self {
            dynamics: true,
            auxiliary: true,
            target: Target::default(),
        }
    }
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            dynamics: WeightConfig {
                weight: 0.25,
                ramp_floor: 0.0,
                ramp_start: 250,
                ramp_end: 750,
            },
            auxiliary: WeightConfig {
                weight: 1.0,
                ..WeightConfig::default()
            },
            variance: WeightConfig::default(),
            covariance: WeightConfig::default(),
            distance: Distance::Squared,
            latent_noise: 0.05,
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            updates: 2400,
            learning_rate: 3e-3,
            encoder_rate: 1.0,
            predictor_rate: 1.0,
            head_rate: 1.0,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            warmup: 50,
            final_rate: 0.02,
            clip: 5.0,
        }
    }
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            log_every: 10,
            every: 100,
            validation_per_state: 32,
            held_out_per_state: 223,
            horizon_steps: 8,
        }
    }
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            updates: 300,
            batch: 128,
            learning_rate: 2e-3,
        }
    }
}
