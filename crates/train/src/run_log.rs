//! Writes metrics and checkpoints while a run trains.

use tellapart_model::IoSpec;

use crate::checkpoint::{self, Snapshot, TrainingState};
use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::Experience;
use crate::learner::{Learner, dynamics_weight};
use crate::metrics::{MetricRecord, Validation};
use crate::observer::{LabeledLatents, Observer};
use crate::run_directory::RunDirectory;
use crate::validation::{ValidationResult, ValidationSet};

/// Progress of a run and its observer.
pub(crate) struct RunRecorder<'a> {
    pub(crate) config: &'a ValidConfig,
    pub(crate) directory: Option<&'a RunDirectory>,
    /// Progress, with the best score so far.
    pub(crate) state: TrainingState,
    pub(crate) records: Vec<MetricRecord>,
    pub(crate) observer: &'a mut dyn Observer,
}

/// Metrics and checkpoint of one update, waiting to be written.
pub(crate) struct CheckpointRecord {
    /// Everything but `best`, which depends on earlier checkpoints.
    pub(crate) state: TrainingState,
    pub(crate) record: Option<MetricRecord>,
    pub(crate) snapshot: Option<Snapshot>,
}

impl RunRecorder<'_> {
    /// Continues from the latest checkpoint, if there is one.
    pub(crate) fn resume(
        &mut self,
        directory: &RunDirectory,
        learner: &mut Learner,
        experience: &mut Experience,
    ) -> Result<(), TrainError> {
        let measures = self.observer.measures();
        let Some(found) = checkpoint::resume(directory, learner)? else {
            return directory.begin_metrics(measures);
        };
        if found.recording != self.state.recording {
            return Err(TrainError::RecordingChanged {
                source_name: self.config.data.source.clone(),
            });
        }
        experience.skip(found.update)?;
        self.records = directory.keep_metrics_until(found.update, measures)?;
        self.state = found;
        Ok(())
    }

    pub(crate) fn snapshot(
        &self,
        directory: &RunDirectory,
        learner: &Learner,
        interface: &IoSpec,
    ) -> Result<Snapshot, TrainError> {
        Snapshot::of(learner, self.config, interface).map_err(|problem| TrainError::Run {
            path: directory.file("checkpoints"),
            problem,
        })
    }

    /// Writes a milestone whose model was evaluated.
    pub(crate) fn evaluated(
        &mut self,
        mut milestone: CheckpointRecord,
        set: &ValidationSet,
        found: &ValidationResult,
    ) -> Result<(), TrainError> {
        let latents = LabeledLatents {
            values: &found.latents,
            width: self.config.model.latent,
            states: set.states(),
        };
        let measures = if set.states().is_empty() {
            Vec::new()
        } else {
            self.observer.measure(latents)
        };
        if let Some(record) = &mut milestone.record {
            record.validation = Some(Validation {
                loss_dynamics: found.loss_dynamics,
                loss_auxiliary: found.loss_auxiliary,
                measures,
            });
        }
        self.reached(milestone)
    }

    /// Writes a milestone.
    pub(crate) fn reached(&mut self, milestone: CheckpointRecord) -> Result<(), TrainError> {
        let best_before = self.state.best;
        self.state = TrainingState {
            best: best_before,
            ..milestone.state
        };
        let mut score = None;
        if let Some(record) = milestone.record {
            if let Some(directory) = self.directory {
                directory.append_metrics(&record, self.observer.measures())?;
            }
            self.observer.updated(&record);
            let validation = record.validation.as_ref();
            score = validation.and_then(|validation| total_loss(self.config, validation));
            self.records.push(record);
        }
        if let (Some(directory), Some(snapshot)) = (self.directory, milestone.snapshot) {
            let best = match (score, best_before) {
                (Some(score), Some(best)) => score < best,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if best {
                self.state.best = score;
            }
            snapshot.write(directory, &self.state, best)?;
        }
        Ok(())
    }
}

/// Returns the score that chooses the best checkpoint: the total validation loss with the final
/// weight of `L_dyn`. `None` if there is nothing to validate on, or the loss is not finite.
fn total_loss(config: &ValidConfig, validation: &Validation) -> Option<f32> {
    let weight = dynamics_weight(config, config.optimizer.updates);
    let total = weight * validation.loss_dynamics?
        + config.loss.auxiliary_weight * validation.loss_auxiliary?;
    total.is_finite().then_some(total)
}
