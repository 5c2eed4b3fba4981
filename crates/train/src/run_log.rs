//! Writes metrics and checkpoints while a run trains.

use std::borrow::Cow;

use tellapart_model::IoSpec;

use crate::checkpoint::{self, Snapshot, TrainingState};
use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::Experience;
use crate::learner::{Learner, Update};
use crate::metrics::{MetricRecord, Scalar, validation_loss, widened};
use crate::objectives::Objectives;
use crate::observer::{LabeledLatents, Observer};
use crate::run_directory::RunDirectory;
use crate::validation::{ValidationResult, ValidationSet};

/// Progress of a run and its observer.
pub(crate) struct RunRecorder<'a> {
    pub(crate) config: &'a ValidConfig,
    pub(crate) objectives: &'a Objectives,
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
        // A finished run is only read.
        if !directory.is_finished() {
            checkpoint::settle(directory)?;
        }
        let names = self.names();
        let Some(found) = checkpoint::resume(directory, learner)? else {
            return directory.begin_metrics(&names);
        };
        if found.recording != self.state.recording {
            return Err(TrainError::RecordingChanged {
                source_name: self.config.data.source.to_string(),
            });
        }
        experience.skip(found.update)?;
        self.records = directory.keep_metrics_until(found.update, &names)?;
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
            let losses = found.losses.iter().map(|loss| loss.map(widened));
            let values = losses.chain(measures);
            let first = record.scalars.len() - self.validation_names().count();
            for (scalar, value) in record.scalars[first..].iter_mut().zip(values) {
                scalar.value = value;
            }
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
                directory.append_metrics(&record)?;
            }
            self.observer.updated(&record);
            score = self.score(&record);
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

    /// Returns the score that chooses the best checkpoint: the total validation loss with the final
    /// weights. `None` if there is nothing to validate on, or the loss is not finite.
    fn score(&self, record: &MetricRecord) -> Option<f32> {
        let mut total = 0.0;
        for term in self.objectives.terms() {
            let weight = term.weight_at(self.config.optimizer.updates);
            if weight > 0.0 {
                total += weight * record.get(&validation_loss(term.name()))? as f32;
            }
        }
        total.is_finite().then_some(total)
    }

    /// Returns the names of all values of a record, in order.
    fn names(&self) -> Vec<Cow<'static, str>> {
        let each = |prefix: &str| -> Vec<Cow<'static, str>> {
            let terms = self.objectives.terms();
            terms
                .map(|term| format!("{prefix}_{}", term.name()).into())
                .collect()
        };
        let mut names: Vec<Cow<'static, str>> = vec!["cpu_seconds".into()];
        names.extend(each("loss"));
        names.extend(each("weight"));
        names.extend(TRAINING.map(Cow::from));
        names.extend(self.validation_names());
        names
    }

    fn validation_names(&self) -> impl Iterator<Item = Cow<'static, str>> {
        let losses = self.objectives.terms();
        let losses = losses.map(|term| validation_loss(term.name()).into());
        losses.chain(self.observer.measures().iter().copied().map(Cow::from))
    }

    /// Returns the record of an update, without the values of its validation.
    pub(crate) fn record(&self, done: &Update, rate: f64, state: &TrainingState) -> MetricRecord {
        let centered = done.latents.clone() - done.latents.clone().mean_dim(0);
        let spread = centered.square().mean().sqrt().into_scalar::<f32>();
        let mut values = vec![Some((state.cpu_seconds * 1e3).round() / 1e3)];
        let losses = done.losses.iter().cloned();
        values.extend(losses.map(|loss| Some(widened(loss?.into_scalar::<f32>()))));
        let terms = self.objectives.terms();
        values.extend(terms.map(|term| Some(widened(term.weight_at(state.update - 1)))));
        let norms = [done.norms.encoder, done.norms.predictor, done.norms.head];
        values.push(Some(rate));
        values.extend(norms.map(|norm| Some(widened(norm))));
        values.push(Some(widened(spread)));
        let values = values.into_iter().chain(std::iter::repeat(None));
        MetricRecord {
            update: state.update,
            scalars: self
                .names()
                .into_iter()
                .zip(values)
                .map(|(name, value)| Scalar { name, value })
                .collect(),
        }
    }
}

/// Names of the values of an update next to its losses and their weights.
const TRAINING: [&str; 5] = [
    "learning_rate",
    "gradient_norm_encoder",
    "gradient_norm_predictor",
    "gradient_norm_head",
    "latent_spread",
];
