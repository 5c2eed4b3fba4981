//! Latents to audit: read from a file, or made by the model of a run.

use std::path::Path;

use tellapart::audit::recorded::{Foreseen, Rollout};
use tellapart::audit::{AuditError, Embeddings};
use tellapart::data::Trajectories;
use tellapart::embedding_file::{EmbeddingError, EmbeddingFile};
use tellapart::train::TrainError;
use tellapart::train::recording_evaluator::{FinishedRun, RecordingEvaluator};

/// Latents, `[rows, width]`, and the model of the run that made them, if any.
pub(super) struct Latents<'a> {
    values: Vec<f32>,
    rows: usize,
    width: usize,
    model: Option<(&'a FinishedRun, RecordingEvaluator<'a>)>,
}

/// Predictions of a model along rollouts.
pub(super) struct Predicted {
    values: Vec<f32>,
    lipschitz: Option<f64>,
}

impl<'a> Latents<'a> {
    pub(super) fn read(path: &Path, array: Option<&str>) -> Result<Self, EmbeddingError> {
        let file = EmbeddingFile::read(path, array)?;
        Ok(Self {
            values: file.values,
            rows: file.rows,
            width: file.width,
            model: None,
        })
    }

    /// Embeds the observations with the model of a run.
    pub(super) fn of_run(
        run: &'a FinishedRun,
        trajectories: &'a Trajectories,
        progress: &dyn Fn(f64),
    ) -> Result<Self, Box<TrainError>> {
        let model = RecordingEvaluator::new(&run.model, &run.interface, &run.config, trajectories)
            .map_err(Box::new)?;
        Ok(Self {
            values: model.embed(progress),
            rows: trajectories.rows(),
            width: run.config.model.latent,
            model: Some((run, model)),
        })
    }

    pub(super) fn embeddings(&self) -> Result<Embeddings<'_>, AuditError> {
        Embeddings::new(&self.values, self.rows, self.width)
    }

    /// Predicts `p` along rollouts; `None` without a model, or if its head does not predict `p`.
    pub(super) fn foresee(&self, p: &str, rollouts: &[Rollout]) -> Option<Predicted> {
        let (run, model) = self.model.as_ref()?;
        if run.predicted_array() != Some(p) {
            return None;
        }
        let rollouts: Vec<_> = rollouts
            .iter()
            .map(|rollout| (rollout.row, rollout.actions_at.as_slice()))
            .collect();
        Some(Predicted {
            values: model.roll_out(&self.values, &rollouts),
            lipschitz: run.model.rollout_lipschitz().map(f64::from),
        })
    }
}

impl Predicted {
    pub(super) fn foreseen(&self) -> Foreseen<'_> {
        Foreseen {
            predicted: &self.values,
            lipschitz: self.lipschitz,
        }
    }
}
