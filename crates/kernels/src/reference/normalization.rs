//! Tests of normalization and activation against their definition in f64.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{assert_close, on, values};
use crate::{Activation, NormGradients, norm_activate, norm_activate_gradient};

/// Normalizes rows in f64, `[rows][channels]`, and applies `activate`.
pub(super) fn naive_norm(
    input: &[f64],
    gamma: &[f64],
    beta: &[f64],
    epsilon: f64,
    activate: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let mut out = Vec::new();
    for row in input.chunks_exact(gamma.len()) {
        let count = row.len() as f64;
        let mean = row.iter().sum::<f64>() / count;
        let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        for (value, (gamma, beta)) in row.iter().zip(gamma.iter().zip(beta)) {
            out.push(activate(
                (value - mean) / (variance + epsilon).sqrt() * gamma + beta,
            ));
        }
    }
    out
}

#[test]
fn normalization_equals_its_reference_and_its_gradient_the_references_differences() {
    let epsilon = 1e-3f32;
    for seed in 0..if cfg!(miri) { 2 } else { 120 } {
        let mut rng = ChaCha8Rng::seed_from_u64(3000 + seed);
        let (widest, most) = if cfg!(miri) { (5, 3) } else { (70, 20) };
        let channels = rng.random_range(1..=widest);
        let rows = rng.random_range(0..=most);
        let activation = [Activation::Relu, Activation::Mish][seed as usize % 2];
        // Some rows are far from zero, where Mish is flat or straight.
        let scale = [1.0, 40.0][seed as usize / 2 % 2];
        let input = values(&mut rng, rows * channels);
        let mut gamma = values(&mut rng, channels);
        gamma.iter_mut().for_each(|gamma| *gamma *= scale);
        let beta = values(&mut rng, channels);
        let gradient = values(&mut rng, rows * channels);
        let mut arguments = [&input, &gamma, &beta].map(|values| {
            values
                .iter()
                .map(|&value| f64::from(value))
                .collect::<Vec<f64>>()
        });
        let naive = |[input, gamma, beta]: &[Vec<f64>; 3]| {
            naive_norm(
                input,
                gamma,
                beta,
                f64::from(epsilon),
                |x| match activation {
                    Activation::Relu => x.max(0.0),
                    Activation::Mish => x * x.exp().ln_1p().tanh(),
                },
            )
        };
        let mut out = vec![f32::NAN; input.len()];
        norm_activate(&input, &gamma, &beta, epsilon, activation, &mut out).unwrap();
        assert_close(&format!("seed {seed}"), &out, &naive(&arguments));

        let run = |threads| {
            let mut found = [gradient.clone(), vec![0.5; channels], vec![0.5; channels]];
            let [values, gamma_gradient, beta_gradient] = &mut found;
            let gradients = NormGradients {
                values,
                gamma: gamma_gradient,
                beta: beta_gradient,
            };
            on(threads, || {
                norm_activate_gradient(&input, &gamma, &beta, epsilon, activation, gradients)
            })
            .unwrap();
            found
        };
        let found = run(1);
        for threads in [2, 3, 20] {
            assert_eq!(found, run(threads), "seed {seed}, {threads} threads");
        }

        // Central differences of the reference, so small that none steps over the ReLU's kink.
        let step = 1e-6;
        for argument in 0..3 {
            let mut expected = Vec::new();
            for index in 0..arguments[argument].len() {
                let value = arguments[argument][index];
                let [above, below] = [step, -step].map(|step| {
                    arguments[argument][index] = value + step;
                    let out = naive(&arguments);
                    out.iter()
                        .zip(&gradient)
                        .map(|(out, &by)| out * f64::from(by))
                        .sum::<f64>()
                });
                arguments[argument][index] = value;
                expected.push((above - below) / (2.0 * step));
            }
            assert_close(
                &format!("argument {argument}, seed {seed}"),
                &found[argument],
                &expected,
            );
        }
    }
}
