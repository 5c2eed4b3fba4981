//! Evaluation of a trained model on a recording.

use std::path::Path;

use burn::tensor::Device;
use tellapart_data::{Actions, Frames, Trajectories};
use tellapart_env::{Action, ActionSpace};
use tellapart_model::predictor::PredictorKind;
use tellapart_model::{IoSpec, Pjepa, device};
use tellapart_system::ActionId;

use crate::checkpoint::{self, Which};
use crate::config::{self, TargetKind, ValidConfig};
use crate::error::TrainError;
use crate::evaluation::{RecordedStep, embed, predict, roll_out};
use crate::run_directory::RunDirectory;

/// Number of rows encoded between two reports of progress.
const ROWS_AT_ONCE: usize = 1024;
/// Number of rollouts that go through the predictor together; bounds memory.
const ROLLOUTS_AT_ONCE: usize = 4096;

/// Model of a finished run, with what it was trained on.
#[derive(Debug)]
pub struct FinishedRun {
    /// Configuration as resolved.
    pub config: ValidConfig,
    /// Model of the newest checkpoint, which is that of the last update.
    pub model: Pjepa,
    /// Shapes that the model fits.
    pub interface: IoSpec,
}

impl FinishedRun {
    /// Reads a run directory.
    ///
    /// # Errors
    /// The path is not a run directory, the run is not finished, or its files are not whole.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let problem = |problem: &str| TrainError::Run {
            path: path.to_path_buf(),
            problem: problem.to_owned(),
        };
        let file = path.join("config.toml");
        if !file.is_file() {
            return Err(problem(
                "not a run directory: there is no config.toml in it; name the folder of one run, such as \
                 runs/counting/seed-1/joint-reward",
            ));
        }
        let config = config::read(&file, &[])?;
        if !RunDirectory::open(path, &config, true)?.is_finished() {
            return Err(problem(
                "the run is not finished: there is no summary.json in it; continue it with --resume, as it \
                 was begun",
            ));
        }
        let (model, stored) =
            checkpoint::load(path, Which::Latest, &device::by_name(&config.device)?)?;
        Ok(Self {
            config,
            model,
            interface: stored.interface,
        })
    }

    /// Returns the name of the array in a recording that the head predicts. `None` if it predicts
    /// something else.
    #[must_use]
    pub fn predicted_array(&self) -> Option<&str> {
        predicted_array(&self.config)
    }
}

/// Returns the name of the array in a recording that the head of such a run predicts. `None` for a
/// random function of the pixels, which no recording holds.
#[must_use]
pub fn predicted_array(config: &ValidConfig) -> Option<&str> {
    match config.target.kind {
        TargetKind::Reward => Some("rewards"),
        TargetKind::Array => Some(&config.target.array),
        TargetKind::Random => None,
    }
}

/// Model and recording that fit each other.
#[derive(Debug)]
pub struct RecordingEvaluator<'a> {
    model: &'a Pjepa,
    interface: &'a IoSpec,
    trajectories: &'a Trajectories,
    /// Rule that maps numbers to distinct actions, if the actions are numbers and the model
    /// distinguishes them.
    split: Option<ActionSpace>,
    latent: usize,
    device: Device,
}

impl<'a> RecordingEvaluator<'a> {
    /// Checks that the observations and actions are of the kind the model was trained on.
    ///
    /// # Errors
    /// [`TrainError::Unfit`] says what is different.
    pub fn new(
        model: &'a Pjepa,
        interface: &'a IoSpec,
        config: &ValidConfig,
        trajectories: &'a Trajectories,
    ) -> Result<Self, TrainError> {
        let unfit = |array: &'static str, found: String, expected: String| {
            Err(TrainError::Unfit {
                array,
                found,
                expected,
            })
        };
        let shape = trajectories.frame_shape()?;
        if shape != interface.observation {
            let expected = format!("u8 {:?}", interface.observation);
            return unfit("observations", format!("u8 {shape:?}"), expected);
        }
        let split = match &trajectories.actions {
            Actions::Discrete { count, .. } => {
                if [*count; 2] != [interface.actions, interface.action_width] {
                    let expected = match interface.action_width {
                        1 => "vectors of 1 number".to_owned(),
                        _ => format!("{} ids", interface.actions),
                    };
                    return unfit("actions", format!("{count} ids"), expected);
                }
                None
            }
            Actions::Vectors { width, values } => {
                if *width != interface.action_width || interface.actions > 1 && *width > 1 {
                    let expected = if interface.actions > 1 && interface.action_width > 1 {
                        format!("{} ids", interface.actions)
                    } else {
                        format!("vectors of {} numbers", interface.action_width)
                    };
                    return unfit("actions", format!("vectors of {width} numbers"), expected);
                }
                let is_split = config.model.predictor == PredictorKind::Bounded;
                let taken = values
                    .iter()
                    .enumerate()
                    .filter(|(row, _)| !trajectories.ends(*row));
                let outside = taken
                    .map(|(_, action)| action)
                    .find(|action| action.abs() > 1.0);
                if let (true, Some(action)) = (is_split, outside) {
                    return unfit(
                        "actions",
                        action.to_string(),
                        "numbers within [-1, 1]".to_owned(),
                    );
                }
                is_split.then_some(config.environment.actions)
            }
        };
        Ok(Self {
            model,
            interface,
            trajectories,
            split,
            latent: config.model.latent,
            device: device::by_name(&config.device)?,
        })
    }

    /// Computes `E` of all rows, `[rows, latent]`. Calls `progress` with the share that is done.
    #[must_use]
    pub fn embed(&self, progress: &dyn Fn(f64)) -> Vec<f32> {
        let Frames::U8 { values, .. } = &self.trajectories.observations else {
            return Vec::new();
        };
        let shape = self.interface.observation;
        let bytes: usize = shape.iter().product();
        let mut latents = Vec::with_capacity(self.trajectories.rows() * self.latent);
        for frames in values.chunks(ROWS_AT_ONCE * bytes) {
            latents.extend(embed(self.model, frames, shape, &self.device));
            progress((latents.len() / self.latent) as f64 / self.trajectories.rows() as f64);
        }
        latents
    }

    /// Computes `P(T(...T(z, a_1)..., a_k))` for each rollout, `[rollouts, width of p]`. A rollout
    /// is the row whose latent is `z`, and the rows at which the actions were taken.
    #[must_use]
    pub fn roll_out(&self, latents: &[f32], rollouts: &[(usize, &[usize])]) -> Vec<f32> {
        let target = self.interface.target_width;
        let mut predicted = vec![0.0; rollouts.len() * target];
        // Words of equal length are rolled out together.
        let mut order: Vec<usize> = (0..rollouts.len()).collect();
        order.sort_by_key(|&place| rollouts[place].1.len());
        for alike in order.chunk_by(|&a, &b| rollouts[a].1.len() == rollouts[b].1.len()) {
            for some in alike.chunks(ROLLOUTS_AT_ONCE) {
                let rows = some.iter().map(|&place| rollouts[place].0);
                let from: Vec<f32> = rows
                    .flat_map(|row| &latents[row * self.latent..(row + 1) * self.latent])
                    .copied()
                    .collect();
                let length = rollouts[some[0]].1.len();
                let steps: Vec<RecordedStep> = (0..length)
                    .map(|step| self.step(some.iter().map(|&place| rollouts[place].1[step])))
                    .collect();
                let ends = if steps.is_empty() {
                    predict(self.model, &from, self.latent, &self.device)
                } else {
                    let foreseen = roll_out(
                        self.model,
                        self.interface,
                        &from,
                        self.latent,
                        &steps,
                        &self.device,
                    );
                    foreseen.into_iter().next_back().unwrap_or_default()
                };
                for (&place, end) in some.iter().zip(ends.chunks_exact(target)) {
                    predicted[place * target..(place + 1) * target].copy_from_slice(end);
                }
            }
        }
        predicted
    }

    /// Returns the actions taken at some rows, as one step of that number of rollouts.
    fn step(&self, rows: impl Iterator<Item = usize>) -> RecordedStep {
        let (mut actions, mut action_ids) = (Vec::new(), Vec::new());
        for row in rows {
            match &self.trajectories.actions {
                Actions::Discrete { count, ids } => {
                    actions
                        .extend((0..*count as u32).map(|id| f32::from(u8::from(id == ids[row]))));
                    action_ids.push(ids[row]);
                }
                Actions::Vectors { width, values } => {
                    let vector = &values[row * width..(row + 1) * width];
                    actions.extend_from_slice(vector);
                    let id = self
                        .split
                        .and_then(|space| space.index_of(Action::Continuous(vector[0])));
                    action_ids.push(id.map_or(0, ActionId::get));
                }
            }
        }
        RecordedStep {
            actions,
            action_ids,
            targets: Vec::new(),
        }
    }
}
