//! Batches as tensors.

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use tellapart_data::Batch;
use tellapart_model::Interface;
use tellapart_model::dynamics::ActionBatch;
use tellapart_model::init::normal;
use tellapart_model::pjepa::{LatentNoise, TensorBatch};
use tellapart_model::trunk::Frames;

/// Copies a batch to the device.
pub(crate) fn tensor_batch(batch: &Batch, interface: &Interface, device: &Device) -> TensorBatch {
    let rows = batch.rows;
    let continues: Vec<f32> = batch.continues[..rows.saturating_sub(1)]
        .iter()
        .map(|&continues| f32::from(u8::from(continues)))
        .collect();
    TensorBatch {
        observations: Frames::new(&batch.frames, batch.frame_shape, device),
        actions: ActionBatch::new(
            &batch.actions,
            batch.action_width,
            &batch.action_ids,
            interface.actions,
            device,
        ),
        targets: Tensor::from_data(
            TensorData::new(batch.targets.clone(), [rows, batch.target_width]),
            device,
        ),
        transitions: batch.transitions().count(),
        continues: Tensor::from_data(
            TensorData::new(continues, [rows.saturating_sub(1), 1]),
            device,
        ),
    }
}

/// Normal noise of this standard deviation for both networks; `None` for none.
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
        let values: Vec<f32> = (0..rows * latent)
            .map(|_| normal(rng) * deviation)
            .collect();
        Tensor::from_data(TensorData::new(values, [rows, latent]), device)
    };
    Some(LatentNoise {
        dynamics: draw(),
        auxiliary: draw(),
    })
}
