//! A model with its interface and device: embeds, predicts, rolls out.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use tellapart_data::Frames;
use tellapart_env::ActionSpace;
use tellapart_model::predictor::ActionBatch;
use tellapart_model::{IoSpec, Pjepa, device};
use tellapart_progress::{Progress, Stopped};
use tellapart_system::ActionId;

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::describe_actions;
use crate::tensors::{observation_batch, one_hot};

/// Number of rows encoded together; bounds memory.
const CHUNK: usize = 256;

/// Trained model, ready to be asked.
#[derive(Debug, Clone)]
pub struct Evaluator<'a> {
    model: &'a Pjepa,
    interface: IoSpec,
    latent: usize,
    device: Device,
}

fn row_count(observations: &Frames) -> usize {
    let width: usize = observations.shape().iter().product();
    observations.len() / width.max(1)
}

/// Returns the ranges of rows that are encoded together.
fn chunks(observations: &Frames) -> impl Iterator<Item = Range<usize>> {
    let rows = row_count(observations);
    let starts = (0..rows).step_by(CHUNK);
    starts.map(move |start| start..(start + CHUNK).min(rows))
}

/// Recorded step of all rows.
#[derive(Debug, Clone)]
pub struct RecordedStep {
    /// Action vectors `[rows, action width]`.
    pub actions: Vec<f32>,
    /// Index of the distinct action of each row.
    pub action_ids: Vec<u32>,
    /// p of the observation that followed, `[rows, width]`.
    pub targets: Vec<f32>,
}

impl<'a> Evaluator<'a> {
    /// Bundles a model without autodiff with its interface and the configured device.
    ///
    /// # Errors
    /// A device that does not exist.
    pub fn new(
        model: &'a Pjepa,
        interface: IoSpec,
        config: &ValidConfig,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            model,
            interface,
            latent: config.model.latent,
            device: device::by_name(&config.device)?,
        })
    }

    /// Returns the model.
    pub fn model(&self) -> &'a Pjepa {
        self.model
    }

    /// Returns the shapes that the model fits.
    pub fn interface(&self) -> &IoSpec {
        &self.interface
    }

    /// Returns the number of dimensions of a latent.
    pub fn latent(&self) -> usize {
        self.latent
    }

    /// Returns the device that computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Computes `E` of observations, `[rows, latent]`.
    pub fn embed(&self, observations: &Frames) -> Vec<f32> {
        chunks(observations)
            .flat_map(|rows| self.embed_rows(observations, rows))
            .collect()
    }

    /// Computes `E` of observations, `[rows, latent]`. Reports the stage "encoding".
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn embed_with(
        &self,
        observations: &Frames,
        progress: &dyn Progress,
    ) -> Result<Vec<f32>, Stopped> {
        let mut latents = Vec::new();
        let all = row_count(observations);
        for rows in chunks(observations) {
            progress.check()?;
            let end = rows.end;
            latents.extend(self.embed_rows(observations, rows));
            progress.progress("encoding", end as f64 / all as f64);
        }
        Ok(latents)
    }

    fn embed_rows(&self, observations: &Frames, rows: Range<usize>) -> Vec<f32> {
        let mut chunk = observations.like();
        chunk.extend_from(observations, rows);
        let chunk = observation_batch(chunk, &self.device);
        to_vec(self.model.encoder.forward(&chunk))
    }

    /// Computes `P` of latents, `[rows, width of p]`; where p belongs to steps, that of every
    /// action, `[rows, actions * width of p]`.
    pub fn predict(&self, latents: &[f32]) -> Vec<f32> {
        to_vec(self.model.head.predict(self.tensor(latents), None))
    }

    /// Computes open-loop predictions of p after 1, 2, ... recorded steps:
    /// `P(T(...T(z, a_1)..., a_k))`; where p belongs to steps, of each step:
    /// `P(T(...T(z, a_1)..., a_(k-1)), a_k)`.
    pub fn roll_out(&self, latents: &[f32], steps: &[RecordedStep]) -> Vec<Vec<f32>> {
        let predictor = self.model.predictor.prepare();
        let mut latent = self.tensor(latents);
        let mut predictions = Vec::with_capacity(steps.len());
        for step in steps {
            let actions = ActionBatch::new(
                &step.actions,
                self.interface.action_width,
                &step.action_ids,
                &self.device,
            );
            let after = predictor.step(latent.clone(), &actions);
            let predicted = match self.interface.p_of_step {
                false => self.model.head.predict(after.clone(), None),
                true => self
                    .model
                    .head
                    .predict(latent, Some(&self.taken(&step.action_ids))),
            };
            predictions.push(to_vec(predicted));
            latent = after;
        }
        predictions
    }

    /// Computes the prediction of p after one word, taken from every row with representative
    /// actions of `space`.
    ///
    /// # Errors
    /// Actions that are not in the space.
    pub fn roll_out_word(
        &self,
        latents: &[f32],
        space: ActionSpace,
        word: &[ActionId],
    ) -> Result<Vec<f32>, TrainError> {
        let rows = latents.len() / self.latent;
        let mut steps = Vec::with_capacity(word.len());
        for &letter in word {
            let action = space.action(letter).into_iter().collect::<Vec<_>>();
            let (mut vector, mut ids) = (Vec::new(), Vec::new());
            describe_actions(space, &action, &mut vector, &mut ids)?;
            steps.push(RecordedStep {
                actions: vector.repeat(rows),
                action_ids: ids.repeat(rows),
                targets: Vec::new(),
            });
        }
        let last = self.roll_out(latents, &steps).into_iter().next_back();
        Ok(last.unwrap_or_else(|| self.predict(latents)))
    }

    fn taken(&self, ids: &[u32]) -> Tensor<2> {
        let actions = self.interface.actions;
        let vectors = TensorData::new(one_hot(ids, actions), [ids.len(), actions]);
        Tensor::from_data(vectors, &self.device)
    }

    fn tensor(&self, latents: &[f32]) -> Tensor<2> {
        let rows = latents.len() / self.latent;
        let data = TensorData::new(latents.to_vec(), [rows, self.latent]);
        Tensor::from_data(data, &self.device)
    }
}

fn to_vec(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
