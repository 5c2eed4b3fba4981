//! Layer normalization over the channels of each pixel, then an activation, in one pass over memory
//! each way.
//!
//! Mean and deviation of rows come from [`measure`]. A convolution stack saves them, because adding
//! up the lanes of a vector takes longer than the rest. The public functions measure rows a few at
//! a time, and use them while they are in the first-level cache.

use std::ops::Range;

use crate::nn::elementwise::add;
use crate::parallel::{over_jobs, over_ranges, ranges};
use crate::shape::{KernelError, check_length};
use crate::simd::Isa;
use crate::simd::each_isa::on_each_isa;

mod mish;
#[cfg(target_arch = "x86_64")]
mod wide;

use mish::{mish, mish_slope};

/// Parts in which rows are summed, whatever the number of threads: the order of additions never
/// changes.
const PARTS: usize = 8;

/// Rows that are measured, then used: a multiple of [`TOGETHER`].
const AT_ONCE: usize = 64;

/// Operations for one value, roughly; decides whether a second thread pays.
const OPERATIONS: usize = 32;

/// Normalizes each row of `input`, `[rows][channels]`, to mean 0 and (biased) variance 1. Then
/// scales by `gamma`, shifts by `beta` (both `[channels]`) and applies `activation`, into `out`.
/// `epsilon` is added to the variance.
///
/// # Errors
/// [`KernelError`] names a slice whose length does not fit, or zero channels.
pub fn norm_activate(
    input: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    activation: Activation,
    out: &mut [f32],
) -> Result<(), KernelError> {
    let rows = check_rows(input, gamma, beta)?;
    check_length("the output of a normalization", input.len(), out.len())?;
    let isa = Isa::detect();
    over_ranges(rows, input.len() * OPERATIONS, out, |rows, out| {
        let input = &input[rows.start * gamma.len()..rows.end * gamma.len()];
        let block = AT_ONCE * gamma.len();
        let mut moments = [0.0; 2 * AT_ONCE];
        for (input, out) in input.chunks(block).zip(out.chunks_mut(block)) {
            let moments = &mut moments[..2 * (input.len() / gamma.len())];
            measure(isa, input, epsilon, moments);
            let affine = Affine::new(gamma, beta, moments);
            match activation {
                Activation::Relu => normalize(isa, input, affine, out),
                Activation::Mish => normalize_mish(isa, input, affine, out),
            }
        }
    });
    Ok(())
}

/// Activation after the normalization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x tanh(softplus(x))` (Misra 2019).
    Mish,
}

/// Gradients that [`norm_activate_gradient`] computes.
pub struct NormGradients<'a> {
    /// Gradient with respect to the output before the call, with respect to the input afterwards.
    pub values: &'a mut [f32],
    /// Gradient with respect to `gamma`.
    pub gamma: &'a mut [f32],
    /// Gradient with respect to `beta`.
    pub beta: &'a mut [f32],
}

/// Computes the gradients of [`norm_activate`]; the first five arguments are those of that call.
///
/// # Errors
/// [`KernelError`] names a slice whose length does not fit, or zero channels.
pub fn norm_activate_gradient(
    input: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    activation: Activation,
    gradients: NormGradients<'_>,
) -> Result<(), KernelError> {
    let rows = check_rows(input, gamma, beta)?;
    let channels = gamma.len();
    check_length(
        "the gradient of a normalization",
        input.len(),
        gradients.values.len(),
    )?;
    check_length("the gradient of gamma", channels, gradients.gamma.len())?;
    check_length("the gradient of beta", channels, gradients.beta.len())?;
    let isa = Isa::detect();
    let mut sums = vec![0.0; PARTS * 2 * channels];
    let mut rest = gradients.values;
    let mut jobs = Vec::with_capacity(PARTS);
    for (rows, sums) in ranges(rows, PARTS).zip(sums.chunks_exact_mut(2 * channels)) {
        let (values, tail) = rest.split_at_mut(rows.len() * channels);
        rest = tail;
        jobs.push((rows.start * channels..rows.end * channels, values, sums));
    }
    over_jobs(jobs, |(range, values, sums)| {
        let block = AT_ONCE * channels;
        let mut moments = [0.0; 2 * AT_ONCE];
        for (input, values) in input[range].chunks(block).zip(values.chunks_mut(block)) {
            let moments = &mut moments[..2 * (input.len() / channels)];
            measure(isa, input, epsilon, moments);
            let affine = Affine::new(gamma, beta, moments);
            match activation {
                Activation::Relu => normalize_gradient(isa, input, affine, values, sums),
                Activation::Mish => normalize_mish_gradient(isa, input, affine, values, sums),
            }
        }
    });
    gradients.gamma.fill(0.0);
    gradients.beta.fill(0.0);
    for part in sums.chunks_exact(2 * channels) {
        let (to_gamma, to_beta) = part.split_at(channels);
        add(gradients.gamma, to_gamma);
        add(gradients.beta, to_beta);
    }
    Ok(())
}

/// Returns the number of rows.
fn check_rows(input: &[f32], gamma: &[f32], beta: &[f32]) -> Result<usize, KernelError> {
    if gamma.is_empty() {
        return Err(KernelError::Zero {
            name: "the number of channels",
        });
    }
    check_length("beta of a normalization", gamma.len(), beta.len())?;
    let rows = input.len() / gamma.len();
    check_length(
        "the input of a normalization",
        rows * gamma.len(),
        input.len(),
    )?;
    Ok(rows)
}

/// Scale and shift of each channel, and mean and inverse deviation of each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine<'a> {
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    /// `[mean, 1 / deviation]` of each row.
    moments: &'a [[f32; 2]],
}

impl<'a> Affine<'a> {
    /// Takes `moments` as [`measure`] computes them, for exactly the rows that are normalized.
    pub(crate) fn new(gamma: &'a [f32], beta: &'a [f32], moments: &'a [f32]) -> Self {
        Self {
            gamma,
            beta,
            moments: moments.as_chunks().0,
        }
    }

    /// Returns the part for a range of values, whole rows.
    pub(crate) fn part(self, numbers: Range<usize>) -> Self {
        let channels = self.gamma.len();
        Self {
            moments: &self.moments[numbers.start / channels..numbers.end / channels],
            ..self
        }
    }
}

/// Computes the mean of each row, and one over its deviation, into `moments`, `[rows][2]`, whose
/// length gives the number of rows. `epsilon` is added to the variance.
pub(crate) fn measure(isa: Isa, input: &[f32], epsilon: f32, moments: &mut [f32]) {
    let moments = moments.as_chunks_mut().0;
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 && wide::fits(input.len() / moments.len().max(1)) {
        // SAFETY: this instruction set was detected.
        return unsafe { wide::measure(input, epsilon, moments) };
    }
    measure_plainly(isa, input, epsilon, moments);
}

/// Normalizes rows, then clips them at zero from below.
pub(crate) fn normalize(isa: Isa, input: &[f32], affine: Affine<'_>, out: &mut [f32]) {
    assert_eq!(affine.moments.len() * affine.gamma.len(), input.len());
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 && wide::fits(affine.gamma.len()) {
        // SAFETY: this instruction set was detected.
        return unsafe { wide::forward(input, affine, out) };
    }
    normalize_plainly(isa, input, affine, out);
}

/// Turns the `gradient` with respect to the output of [`normalize`] into that with respect to its
/// input. Adds the gradients with respect to gamma, then beta, to `sums`.
pub(crate) fn normalize_gradient(
    isa: Isa,
    input: &[f32],
    affine: Affine<'_>,
    gradient: &mut [f32],
    sums: &mut [f32],
) {
    assert_eq!(affine.moments.len() * affine.gamma.len(), input.len());
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 && wide::fits(affine.gamma.len()) {
        // SAFETY: this instruction set was detected.
        return unsafe { wide::backward(input, affine, gradient, sums) };
    }
    normalize_gradient_plainly(isa, input, affine, gradient, sums);
}

on_each_isa!(measure_plainly = moments(input: &[f32], epsilon: f32, to: &mut [[f32; 2]]));
on_each_isa!(normalize_plainly = forward_relu(input: &[f32], affine: Affine<'_>, out: &mut [f32]));
on_each_isa!(normalize_mish = forward_mish(input: &[f32], affine: Affine<'_>, out: &mut [f32]));
on_each_isa!(
    normalize_gradient_plainly = backward_relu(
        input: &[f32], affine: Affine<'_>, gradient: &mut [f32], sums: &mut [f32]
    )
);
on_each_isa!(
    normalize_mish_gradient = backward_mish(
        input: &[f32], affine: Affine<'_>, gradient: &mut [f32], sums: &mut [f32]
    )
);

/// Rows taken through each stage together. A sum over one row is a chain of dependent steps, and
/// the processor overlaps those of several rows.
const TOGETHER: usize = 16;

#[inline(always)]
fn forward_relu(input: &[f32], affine: Affine<'_>, out: &mut [f32]) {
    forward(input, affine, out, |x| if x > 0.0 { x } else { 0.0 });
}

#[inline(always)]
fn forward_mish(input: &[f32], affine: Affine<'_>, out: &mut [f32]) {
    forward(input, affine, out, mish);
}

#[inline(always)]
fn backward_relu(input: &[f32], affine: Affine<'_>, gradient: &mut [f32], sums: &mut [f32]) {
    // Selected, not multiplied: nothing must pass where an infinite gradient arrives at a zero.
    backward(input, affine, gradient, sums, |x, arriving| {
        if x > 0.0 { arriving } else { 0.0 }
    });
}

#[inline(always)]
fn backward_mish(input: &[f32], affine: Affine<'_>, gradient: &mut [f32], sums: &mut [f32]) {
    backward(input, affine, gradient, sums, |x, arriving| {
        arriving * mish_slope(x)
    });
}

#[inline(always)]
fn forward(input: &[f32], affine: Affine<'_>, out: &mut [f32], activate: impl Fn(f32) -> f32) {
    let channels = affine.gamma.len();
    let (gamma, beta) = (&affine.gamma[..channels], &affine.beta[..channels]);
    let rows = input
        .chunks_exact(channels)
        .zip(out.chunks_exact_mut(channels));
    for ((row, out), &[mean, scale]) in rows.zip(affine.moments) {
        let (row, out) = (&row[..channels], &mut out[..channels]);
        for channel in 0..channels {
            out[channel] = activate((row[channel] - mean) * scale * gamma[channel] + beta[channel]);
        }
    }
}

/// Turns the `gradient` with respect to the output into that with respect to the input. Adds the
/// gradients with respect to gamma, then beta, to `sums`.
#[inline(always)]
fn backward(
    input: &[f32],
    affine: Affine<'_>,
    gradient: &mut [f32],
    sums: &mut [f32],
    pass: impl Fn(f32, f32) -> f32,
) {
    let channels = affine.gamma.len();
    // Slices of one visible length need no bounds checks in the loops, so the loops become vectors.
    let (gamma, beta) = (&affine.gamma[..channels], &affine.beta[..channels]);
    let (to_gamma, to_beta) = sums.split_at_mut(channels);
    let (to_gamma, to_beta) = (&mut to_gamma[..channels], &mut to_beta[..channels]);
    let block = TOGETHER * channels;
    let mut normal = vec![0.0; block];
    let blocks = input.chunks(block).zip(gradient.chunks_mut(block));
    for ((rows, to_input), moments) in blocks.zip(affine.moments.chunks(TOGETHER)) {
        let each_row = rows.chunks_exact(channels).zip(
            to_input
                .chunks_exact_mut(channels)
                .zip(normal.chunks_exact_mut(channels)),
        );
        for ((row, (to_normal, normal)), &[mean, scale]) in each_row.zip(moments) {
            let row = &row[..channels];
            let (to_normal, normal) = (&mut to_normal[..channels], &mut normal[..channels]);
            for channel in 0..channels {
                let value = (row[channel] - mean) * scale;
                // As in `forward`, so that the same elements pass.
                let activation = (row[channel] - mean) * scale * gamma[channel] + beta[channel];
                let passed = pass(activation, to_normal[channel]);
                to_gamma[channel] += passed * value;
                to_beta[channel] += passed;
                normal[channel] = value;
                to_normal[channel] = passed * gamma[channel];
            }
        }
        // Components that change the mean or the variance of a row are projected out.
        let share = 1.0 / channels as f32;
        let mut projections = [(0.0, 0.0); TOGETHER];
        let rows = to_input
            .chunks_exact(channels)
            .zip(normal.chunks_exact(channels));
        for (projection, (to_normal, normal)) in projections.iter_mut().zip(rows) {
            let mean = sum(to_normal, normal, |gradient, _| gradient) * share;
            let along = sum(to_normal, normal, |gradient, value| gradient * value) * share;
            *projection = (mean, along);
        }
        let rows = to_input
            .chunks_exact_mut(channels)
            .zip(normal.chunks_exact(channels));
        for ((to_input, normal), ((mean, along), &[_, scale])) in
            rows.zip(projections.into_iter().zip(moments))
        {
            let (to_input, normal) = (&mut to_input[..channels], &normal[..channels]);
            for channel in 0..channels {
                to_input[channel] = scale * (to_input[channel] - mean - normal[channel] * along);
            }
        }
    }
}

#[inline(always)]
fn moments(input: &[f32], epsilon: f32, to: &mut [[f32; 2]]) {
    let channels = input.len() / to.len().max(1);
    if channels == 0 {
        return;
    }
    let share = 1.0 / channels as f32;
    for ([mean, scale], row) in to.iter_mut().zip(input.chunks_exact(channels)) {
        *mean = sum(row, row, |value, _| value) * share;
        *scale = sum(row, row, |value, _| (value - *mean) * (value - *mean)) * share;
    }
    // All roots and quotients at once: one by one they take as long as the sums.
    for [_, scale] in to {
        *scale = 1.0 / (*scale + epsilon).sqrt();
    }
}

/// Sums `term` over pairs, in sixteen interleaved partial sums, which fill vectors of any width.
#[inline(always)]
fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a_blocks, a_rest) = a.as_chunks::<16>();
    let (b_blocks, b_rest) = b.as_chunks::<16>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..16 {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    for (sum, (&a, &b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += term(a, b);
    }
    let mut width = 8;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}
