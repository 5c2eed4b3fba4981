//! The training loop.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use cpu_time::ThreadTime;
use tellapart_model::pjepa::EncoderGradients;
use tellapart_model::{Interface, Pjepa, device};

use crate::checkpoint::{self, TrainingState};
use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::Experience;
use crate::metrics::{MetricRecord, Validation};
use crate::observer::{LabelledLatents, Observer};
use crate::optimiser::Optimisers;
use crate::run_directory::RunDirectory;
use crate::schedule;
use crate::seeds::{Purpose, generator, generator_at};
use crate::tensors::{latent_noise, tensor_batch};
use crate::validation::ValidationSet;

/// A trained model with what its training was like.
#[derive(Debug)]
pub struct Trained {
    /// The model, without autodiff.
    pub model: Pjepa,
    /// What it fits.
    pub interface: Interface,
    /// Every record, resumed parts included.
    pub records: Vec<MetricRecord>,
    /// Updates done.
    pub updates: u64,
    /// Whether it was stopped before the last update.
    pub stopped: bool,
    /// CPU time of the training thread.
    pub cpu_seconds: f64,
    /// Time on the wall.
    pub wall_seconds: f64,
}

/// Trains one run, and writes metrics and checkpoints into `directory` if there is one.
///
/// A directory with a checkpoint is continued from there: same seed, same device kind, same numbers
/// as a run that was never interrupted.
///
/// # Errors
/// Data that cannot be read or does not fit, files that cannot be written, or a loss that stopped
/// being a number.
pub fn train(
    config: &ValidConfig,
    directory: Option<&RunDirectory>,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let clock = Clock::start();
    let device = device::by_name(&config.device)?.autodiff();
    let mut experience = Experience::open(config)?;
    let interface = experience.interface();
    let mut rng = generator(config.seed, Purpose::Initialisation);
    let mut model = Pjepa::new(&config.model, &interface, &mut rng, &device)?;
    let mut optimisers = Optimisers::new(&config.optimizer);
    let validation = ValidationSet::collect(config, &experience)?;
    let measures = observer.measures().len();

    let mut state = TrainingState::default();
    let mut records = Vec::new();
    if let Some(directory) = directory {
        if let Some(found) = checkpoint::resume(directory, &mut model, &mut optimisers)? {
            experience.skip(found.update)?;
            records = directory.keep_metrics_until(found.update, observer.measures())?;
            state = found;
        } else {
            directory.begin_metrics(observer.measures())?;
        }
    }
    let (cpu_before, wall_before) = (state.cpu_seconds, state.wall_seconds);
    let reaches = EncoderGradients {
        dynamics: config.gradients.dynamics,
        auxiliary: config.gradients.auxiliary,
        stop_target: config.gradients.stop_target,
    };

    let mut stopped = false;
    while state.update < config.optimizer.updates && !stopped {
        let update = state.update;
        let batch =
            experience.next_batch(&mut generator_at(config.seed, Purpose::Sampling, update))?;
        let tensors = tensor_batch(&batch, &interface, &device);
        let mut noise_rng = generator_at(config.seed, Purpose::Noise, update);
        let deviation = config.loss.latent_noise;
        let noise =
            latent_noise(&mut noise_rng, deviation, batch.rows, config.model.latent, &device);

        let losses = model.losses(&tensors, reaches, noise);
        let weight = dynamics_weight(config, update);
        let loss = losses.dynamics.clone() * weight
            + losses.auxiliary.clone() * config.loss.auxiliary_weight;
        let gradients = loss.backward();
        let (moved, norms) = optimisers.step(model, gradients, update);
        model = moved;

        state.update += 1;
        state.cpu_seconds = cpu_before + clock.cpu();
        state.wall_seconds = wall_before + clock.wall();
        stopped = observer.wants_to_stop();
        let last = state.update == config.optimizer.updates;
        let validate = last || state.update.is_multiple_of(config.evaluation.every);
        let log = validate || state.update.is_multiple_of(config.evaluation.log_every);
        if !(log || stopped) {
            continue;
        }
        let value = loss.into_scalar::<f32>();
        if !value.is_finite() {
            return Err(TrainError::Diverged { loss: value, update });
        }
        if log {
            let latents = losses.latents.inner();
            let centred = latents.clone() - latents.mean_dim(0);
            let record = MetricRecord {
                update: state.update,
                cpu_seconds: state.cpu_seconds,
                loss_dynamics: losses.dynamics.into_scalar::<f32>(),
                loss_auxiliary: losses.auxiliary.into_scalar::<f32>(),
                dynamics_weight: weight,
                learning_rate: config.optimizer.learning_rate
                    * schedule::rate(&config.optimizer, update),
                gradient_norms: [norms.encoder, norms.dynamics, norms.head],
                latent_spread: centred.square().mean().sqrt().into_scalar::<f32>(),
                validation: if validate {
                    Some(measure(&validation, &model, config, &device, observer))
                } else {
                    None
                },
            };
            if let Some(directory) = directory {
                directory.append_metrics(&record, measures)?;
            }
            observer.updated(&record);
            records.push(record);
        }
        if let (Some(directory), true) = (directory, validate || stopped) {
            let score = records.last().and_then(|record| record.validation.as_ref());
            let score = score.map(|validation| total_loss(config, validation));
            let best = match (score, state.best) {
                (Some(score), Some(best)) => score < best,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if best {
                state.best = score;
            }
            checkpoint::save(directory, &model, config, &interface, &optimisers, &state, best)?;
        }
    }
    Ok(Trained {
        model: burn::module::Module::valid(&model),
        interface,
        records,
        updates: state.update,
        stopped: state.update < config.optimizer.updates,
        cpu_seconds: state.cpu_seconds,
        wall_seconds: state.wall_seconds,
    })
}

/// Where `L_dyn` cannot reach the encoder there is nothing to ramp: T simply learns.
fn dynamics_weight(config: &ValidConfig, update: u64) -> f32 {
    if config.gradients.dynamics { schedule::dynamics_weight(&config.loss, update) } else { 1.0 }
}

fn total_loss(config: &ValidConfig, validation: &Validation) -> f32 {
    let weight = dynamics_weight(config, config.optimizer.updates);
    weight * validation.loss_dynamics + config.loss.auxiliary_weight * validation.loss_auxiliary
}

fn measure(
    set: &ValidationSet,
    model: &Pjepa,
    config: &ValidConfig,
    device: &Device,
    observer: &mut dyn Observer,
) -> Validation {
    let model = burn::module::Module::valid(model);
    let found = set.evaluate(&model, &device.clone().inner());
    let latents = LabelledLatents {
        values: &found.latents,
        width: config.model.latent,
        states: set.states(),
    };
    let measures = if set.states().is_empty() { Vec::new() } else { observer.measure(latents) };
    Validation {
        loss_dynamics: found.loss_dynamics,
        loss_auxiliary: found.loss_auxiliary,
        measures,
    }
}

/// CPU and wall time since a run (or its resumed part) began.
struct Clock {
    cpu: ThreadTime,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { cpu: ThreadTime::now(), wall: Instant::now() }
    }

    fn cpu(&self) -> f64 {
        self.cpu.try_elapsed().unwrap_or(Duration::ZERO).as_secs_f64()
    }

    fn wall(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
}
