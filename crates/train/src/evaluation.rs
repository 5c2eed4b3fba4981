//! Final evaluation: observations that nothing was trained on or chosen by, their latents, and
//! open-loop predictions from them.

use burn::tensor::{Device, Tensor, TensorData};
use tellapart_env::{BatchEnvironment, Counting, Outcome, RepeatedRandom};
use tellapart_model::conv_stack::FrameBatch;
use tellapart_model::predictor::ActionBatch;
use tellapart_model::{IoSpec, Pjepa};
use tellapart_system::{ActionId, MooreMachine};

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::experience::{describe_actions, random_function};
use crate::seeds::{Purpose, derived_seed};

/// Number of rows encoded together; bounds memory.
const CHUNK: usize = 256;

/// Fresh observations of a live environment, equally many of every state. Each has its factors and
/// a recorded continuation of random actions.
#[derive(Debug, Clone)]
pub struct HeldOut {
    /// Frames `[rows, height, width, channels]`.
    pub frames: Vec<u8>,
    /// Shape `[height, width, channels]` of a frame.
    pub frame_shape: [usize; 3],
    /// Hidden state of each row.
    pub states: Vec<u32>,
    /// Shape of the objects of each row.
    pub shapes: Vec<u32>,
    /// Color of the objects of each row, `[rows, 3]` in `[0, 1]`.
    pub colors: Vec<f32>,
    /// Mean position of the objects in pixels, `[rows, 2]`; NaN if there are none.
    pub mean_positions: Vec<f32>,
    /// p of each row, `[rows, width]`.
    pub targets: Vec<f32>,
    /// Length of p.
    pub target_width: usize,
    /// Actions and what followed, step after step.
    pub continuation: Vec<RecordedStep>,
    /// Finite system behind the observations.
    pub truth: MooreMachine,
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

impl HeldOut {
    /// Collects `per_state` observations of every state, for this purpose alone. Episodes do not
    /// end at the target, so that every row has a whole continuation.
    ///
    /// # Errors
    /// Those of the environment.
    pub fn collect(
        config: &ValidConfig,
        purpose: Purpose,
        per_state: usize,
    ) -> Result<Self, TrainError> {
        let seed = derived_seed(config.seed, purpose);
        let horizon = config.evaluation.horizon_steps;
        let mut options = config.environment.clone();
        options.end_at_target = false;
        options.max_steps = u32::try_from(horizon).unwrap_or(u32::MAX).saturating_add(1);
        let states = usize::from(options.max_count) + 1;
        let rows = states * per_state;
        let mut world = Counting::new(options.validate()?, seed, rows);
        let mut frames = vec![0; rows * world.frame_bytes()];
        let mut outcomes = vec![Outcome::default(); rows];
        let counts: Vec<u8> = (0..rows).map(|row| (row % states) as u8).collect();
        world.reset_with_counts(&counts, &mut frames, &mut outcomes)?;

        let random = random_function(config)?;
        let targets_of = |frames: &[u8], outcomes: &[Outcome]| match &random {
            Some(function) => function.evaluate(frames),
            None => outcomes.iter().map(|outcome| outcome.value).collect(),
        };
        let mut held_out = Self {
            frame_shape: world.observation_shape(),
            states: outcomes
                .iter()
                .map(|outcome| outcome.state.index() as u32)
                .collect(),
            shapes: (0..rows)
                .map(|row| u32::from(world.shape(row).id()))
                .collect(),
            colors: (0..rows)
                .flat_map(|row| world.color(row).map(|c| f32::from(c) / 255.0))
                .collect(),
            mean_positions: (0..rows)
                .flat_map(|row| mean_position(world.positions(row)))
                .collect(),
            targets: targets_of(&frames, &outcomes),
            target_width: random.as_ref().map_or(1, |function| function.width()),
            continuation: Vec::with_capacity(horizon),
            truth: world.ground_truth()?,
            frames: frames.clone(),
        };
        let mut policy = RepeatedRandom::with_repeat(world.action_space(), seed, rows, 1);
        for _ in 0..horizon {
            let (mut actions, mut action_ids) = (Vec::new(), Vec::new());
            let chosen = policy.next_actions();
            describe_actions(world.action_space(), chosen, &mut actions, &mut action_ids)?;
            world.step(chosen, &mut frames, &mut outcomes)?;
            let targets = targets_of(&frames, &outcomes);
            held_out.continuation.push(RecordedStep {
                actions,
                action_ids,
                targets,
            });
        }
        Ok(held_out)
    }

    /// Returns the number of observations.
    pub fn rows(&self) -> usize {
        self.states.len()
    }
}

/// Computes `E` of whole frames, `[rows, latent]`.
pub fn embed(model: &Pjepa, frames: &[u8], shape: [usize; 3], device: &Device) -> Vec<f32> {
    let bytes: usize = shape.iter().product();
    let mut latents = Vec::new();
    for chunk in frames.chunks(CHUNK * bytes) {
        let frames = FrameBatch::new(chunk, shape, device);
        latents.extend(to_vec(model.encoder.forward(&frames)));
    }
    latents
}

/// Computes `P` of latents, `[rows, width of p]`.
pub fn predict(model: &Pjepa, latents: &[f32], width: usize, device: &Device) -> Vec<f32> {
    to_vec(model.head.predict(latent_tensor(latents, width, device)))
}

/// Computes open-loop predictions of p after 1, 2, ... recorded steps:
/// `P(T(...T(z, a_1)..., a_k))`.
pub fn roll_out(
    model: &Pjepa,
    interface: &IoSpec,
    latents: &[f32],
    width: usize,
    steps: &[RecordedStep],
    device: &Device,
) -> Vec<Vec<f32>> {
    let predictor = model.predictor.prepare();
    let mut latent = latent_tensor(latents, width, device);
    let mut predictions = Vec::with_capacity(steps.len());
    for step in steps {
        let actions = ActionBatch::new(
            &step.actions,
            interface.action_width,
            &step.action_ids,
            device,
        );
        latent = predictor.step(latent, &actions);
        predictions.push(to_vec(model.head.predict(latent.clone())));
    }
    predictions
}

/// Computes the prediction of p after one word, taken from every row with its representative action
/// vectors.
pub fn roll_out_word(
    model: &Pjepa,
    config: &ValidConfig,
    interface: &IoSpec,
    latents: &[f32],
    word: &[ActionId],
    device: &Device,
) -> Result<Vec<f32>, TrainError> {
    let width = config.model.latent;
    let rows = latents.len() / width;
    let space = config.environment.actions;
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
    let predictions = roll_out(model, interface, latents, width, &steps, device);
    Ok(predictions
        .into_iter()
        .next_back()
        .unwrap_or_else(|| predict(model, latents, width, device)))
}

fn latent_tensor(latents: &[f32], width: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(latents.to_vec(), [latents.len() / width, width]),
        device,
    )
}

fn to_vec(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn mean_position(positions: &[[i16; 2]]) -> [f32; 2] {
    let placed: Vec<_> = positions
        .iter()
        .filter(|position| position[0] >= 0)
        .collect();
    let mean = |axis: usize| {
        placed
            .iter()
            .map(|position| f32::from(position[axis]))
            .sum::<f32>()
            / placed.len() as f32
    };
    [mean(0), mean(1)]
}
