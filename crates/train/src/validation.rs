//! Validation during training: its observations choose the best checkpoint and draw curves. The
//! final evaluation uses other observations.

use burn::tensor::Device;
use tellapart_data::Batch;
use tellapart_env::{BatchEnvironment, Counting, Outcome, RepeatedRandom};
use tellapart_model::Pjepa;
use tellapart_model::pjepa::EncoderGradients;

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::{Experience, describe_actions, random_function};
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
    /// `L_dyn` without noise; `None` if there are no transitions.
    pub(crate) loss_dynamics: Option<f32>,
    /// `L_p` without noise; `None` if there are no rows.
    pub(crate) loss_auxiliary: Option<f32>,
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
            Experience::RecordedExperience(recorded) => {
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

    /// Evaluates losses and latents of a model without autodiff.
    pub(crate) fn evaluate(&self, model: &Pjepa, device: &Device) -> ValidationResult {
        let reaches = EncoderGradients {
            dynamics: true,
            auxiliary: true,
            stop_target: false,
        };
        let mut latents = Vec::new();
        let (mut dynamics, mut auxiliary, mut transitions) = (0.0f64, 0.0f64, 0usize);
        let mut start = 0;
        while start < self.batch.rows {
            let rows = start..self.chunk_end(start);
            let part = rows_of(&self.batch, rows.clone());
            let tensors = tensor_batch(part, device);
            let losses = model.losses(&tensors, reaches, None);
            dynamics +=
                f64::from(losses.dynamics.into_scalar::<f32>()) * tensors.transitions as f64;
            auxiliary += f64::from(losses.auxiliary.into_scalar::<f32>()) * rows.len() as f64;
            transitions += tensors.transitions;
            latents.extend(losses.latents.into_data().iter::<f32>());
            start = rows.end;
        }
        let mean = |sum: f64, count: usize| (count > 0).then(|| (sum / count as f64) as f32);
        ValidationResult {
            latents,
            loss_dynamics: mean(dynamics, transitions),
            loss_auxiliary: mean(auxiliary, self.batch.rows),
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
    let bytes = batch.frame_bytes();
    let mut continues = batch.continues[rows.clone()].to_vec();
    if let Some(last) = continues.last_mut() {
        *last = false;
    }
    Batch {
        frames: batch.frames[rows.start * bytes..rows.end * bytes].to_vec(),
        rows: rows.len(),
        actions: batch.actions[rows.start * batch.action_width..rows.end * batch.action_width]
            .to_vec(),
        action_ids: batch.action_ids[rows.clone()].to_vec(),
        targets: batch.targets[rows.start * batch.target_width..rows.end * batch.target_width]
            .to_vec(),
        continues,
        frame_shape: batch.frame_shape,
        action_width: batch.action_width,
        target_width: batch.target_width,
    }
}

/// Collects `validation_per_state` episodes of one step for every start state: rows 2i and 2i + 1.
fn live_pairs(config: &ValidConfig) -> Result<(Batch, Vec<u32>), TrainError> {
    let seed = derived_seed(config.seed, Purpose::Validation);
    let mut options = config.environment.clone();
    options.end_at_target = false;
    let states = u32::from(options.max_count) + 1;
    let num_envs = states as usize * config.evaluation.validation_per_state;
    let mut world = Counting::new(options.validate()?, seed, num_envs);
    let mut policy = RepeatedRandom::with_repeat(world.action_space(), seed, num_envs, 1);
    let bytes = world.frame_bytes();
    let (mut first, mut second) = (vec![0; num_envs * bytes], vec![0; num_envs * bytes]);
    let (mut at_first, mut at_second) = (
        vec![Outcome::default(); num_envs],
        vec![Outcome::default(); num_envs],
    );
    let counts: Vec<u8> = (0..num_envs)
        .map(|copy| (copy % states as usize) as u8)
        .collect();
    world.reset_with_counts(&counts, &mut first, &mut at_first)?;
    let (mut vectors, mut ids) = (Vec::new(), Vec::new());
    let chosen = policy.next_actions();
    describe_actions(world.action_space(), chosen, &mut vectors, &mut ids)?;
    world.step(chosen, &mut second, &mut at_second)?;

    let random = random_function(config)?;
    let width = world.action_space().vector_width();
    let mut batch = Batch {
        frame_shape: world.observation_shape(),
        rows: 2 * num_envs,
        action_width: width,
        target_width: random.as_ref().map_or(1, |function| function.width()),
        ..Batch::default()
    };
    let mut states = Vec::with_capacity(2 * num_envs);
    for copy in 0..num_envs {
        for (frames, outcomes, continues) in
            [(&first, &at_first, true), (&second, &at_second, false)]
        {
            let frame = &frames[copy * bytes..(copy + 1) * bytes];
            batch.frames.extend_from_slice(frame);
            batch
                .actions
                .extend_from_slice(&vectors[copy * width..(copy + 1) * width]);
            batch.action_ids.push(ids[copy]);
            match &random {
                Some(function) => batch.targets.extend(function.evaluate(frame)),
                None => batch.targets.push(outcomes[copy].value),
            }
            batch.continues.push(continues);
            states.push(outcomes[copy].state.index() as u32);
        }
    }
    Ok((batch, states))
}
