//! Every kernel beside its obvious twin, over random shapes, on every instruction set.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data_gradient::data_gradient_on;
use crate::forward::convolve_on;
use crate::lanes::Isa;
use crate::shape::{ConvShape, KernelError};
use crate::weight_gradient::weight_gradient_on;
use crate::{
    NormGradients, bias_gradient, convolve, data_gradient, norm_relu, norm_relu_gradient,
    weight_gradient,
};

/// Calls `visit(input index, weight index, output index)` for every product of a convolution.
fn products(shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let [kernel_height, kernel_width] = shape.kernel;
    let mut output = 0;
    for image in 0..shape.batch {
        for out_row in 0..shape.out_height() {
            for out_column in 0..shape.out_width() {
                for out_channel in 0..shape.out_channels {
                    let mut weight = out_channel * shape.taps();
                    for channel in 0..shape.in_channels {
                        for row in 0..kernel_height {
                            for column in 0..kernel_width {
                                let y = (out_row * shape.stride + row).wrapping_sub(shape.padding);
                                let x = (out_column * shape.stride + column)
                                    .wrapping_sub(shape.padding);
                                if y < shape.height && x < shape.width {
                                    let pixel = (image * shape.height + y) * shape.width + x;
                                    visit(pixel * shape.in_channels + channel, weight, output);
                                }
                                weight += 1;
                            }
                        }
                    }
                    output += 1;
                }
            }
        }
    }
}

fn values(rng: &mut ChaCha8Rng, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn random_shape(rng: &mut ChaCha8Rng) -> ConvShape {
    loop {
        let channels = [1, 2, 3, 4, 8, 15, 16, 17, 32, 33, 40];
        let image = [
            rng.random_range(0..=5),
            rng.random_range(1..=12),
            rng.random_range(1..=12),
            channels[rng.random_range(0..channels.len())],
        ];
        let weight = [
            channels[rng.random_range(0..channels.len())],
            image[3],
            rng.random_range(1..=6),
            rng.random_range(1..=6),
        ];
        let shape = ConvShape::new(
            image,
            weight,
            rng.random_range(1..=5),
            rng.random_range(0..=4),
        );
        if let Ok(shape) = shape {
            return shape;
        }
    }
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(
            error <= 1e-4 * (1.0 + expected.abs()),
            "{what}: element {index} is {found}, expected {expected}"
        );
    }
}

#[test]
fn every_kernel_equals_its_naive_twin_over_random_shapes() {
    let cases = if cfg!(miri) { 3 } else { 300 };
    for seed in 0..cases {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = random_shape(&mut rng);
        let input = values(&mut rng, shape.input_len());
        let weight = values(&mut rng, shape.weight_len());
        let bias = values(&mut rng, shape.out_channels);
        let gradient = values(&mut rng, shape.output_len());

        let mut out: Vec<f64> = Vec::new();
        for _ in 0..shape.output_len() / shape.out_channels {
            out.extend(bias.iter().map(|&value| f64::from(value)));
        }
        let mut to_weight = vec![0.0; shape.weight_len()];
        let mut to_input = vec![0.0; shape.input_len()];
        products(&shape, |i, w, o| {
            out[o] += f64::from(input[i]) * f64::from(weight[w]);
            to_weight[w] += f64::from(input[i]) * f64::from(gradient[o]);
            to_input[i] += f64::from(weight[w]) * f64::from(gradient[o]);
        });
        let mut to_bias = vec![0.0; shape.out_channels];
        for (index, &value) in gradient.iter().enumerate() {
            to_bias[index % shape.out_channels] += f64::from(value);
        }

        for isa in Isa::available() {
            let case = format!("seed {seed}, {isa:?}, {shape:?}");
            // Whatever was in the results before must not matter.
            let mut found = vec![f32::NAN; shape.output_len()];
            convolve_on(isa, &shape, &input, &weight, Some(&bias), &mut found, 1).unwrap();
            assert_close(&format!("output, {case}"), &found, &out);

            let mut found = vec![f32::NAN; shape.weight_len()];
            weight_gradient_on(isa, &shape, &input, &gradient, &mut found, 1).unwrap();
            assert_close(&format!("weight gradient, {case}"), &found, &to_weight);

            let mut found = vec![f32::NAN; shape.input_len()];
            data_gradient_on(isa, &shape, &weight, &gradient, &mut found, 1).unwrap();
            assert_close(&format!("input gradient, {case}"), &found, &to_input);
        }
        let mut found = vec![f32::NAN; shape.out_channels];
        bias_gradient(&shape, &gradient, &mut found).unwrap();
        assert_close(
            &format!("bias gradient, seed {seed}, {shape:?}"),
            &found,
            &to_bias,
        );
    }
}

/// The gradients against the convolution itself: a convolution is linear in each argument, so a
/// directional difference of any size equals the gradient times the direction.
#[test]
fn gradients_equal_finite_differences_of_the_convolution() {
    for seed in 0..if cfg!(miri) { 1 } else { 40 } {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let shape = random_shape(&mut rng);
        let input = values(&mut rng, shape.input_len());
        let weight = values(&mut rng, shape.weight_len());
        let gradient = values(&mut rng, shape.output_len());
        let loss = |input: &[f32], weight: &[f32]| {
            let mut out = vec![0.0; shape.output_len()];
            convolve(&shape, input, weight, None, &mut out, 1).unwrap();
            dot(&out, &gradient)
        };
        let mut to_weight = vec![0.0; shape.weight_len()];
        weight_gradient(&shape, &input, &gradient, &mut to_weight, 1).unwrap();
        let mut to_input = vec![0.0; shape.input_len()];
        data_gradient(&shape, &weight, &gradient, &mut to_input, 1).unwrap();

        let step = values(&mut rng, weight.len());
        let moved: Vec<f32> = weight.iter().zip(&step).map(|(a, b)| a + b).collect();
        let difference = loss(&input, &moved) - loss(&input, &weight);
        let tolerance = 1e-4 * (1.0 + (shape.output_len() * shape.taps()) as f64).sqrt();
        assert!(
            (difference - dot(&to_weight, &step)).abs() < tolerance,
            "seed {seed} {shape:?}"
        );

        let step = values(&mut rng, input.len());
        let moved: Vec<f32> = input.iter().zip(&step).map(|(a, b)| a + b).collect();
        let difference = loss(&moved, &weight) - loss(&input, &weight);
        assert!(
            (difference - dot(&to_input, &step)).abs() < tolerance,
            "seed {seed} {shape:?}"
        );
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for seed in 0..if cfg!(miri) { 1 } else { 30 } {
        let mut rng = ChaCha8Rng::seed_from_u64(2000 + seed);
        let mut shape = random_shape(&mut rng);
        shape.batch = rng.random_range(0..40);
        let input = values(&mut rng, shape.input_len());
        let weight = values(&mut rng, shape.weight_len());
        let gradient = values(&mut rng, shape.output_len());
        let run = |threads| {
            let mut out = vec![f32::NAN; shape.output_len()];
            convolve(&shape, &input, &weight, None, &mut out, threads).unwrap();
            let mut to_weight = vec![f32::NAN; shape.weight_len()];
            weight_gradient(&shape, &input, &gradient, &mut to_weight, threads).unwrap();
            let mut to_input = vec![f32::NAN; shape.input_len()];
            data_gradient(&shape, &weight, &gradient, &mut to_input, threads).unwrap();
            [out, to_weight, to_input]
                .map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<u32>>())
        };
        let one = run(1);
        for threads in [0, 2, 3, 7, 64] {
            assert!(
                one == run(threads),
                "seed {seed}, {threads} threads, {shape:?}"
            );
        }
    }
}

#[test]
fn impossible_sizes_are_named() {
    let new = |image, weight, stride, padding| ConvShape::new(image, weight, stride, padding);
    assert_eq!(
        new([1, 8, 8, 3], [4, 3, 3, 3], 0, 0),
        Err(KernelError::Zero { name: "stride" })
    );
    assert_eq!(
        new([1, 2, 8, 3], [4, 3, 5, 3], 1, 1),
        Err(KernelError::KernelTooLarge {
            axis: "height",
            kernel: 5,
            image: 2,
            padding: 1
        })
    );
    assert!(matches!(
        new([1, 8, 8, 3], [4, 2, 3, 3], 1, 1),
        Err(KernelError::Length {
            expected: 3,
            found: 2,
            ..
        })
    ));
    let huge = usize::MAX / 8;
    for image in [[huge, 8, 8, 3], [1, huge, huge, 3], [1, 8, 8, 3]] {
        for padding in [0, huge, usize::MAX] {
            if image[0] == 1 && image[1] == 8 && padding == 0 {
                continue;
            }
            assert_eq!(
                new(image, [4, 3, 3, 3], 1, padding),
                Err(KernelError::TooLarge)
            );
        }
    }
    let shape = new([1, 8, 8, 3], [4, 3, 3, 3], 1, 1).unwrap();
    let error = convolve(&shape, &[0.0; 7], &[0.0; 108], None, &mut [0.0; 256], 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the input of a convolution holds 7 elements, its shape needs 192"
    );
}

/// The normalisation in f64, `[rows][channels]`.
fn naive_norm_relu(input: &[f64], gamma: &[f64], beta: &[f64], epsilon: f64) -> Vec<f64> {
    let mut out = Vec::new();
    for row in input.chunks_exact(gamma.len()) {
        let count = row.len() as f64;
        let mean = row.iter().sum::<f64>() / count;
        let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        for (value, (gamma, beta)) in row.iter().zip(gamma.iter().zip(beta)) {
            out.push(((value - mean) / (variance + epsilon).sqrt() * gamma + beta).max(0.0));
        }
    }
    out
}

#[test]
fn normalisation_equals_its_twin_and_its_gradient_the_twins_differences() {
    let epsilon = 1e-3f32;
    for seed in 0..if cfg!(miri) { 2 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(3000 + seed);
        let channels = rng.random_range(1..=70);
        let rows = rng.random_range(0..=20);
        let input = values(&mut rng, rows * channels);
        let gamma = values(&mut rng, channels);
        let beta = values(&mut rng, channels);
        let gradient = values(&mut rng, rows * channels);
        let mut arguments = [&input, &gamma, &beta].map(|values| {
            values
                .iter()
                .map(|&value| f64::from(value))
                .collect::<Vec<f64>>()
        });
        let naive = |[input, gamma, beta]: &[Vec<f64>; 3]| {
            naive_norm_relu(input, gamma, beta, f64::from(epsilon))
        };
        let mut out = vec![f32::NAN; input.len()];
        norm_relu(&input, &gamma, &beta, epsilon, &mut out, 1).unwrap();
        assert_close(&format!("seed {seed}"), &out, &naive(&arguments));

        let run = |threads| {
            let mut found = [
                vec![f32::NAN; input.len()],
                vec![0.5; channels],
                vec![0.5; channels],
            ];
            let [to_input, to_gamma, to_beta] = &mut found;
            let gradients = NormGradients {
                input: to_input,
                gamma: to_gamma,
                beta: to_beta,
            };
            norm_relu_gradient(
                &input, &gamma, &beta, epsilon, &gradient, gradients, threads,
            )
            .unwrap();
            found
        };
        let found = run(1);
        for threads in [0, 2, 3, 20] {
            assert_eq!(found, run(threads), "seed {seed}, {threads} threads");
        }

        // Central differences of the twin, so small that none steps over the ReLU's kink.
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
