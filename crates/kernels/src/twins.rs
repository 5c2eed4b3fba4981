//! Every kernel beside its obvious twin, over random shapes, on every instruction set.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data_gradient::DataGradient;
use crate::forward::{Forward, Windows};
use crate::item::{Item, bf16};
use crate::lanes::{Isa, Pair};
use crate::padded::Source;
use crate::shape::{ConvShape, KernelError};
use crate::weight_gradient::WeightGradient;
use crate::{
    Activation, AdamStep, Before, Kept, Layer, Linear, LinearGradients, NormGradients, Precision,
    Trunk, adam, norm_activate, norm_activate_gradient, sum_of_squares, weighted_rows,
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

/// On a pool of that many threads.
fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(work)
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
    kernels_equal_their_twins::<f32>(|x| x);
}

/// Products of bf16 numbers are exact in f32: where all arguments are bf16, so is the definition.
#[test]
fn every_kernel_over_pairs_equals_its_naive_twin_over_random_shapes() {
    kernels_equal_their_twins::<Pair>(|x| f32::from_bits(bf16(x) << 16));
}

fn kernels_equal_their_twins<I: Item>(rounded: impl Fn(f32) -> f32) {
    let cases = if cfg!(miri) { 3 } else { 300 };
    for seed in 0..cases {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = random_shape(&mut rng);
        let mut values = |len| -> Vec<f32> {
            let values = values(&mut rng, len).into_iter();
            values.map(&rounded).collect()
        };
        let input = values(shape.input_len());
        let weight = values(shape.weight_len());
        let bias = values(shape.out_channels);
        let gradient = values(shape.output_len());

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
            let windows = Windows::over_channels::<I>(&shape, shape.batch);
            let source = Source::Values(&input);
            let mut found = vec![f32::NAN; shape.output_len()];
            let forward = Forward::<I>::new(isa, &shape, &windows, &weight, &bias);
            forward.run(isa, &windows, source, &mut found, &mut windows.scratch());
            assert_close(&format!("output, {case}"), &found, &out);

            let windows = Windows::over_pixels::<I>(&shape, shape.batch);
            let sum = WeightGradient::new(isa, &shape, &windows);
            let mut sums = vec![0.0; sum.sums_len()];
            let mut scratch = windows.scratch::<I>();
            sum.add(isa, &windows, source, &gradient, &mut sums, &mut scratch);
            let mut found = vec![f32::NAN; shape.weight_len()];
            let mut found_bias = vec![f32::NAN; shape.out_channels];
            sum.finish(&sums, &mut found, &mut found_bias);
            assert_close(&format!("weight gradient, {case}"), &found, &to_weight);
            assert_close(&format!("bias gradient, {case}"), &found_bias, &to_bias);

            let mut found = vec![f32::NAN; shape.input_len()];
            let data = DataGradient::<I>::new(isa, &shape, &weight, shape.batch);
            data.run(isa, &gradient, &mut found, &mut data.scratch());
            assert_close(&format!("input gradient, {case}"), &found, &to_input);
        }
    }
}

#[test]
fn bf16_rounds_to_the_nearest_and_of_two_to_the_even_one() {
    let rounded = |x: f32| f32::from_bits(bf16(x) << 16);
    let ulp = f32::powi(2.0, -7);
    for (x, expected) in [
        (0.0, 0.0),
        (-1.0, -1.0),
        (1.0 + 0.4 * ulp, 1.0),
        (1.0 + 0.5 * ulp, 1.0),
        (1.0 + 0.6 * ulp, 1.0 + ulp),
        (1.0 + 1.5 * ulp, 1.0 + 2.0 * ulp),
        (f32::MAX, f32::INFINITY),
        (f32::NEG_INFINITY, f32::NEG_INFINITY),
    ] {
        assert_eq!(rounded(x), expected, "{x}");
    }
    for nan in [
        f32::NAN,
        f32::from_bits(0x7fff_ffff),
        f32::from_bits(0xff80_0001),
    ] {
        assert!(rounded(nan).is_nan());
    }
}

/// A trunk of random layers over small images, with its images, parameters and a gradient.
struct Case {
    trunk: Trunk,
    frames: Vec<u8>,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
}

fn random_trunk(rng: &mut ChaCha8Rng, batch: usize) -> Case {
    loop {
        let image = [
            rng.random_range(1..=9),
            rng.random_range(1..=9),
            rng.random_range(1..=4),
        ];
        let count = rng.random_range(1..=4);
        let channels = [1, 2, 3, 5, 16, 17];
        let layers: Vec<Layer> = (0..count)
            .map(|index| {
                // Often the size that stays the same, so that layers can be added.
                let same = rng.random_bool(0.5);
                let kernel = [rng.random_range(1..=4), rng.random_range(1..=4)];
                Layer {
                    channels: if same {
                        5
                    } else {
                        channels[rng.random_range(0..channels.len())]
                    },
                    kernel: if same { [3, 3] } else { kernel },
                    stride: if same { 1 } else { rng.random_range(1..=3) },
                    padding: if same { 1 } else { rng.random_range(0..=2) },
                    before: match rng.random_range(0..3) {
                        _ if index == 0 => Before::Nothing,
                        0 => Before::Nothing,
                        1 => Before::Relu,
                        _ => Before::NormRelu { epsilon: 1e-2 },
                    },
                    add: (index > 0 && rng.random_bool(0.5)).then(|| rng.random_range(0..index)),
                }
            })
            .collect();
        let Ok(trunk) = Trunk::new(image, &layers, Precision::F32) else {
            continue;
        };
        let pixels: usize = image.iter().product();
        let outputs: usize = trunk.output().iter().product();
        return Case {
            frames: (0..batch * pixels).map(|_| rng.random()).collect(),
            parameters: values(rng, trunk.parameter_len()),
            gradient: values(rng, batch * outputs),
            trunk,
        };
    }
}

impl Case {
    /// The trunk in f64, layer by layer over the whole batch, with the naive convolution.
    fn naive(&self, parameters: &[f64]) -> Vec<f64> {
        let [height, width, channels] = self.trunk.image();
        let batch = self.frames.len() / (height * width * channels);
        let mut image = [batch, height, width, channels];
        let mut x: Vec<f64> = self
            .frames
            .iter()
            .map(|&byte| f64::from(byte) / 255.0)
            .collect();
        let mut outputs: Vec<Vec<f64>> = Vec::new();
        let mut rest = parameters;
        let mut take = |len: usize| {
            let (own, tail) = rest.split_at(len);
            rest = tail;
            own
        };
        for layer in self.trunk.layers() {
            match layer.before {
                Before::Nothing => {}
                Before::Relu => x.iter_mut().for_each(|x| *x = x.max(0.0)),
                Before::NormRelu { epsilon } => {
                    let (gamma, beta) = (take(image[3]), take(image[3]));
                    x = naive_norm(&x, gamma, beta, f64::from(epsilon), |x| x.max(0.0));
                }
            }
            let weight = [layer.channels, image[3], layer.kernel[0], layer.kernel[1]];
            let shape = ConvShape::new(image, weight, layer.stride, layer.padding).unwrap();
            let (weight, bias) = (take(shape.weight_len()), take(layer.channels));
            let mut out = vec![0.0; shape.output_len()];
            for (index, out) in out.iter_mut().enumerate() {
                *out = bias[index % layer.channels];
            }
            products(&shape, |i, w, o| out[o] += x[i] * weight[w]);
            if let Some(add) = layer.add {
                out.iter_mut()
                    .zip(&outputs[add])
                    .for_each(|(out, add)| *out += add);
            }
            image = shape.output();
            x = out.clone();
            outputs.push(out);
        }
        x
    }

    fn run(&self, isa: Isa) -> [Vec<f32>; 2] {
        let mut kept = Kept::default();
        let mut out = vec![f32::NAN; self.gradient.len()];
        let (frames, parameters) = (&self.frames, &self.parameters);
        self.trunk
            .forward_on(isa, frames, parameters, Some(&mut kept), &mut out)
            .unwrap();
        let mut found = vec![f32::NAN; parameters.len()];
        let gradient = &self.gradient;
        self.trunk
            .backward_on(isa, frames, parameters, &kept, gradient, &mut found)
            .unwrap();
        // Without keeping anything it is the same.
        let mut again = vec![f32::NAN; out.len()];
        self.trunk
            .forward_on(isa, frames, parameters, None, &mut again)
            .unwrap();
        assert_eq!(out, again);
        [out, found]
    }
}

#[test]
fn a_trunk_equals_its_twin_and_its_gradient_the_twins_differences() {
    for seed in 0..if cfg!(miri) { 1 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let batch = rng.random_range(0..=4);
        let case = random_trunk(&mut rng, batch);
        let mut parameters: Vec<f64> = case.parameters.iter().map(|&p| f64::from(p)).collect();
        let out = case.naive(&parameters);
        // Central differences of the twin, so small that next to none step over a ReLU's kink.
        let step = 1e-6;
        let loss = |parameters: &[f64]| -> f64 {
            let out = case.naive(parameters);
            out.iter()
                .zip(&case.gradient)
                .map(|(out, &by)| out * f64::from(by))
                .sum()
        };
        let indices: Vec<usize> = (0..parameters.len())
            .filter(|_| rng.random_bool(0.1))
            .collect();
        let expected: Vec<f64> = indices
            .iter()
            .map(|&index| {
                let value = parameters[index];
                let [above, below] = [step, -step].map(|step| {
                    parameters[index] = value + step;
                    loss(&parameters)
                });
                parameters[index] = value;
                (above - below) / (2.0 * step)
            })
            .collect();
        for isa in Isa::available() {
            let [found, gradient] = case.run(isa);
            let what = format!("seed {seed}, {isa:?}, {:?}", case.trunk);
            assert_close(&what, &found, &out);
            let found: Vec<f32> = indices.iter().map(|&index| gradient[index]).collect();
            assert_close(&format!("gradient, {what}"), &found, &expected);
        }
    }
}

/// Each product is off by at most 2^-8 of itself, and sums average that out.
#[test]
fn a_trunk_of_bf16_products_is_near_that_of_f32() {
    for seed in 0..if cfg!(miri) { 1 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(8000 + seed);
        let mut case = random_trunk(&mut rng, 5);
        for isa in Isa::available() {
            case.trunk = case.trunk.clone().with_precision(Precision::F32);
            let exact = case.run(isa);
            case.trunk = case.trunk.clone().with_precision(Precision::Bf16);
            for (near, exact) in case.run(isa).iter().zip(&exact) {
                let norm = |values: &mut dyn Iterator<Item = f32>| -> f32 {
                    values.map(|value| value * value).sum::<f32>().sqrt()
                };
                let mut difference = near.iter().zip(exact).map(|(near, exact)| near - exact);
                let (off, whole) = (norm(&mut difference), norm(&mut exact.iter().copied()));
                assert!(off <= 0.1 * whole, "seed {seed}, {isa:?}: {off} of {whole}");
                assert!(
                    off > 0.0 || whole == 0.0,
                    "seed {seed}: nothing was rounded"
                );
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for seed in 0..if cfg!(miri) { 1 } else { 30 } {
        let mut rng = ChaCha8Rng::seed_from_u64(2000 + seed);
        let batch = rng.random_range(0..70);
        let mut case = random_trunk(&mut rng, batch);
        if rng.random_bool(0.5) {
            case.trunk = case.trunk.clone().with_precision(Precision::Bf16);
        }
        for isa in Isa::available() {
            let bits = |threads| {
                on(threads, || case.run(isa))
                    .map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<u32>>())
            };
            let one = bits(1);
            for threads in [2, 3, 7, 64] {
                assert!(
                    one == bits(threads),
                    "seed {seed}, {isa:?}, {threads} threads"
                );
            }
        }
    }
}

#[test]
fn trunks_that_do_not_fit_together_are_refused() {
    let layer = Layer {
        channels: 4,
        kernel: [3, 3],
        stride: 1,
        padding: 1,
        before: Before::Nothing,
        add: None,
    };
    let new = |layers: &[Layer]| Trunk::new([8, 8, 3], layers, Precision::F32);
    assert!(matches!(new(&[]), Err(KernelError::Zero { .. })));
    let relu = Layer {
        before: Before::Relu,
        ..layer
    };
    assert_eq!(new(&[relu]), Err(KernelError::FramesAsTheyAre));
    for (channels, add) in [(4, 1), (4, 2), (5, 0)] {
        let last = Layer {
            channels,
            add: Some(add),
            ..layer
        };
        let error = KernelError::Residual { layer: 1, add };
        assert_eq!(new(&[layer, last]), Err(error));
    }
    let trunk = new(&[
        layer,
        Layer {
            add: Some(0),
            ..relu
        },
    ])
    .unwrap();
    let parameters = vec![0.0; trunk.parameter_len()];
    let error = trunk
        .forward(&[0; 191], &parameters, None, &mut [0.0; 256])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the frames of a trunk holds 191 elements, its shape needs 0"
    );
    let error = trunk
        .backward(
            &[0; 192],
            &parameters,
            &Kept::default(),
            &[0.0; 256],
            &mut parameters.clone(),
        )
        .unwrap_err();
    assert!(matches!(error, KernelError::Length { .. }));
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
}

/// The normalisation in f64, `[rows][channels]`.
fn naive_norm(
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
fn normalisation_equals_its_twin_and_its_gradient_the_twins_differences() {
    let epsilon = 1e-3f32;
    for seed in 0..if cfg!(miri) { 2 } else { 120 } {
        let mut rng = ChaCha8Rng::seed_from_u64(3000 + seed);
        let channels = rng.random_range(1..=70);
        let rows = rng.random_range(0..=20);
        let activation = [Activation::Relu, Activation::Mish][seed as usize % 2];
        // Some rows far from zero, where Mish is flat or straight.
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
            on(threads, || {
                norm_activate_gradient(
                    &input, &gamma, &beta, epsilon, activation, &gradient, gradients,
                )
            })
            .unwrap();
            found
        };
        let found = run(1);
        for threads in [2, 3, 20] {
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

#[test]
fn adam_equals_its_definition() {
    let (rate, beta1, beta2, epsilon) = (3e-3f32, 0.9f32, 0.95f32, 1e-8f32);
    for len in [0, 1, 15, 16, 100] {
        let mut rng = ChaCha8Rng::seed_from_u64(4000 + len);
        let len = len as usize;
        let mut found = values(&mut rng, len);
        let mut expected: Vec<f64> = found.iter().map(|&value| f64::from(value)).collect();
        let mut moments = [vec![0.0; len], vec![0.0; len]];
        let mut naive = [vec![0.0f64; len], vec![0.0f64; len]];
        for time in 1..=20 {
            let gradient = values(&mut rng, len);
            let [first, second] = &mut moments;
            let step = AdamStep {
                rate,
                beta1,
                beta2,
                epsilon,
                time,
            };
            adam(step, &gradient, &mut found, first, second).unwrap();
            let [beta1, beta2] = [beta1, beta2].map(f64::from);
            for index in 0..len {
                let gradient = f64::from(gradient[index]);
                let [first, second] = &mut naive;
                first[index] = beta1 * first[index] + (1.0 - beta1) * gradient;
                second[index] = beta2 * second[index] + (1.0 - beta2) * gradient * gradient;
                let first = first[index] / (1.0 - beta1.powi(time));
                let second = second[index] / (1.0 - beta2.powi(time));
                expected[index] -= f64::from(rate) * first / (second.sqrt() + f64::from(epsilon));
            }
        }
        assert_close(&format!("{len} parameters"), &found, &expected);
    }
    let step = AdamStep {
        rate,
        beta1,
        beta2,
        epsilon,
        time: 1,
    };
    assert!(adam(step, &[0.0; 3], &mut [0.0; 3], &mut [0.0; 2], &mut [0.0; 3]).is_err());
}

#[test]
fn sums_of_squares_and_of_weighted_rows_equal_their_definitions() {
    for seed in 0..if cfg!(miri) { 3 } else { 40 } {
        let mut rng = ChaCha8Rng::seed_from_u64(5000 + seed);
        let len = rng.random_range(0..10_000);
        let numbers = values(&mut rng, len);
        let expected: f64 = numbers.iter().map(|&value| f64::from(value).powi(2)).sum();
        assert_close("squares", &[sum_of_squares(&numbers)], &[expected]);

        let (bytes, columns) = (rng.random_range(0..50), rng.random_range(0..70));
        let frames: Vec<u8> = (0..rng.random_range(0..200))
            .map(|_| rng.random())
            .collect();
        let matrix = values(&mut rng, bytes * columns);
        let found = weighted_rows(&frames, &matrix, columns, 0.5);
        let mut expected = Vec::new();
        if bytes > 0 && columns > 0 {
            for frame in frames.chunks_exact(bytes) {
                for column in 0..columns {
                    let row = |byte: usize| f64::from(matrix[byte * columns + column]);
                    let terms = frame.iter().enumerate();
                    expected.push(
                        terms
                            .map(|(at, &b)| 0.5 * f64::from(b) * row(at))
                            .sum::<f64>(),
                    );
                }
            }
        }
        assert_close(&format!("seed {seed}"), &found, &expected);
    }
}

#[test]
fn threads_change_no_bit_of_a_dense_layer() {
    let (rows, inputs, outputs) = if cfg!(miri) {
        (3, 4, 5)
    } else {
        (70, 150, 130)
    };
    let mut rng = ChaCha8Rng::seed_from_u64(7000);
    let [x, weight, bias, gradient] =
        [rows * inputs, outputs * inputs, outputs, rows * outputs].map(|len| values(&mut rng, len));
    let layer = Linear::new(rows, inputs, outputs, Precision::F32).unwrap();
    let run = |threads| {
        on(threads, || {
            let mut out = vec![f32::NAN; rows * outputs];
            layer.forward(&x, &weight, &bias, &mut out).unwrap();
            let [mut a, mut b, mut c] =
                [x.len(), weight.len(), outputs].map(|len| vec![f32::NAN; len]);
            let gradients = LinearGradients {
                input: Some(&mut a),
                weight: &mut b,
                bias: &mut c,
            };
            layer.backward(&x, &weight, &gradient, gradients).unwrap();
            [out, a, b, c].map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        })
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert!(one == run(threads), "{threads} threads");
    }
}

#[test]
fn a_dense_layer_equals_its_definition_and_the_gradients_theirs() {
    dense_layers_equal_their_definition(Precision::F32, |x| x);
    dense_layers_equal_their_definition(Precision::Bf16, |x| f32::from_bits(bf16(x) << 16));
    assert!(Linear::new(1, 0, 1, Precision::F32).is_err());
}

fn dense_layers_equal_their_definition(precision: Precision, rounded: impl Fn(f32) -> f32) {
    for seed in 0..if cfg!(miri) { 3 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(6000 + seed);
        let widths = [1, 2, 5, 31, 32, 33, 64, 100];
        let rows = rng.random_range(0..40);
        let inputs = widths[rng.random_range(0..widths.len())];
        let outputs = widths[rng.random_range(0..widths.len())];
        let [x, weight, bias, gradient] =
            [rows * inputs, outputs * inputs, outputs, rows * outputs].map(|len| -> Vec<f32> {
                let values = values(&mut rng, len).into_iter();
                values.map(&rounded).collect()
            });
        let mut out = Vec::new();
        let mut to_input = vec![0.0; x.len()];
        let mut to_weight = vec![0.0; weight.len()];
        let mut to_bias = vec![0.0; outputs];
        for row in 0..rows {
            for output in 0..outputs {
                let arriving = f64::from(gradient[row * outputs + output]);
                let mut sum = f64::from(bias[output]);
                to_bias[output] += arriving;
                for input in 0..inputs {
                    let [a, b] =
                        [x[row * inputs + input], weight[output * inputs + input]].map(f64::from);
                    sum += a * b;
                    to_input[row * inputs + input] += arriving * b;
                    to_weight[output * inputs + input] += arriving * a;
                }
                out.push(sum);
            }
        }
        let layer = Linear::new(rows, inputs, outputs, precision).unwrap();
        let case = format!("seed {seed}, {layer:?}");
        let mut found = vec![f32::NAN; rows * outputs];
        layer.forward(&x, &weight, &bias, &mut found).unwrap();
        assert_close(&case, &found, &out);
        let [mut a, mut b, mut c] = [x.len(), weight.len(), outputs].map(|len| vec![f32::NAN; len]);
        let gradients = LinearGradients {
            input: Some(&mut a),
            weight: &mut b,
            bias: &mut c,
        };
        layer.backward(&x, &weight, &gradient, gradients).unwrap();
        for (found, expected) in [(a, to_input), (b, to_weight), (c, to_bias)] {
            assert_close(&format!("gradient, {case}"), &found, &expected);
        }
    }
}
