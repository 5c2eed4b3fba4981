//! What is read before an audit.

use tellapart::audit::RecordedOptions;
use tellapart::embedding_file::EmbeddingFile;
use tellapart::{AuditRecordingError, AuditedModel, LatentsSource, Trajectories};

use super::Arguments;
use crate::program::commands::finished_run::FinishedRun;
use crate::program::commands::recording;
use crate::program::failure::Failure;

/// A recording, and where its latents come from: a run or a file.
pub(super) struct Inputs {
    pub(super) recording: Trajectories,
    run: Option<FinishedRun>,
    embeddings: Option<EmbeddingFile>,
}

impl Inputs {
    pub(super) fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let run = arguments
            .run
            .as_deref()
            .map(FinishedRun::read)
            .transpose()?;
        let recording = recording(&arguments.data, arguments.recording.observations())?;
        if arguments.truth && recording.state_ids.is_none() {
            let problem = "--truth needs the array state_ids, which is not there";
            return Err(arguments.in_data(&problem));
        }
        let array = arguments.array.as_deref();
        let embeddings = arguments.embeddings.as_deref();
        let embeddings = embeddings.map(|file| EmbeddingFile::read(file, array, arguments.pool));
        Ok(Self {
            recording,
            run,
            embeddings: embeddings.transpose()?,
        })
    }

    /// Returns a sentence on how the latents were made of what is in their file, if that needs one.
    pub(super) fn note(&self) -> Option<&str> {
        self.embeddings.as_ref().and_then(EmbeddingFile::note)
    }

    /// Returns how the recording is read as evidence: `p` is what a run predicts, or else the
    /// rewards, unless the user names it.
    pub(super) fn evidence(&self, arguments: &Arguments) -> RecordedOptions {
        let predicted = self.run.as_ref().and_then(|run| {
            let array = run.predicted_array()?;
            Some((array, run.predicted_of()))
        });
        arguments.recording.options(&self.recording, predicted)
    }

    /// Returns the model of the run, if the latents are those of a run.
    pub(super) fn model(
        &self,
        arguments: &Arguments,
    ) -> Result<Option<Box<dyn AuditedModel + '_>>, Failure> {
        let Some(run) = &self.run else {
            return Ok(None);
        };
        let model = run.evaluator(&self.recording);
        match model {
            Ok(model) => Ok(Some(Box::new(model))),
            Err(error) => Err(arguments.in_data(&error)),
        }
    }

    pub(super) fn latents<'a>(
        &'a self,
        model: Option<&'a (dyn AuditedModel + 'a)>,
        arguments: &Arguments,
    ) -> Result<LatentsSource<'a>, Failure> {
        match (model, &self.embeddings) {
            (Some(model), _) => Ok(LatentsSource::Model(model)),
            (None, Some(file)) => file
                .embeddings()
                .map(LatentsSource::Embeddings)
                .map_err(|error| arguments.failure(AuditRecordingError::Latents(error))),
            (None, None) => Err(Failure::bad_input(
                "name the latents with --embeddings or --run",
            )),
        }
    }
}
