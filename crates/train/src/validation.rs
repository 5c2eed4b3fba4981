//! Validation during training: its observations choose the best checkpoint and draw curves. The
//! final evaluation uses other observations.

use burn::tensor::Device;
use tellapart_data::{Batch, Frames};
use tellapart_model::Pjepa;
use tellapart_model::objective::{Target, TargetEncoder, Views};

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::{Experience, balanced, behavior, describe_actions, random_function};
use crate::objectives::Objectives;
use crate::seeds::{Purpose, derived_seed};
use crate::tensors::tensor_batch;

/// Largest number of rows of a recording that validation uses.
const RECORDED_ROWS: usize = 1024;
/// Number of rows encoded together; bounds the memory of an evaluation.
const CHUNK: usize = 256;

/// Observations for validation. A live environment gives pairs of consecutive observations,
/// balanced over start states; a recording gives its held-out episodes.
#[derive(Debug)]
pub(crate) struct ValidationSet {
    batch: Batch,
    states: Vec<u32>,
}

/// Result of [`ValidationSet::evaluate`].
#[derive(Debug, Clone)]
pub(crate) struct ValidationResult {
    /// Latents `[rows, latent]`.
    pub(crate) latents: Vec<f32>,
    /// Every loss without noise, in the order of the objectives; `None` where there is nothing to
    /// take a mean of.
    pub(crate) losses: Vec<Option<f32>>,
}

impl ValidationSet {
    /// Collects the validation observations of a run.
    ///
    /// # Errors
    /// Those of the environment or the recording.
    pub(crate) fn collect(
        config: &ValidConfig,
        experience: &Experience,
    ) -> Result<Self, TrainError> {
        let (batch, states) = match experience {
            Experience::Live(_) => live_pairs(config)?,
            Experience::Recorded(recorded) => {
                let mut left = RECORDED_ROWS;
                let mut windows = Vec::new();
                for episode in recorded.held_out() {
                    let rows = episode.len().min(left);
                    windows.push(episode.start..episode.start + rows);
                    left -= rows;
                }
                let states = recorded.trajectories().state_ids.as_ref();
                let states = states.map_or_else(Vec::new, |ids| {
                    windows
                        .iter()
                        .flat_map(|rows| ids[rows.clone()].to_vec())
                        .collect()
                });
                (recorded.batch(&windows)?, states)
            }
        };
        Ok(Self { batch, states })
    }

    /// Returns the hidden state of each row. Empty if a recording has no states.
    pub(crate) fn states(&self) -> &[u32] {
        &self.states
    }

    /// Evaluates losses and latents of a model without autodiff. `average` is its moving average,
    /// if it has one.
    pub(crate) fn evaluate(
        &self,
        model: &Pjepa,
        average: Option<&TargetEncoder>,
        objectives: &Objectives,
        device: &Device,
    ) -> ValidationResult {
        let mut latents = Vec::new();
        let mut sums = vec![(0.0f64, 0usize); objectives.terms().count()];
        let mut start = 0;
        while start < self.batch.rows {
            let rows = start..self.chunk_end(start);
            let part = rows_of(&self.batch, rows.clone());
            let tensors = tensor_batch(part, device);
            let views = Views::new(model, &tensors, Target::default(), average, None);
            for (term, (sum, count)) in objectives.terms().zip(&mut sums) {
                let items = term.objective().items(&tensors);
                let loss = term.objective().loss(model, &views);
                *sum += f64::from(loss.into_scalar::<f32>()) * items as f64;
                *count += items;
            }
            latents.extend(views.latents.into_data().iter::<f32>());
            start = rows.end;
        }
        let mean = |(sum, count): (f64, usize)| (count > 0).then(|| (sum / count as f64) as f32);
        ValidationResult {
            latents,
            losses: sums.into_iter().map(mean).collect(),
        }
    }

    /// Returns the end of the chunk that begins at `start`. Chunks end between episodes if episodes
    /// are short enough for that, so that no transition is lost.
    fn chunk_end(&self, start: usize) -> usize {
        let end = (start + CHUNK).min(self.batch.rows);
        (start + 1..=end)
            .rev()
            .find(|&row| !self.batch.continues[row - 1])
            .unwrap_or(end)
    }
}

/// Copies rows of a batch. The last of them no longer continues.
fn rows_of(batch: &Batch, rows: std::ops::Range<usize>) -> Batch {
    let mut observations = batch.observations.like();
    observations.extend_from(&batch.observations, rows.clone());
    let mut continues = batch.continues[rows.clone()].to_vec();
    if let Some(last) = continues.last_mut() {
        *last = false;
    }
    Batch {
        observations,
        rows: rows.len(),
        actions: batch.actions[rows.start * batch.action_width..rows.end * batch.action_width]
            .to_vec(),
        action_ids: batch.action_ids[rows.clone()].to_vec(),
        targets: batch.targets[rows.start * batch.target_width..rows.end * batch.target_width]
            .to_vec(),
        continues,
        action_width: batch.action_width,
        target_width: batch.target_width,
        step_actions: batch.step_actions,
    }
}

/// Collects `validation_per_state` episodes of one step for every start state: rows 2i and 2i + 1.
fn live_pairs(config: &ValidConfig) -> Result<(Batch, Vec<u32>), TrainError> {
    let seed = derived_seed(config.seed, Purpose::Validation);
    let world = config.world().clone().endless(u32::MAX);
    let start = balanced(&world, config.evaluation.validation_per_state);
    let num_envs = start.len();
    let mut rollout = behavior(&world, seed, num_envs, 1).starting_at(start);
    let random = random_function(config)?;
    let space = rollout.world().action_space();
    let width = space.vector_width();
    let shape = rollout.world().observation_shape();
    let bytes: usize = shape.iter().product();
    let mut rows = Vec::with_capacity(2);
    let (mut vectors, mut ids) = (Vec::new(), Vec::new());
    rollout.run(2, |row| -> Result<(), TrainError> {
        if rows.is_empty() {
            describe_actions(space, row.actions, &mut vectors, &mut ids)?;
        }
        rows.push((row.frames.to_vec(), row.outcomes.to_vec()));
        Ok(())
    })?;
    let mut frames = Vec::with_capacity(2 * num_envs * bytes);
    let mut batch = Batch {
        rows: 2 * num_envs,
        action_width: width,
        target_width: random.as_ref().map_or(1, |function| function.width()),
        ..Batch::default()
    };
    let mut states = Vec::with_capacity(2 * num_envs);
    for copy in 0..num_envs {
        for (index, (shown, outcomes)) in rows.iter().enumerate() {
            let frame = &shown[copy * bytes..(copy + 1) * bytes];
            frames.extend_from_slice(frame);
            batch
                .actions
                .extend_from_slice(&vectors[copy * width..(copy + 1) * width]);
            batch.action_ids.push(ids[copy]);
            match &random {
                Some(function) => batch.targets.extend(function.evaluate(frame)),
                None => batch.targets.push(outcomes[copy].value),
            }
            batch.continues.push(index == 0);
            states.push(outcomes[copy].state.get());
        }
    }
    batch.observations = Frames::U8 {
        shape: shape.to_vec(),
        values: frames,
    };
    Ok((batch, states))
}
