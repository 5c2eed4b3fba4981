//! Evaluation of a trained model on a recording.

use std::path::Path;

use tellapart_data::{ActionRule, Actions, BelongsTo, DataError, FiniteActions, Trajectories};
use tellapart_env::ActionSpace;
use tellapart_model::predictor::PredictorKind;
use tellapart_model::{IoSpec, Pjepa, device};
use tellapart_progress::{Progress, Stopped};

use crate::checkpoint::{self, Which};
use crate::config::{self, Source, TargetKind, ValidConfig};
use crate::error::TrainError;
use crate::evaluator::{Evaluator, RecordedStep};
use crate::experience::actions_of;
use crate::run_directory::RunDirectory;

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

    /// Returns what the values that the head predicts belong to.
    #[must_use]
    pub fn predicted_of(&self) -> BelongsTo {
        trained_on(&self.interface, &self.config)
    }

    /// Joins the model with a recording.
    ///
    /// # Errors
    /// Those of [`RecordingEvaluator::new`].
    pub fn evaluator<'a>(
        &'a self,
        trajectories: &'a Trajectories,
    ) -> Result<RecordingEvaluator<'a>, TrainError> {
        RecordingEvaluator::new(&self.model, &self.interface, &self.config, trajectories)
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

/// Returns what the values that the head predicts belong to, in this recording.
#[must_use]
pub fn predicted_of(config: &ValidConfig, trajectories: &Trajectories) -> BelongsTo {
    match (
        config.data.p_of,
        &config.data.source,
        predicted_array(config),
    ) {
        (Some(of), ..) => of,
        (None, Source::Recording(_), Some(array)) => trajectories.belongs_to(array),
        _ => BelongsTo::Observation,
    }
}

/// Returns what the values belonged to in the recording that a model was trained on, whatever the
/// one says that it is joined with.
fn trained_on(interface: &IoSpec, config: &ValidConfig) -> BelongsTo {
    match interface.p_of_step {
        true => BelongsTo::Step,
        false => config.data.p_of.unwrap_or_default(),
    }
}

/// Model and recording that fit each other.
#[derive(Debug)]
pub struct RecordingEvaluator<'a> {
    evaluator: Evaluator<'a>,
    trajectories: &'a Trajectories,
    /// Id of the action of each row, if the model distinguishes actions.
    action_ids: Option<Vec<u32>>,
    /// Array of a recording that the head predicts, if any.
    predicted: Option<String>,
    predicted_of: BelongsTo,
}

impl<'a> RecordingEvaluator<'a> {
    /// Checks that the observations and actions are of the kind the model was trained on.
    ///
    /// # Errors
    /// [`TrainError::Unfit`] says what is different.
    pub fn new(
        model: &'a Pjepa,
        interface: &IoSpec,
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
        let spec = trajectories.observation_spec()?;
        if spec != interface.observation {
            let expected = interface.observation.to_string();
            return unfit("observations", spec.to_string(), expected);
        }
        trajectories.check_actions_in_f32()?;
        let width = trajectories.actions.width();
        let is_discrete = matches!(trajectories.actions, Actions::Discrete { .. });
        // An id enters as a vector of as many numbers as there are ids. A rule makes more actions
        // of vectors than these have numbers; without one, all vectors count as one action. A
        // single id and vectors of one number are alike.
        let were_discrete = interface.actions == interface.action_width;
        let are_alike = width == 1 && interface.actions == 1;
        if width != interface.action_width || is_discrete != were_discrete && !are_alike {
            let found = match is_discrete {
                true => format!("{width} ids"),
                false => format!("vectors of {width} numbers"),
            };
            let expected = match were_discrete {
                true => format!("{} ids", interface.actions),
                false => format!("vectors of {} numbers", interface.action_width),
            };
            return unfit("actions", found, expected);
        }
        let finite = finite_actions(config, trajectories)?;
        if let Some(finite) = &finite
            && finite.count != interface.actions
        {
            let (found, expected) = (finite.count, interface.actions);
            return unfit("actions", format!("{found} ids"), format!("{expected} ids"));
        }
        Ok(Self {
            evaluator: Evaluator::new(model, *interface, config)?,
            trajectories,
            action_ids: finite.map(|finite| finite.ids),
            predicted: predicted_array(config).map(str::to_owned),
            predicted_of: trained_on(interface, config),
        })
    }

    /// Returns what the predicted values belong to.
    #[must_use]
    pub fn predicted_of(&self) -> BelongsTo {
        self.predicted_of
    }

    /// Returns the number of dimensions of a latent.
    #[must_use]
    pub fn latent(&self) -> usize {
        self.evaluator.latent()
    }

    /// Returns the name of the array in a recording that the head predicts. `None` if it predicts
    /// something else.
    #[must_use]
    pub fn predicted_array(&self) -> Option<&str> {
        self.predicted.as_deref()
    }

    /// Returns the declared Lipschitz constant of a rollout; `None` if it is not known.
    #[must_use]
    pub fn rollout_lipschitz(&self) -> Option<f64> {
        self.evaluator.model().rollout_lipschitz().map(f64::from)
    }

    /// Computes `E` of all rows, `[rows, latent]`. Reports the stage "encoding".
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn embed(&self, progress: &dyn Progress) -> Result<Vec<f32>, Stopped> {
        let observations = &self.trajectories.observations;
        self.evaluator.embed_with(observations, progress)
    }

    /// Computes `P(T(...T(z, a_1)..., a_k))` for each rollout, `[rollouts, width of p]`; where p
    /// belongs to steps, `P(T(...T(z, a_1)..., a_(k-1)), a_k)`, with at least one action. A rollout
    /// is the row whose latent is `z`, and the rows at which the actions were taken.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn roll_out(
        &self,
        latents: &[f32],
        rollouts: &[(usize, &[usize])],
        progress: &dyn Progress,
    ) -> Result<Vec<f32>, Stopped> {
        let target = self.evaluator.interface().target_width;
        let latent = self.evaluator.latent();
        let mut predicted = vec![0.0; rollouts.len() * target];
        // Words of equal length are rolled out together.
        let mut order: Vec<usize> = (0..rollouts.len()).collect();
        order.sort_by_key(|&place| rollouts[place].1.len());
        for alike in order.chunk_by(|&a, &b| rollouts[a].1.len() == rollouts[b].1.len()) {
            for some in alike.chunks(ROLLOUTS_AT_ONCE) {
                progress.check()?;
                let rows = some.iter().map(|&place| rollouts[place].0);
                let from: Vec<f32> = rows
                    .flat_map(|row| &latents[row * latent..(row + 1) * latent])
                    .copied()
                    .collect();
                let length = rollouts[some[0]].1.len();
                let steps: Vec<RecordedStep> = (0..length)
                    .map(|step| self.step(some.iter().map(|&place| rollouts[place].1[step])))
                    .collect();
                let ends = match steps.is_empty() {
                    true => self.evaluator.predict(&from),
                    false => {
                        let foreseen = self.evaluator.roll_out(&from, &steps);
                        foreseen.into_iter().next_back().unwrap_or_default()
                    }
                };
                for (&place, end) in some.iter().zip(ends.chunks_exact(target)) {
                    predicted[place * target..(place + 1) * target].copy_from_slice(end);
                }
            }
        }
        Ok(predicted)
    }

    /// Returns the actions taken at some rows, as one step of that number of rollouts.
    fn step(&self, rows: impl Iterator<Item = usize>) -> RecordedStep {
        let (mut actions, mut action_ids) = (Vec::new(), Vec::new());
        for row in rows {
            match &self.trajectories.actions {
                Actions::Discrete { count, ids } => {
                    actions.extend((0..*count as u32).map(|id| f32::from(u8::from(id == ids[row]))))
                }
                Actions::Vectors { width, values } => {
                    actions.extend(values.rounded(row * width..(row + 1) * width));
                }
            }
            action_ids.push(self.action_ids.as_ref().map_or(0, |ids| ids[row]));
        }
        RecordedStep {
            actions,
            action_ids,
            targets: Vec::new(),
        }
    }
}

/// Returns the distinct actions of a recording as the model of a run tells them apart; `None` if a
/// plain predictor takes vectors as they are. A run in a live world has the rule of that world.
fn finite_actions(
    config: &ValidConfig,
    trajectories: &Trajectories,
) -> Result<Option<FiniteActions>, TrainError> {
    let is_bounded = config.model.predictor == PredictorKind::Bounded;
    let space = config.world().build(0, 0).action_space();
    match (&trajectories.actions, &config.data.source) {
        (Actions::Vectors { .. }, Source::Live) if is_bounded => {
            let rule = rule_of(space)?;
            Ok(Some(trajectories.finite_actions(rule.as_ref())?))
        }
        (Actions::Vectors { .. }, Source::Live) => Ok(None),
        _ => actions_of(config, trajectories),
    }
}

/// Returns the rule by which a world itself maps action vectors to actions; `None` if its actions
/// are ids.
///
/// # Errors
/// None for the action spaces that there are.
pub fn rule_of(space: ActionSpace) -> Result<Option<ActionRule>, DataError> {
    match (space, space.distinct()) {
        (ActionSpace::OneHot { .. }, _) => Ok(None),
        (ActionSpace::Continuous { .. }, 2) => Ok(Some(ActionRule::sign())),
        (ActionSpace::Continuous { .. }, _) => {
            // The band is closed on both sides, a bin only below.
            let band = tellapart_env::NO_OP_BAND;
            ActionRule::edges(&[f64::from(-band), f64::from(band.next_up())]).map(Some)
        }
    }
}
