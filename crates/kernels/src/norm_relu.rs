//! Layer normalisation over the channels of each pixel, then ReLU, in one pass over memory.
//!
//! The gradient recomputes mean and deviation from the input: a row is in the first-level cache
//! anyway, and nothing has to be kept between forward and backward but the input.

use crate::lanes::Isa;
use crate::shape::{KernelError, check_length};
use crate::split::{over_items, over_jobs, ranges};

/// Rows are summed in this many parts, whatever the number of threads, so that the order of
/// additions never changes.
const PARTS: usize = 8;

/// Normalises each row of `input`, `[rows][channels]`, to mean 0 and (biased) variance 1, scales by
/// `gamma`, shifts by `beta` (both `[channels]`) and clips at zero from below, into `out`.
/// `epsilon` is added to the variance. `threads` share the rows.
///
/// # Errors
/// [`KernelError`] names a slice whose length does not fit, or zero channels.
pub fn norm_relu(
    input: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    out: &mut [f32],
    threads: usize,
) -> Result<(), KernelError> {
    let rows = check_rows(input, gamma, beta)?;
    check_length("the output of a normalisation", input.len(), out.len())?;
    let isa = Isa::detect();
    let affine = Affine {
        gamma,
        beta,
        epsilon,
    };
    over_items(rows, threads, out, |rows, out| {
        let input = &input[rows.start * gamma.len()..rows.end * gamma.len()];
        forward_on(isa, input, affine, out);
    });
    Ok(())
}

/// Where [`norm_relu_gradient`] writes; all of it is overwritten.
pub struct NormGradients<'a> {
    /// With respect to the input, as long as the input.
    pub input: &'a mut [f32],
    /// With respect to `gamma`.
    pub gamma: &'a mut [f32],
    /// With respect to `beta`.
    pub beta: &'a mut [f32],
}

/// Gradients of [`norm_relu`]: its first four arguments again, and the gradient with respect to its
/// output. The result does not depend on the number of `threads`; more than 8 do not help.
///
/// # Errors
/// [`KernelError`] names a slice whose length does not fit, or zero channels.
pub fn norm_relu_gradient(
    input: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    gradient: &[f32],
    gradients: NormGradients<'_>,
    threads: usize,
) -> Result<(), KernelError> {
    let rows = check_rows(input, gamma, beta)?;
    let channels = gamma.len();
    check_length(
        "the output gradient of a normalisation",
        input.len(),
        gradient.len(),
    )?;
    check_length(
        "the input gradient of a normalisation",
        input.len(),
        gradients.input.len(),
    )?;
    check_length("the gradient of gamma", channels, gradients.gamma.len())?;
    check_length("the gradient of beta", channels, gradients.beta.len())?;
    let isa = Isa::detect();
    let affine = Affine {
        gamma,
        beta,
        epsilon,
    };

    let mut sums = vec![0.0; PARTS * 2 * channels];
    let mut rest = gradients.input;
    let mut jobs = Vec::with_capacity(PARTS);
    for (rows, sums) in ranges(rows, PARTS).zip(sums.chunks_exact_mut(2 * channels)) {
        let (to_input, tail) = rest.split_at_mut(rows.len() * channels);
        rest = tail;
        jobs.push((rows.start * channels..rows.end * channels, to_input, sums));
    }
    over_jobs(jobs, threads, |(range, to_input, sums)| {
        gradient_on(
            isa,
            &input[range.clone()],
            affine,
            &gradient[range],
            to_input,
            sums,
        );
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

fn add(to: &mut [f32], values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}

/// The number of rows.
fn check_rows(input: &[f32], gamma: &[f32], beta: &[f32]) -> Result<usize, KernelError> {
    if gamma.is_empty() {
        return Err(KernelError::Zero {
            name: "the number of channels",
        });
    }
    check_length("beta of a normalisation", gamma.len(), beta.len())?;
    let rows = input.len() / gamma.len();
    check_length(
        "the input of a normalisation",
        rows * gamma.len(),
        input.len(),
    )?;
    Ok(rows)
}

#[derive(Clone, Copy)]
struct Affine<'a> {
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
}

/// Compiles a safe function once for each instruction set, and calls the right one.
macro_rules! on_each_isa {
    ($name:ident = $body:ident($($argument:ident: $type:ty),*)) => {
        fn $name(isa: Isa, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) {
                $body($($argument),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            fn avx512($($argument: $type),*) {
                $body($($argument),*);
            }
            match isa {
                Isa::Portable => $body($($argument),*),
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: this instruction set was detected.
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}
on_each_isa!(forward_on = forward(input: &[f32], affine: Affine<'_>, out: &mut [f32]));
on_each_isa!(
    gradient_on = backward(
        input: &[f32], affine: Affine<'_>, gradient: &[f32], to_input: &mut [f32], sums: &mut [f32]
    )
);

/// Rows taken through each stage together: a sum over one row is a chain of dependent steps, and the
/// processor overlaps those of several rows.
const TOGETHER: usize = 16;

#[inline(always)]
fn forward(input: &[f32], affine: Affine<'_>, out: &mut [f32]) {
    let channels = affine.gamma.len();
    let (gamma, beta) = (&affine.gamma[..channels], &affine.beta[..channels]);
    let block = TOGETHER * channels;
    for (rows, out) in input.chunks(block).zip(out.chunks_mut(block)) {
        let moments = moments(rows, channels, affine.epsilon);
        let rows = rows
            .chunks_exact(channels)
            .zip(out.chunks_exact_mut(channels));
        for ((row, out), (mean, scale)) in rows.zip(moments) {
            let (row, out) = (&row[..channels], &mut out[..channels]);
            for channel in 0..channels {
                let activation = (row[channel] - mean) * scale * gamma[channel] + beta[channel];
                out[channel] = if activation > 0.0 { activation } else { 0.0 };
            }
        }
    }
}

#[inline(always)]
fn backward(
    input: &[f32],
    affine: Affine<'_>,
    gradient: &[f32],
    to_input: &mut [f32],
    sums: &mut [f32],
) {
    let channels = affine.gamma.len();
    // Slices of one visible length: no bounds are checked in the loops, so they become vectors.
    let (gamma, beta) = (&affine.gamma[..channels], &affine.beta[..channels]);
    let (to_gamma, to_beta) = sums.split_at_mut(channels);
    let (to_gamma, to_beta) = (&mut to_gamma[..channels], &mut to_beta[..channels]);
    let block = TOGETHER * channels;
    let mut normal = vec![0.0; block];
    let blocks = input.chunks(block).zip(gradient.chunks(block));
    for ((rows, gradient), to_input) in blocks.zip(to_input.chunks_mut(block)) {
        let moments = moments(rows, channels, affine.epsilon);
        let each_row = rows
            .chunks_exact(channels)
            .zip(gradient.chunks_exact(channels))
            .zip(
                to_input
                    .chunks_exact_mut(channels)
                    .zip(normal.chunks_exact_mut(channels)),
            );
        for (((row, gradient), (to_normal, normal)), (mean, scale)) in each_row.zip(moments) {
            let (row, gradient) = (&row[..channels], &gradient[..channels]);
            let (to_normal, normal) = (&mut to_normal[..channels], &mut normal[..channels]);
            for channel in 0..channels {
                let value = (row[channel] - mean) * scale;
                // As in `forward`, so that the same elements pass.
                let activation = (row[channel] - mean) * scale * gamma[channel] + beta[channel];
                let arriving = gradient[channel];
                let passed = if activation > 0.0 { arriving } else { 0.0 };
                to_gamma[channel] += passed * value;
                to_beta[channel] += passed;
                normal[channel] = value;
                to_normal[channel] = passed * gamma[channel];
            }
        }
        // What changes the mean or the variance of a row is projected out.
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
        for ((to_input, normal), ((mean, along), (_, scale))) in
            rows.zip(projections.into_iter().zip(moments))
        {
            let (to_input, normal) = (&mut to_input[..channels], &normal[..channels]);
            for channel in 0..channels {
                to_input[channel] = scale * (to_input[channel] - mean - normal[channel] * along);
            }
        }
    }
}

/// Mean, and one over the deviation, of each row.
#[inline(always)]
fn moments(rows: &[f32], channels: usize, epsilon: f32) -> [(f32, f32); TOGETHER] {
    let share = 1.0 / channels as f32;
    let mut moments = [(0.0, 0.0); TOGETHER];
    for (moments, row) in moments.iter_mut().zip(rows.chunks_exact(channels)) {
        let mean = sum(row, row, |value, _| value) * share;
        let variance = sum(row, row, |value, _| (value - mean) * (value - mean)) * share;
        *moments = (mean, 1.0 / (variance + epsilon).sqrt());
    }
    moments
}

/// Sum of `term` over pairs, in sixteen interleaved partial sums, which fill vectors of any width.
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
