//! What one run is: everything that decides its result, in one TOML file.
//!
//! Read with [`read`]; checked once into a [`ValidConfig`], which is all the rest of this crate takes.

mod check;
mod read;

use serde::{Deserialize, Serialize};
use tellapart_env::counting;
use tellapart_model::ModelConfig;

pub use check::ValidConfig;
pub(crate) use read::differences;
pub use read::{ConfigError, Layer, parse, read};

/// One run. Every key has a default; the defaults are the `joint-reward` run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the run is called in tables and figures.
    pub name: String,
    /// Everything random follows from it.
    pub seed: u64,
    /// `cpu`, or `wgpu` or `cuda` where compiled in.
    pub device: String,
    /// Where observations come from.
    pub data: DataConfig,
    /// The counting environment, where `data.source` is `counting`.
    pub environment: counting::Options,
    /// The auxiliary function p.
    pub target: TargetConfig,
    /// The networks.
    pub model: ModelConfig,
    /// Which loss changes the encoder.
    pub gradients: GradientConfig,
    /// How the losses are weighed.
    pub loss: LossConfig,
    /// How the parameters move.
    pub optimizer: OptimizerConfig,
    /// What is measured, and when.
    pub evaluation: EvaluationConfig,
    /// The decoder, trained afterwards on detached latents.
    pub decoder: DecoderConfig,
}

/// Where observations come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// `counting` (a live environment), or the path of a trajectory `.npz`: then windows are drawn
    /// uniformly from its training episodes, and `copies`, `sampling` and `replay_rows` do not matter.
    pub source: String,
    /// How many copies of a live environment are stepped together.
    pub copies: usize,
    /// Consecutive observations in one window of a batch.
    pub window: usize,
    /// Windows in a batch that is drawn; a `latest` batch has one window of each copy instead.
    pub windows: usize,
    /// `latest`: every batch is what was just seen; `uniform`: drawn from a replay buffer.
    pub sampling: Sampling,
    /// Observations the replay buffer holds (12 KiB each in the counting environment).
    pub replay_rows: usize,
    /// Share of the episodes of a recorded data set that is never trained on.
    pub held_out: f64,
}

/// Which windows make a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// What was just seen.
    Latest,
    /// Drawn uniformly from the replay buffer.
    Uniform,
}

/// The auxiliary function p.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TargetConfig {
    /// Which function.
    pub kind: TargetKind,
    /// Length of the random function's value.
    pub width: usize,
    /// Which array of a recorded data set, for `array`.
    pub array: String,
}

/// Which auxiliary function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// The environment's value (sparse or dense: `environment.value`), or the data's `rewards`.
    Reward,
    /// A fixed random linear map of the pixels.
    Random,
    /// An array of the data, one row per observation.
    Array,
}

/// Which loss changes the encoder. A loss that does not is computed on detached latents and still
/// trains its own network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientConfig {
    /// `L_dyn` reaches the encoder.
    pub dynamics: bool,
    /// `L_p` reaches the encoder.
    pub auxiliary: bool,
    /// Detach the target `E(o')` of `L_dyn`; the reference does not.
    pub stop_target: bool,
}

/// `L = dynamics_weight * ramp(update) * L_dyn + auxiliary_weight * L_p`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossConfig {
    /// Weight of `L_p`.
    pub auxiliary_weight: f32,
    /// Weight of `L_dyn` once the ramp is at its top.
    pub dynamics_weight: f32,
    /// Share of `dynamics_weight` before the ramp begins.
    pub ramp_floor: f32,
    /// Update at which the ramp begins.
    pub ramp_start: u64,
    /// Update at which it reaches the top; equal to the start for no ramp.
    pub ramp_end: u64,
    /// Standard deviation of the noise on the latents that enter T and P.
    pub latent_noise: f32,
}

/// Adam, one for each network, with warm-up and cosine decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// How many updates the run has.
    pub updates: u64,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Factor on it for the encoder.
    pub encoder_rate: f64,
    /// Factor on it for the dynamics.
    pub dynamics_rate: f64,
    /// Factor on it for the head.
    pub head_rate: f64,
    /// Adam's decay of the first moment.
    pub beta1: f32,
    /// Adam's decay of the second moment.
    pub beta2: f32,
    /// Adam's denominator offset.
    pub epsilon: f32,
    /// Updates over which the rate rises linearly to its peak.
    pub warmup: u64,
    /// Share of the peak at the end of the cosine.
    pub final_rate: f64,
    /// Largest gradient norm of each network; larger gradients are scaled down to it.
    pub clip: f32,
}

/// What is measured, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// A metric row every this many updates.
    pub log_every: u64,
    /// Validation and a checkpoint every this many updates.
    pub every: u64,
    /// Validation observations per state.
    pub validation_per_state: usize,
    /// Held-out observations per state; never seen by anything that trains or chooses.
    pub held_out_per_state: usize,
    /// How far open-loop predictions are compared.
    pub horizon_steps: usize,
}

/// The decoder, trained afterwards on detached latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderConfig {
    /// Updates; 0 for no decoder.
    pub updates: u64,
    /// Observations in a batch.
    pub batch: usize,
    /// Peak learning rate (Adam, cosine).
    pub learning_rate: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "joint-reward".to_string(),
            seed: 1,
            device: "cpu".to_string(),
            data: DataConfig::default(),
            environment: counting::Options::default(),
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
            source: "counting".to_string(),
            copies: 1,
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
            stop_target: false,
        }
    }
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            auxiliary_weight: 1.0,
            dynamics_weight: 0.25,
            ramp_floor: 0.0,
            ramp_start: 250,
            ramp_end: 750,
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
            dynamics_rate: 1.0,
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
