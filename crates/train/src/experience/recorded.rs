//! Batches from recorded trajectories.

use std::ops::Range;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use tellapart_data::{
    Actions, Batch, BelongsTo, Columns, FiniteActions, Frames, Trajectories, split_by_episode,
    uniform_window,
};
use tellapart_model::IoSpec;
use tellapart_model::predictor::PredictorKind;

use crate::config::{TargetKind, ValidConfig};
use crate::error::TrainError;
use crate::recording_evaluator::{predicted_array, predicted_of};
use crate::seeds::{Purpose, derived_seed, generator};
use crate::target::RandomFunction;

/// Recording that serves windows of its training episodes. Held-out episodes are never drawn.
#[derive(Debug)]
pub struct RecordedExperience {
    trajectories: Trajectories,
    fingerprint: u32,
    targets: Columns,
    training: Vec<Range<usize>>,
    held_out: Vec<Range<usize>>,
    interface: IoSpec,
    /// Id of the action of each row, if the model distinguishes actions.
    action_ids: Option<Vec<u32>>,
    window: usize,
    windows: usize,
}

impl RecordedExperience {
    /// Reads a recording.
    ///
    /// # Errors
    /// A file that cannot be read, has no such target or no usable actions, or too few rows.
    pub fn open(config: &ValidConfig, path: &Path) -> Result<Self, TrainError> {
        let observations = config.data.observations.as_deref();
        let trajectories = Trajectories::read(path, observations)?;
        let fingerprint = tellapart_data::fingerprint(path)?;
        let in_file = |error: TrainError| match error {
            TrainError::Data(error) => TrainError::Run {
                path: path.to_path_buf(),
                problem: error.to_string(),
            },
            error => error,
        };
        let observation = trajectories.observation_spec();
        let observation = observation.map_err(|error| in_file(error.into()))?;
        let actions = trajectories.check_actions_in_f32();
        actions.map_err(|error| in_file(error.into()))?;
        let targets = targets(config, &trajectories).map_err(in_file)?;
        let finite = actions_of(config, &trajectories).map_err(in_file)?;
        let (actions, action_ids) = match finite {
            Some(finite) => (finite.count, Some(finite.ids)),
            None => (1, None),
        };
        let interface = IoSpec {
            observation,
            actions,
            action_width: trajectories.actions.width(),
            target_width: targets.width,
            p_of_step: config.target.kind != TargetKind::Random
                && predicted_of(config, &trajectories) == BelongsTo::Step,
        };
        if interface.p_of_step && action_ids.is_none() {
            return Err(TrainError::StepWithoutRule {
                array: predicted_array(config).unwrap_or_default().to_owned(),
            });
        }
        let seed = derived_seed(config.seed, Purpose::Split);
        let (training, held_out) = if trajectories.splits.is_some() {
            (
                trajectories.episodes_in_split(0),
                trajectories.episodes_in_split(1),
            )
        } else {
            split_by_episode(&trajectories, config.data.held_out, seed)?
        };
        if !trajectories.episodes().any(|episode| episode.len() > 1) {
            return Err(TrainError::NoSteps {
                source_name: path.display().to_string(),
            });
        }
        let window = config.data.window;
        let rows: usize = training.iter().map(ExactSizeIterator::len).sum();
        if rows < window {
            return Err(TrainError::TooFewRows {
                source_name: path.display().to_string(),
                rows,
                window,
            });
        }
        Ok(Self {
            trajectories,
            fingerprint,
            targets,
            training,
            held_out,
            interface,
            action_ids,
            window,
            windows: config.data.windows,
        })
    }

    pub(super) fn interface(&self) -> IoSpec {
        self.interface
    }

    pub(super) fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    pub(super) fn next_batch(&mut self, rng: &mut ChaCha8Rng) -> Result<Batch, TrainError> {
        let mut windows = Vec::new();
        for _ in 0..self.windows {
            windows.extend(uniform_window(&self.training, self.window, rng)?);
        }
        self.batch(&windows)
    }

    /// Returns the rows of `windows`, with the id of every action.
    ///
    /// # Errors
    /// Rows that do not exist.
    pub fn batch(&self, windows: &[Range<usize>]) -> Result<Batch, TrainError> {
        let mut batch = self.trajectories.batch(windows, &self.targets)?;
        batch.step_actions = self.interface.p_of_step.then_some(self.interface.actions);
        // Without a rule (plain predictor), ids carry no meaning, but every row needs one.
        batch.action_ids = match &self.action_ids {
            Some(ids) => windows
                .iter()
                .flat_map(|rows| ids[rows.clone()].iter().copied())
                .collect(),
            None => vec![0; batch.rows],
        };
        Ok(batch)
    }

    /// Returns the episodes that are never trained on.
    pub fn held_out(&self) -> &[Range<usize>] {
        &self.held_out
    }

    /// Returns the whole recording.
    pub fn trajectories(&self) -> &Trajectories {
        &self.trajectories
    }
}

fn targets(config: &ValidConfig, trajectories: &Trajectories) -> Result<Columns, TrainError> {
    Ok(match config.target.kind {
        TargetKind::Reward => recorded_target("rewards", config, trajectories)?,
        TargetKind::Array => recorded_target(&config.target.array, config, trajectories)?,
        TargetKind::Random => {
            let Frames::U8 { values, shape } = &trajectories.observations else {
                return Err(TrainError::NotImages);
            };
            let pixels = shape.iter().product();
            let mut rng = generator(config.seed, Purpose::Target);
            let calibration = &values[..values.len().min(512 * pixels)];
            let function = RandomFunction::new(&mut rng, pixels, config.target.width, calibration)?;
            Columns {
                width: function.width(),
                values: function.evaluate(values),
            }
        }
    })
}

/// Reads an array as what the head predicts.
fn recorded_target(
    name: &str,
    config: &ValidConfig,
    trajectories: &Trajectories,
) -> Result<Columns, TrainError> {
    let values = trajectories.auxiliary(name, predicted_of(config, trajectories))?;
    if values.unknown() == values.rows() {
        return Err(TrainError::NothingKnown {
            array: name.to_owned(),
        });
    }
    Ok(values.targets(name)?)
}

/// Returns the distinct actions of a recording; `None` if a plain predictor takes vectors as they
/// are.
pub(crate) fn actions_of(
    config: &ValidConfig,
    trajectories: &Trajectories,
) -> Result<Option<FiniteActions>, TrainError> {
    let rule = config.data.action_rule.as_ref();
    match (&trajectories.actions, rule) {
        (Actions::Vectors { .. }, None) if config.model.predictor == PredictorKind::Plain => {
            Ok(None)
        }
        (Actions::Vectors { width, .. }, None) => {
            Err(TrainError::ContinuousActions { width: *width })
        }
        _ => Ok(Some(trajectories.finite_actions(rule)?)),
    }
}
