//! Conversion of batches to tensors.

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use tellapart_data::{Batch, Frames};
use tellapart_model::ObservationBatch;
use tellapart_model::init::two_normals;
use tellapart_model::pjepa::{LatentNoise, TensorBatch};
use tellapart_model::predictor::ActionBatch;

/// Moves a batch to the device.
pub(crate) fn tensor_batch(batch: Batch, device: &Device) -> TensorBatch {
    let rows = batch.rows;
    let sources: Vec<usize> = batch.transitions().collect();
    let width = batch.action_width;
    let actions = |row: &usize| &batch.actions[row * width..(row + 1) * width];
    let actions: Vec<f32> = sources.iter().flat_map(actions).copied().collect();
    let ids: Vec<u32> = sources.iter().map(|&row| batch.action_ids[row]).collect();
    let places: Vec<i32> = sources.iter().map(|&row| row as i32).collect();
    // NaN stands for a value that is not known, and would spread through every sum.
    let target_width = batch.target_width;
    let mut targets = batch.targets;
    let known = |row: &usize| {
        !targets[row * target_width..(row + 1) * target_width]
            .iter()
            .any(|v| v.is_nan())
    };
    let known: Vec<i32> = (0..rows).filter(known).map(|row| row as i32).collect();
    let known = (known.len() < rows).then(|| {
        targets
            .iter_mut()
            .filter(|v| v.is_nan())
            .for_each(|v| *v = 0.0);
        let count = known.len();
        Tensor::from_data(TensorData::new(known, [count]), device)
    });
    let taken = batch.step_actions.map(|actions| {
        let one_hot = one_hot(&batch.action_ids, actions);
        Tensor::from_data(TensorData::new(one_hot, [rows, actions]), device)
    });
    TensorBatch {
        taken,
        observations: observation_batch(batch.observations, device),
        actions: ActionBatch::new(&actions, width, &ids, device),
        targets: Tensor::from_data(TensorData::new(targets, [rows, target_width]), device),
        known,
        transitions: sources.len(),
        sources: Tensor::from_data(TensorData::new(places, [sources.len()]), device),
    }
}

/// Returns ids as vectors with a single 1, `[ids, count]`.
pub(crate) fn one_hot(ids: &[u32], count: usize) -> Vec<f32> {
    let mut vectors = vec![0.0; ids.len() * count];
    for (row, &id) in ids.iter().enumerate() {
        vectors[row * count + id as usize] = 1.0;
    }
    vectors
}

/// Moves observations to the device.
pub(crate) fn observation_batch(observations: Frames, device: &Device) -> ObservationBatch {
    let image = observations.image_shape();
    match observations {
        Frames::U8 { values, .. } => {
            ObservationBatch::images(values, image.unwrap_or_default(), device)
        }
        Frames::F32 { values, shape } => {
            ObservationBatch::vectors(values, shape.iter().product(), device)
        }
        Frames::Other { values, shape } => {
            let numbers = values.rounded(0..values.len());
            ObservationBatch::vectors(numbers, shape.iter().product(), device)
        }
    }
}

/// Draws normal noise of this standard deviation for both networks; `None` if it is 0.
pub(crate) fn latent_noise(
    rng: &mut ChaCha8Rng,
    deviation: f32,
    rows: usize,
    latent: usize,
    device: &Device,
) -> Option<LatentNoise> {
    if deviation == 0.0 {
        return None;
    }
    let mut draw = || {
        let count = rows * latent;
        let mut values = Vec::with_capacity(count + 1);
        while values.len() < count {
            values.extend(two_normals(rng).map(|normal| normal * deviation));
        }
        values.truncate(count);
        Tensor::from_data(TensorData::new(values, [rows, latent]), device)
    };
    Some(LatentNoise {
        dynamics: draw(),
        auxiliary: draw(),
    })
}
