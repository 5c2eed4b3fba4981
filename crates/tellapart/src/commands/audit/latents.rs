//! The latents that are audited: from a file, or made by the model of a run.

use std::path::Path;

use tellapart::audit::recorded::{Foreseen, Rollout};
use tellapart::audit::{AuditError, Embeddings};
use tellapart::data::Trajectories;
use tellapart::embedding_file::{EmbeddingError, EmbeddingFile};
use tellapart::train::TrainError;
use tellapart::train::at_recording::{AtRecording, FinishedRun};

/// `[rows, width]`, and the model that made them, if it is ours.
pub(super) struct Latents<'a> {
    values: Vec<f32>,
    rows: usize,
    width: usize,
    model: Option<(&'a FinishedRun, AtRecording<'a>)>,
}

/// What a model foresaw.
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

    /// Those of a run's model.
    pub(super) fn of_run(
        run: &'a FinishedRun,
        trajectories: &'a Trajectories,
        progress: &dyn Fn(f64),
    ) -> Result<Self, Box<TrainError>> {
        let model = AtRecording::new(&run.model, &run.interface, &run.config, trajectories)
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

    /// `None` without a model, or if its head does not foresee `p`.
    pub(super) fn foresee(&self, p: &str, rollouts: &[Rollout]) -> Option<Predicted> {
        let (run, model) = self.model.as_ref()?;
        if run.foresees() != Some(p) {
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
