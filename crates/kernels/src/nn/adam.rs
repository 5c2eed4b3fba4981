//! Adam (Kingma & Ba 2015) in one pass over memory, and the norm that gradients are clipped by.

use crate::shape::{KernelError, check_length};
use crate::simd::Isa;
use crate::simd::each_isa::on_each_isa;

/// Settings of one step of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the denominator, after the second moment's correction.
    pub epsilon: f32,
    /// Number of this step; the first is 1.
    pub time: i32,
}

/// Takes one step of Adam: moves `parameters` against `gradient` and updates both moments, which
/// are zero before the first step. All slices have one length.
///
/// # Errors
/// [`KernelError::Length`] names a slice whose length differs.
pub fn adam(
    step: AdamStep,
    gradient: &[f32],
    parameters: &mut [f32],
    moment1: &mut [f32],
    moment2: &mut [f32],
) -> Result<(), KernelError> {
    let len = gradient.len();
    check_length("the parameters", len, parameters.len())?;
    check_length("the first moment", len, moment1.len())?;
    check_length("the second moment", len, moment2.len())?;
    adam_on(Isa::detect(), step, gradient, parameters, moment1, moment2);
    Ok(())
}

/// Returns the sum of the squares of `values`, added up in partial sums of a fixed order.
#[must_use]
pub fn sum_of_squares(values: &[f32]) -> f32 {
    let mut sum = 0.0;
    sum_of_squares_on(Isa::detect(), values, &mut sum);
    sum as f32
}

on_each_isa!(
    adam_on = move_each(
        step: AdamStep, gradient: &[f32], parameters: &mut [f32], moment1: &mut [f32],
        moment2: &mut [f32]
    )
);
on_each_isa!(sum_of_squares_on = add_squares(values: &[f32], sum: &mut f64));

#[inline(always)]
fn move_each(
    step: AdamStep,
    gradient: &[f32],
    parameters: &mut [f32],
    moment1: &mut [f32],
    moment2: &mut [f32],
) {
    let AdamStep {
        rate,
        beta1,
        beta2,
        epsilon,
        time,
    } = step;
    // Both corrections for moments that began at zero, as one factor and a scaled epsilon.
    let correction2 = (1.0 - beta2.powi(time)).sqrt();
    let factor = correction2 / (1.0 - beta1.powi(time));
    let epsilon = epsilon * correction2;
    let moments = moment1.iter_mut().zip(moment2);
    for ((&gradient, parameter), (first, second)) in gradient.iter().zip(parameters).zip(moments) {
        *first = *first * beta1 + gradient * (1.0 - beta1);
        *second = *second * beta2 + gradient * gradient * (1.0 - beta2);
        *parameter -= *first * factor / (second.sqrt() + epsilon) * rate;
    }
}

#[inline(always)]
fn add_squares(values: &[f32], sum: &mut f64) {
    for block in values.chunks(4096) {
        // The squares of a block add up in 64 lanes of f32, the blocks in f64.
        let mut sums = [0.0f32; 64];
        let (whole, rest) = block.as_chunks::<64>();
        for values in whole {
            for lane in 0..64 {
                sums[lane] += values[lane] * values[lane];
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum += value * value;
        }
        *sum += sums.iter().map(|&sum| f64::from(sum)).sum::<f64>();
    }
}
