//! The training loop.

use std::time::{Duration, Instant};

use burn::module::Module;
use cpu_time::ThreadTime;
use tellapart_model::{Interface, Pjepa, device};

use crate::checkpoint::TrainingState;
use crate::config::ValidConfig;
use crate::course::{Course, Milestone};
use crate::error::TrainError;
use crate::experience::Experience;
use crate::learner::{Learner, dynamics_weight};
use crate::metrics::MetricRecord;
use crate::observer::Observer;
use crate::run_directory::RunDirectory;
use crate::schedule;
use crate::seeds::{Purpose, generator_at};
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
    /// CPU time of training, on all threads of its pool.
    pub cpu_seconds: f64,
    /// Time on the wall.
    pub wall_seconds: f64,
}

/// Trains one run, and writes metrics and checkpoints into `directory` if there is one.
///
/// A directory with a checkpoint is continued from there: same seed, same device kind, same numbers
/// as a run that was never interrupted.
///
/// The threads of the current rayon pool share the work, and the CPU time of all of them is counted
/// as the run's: give it a pool of its own where other work uses the pool, too.
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
    let mut experience = Experience::open(config)?;
    let interface = experience.interface();
    let mut learner = Learner::new(config, interface)?;
    let validation = ValidationSet::collect(config, &experience)?;
    let device = device::by_name(&config.device)?;

    let mut course = Course {
        config,
        directory,
        state: TrainingState {
            recording: experience.fingerprint(),
            ..TrainingState::default()
        },
        records: Vec::new(),
        observer,
    };
    let mut _lock = None;
    if let Some(directory) = directory {
        _lock = Some(directory.begin(config)?);
        course.resume(directory, &mut learner, &mut experience)?;
    }
    let (cpu_before, wall_before) = (course.state.cpu_seconds, course.state.wall_seconds);

    let mut stopped = false;
    let feed = learner.feed();
    let draw = |experience: &mut Experience, update: u64| {
        let mut rng = generator_at(config.seed, Purpose::Sampling, update);
        let batch = experience.next_batch(&mut rng)?;
        Ok::<_, TrainError>(feed.inputs(batch, update))
    };
    // Drawn before it is asked for; that of no update if the run is complete.
    let mut drawn = None;
    // What is known after the update before, but for how good its model is.
    let mut pending: Option<(Milestone, Pjepa)> = None;
    let mut state = course.state;
    while state.update < config.optimizer.updates && !stopped {
        let update = state.update;
        let inputs = drawn
            .take()
            .unwrap_or_else(|| draw(&mut experience, update));
        if let Some((before, model)) = pending.take_if(|_| inputs.is_err()) {
            // What is known is kept, also where there is nothing more to train on.
            let found = validation.evaluate(&model, &device);
            course.evaluated(before, &validation, &found)?;
        }
        let inputs = inputs?;
        // Where the pool has a thread to spare, the next batch is drawn, and the model as it was before this update
        // evaluated, in the background.
        let mut found = None;
        let done;
        (learner, done) = rayon::in_place_scope(|scope| {
            if update + 1 < config.optimizer.updates {
                scope.spawn(|_| drawn = Some(draw(&mut experience, update + 1)));
            }
            if let Some((_, model)) = &pending {
                scope.spawn(|_| found = Some(validation.evaluate(model, &device)));
            }
            learner.update(inputs, update)
        });
        if let (Some((before, _)), Some(found)) = (pending.take(), found) {
            course.evaluated(before, &validation, &found)?;
        }

        state.update += 1;
        stopped = course.observer.wants_to_stop();
        let last = state.update == config.optimizer.updates;
        let validate = last || state.update.is_multiple_of(config.evaluation.every);
        let log = validate || state.update.is_multiple_of(config.evaluation.log_every);
        // Gradients that are not finite have just been applied: nothing after this is worth keeping.
        if !done.norms.are_finite() {
            return Err(TrainError::Diverged {
                loss: done.total.into_scalar::<f32>(),
                update,
            });
        }
        if !(log || stopped) {
            continue;
        }
        state.cpu_seconds = cpu_before + clock.cpu();
        state.wall_seconds = wall_before + clock.wall();
        let record = log.then(|| {
            let centred = done.latents.clone() - done.latents.mean_dim(0);
            MetricRecord {
                update: state.update,
                cpu_seconds: state.cpu_seconds,
                loss_dynamics: done.dynamics.into_scalar::<f32>(),
                loss_auxiliary: done.auxiliary.into_scalar::<f32>(),
                dynamics_weight: dynamics_weight(config, update),
                learning_rate: config.optimizer.learning_rate
                    * schedule::rate(&config.optimizer, update),
                gradient_norms: [done.norms.encoder, done.norms.dynamics, done.norms.head],
                latent_spread: centred.square().mean().sqrt().into_scalar::<f32>(),
                validation: None,
            }
        });
        let snapshot = match directory {
            Some(directory) if validate || stopped => {
                Some(course.snapshot(directory, &learner, &interface)?)
            }
            _ => None,
        };
        let milestone = Milestone {
            state,
            record,
            snapshot,
        };
        if !validate {
            course.reached(milestone)?;
        } else if last || stopped {
            let found = validation.evaluate(&learner.model.valid(), &device);
            course.evaluated(milestone, &validation, &found)?;
        } else {
            pending = Some((milestone, learner.model.valid()));
        }
    }
    tellapart_kernels::forget_spare_buffers();
    Ok(Trained {
        model: learner.model.valid(),
        interface,
        records: course.records,
        updates: state.update,
        stopped: state.update < config.optimizer.updates,
        cpu_seconds: state.cpu_seconds,
        wall_seconds: state.wall_seconds,
    })
}

/// CPU and wall time since a run (or its resumed part) began.
struct Clock {
    cpu: Duration,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            cpu: cpu_time(),
            wall: Instant::now(),
        }
    }

    fn cpu(&self) -> f64 {
        cpu_time().saturating_sub(self.cpu).as_secs_f64()
    }

    fn wall(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
}

/// Of this thread and of the threads of the current rayon pool, which a run has to itself.
fn cpu_time() -> Duration {
    let own = || ThreadTime::try_now().map_or(Duration::ZERO, |time| time.as_duration());
    let pool: Duration = rayon::broadcast(|_| own()).into_iter().sum();
    match rayon::current_thread_index() {
        Some(_) => pool,
        None => pool + own(),
    }
}
