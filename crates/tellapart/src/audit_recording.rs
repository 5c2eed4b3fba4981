//! The audit of a recording in one call: what it distinguishes, the latents, the findings, the
//! certificate.

use std::borrow::Cow;

use tellapart_audit::recorded::{
    Audit, AuditedPair, Cause, Certifiable, Foreseen, RecordedAudit, RecordedAuditOptions, Rollout,
};
use tellapart_audit::{AuditError, Embeddings, Recorded, RecordedError, RecordedOptions};
use tellapart_data::{BelongsTo, Trajectories};
use tellapart_progress::{Progress, Stopped};

/// Largest number of rows for which the explanation of one pair also audits the whole recording;
/// more would take seconds.
const ROWS_TO_AUDIT: usize = 1 << 15;

/// Audits an encoder by the latents of a recording: which observations did it merge that the
/// recording distinguishes, shown by which actions, and whose fault is it? No labels are needed.
///
/// With the model of a run, pairs are also certified: those reported, the closest ones and random
/// ones. That takes a head that predicts the audited `p`; where it predicts something else, a
/// warning says so.
///
/// Reports its stages to `progress`. Cost: that of [`Recorded::new`] and of [`Audit::run`].
///
/// # Errors
/// An [`AuditRecordingError`] that says which part does not fit, or
/// [`AuditRecordingError::Stopped`] soon after `progress` says so.
pub fn audit_recording(
    recording: &Trajectories,
    latents: LatentsSource<'_>,
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<RecordedAudit, AuditRecordingError> {
    AuditableRecording::new(recording, latents, &options.evidence, progress)?
        .audit(&options.audit, progress)
}

/// Options of [`audit_recording`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditOptions {
    /// How the recording is read: `p`, its tolerance, and which actions are the same.
    pub evidence: RecordedOptions,
    /// What counts as merged, and how it is searched.
    pub audit: RecordedAuditOptions,
}

/// Source of the latents that are audited.
#[derive(Clone, Copy)]
pub enum LatentsSource<'a> {
    /// Latents that were computed elsewhere; row `i` is that of row `i` of the recording.
    Embeddings(Embeddings<'a>),
    /// Model that embeds the recording, and predicts `p` along rollouts.
    Model(&'a dyn AuditedModel),
}

/// Model that fits a recording: it makes the latents of its rows, and predicts along rollouts.
pub trait AuditedModel {
    /// Returns the number of dimensions of a latent.
    fn latent(&self) -> usize;

    /// Computes the latents of all rows, `[rows, latent]`.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    fn embed(&self, progress: &dyn Progress) -> Result<Vec<f32>, Stopped>;

    /// Returns the array of the recording that the model predicts; `None` if that is no array.
    fn predicted_array(&self) -> Option<&str>;

    /// Returns what the predicted values belong to.
    fn predicted_of(&self) -> BelongsTo {
        BelongsTo::Observation
    }

    /// Predicts that array at the end of each rollout, `[rollouts, width]`. A rollout is the row
    /// whose latent it begins with, and the rows at which its actions were taken.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    fn roll_out(
        &self,
        latents: &[f32],
        rollouts: &[(usize, &[usize])],
        progress: &dyn Progress,
    ) -> Result<Vec<f32>, Stopped>;

    /// Returns the Lipschitz constant of a prediction in the latent that it begins with; `None` if
    /// it is not known.
    fn lipschitz(&self) -> Option<f64>;
}

#[cfg(feature = "train")]
impl AuditedModel for tellapart_train::recording_evaluator::RecordingEvaluator<'_> {
    fn latent(&self) -> usize {
        self.latent()
    }

    fn embed(&self, progress: &dyn Progress) -> Result<Vec<f32>, Stopped> {
        self.embed(progress)
    }

    fn predicted_array(&self) -> Option<&str> {
        self.predicted_array()
    }

    fn predicted_of(&self) -> BelongsTo {
        self.predicted_of()
    }

    fn roll_out(
        &self,
        latents: &[f32],
        rollouts: &[(usize, &[usize])],
        progress: &dyn Progress,
    ) -> Result<Vec<f32>, Stopped> {
        self.roll_out(latents, rollouts, progress)
    }

    fn lipschitz(&self) -> Option<f64> {
        self.rollout_lipschitz()
    }
}

/// Reason why a recording could not be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditRecordingError {
    /// The recording cannot be evidence: an array is missing, or actions need a rule.
    #[error(transparent)]
    Evidence(RecordedError),
    /// The latents do not fit the recording, or an option is out of range.
    #[error(transparent)]
    Latents(AuditError),
    /// A row of the pair to explain is out of range.
    #[error(transparent)]
    Pair(AuditError),
    /// A decomposition failed, or predictions of the model are not finite.
    #[error(transparent)]
    Audit(AuditError),
    /// The audit was stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl AuditRecordingError {
    fn in_audit(error: AuditError) -> Self {
        match error {
            AuditError::Stopped(stopped) => stopped.into(),
            error => Self::Audit(error),
        }
    }
}

impl From<RecordedError> for AuditRecordingError {
    fn from(error: RecordedError) -> Self {
        match error {
            RecordedError::Stopped(stopped) => stopped.into(),
            error => Self::Evidence(error),
        }
    }
}

/// A recording with what it distinguishes, and the latents of its rows: the parts of
/// [`audit_recording`], for those who ask for more than one thing.
pub struct AuditableRecording<'a> {
    recording: &'a Trajectories,
    evidence: RecordedOptions,
    recorded: Cow<'a, Recorded>,
    latents: Latents<'a>,
}

enum Latents<'a> {
    Given(Embeddings<'a>),
    Made {
        values: Vec<f32>,
        model: &'a dyn AuditedModel,
    },
}

impl<'a> AuditableRecording<'a> {
    /// Finds out what the recording distinguishes, and embeds it if a model makes the latents.
    ///
    /// # Errors
    /// If the recording cannot be evidence; [`AuditRecordingError::Stopped`], soon after `progress`
    /// says so.
    pub fn new(
        recording: &'a Trajectories,
        latents: LatentsSource<'a>,
        evidence: &RecordedOptions,
        progress: &dyn Progress,
    ) -> Result<Self, AuditRecordingError> {
        progress.progress("looking for what the recording tells apart", 0.0);
        let recorded = Recorded::new(recording, evidence, progress)?;
        Self::joined(recording, Cow::Owned(recorded), latents, evidence, progress)
    }

    /// Joins latents with a recording and what it distinguishes, which
    /// [`Recorded::new`] found with the same options. Embeds if a model makes the latents.
    ///
    /// # Errors
    /// [`AuditRecordingError::Stopped`], soon after `progress` says so.
    pub fn with_recorded(
        recording: &'a Trajectories,
        recorded: &'a Recorded,
        latents: LatentsSource<'a>,
        evidence: &RecordedOptions,
        progress: &dyn Progress,
    ) -> Result<Self, AuditRecordingError> {
        Self::joined(
            recording,
            Cow::Borrowed(recorded),
            latents,
            evidence,
            progress,
        )
    }

    fn joined(
        recording: &'a Trajectories,
        recorded: Cow<'a, Recorded>,
        latents: LatentsSource<'a>,
        evidence: &RecordedOptions,
        progress: &dyn Progress,
    ) -> Result<Self, AuditRecordingError> {
        let latents = match latents {
            LatentsSource::Embeddings(embeddings) => Latents::Given(embeddings),
            LatentsSource::Model(model) => Latents::Made {
                values: model.embed(progress)?,
                model,
            },
        };
        Ok(Self {
            recording,
            evidence: evidence.clone(),
            recorded,
            latents,
        })
    }

    /// Returns the recording.
    #[must_use]
    pub fn recording(&self) -> &'a Trajectories {
        self.recording
    }

    /// Returns what the recording distinguishes.
    #[must_use]
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Returns the latents, `[rows, width]`.
    ///
    /// # Errors
    /// [`AuditRecordingError::Latents`] if a model made latents that are not finite.
    pub fn embeddings(&self) -> Result<Embeddings<'_>, AuditRecordingError> {
        match &self.latents {
            Latents::Given(embeddings) => Ok(*embeddings),
            Latents::Made { values, model } => {
                Embeddings::new(values, self.recording.rows(), model.latent())
                    .map_err(AuditRecordingError::Latents)
            }
        }
    }

    /// Audits the latents and certifies pairs, as [`audit_recording`] does.
    ///
    /// # Errors
    /// If latents or options do not fit, or a decomposition fails;
    /// [`AuditRecordingError::Stopped`], soon after `progress` says so.
    pub fn audit(
        &self,
        options: &RecordedAuditOptions,
        progress: &dyn Progress,
    ) -> Result<RecordedAudit, AuditRecordingError> {
        let embeddings = self.embeddings()?;
        let audit = self.prepared(&embeddings, options)?;
        let mut found = audit.run(progress).map_err(AuditRecordingError::in_audit)?;
        if let Latents::Made { model, .. } = &self.latents {
            progress.progress("certifying", 0.0);
            let asked = audit.certifiable(&found, progress)?;
            match self.foresee(asked.rollouts(), progress)? {
                Some(predicted) => audit
                    .certify(&mut found, &asked, predicted.foreseen())
                    .map_err(AuditRecordingError::in_audit)?,
                None => found.warnings.push(format!(
                    "No certificate: the head of the run does not foresee {} of the {}, but {} of the {}.",
                    self.evidence.value,
                    self.evidence.value_of,
                    model
                        .predicted_array()
                        .unwrap_or("a random function of the pixels"),
                    model.predicted_of()
                )),
            }
        }
        Ok(found)
    }

    /// Explains one pair of rows, whether near or not, and whether merged or not. With the model of
    /// a run, the pair has a bound where its data distinguishes it.
    ///
    /// Only all pairs together tell whether a merged pair is due to an outlier, or listed because
    /// neighborhoods are mixed. So a pair that is told apart also costs an audit of the recording,
    /// unless it has more than 32768 rows.
    ///
    /// # Errors
    /// [`AuditRecordingError::Pair`] if a row is out of range; those of
    /// [`AuditableRecording::audit`].
    pub fn explain(
        &self,
        [i, j]: [usize; 2],
        options: &RecordedAuditOptions,
        progress: &dyn Progress,
    ) -> Result<AuditedPair, AuditRecordingError> {
        let embeddings = self.embeddings()?;
        let audit = self.prepared(&embeddings, options)?;
        let mut pair = audit.explain(i, j).map_err(AuditRecordingError::Pair)?;
        if pair.cause == Cause::Encoder && self.recording.rows() <= ROWS_TO_AUDIT {
            let whole = audit.run(progress).map_err(AuditRecordingError::in_audit)?;
            whole.explain_outlier(&mut pair);
            let listed = whole
                .pairs
                .iter()
                .find(|other| (other.i, other.j) == (pair.i, pair.j));
            pair.kind = listed.and_then(|listed| listed.kind);
        }
        if let Some(asked) = Certifiable::of_pair(&pair)
            && let Some(predicted) = self.foresee(asked.rollouts(), progress)?
        {
            let bounds = audit.bounds(&asked, predicted.foreseen());
            let bounds = bounds.map_err(AuditRecordingError::in_audit)?;
            pair.bound = bounds.into_iter().next();
        }
        Ok(pair)
    }

    fn prepared<'b>(
        &'b self,
        embeddings: &'b Embeddings<'b>,
        options: &RecordedAuditOptions,
    ) -> Result<Audit<'b>, AuditRecordingError> {
        Audit::new(
            self.recording,
            &self.recorded,
            &self.evidence,
            embeddings,
            options.clone(),
        )
        .map_err(AuditRecordingError::Latents)
    }

    /// Predicts `p` along rollouts; `None` without a model, or if its head does not predict `p`.
    fn foresee(
        &self,
        rollouts: &[Rollout],
        progress: &dyn Progress,
    ) -> Result<Option<Predicted>, Stopped> {
        let Latents::Made { values, model } = &self.latents else {
            return Ok(None);
        };
        if model.predicted_array() != Some(&self.evidence.value)
            || model.predicted_of() != self.evidence.value_of
        {
            return Ok(None);
        }
        let rollouts: Vec<_> = rollouts
            .iter()
            .map(|rollout| (rollout.row, rollout.actions_at.as_slice()))
            .collect();
        Ok(Some(Predicted {
            values: model.roll_out(values, &rollouts, progress)?,
            lipschitz: model.lipschitz(),
        }))
    }
}

/// Predictions of a model along rollouts.
struct Predicted {
    values: Vec<f32>,
    lipschitz: Option<f64>,
}

impl Predicted {
    fn foreseen(&self) -> Foreseen<'_> {
        Foreseen {
            predicted: &self.values,
            lipschitz: self.lipschitz,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tellapart_data::{Actions, Frames, TrajectoryParts};
    use tellapart_files::Values;

    use super::*;

    /// Says to stop from the question with this number on.
    struct After(usize, AtomicUsize);

    impl Progress for After {
        fn stopped(&self) -> bool {
            self.1.fetch_add(1, Ordering::Relaxed) >= self.0
        }
    }

    #[test]
    fn it_ends_as_soon_as_it_is_stopped() -> Result<(), Box<dyn std::error::Error>> {
        let rows = 40;
        let recording = Trajectories::new(TrajectoryParts {
            observations: Frames::F32 {
                shape: vec![1],
                values: (0..rows).map(|row| row as f32).collect(),
            },
            actions: Actions::Discrete {
                count: 1,
                ids: vec![0; rows],
            },
            rewards: Some(Values::F32((0..rows).map(|row| (row % 3) as f32).collect())),
            world_is_deterministic: Some(true),
            terminals: vec![false; rows],
            timeouts: vec![false; rows],
            ..TrajectoryParts::default()
        })?;
        let values: Vec<f32> = (0..rows).map(|row| (row % 2) as f32).collect();
        let audited = |progress: &dyn Progress| {
            let latents =
                Embeddings::new(&values, rows, 1).map_err(AuditRecordingError::Latents)?;
            let latents = LatentsSource::Embeddings(latents);
            audit_recording(&recording, latents, &AuditOptions::default(), progress)
        };
        let all = After(usize::MAX, AtomicUsize::new(0));
        assert_eq!(audited(&all)?, audited(&())?);
        let asked = all.1.into_inner();
        for limit in [0, 1, asked / 2, asked - 1] {
            let stopped = audited(&After(limit, AtomicUsize::new(0)));
            let is_stopped = matches!(stopped, Err(AuditRecordingError::Stopped(_)));
            assert!(is_stopped, "{limit} of {asked}");
        }
        Ok(())
    }
}
