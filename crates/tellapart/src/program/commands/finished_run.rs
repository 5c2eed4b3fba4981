//! The finished run that `audit --run` names. A program without training has none.

#[cfg(feature = "train")]
pub(super) use tellapart::train::recording_evaluator::FinishedRun;

#[cfg(not(feature = "train"))]
pub(super) use without_training::FinishedRun;

#[cfg(not(feature = "train"))]
mod without_training {
    use std::path::Path;

    use tellapart::data::BelongsTo;
    use tellapart::progress::{Progress, Stopped};
    use tellapart::{AuditedModel, Trajectories};

    use crate::program::failure::Failure;

    /// Run that cannot be read.
    pub(crate) enum FinishedRun {}

    impl FinishedRun {
        pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
            Err(Failure::bad_input(format!(
                "{}: this program was built without training and reads no runs; build it with the \
                 feature `train`, or name latents with --embeddings",
                path.display()
            )))
        }

        pub(crate) fn predicted_array(&self) -> Option<&str> {
            match *self {}
        }

        pub(crate) fn predicted_of(&self) -> BelongsTo {
            match *self {}
        }

        pub(crate) fn evaluator(&self, _: &Trajectories) -> Result<Model, String> {
            match *self {}
        }
    }

    /// Model of a run that cannot be read.
    pub(crate) enum Model {}

    impl AuditedModel for Model {
        fn latent(&self) -> usize {
            match *self {}
        }

        fn embed(&self, _: &dyn Progress) -> Result<Vec<f32>, Stopped> {
            match *self {}
        }

        fn predicted_array(&self) -> Option<&str> {
            match *self {}
        }

        fn roll_out(
            &self,
            _: &[f32],
            _: &[(usize, &[usize])],
            _: &dyn Progress,
        ) -> Result<Vec<f32>, Stopped> {
            match *self {}
        }

        fn lipschitz(&self) -> Option<f64> {
            match *self {}
        }
    }
}
