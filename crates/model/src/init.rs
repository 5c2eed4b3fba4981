//! Seeded parameter initialization.
//!
//! Burn's own initializers draw from a generator that belongs to the device, shared by everything
//! in the process. Here every network draws from a generator that the caller passes in. Runs with
//! the same seed are then equal, even if several train side by side. For the same reason parameter
//! ids are numbered in order of creation. An optimizer state saved by one process finds its
//! parameters again in another.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Source of the parameters of one network: a generator, a device, and the next id.
pub struct Init<'a> {
    rng: &'a mut ChaCha8Rng,
    device: &'a Device,
    next_id: u64,
}

impl<'a> Init<'a> {
    /// Creates a source that numbers ids from `first_id`. Give each network its own range.
    pub fn new(rng: &'a mut ChaCha8Rng, device: &'a Device, first_id: u64) -> Self {
        Self {
            rng,
            device,
            next_id: first_id,
        }
    }

    /// Draws every element uniformly from `[-bound, bound]`.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let count = shape.iter().product();
        let values = (0..count)
            .map(|_| self.rng.random_range(-1.0f32..=1.0) * bound)
            .collect();
        self.parameter(shape, values)
    }

    /// Sets every element to `value`.
    pub fn constant<const D: usize>(&mut self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        let count = shape.iter().product();
        self.parameter(shape, vec![value; count])
    }

    /// Draws `count` random orthogonal matrices, `[count, width, width]` (Gram-Schmidt on normal
    /// draws).
    pub fn orthogonal(&mut self, count: usize, width: usize) -> Param<Tensor<3>> {
        let mut values = Vec::with_capacity(count * width * width);
        for _ in 0..count {
            values.extend(orthogonal_matrix(self.rng, width));
        }
        self.parameter([count, width, width], values)
    }

    fn parameter<const D: usize>(
        &mut self,
        shape: [usize; D],
        values: Vec<f32>,
    ) -> Param<Tensor<D>> {
        let id = ParamId::from(self.next_id);
        self.next_id += 1;
        trainable(id, TensorData::new(values, shape), self.device)
    }
}

/// Creates a parameter that gathers gradients if the device has autodiff.
pub(crate) fn trainable<const D: usize>(
    id: ParamId,
    data: TensorData,
    device: &Device,
) -> Param<Tensor<D>> {
    let tensor = Tensor::from_data(data, device);
    let tensor = if device.is_autodiff() {
        tensor.require_grad()
    } else {
        tensor
    };
    Param::initialized(id, tensor)
}

/// Draws an orthogonal matrix: rows are normal and made orthonormal one after another, in f64.
fn orthogonal_matrix(rng: &mut ChaCha8Rng, width: usize) -> Vec<f32> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(width);
    while rows.len() < width {
        let mut row: Vec<f64> = (0..width).map(|_| f64::from(normal(rng))).collect();
        // Twice is enough (Kahan): the second pass removes what the rounding of the first one left.
        for _ in 0..2 {
            for earlier in &rows {
                let dot: f64 = row.iter().zip(earlier).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(earlier).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = row.iter().map(|a| a * a).sum::<f64>().sqrt();
        if norm > 1e-6 {
            rows.push(row.into_iter().map(|a| a / norm).collect());
        }
    }
    rows.into_iter().flatten().map(|a| a as f32).collect()
}

/// Draws from the standard normal distribution.
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let [one, _] = two_normals(rng);
    one
}

/// Draws two independent values from the standard normal distribution, for the price of one
/// (Box-Muller).
pub fn two_normals(rng: &mut ChaCha8Rng) -> [f32; 2] {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    let (sine, cosine) = (std::f32::consts::TAU * rng.random::<f32>()).sin_cos();
    [radius * cosine, radius * sine]
}
