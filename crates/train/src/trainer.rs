//! The training loop.

use std::time::{Duration, Instant};

use burn::module::Module;
use cpu_time::ThreadTime;
use tellapart_model::objective::TargetEncoder;
use tellapart_model::{IoSpec, Pjepa, device};

use crate::checkpoint::TrainingState;
use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::Experience;
use crate::learner::Learner;
use crate::metrics::MetricRecord;
use crate::objectives::Objectives;
use crate::observer::Observer;
use crate::run_directory::RunDirectory;
use crate::run_log::{CheckpointRecord, RunRecorder};
use crate::schedule;
use crate::seeds::{Purpose, generator_at};
use crate::validation::ValidationSet;

/// Trained model with a record of its training.
#[derive(Debug)]
pub struct Trained {
    /// Model without autodiff.
    pub model: Pjepa,
    /// Shapes that the model fits.
    pub interface: IoSpec,
    /// All metric records, resumed parts included.
    pub records: Vec<MetricRecord>,
    /// Number of updates done.
    pub updates: u64,
    /// Whether the run was stopped before the last update.
    pub stopped: bool,
    /// CPU time of training in seconds, on all threads of its pool.
    pub cpu_seconds: f64,
    /// Wall-clock time of training in seconds.
    pub wall_seconds: f64,
}

/// Trains one run, and writes metrics and checkpoints into `directory` if there is one.
///
/// A directory with a checkpoint is continued from there. With the same seed and the same kind of
/// device, results equal those of a run that was never interrupted.
///
/// The threads of the current rayon pool share the work, and the run counts the CPU time of all of
/// them as its own. Give the run its own pool if other work uses the current one.
///
/// # Errors
/// Data that cannot be read or does not fit, files that cannot be written, or a loss that stopped
/// being a number.
pub fn train(
    config: &ValidConfig,
    directory: Option<&RunDirectory>,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    train_on(config, &Objectives::of(config), directory, observer)
}

/// Trains one run like [`train`], on objectives that may hold some of the caller's own.
///
/// A run directory does not remember them: give the same ones again to continue a run.
///
/// # Errors
/// Those of [`train`].
pub fn train_on(
    config: &ValidConfig,
    objectives: &Objectives,
    directory: Option<&RunDirectory>,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let clock = TrainingClock::start();
    let mut experience = Experience::open(config)?;
    let interface = experience.interface();
    let mut learner = Learner::new(config, interface)?;
    let validation = ValidationSet::collect(config, &experience)?;
    let device = device::by_name(&config.device)?;

    let mut recorder = RunRecorder {
        config,
        objectives,
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
        recorder.resume(directory, &mut learner, &mut experience)?;
    }
    let (cpu_before, wall_before) = (recorder.state.cpu_seconds, recorder.state.wall_seconds);

    let mut stopped = false;
    let feed = learner.feed();
    let draw = |experience: &mut Experience, update: u64| {
        let mut rng = generator_at(config.seed, Purpose::Sampling, update);
        let batch = experience.next_batch(&mut rng)?;
        Ok::<_, TrainError>(feed.inputs(batch, update))
    };
    let evaluate = |model: &Evaluated| {
        let average = model.average.as_ref();
        validation.evaluate(&model.model, average, objectives, &device)
    };
    // Inputs of the next update, drawn ahead in the background. There are none after the last
    // update.
    let mut drawn = None;
    // The last validated update, complete except for the evaluation of its model.
    let mut pending: Option<(CheckpointRecord, Evaluated)> = None;
    let mut state = recorder.state;
    while state.update < config.optimizer.updates && !stopped {
        let update = state.update;
        let inputs = drawn
            .take()
            .unwrap_or_else(|| draw(&mut experience, update));
        if let Some((before, model)) = pending.take_if(|_| inputs.is_err()) {
            // The results of the update before are kept even if there is nothing left to train on.
            recorder.evaluated(before, &validation, &evaluate(&model))?;
        }
        let inputs = inputs?;
        // If the pool has a spare thread, two things happen in the background: the next batch is
        // drawn, and the model as it was before this update is evaluated.
        let mut found = None;
        let done;
        (learner, done) = rayon::in_place_scope(|scope| {
            if update + 1 < config.optimizer.updates {
                scope.spawn(|_| drawn = Some(draw(&mut experience, update + 1)));
            }
            if let Some((_, model)) = &pending {
                scope.spawn(|_| found = Some(evaluate(model)));
            }
            learner.update(inputs, objectives, update)
        });
        if let (Some((before, _)), Some(found)) = (pending.take(), found) {
            recorder.evaluated(before, &validation, &found)?;
        }

        state.update += 1;
        stopped = recorder.observer.stopped();
        let last = state.update == config.optimizer.updates;
        let validate = last || state.update.is_multiple_of(config.evaluation.every);
        let log = validate || state.update.is_multiple_of(config.evaluation.log_every);
        // Non-finite gradients have just been applied: no later state is worth keeping.
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
            let peak = config.optimizer.learning_rate;
            let rate = peak * schedule::rate(&config.optimizer, update);
            recorder.record(&done, rate, &state)
        });
        let snapshot = match directory {
            Some(directory) if validate || stopped => {
                Some(recorder.snapshot(directory, &learner, &interface)?)
            }
            _ => None,
        };
        let milestone = CheckpointRecord {
            state,
            record,
            snapshot,
        };
        if !validate {
            recorder.reached(milestone)?;
        } else if last || stopped {
            let found = evaluate(&Evaluated::of(&learner));
            recorder.evaluated(milestone, &validation, &found)?;
        } else {
            pending = Some((milestone, Evaluated::of(&learner)));
        }
    }
    tellapart_kernels::forget_spare_buffers();
    Ok(Trained {
        model: learner.model.valid(),
        interface,
        records: recorder.records,
        updates: state.update,
        stopped: state.update < config.optimizer.updates,
        cpu_seconds: state.cpu_seconds,
        wall_seconds: state.wall_seconds,
    })
}

/// Model at one update, without autodiff, to be evaluated.
struct Evaluated {
    model: Pjepa,
    average: Option<TargetEncoder>,
}

impl Evaluated {
    fn of(learner: &Learner) -> Self {
        Self {
            model: learner.model.valid(),
            average: learner.average.as_ref().map(TargetEncoder::valid),
        }
    }
}

/// Clock of CPU and wall time since a run, or its resumed part, began.
struct TrainingClock {
    cpu: Duration,
    wall: Instant,
}

impl TrainingClock {
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

/// Returns the CPU time of this thread and of the threads of the current rayon pool, which the run
/// has to itself.
fn cpu_time() -> Duration {
    let own = || ThreadTime::try_now().map_or(Duration::ZERO, |time| time.as_duration());
    let pool: Duration = rayon::broadcast(|_| own()).into_iter().sum();
    match rayon::current_thread_index() {
        Some(_) => pool,
        None => pool + own(),
    }
}
