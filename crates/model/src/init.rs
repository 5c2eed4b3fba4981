//! Seeded parameter initialisation.
//!
//! Burn's own initialisers draw from a generator that belongs to the device, shared by everything
//! that runs in the process. Here every network draws from a generator that is handed in, so that
//! runs with the same seed are equal even when several train side by side. Parameter ids are
//! numbered in order of creation for the same reason: an optimiser state saved by one process
//! finds its parameters again in another.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tellapart_kernels::Precision;

/// Where the parameters of one network come from: a generator, a device, and the next id.
pub struct Init<'a> {
    rng: &'a mut ChaCha8Rng,
    device: &'a Device,
    next_id: u64,
    precision: Precision,
}

impl<'a> Init<'a> {
    /// Ids are numbered from `first_id`; give each network a range of its own.
    pub fn new(rng: &'a mut ChaCha8Rng, device: &'a Device, first_id: u64) -> Self {
        Self {
            rng,
            device,
            next_id: first_id,
            precision: Precision::F32,
        }
    }

    /// Products of the layers to come have this precision on the CPU device.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    /// Every entry uniform in `[-bound, bound]`.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let count = shape.iter().product();
        let values = (0..count)
            .map(|_| self.rng.random_range(-1.0f32..=1.0) * bound)
            .collect();
        self.parameter(shape, values)
    }

    /// Every entry the same.
    pub fn constant<const D: usize>(&mut self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        let count = shape.iter().product();
        self.parameter(shape, vec![value; count])
    }

    /// `count` random orthogonal matrices, `[count, width, width]` (Gram-Schmidt on normal draws).
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

/// A parameter that gathers gradients where the device can; elsewhere it is there to be used.
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

/// Rows are drawn normal and made orthonormal one after another, in f64.
fn orthogonal_matrix(rng: &mut ChaCha8Rng, width: usize) -> Vec<f32> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(width);
    while rows.len() < width {
        let mut row: Vec<f64> = (0..width).map(|_| f64::from(normal(rng))).collect();
        // Twice is enough (Kahan): the second pass removes what rounding left of the first.
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

/// One draw from the standard normal distribution.
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let [one, _] = two_normals(rng);
    one
}

/// Two independent draws from the standard normal distribution, for the price of one (Box-Muller).
pub fn two_normals(rng: &mut ChaCha8Rng) -> [f32; 2] {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    let (sine, cosine) = (std::f32::consts::TAU * rng.random::<f32>()).sin_cos();
    [radius * cosine, radius * sine]
}
