//! Batches from recorded trajectories.

use std::ops::Range;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use tellapart_data::{Actions, Batch, Columns, Trajectories, split_by_episode, uniform_window};
use tellapart_env::{Action, ActionSpace};
use tellapart_files::Archive;
use tellapart_model::IoSpec;
use tellapart_model::predictor::PredictorKind;

use crate::config::{TargetKind, ValidConfig};
use crate::error::TrainError;
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
    /// Rule that maps numbers to distinct actions, if the actions of the recording are numbers.
    split: Option<ActionSpace>,
    window: usize,
    windows: usize,
}

impl RecordedExperience {
    /// Reads the recording that `data.source` names.
    ///
    /// # Errors
    /// A file that cannot be read, has no such target or no usable actions, or too few rows.
    pub fn open(config: &ValidConfig) -> Result<Self, TrainError> {
        let mut archive = Archive::open(Path::new(&config.data.source))?;
        let trajectories = Trajectories::read_archive(&mut archive)?;
        let fingerprint = archive.fingerprint()?;
        let observation = trajectories.frame_shape()?;
        let targets = targets(config, &trajectories, observation)?;
        let (actions, split) = distinct_actions(config, &trajectories.actions)?;
        let interface = IoSpec {
            observation,
            actions,
            action_width: trajectories.actions.width(),
            target_width: targets.width,
        };
        let seed = derived_seed(config.seed, Purpose::Split);
        let (training, held_out) = if trajectories.splits.is_some() {
            (
                trajectories.episodes_in_split(0),
                trajectories.episodes_in_split(1),
            )
        } else {
            split_by_episode(&trajectories, config.data.held_out, seed)?
        };
        let window = config.data.window;
        let rows: usize = training.iter().map(ExactSizeIterator::len).sum();
        if rows < window {
            return Err(TrainError::TooFewRows {
                source_name: config.data.source.clone(),
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
            split,
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
        if batch.action_ids.is_empty() {
            // Without a rule (plain predictor), ids carry no meaning, but every row needs one.
            batch.action_ids = match self.split {
                None => vec![0; batch.rows],
                Some(space) => batch
                    .actions
                    .iter()
                    .map(|&a| space.index_of(Action::Continuous(a.clamp(-1.0, 1.0))))
                    .map(|id| id.map_or(0, |id| id.index() as u32))
                    .collect(),
            };
        }
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

fn targets(
    config: &ValidConfig,
    trajectories: &Trajectories,
    observation: [usize; 3],
) -> Result<Columns, TrainError> {
    Ok(match config.target.kind {
        TargetKind::Reward => trajectories.column("rewards")?,
        TargetKind::Array => trajectories.column(&config.target.array)?,
        TargetKind::Random => {
            let tellapart_data::Frames::U8 { values, .. } = &trajectories.observations else {
                return Err(TrainError::NotImages);
            };
            let pixels = observation.iter().product();
            let mut rng = generator(config.seed, Purpose::Target);
            let calibration = &values[..values.len().min(512 * pixels)];
            let function = RandomFunction::new(&mut rng, pixels, config.target.width, calibration);
            Columns {
                width: function.width(),
                values: function.evaluate(values),
            }
        }
    })
}

/// Returns the number of distinct actions, and the rule that maps numbers to them.
fn distinct_actions(
    config: &ValidConfig,
    actions: &Actions,
) -> Result<(usize, Option<ActionSpace>), TrainError> {
    match actions {
        Actions::Discrete { count, .. } => Ok((*count, None)),
        Actions::Vectors { width: 1, values }
            if matches!(config.environment.actions, ActionSpace::Continuous { .. })
                && values.iter().all(|a| a.is_nan() || a.abs() <= 1.0) =>
        {
            let space = config.environment.actions;
            Ok((space.distinct(), Some(space)))
        }
        Actions::Vectors { .. } if config.model.predictor == PredictorKind::Plain => Ok((1, None)),
        Actions::Vectors { width, .. } => Err(TrainError::ContinuousActions { width: *width }),
    }
}
