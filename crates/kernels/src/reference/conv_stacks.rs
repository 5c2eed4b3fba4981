//! Tests of [`ConvStack`] against a naive stack in f64, and of its invariants.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::normalization::naive_norm;
use super::{assert_close, on, products, values};
use crate::shape::{ConvShape, KernelError};
use crate::simd::Isa;
use crate::{ConvLayer, ConvStack, Precision, Prologue, SavedActivations};

/// Stack of random layers over small images, with its images, parameters and a gradient.
struct StackCase {
    stack: ConvStack,
    frames: Vec<u8>,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
}

fn random_stack(rng: &mut ChaCha8Rng, batch: usize) -> StackCase {
    let (most, batch) = if cfg!(miri) {
        (4, batch.min(2))
    } else {
        (9, batch)
    };
    loop {
        let kind = if cfg!(miri) {
            0
        } else {
            rng.random_range(0..10)
        };
        let most = match kind {
            0..2 if cfg!(miri) => 6,
            0..2 => 12,
            _ => most,
        };
        let image = [
            rng.random_range(1..=most),
            rng.random_range(1..=most),
            rng.random_range(1..=4),
        ];
        let layers = match kind {
            0..2 => strided_layers(rng),
            2..5 => residual_layers(rng),
            _ => random_layers(rng),
        };
        let Ok(stack) = ConvStack::new(image, &layers, Precision::F32) else {
            continue;
        };
        let pixels: usize = image.iter().product();
        let outputs: usize = stack.output().iter().product();
        return StackCase {
            frames: (0..batch * pixels).map(|_| rng.random()).collect(),
            parameters: values(rng, stack.parameter_len()),
            gradient: values(rng, batch * outputs),
            stack,
        };
    }
}

fn random_layers(rng: &mut ChaCha8Rng) -> Vec<ConvLayer> {
    let count = rng.random_range(1..=4);
    let channels = [1, 2, 3, 5, 16, 17];
    let layers = (0..count).map(|index| {
        // Often the size that stays the same, so that layers can be added.
        let same = rng.random_bool(0.5);
        let kernel = [rng.random_range(1..=4), rng.random_range(1..=4)];
        ConvLayer {
            channels: if same {
                5
            } else {
                channels[rng.random_range(0..channels.len())]
            },
            kernel: if same { [3, 3] } else { kernel },
            stride: if same { 1 } else { rng.random_range(1..=3) },
            padding: if same { 1 } else { rng.random_range(0..=2) },
            prologue: random_prologue(rng, index),
            add: (index > 0 && rng.random_bool(0.5)).then(|| rng.random_range(0..index)),
        }
    });
    layers.collect()
}

/// Makes layers wide enough for Winograd, where the image is not too small.
fn residual_layers(rng: &mut ChaCha8Rng) -> Vec<ConvLayer> {
    let channels = rng.random_range(16..=18);
    let last = rng.random_range(16..=33);
    let layers = [channels, channels, channels, last].into_iter().enumerate();
    let layers = layers.map(|(index, channels)| ConvLayer {
        channels,
        kernel: [3, 3],
        stride: 1,
        padding: if index < 3 {
            1
        } else {
            rng.random_range(0..=2)
        },
        prologue: random_prologue(rng, index),
        add: (index == 2).then_some(0),
    });
    layers.collect()
}

/// Makes layers wide enough for strided Winograd, where the image is not too small.
fn strided_layers(rng: &mut ChaCha8Rng) -> Vec<ConvLayer> {
    let layers = [(3, 2), (3, 2), (4, 2)].into_iter().enumerate();
    let layers = layers.map(|(index, (kernel, stride))| ConvLayer {
        channels: rng.random_range(16..=18),
        kernel: [kernel, kernel],
        stride,
        padding: rng.random_range(0..=1),
        prologue: random_prologue(rng, index),
        add: None,
    });
    layers.collect()
}

fn random_prologue(rng: &mut ChaCha8Rng, index: usize) -> Prologue {
    match rng.random_range(0..3) {
        _ if index == 0 => Prologue::Nothing,
        0 => Prologue::Nothing,
        1 => Prologue::Relu,
        _ => Prologue::NormRelu { epsilon: 1e-2 },
    }
}

impl StackCase {
    /// Computes the stack in f64, layer by layer over the whole batch, with the naive convolution.
    fn naive(&self, parameters: &[f64]) -> Vec<f64> {
        let [height, width, channels] = self.stack.image();
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
        for layer in self.stack.layers() {
            match layer.prologue {
                Prologue::Nothing => {}
                Prologue::Relu => x.iter_mut().for_each(|x| *x = x.max(0.0)),
                Prologue::NormRelu { epsilon } => {
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

    /// Compares the outputs, and the gradient with central differences of about `count` parameters.
    fn assert_equals_its_reference(&self, rng: &mut ChaCha8Rng, count: f64, what: &str) {
        let mut parameters: Vec<f64> = self.parameters.iter().map(|&p| f64::from(p)).collect();
        let out = self.naive(&parameters);
        // Central differences of the reference, so small that almost none step over a ReLU's kink.
        let step = 1e-6;
        let loss = |parameters: &[f64]| -> f64 {
            let out = self.naive(parameters);
            out.iter()
                .zip(&self.gradient)
                .map(|(out, &by)| out * f64::from(by))
                .sum()
        };
        let share = (count / parameters.len() as f64).min(0.1);
        let indices: Vec<usize> = (0..parameters.len())
            .filter(|_| rng.random_bool(share))
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
            let [found, gradient] = self.run(isa, Precision::F32);
            let what = format!("{what}, {isa:?}, {:?}", self.stack);
            assert_close(&what, &found, &out);
            let found: Vec<f32> = indices.iter().map(|&index| gradient[index]).collect();
            assert_close(&format!("gradient, {what}"), &found, &expected);
        }
    }

    fn run(&self, isa: Isa, precision: Precision) -> [Vec<f32>; 2] {
        self.run_of(&self.stack.on(isa, precision))
    }

    fn run_of(&self, stack: &ConvStack) -> [Vec<f32>; 2] {
        let (frames, parameters) = (&self.frames, &self.parameters);
        let mut saved = SavedActivations::default();
        let mut out = vec![f32::NAN; self.gradient.len()];
        stack
            .forward(frames, parameters, Some(&mut saved), &mut out)
            .unwrap();
        let mut found = vec![f32::NAN; parameters.len()];
        stack
            .backward(frames, parameters, &saved, &self.gradient, &mut found)
            .unwrap();
        // Without saving anything the output is the same.
        let mut again = vec![f32::NAN; out.len()];
        stack.forward(frames, parameters, None, &mut again).unwrap();
        assert_eq!(out, again);
        [out, found]
    }
}

#[test]
fn a_stack_equals_its_reference_and_its_gradient_the_references_differences() {
    for seed in 0..if cfg!(miri) { 1 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        let batch = rng.random_range(0..=4);
        let case = random_stack(&mut rng, batch);
        case.assert_equals_its_reference(&mut rng, 60.0, &format!("seed {seed}"));
    }
}

/// First two layers of the `cnn` encoder with default settings, on frames of its usual size, but
/// narrower.
#[test]
fn the_layers_of_the_default_encoder_equal_their_references() {
    if cfg!(miri) {
        return;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let layer = |kernel: usize, stride, padding, prologue| ConvLayer {
        channels: 16,
        kernel: [kernel, kernel],
        stride,
        padding,
        prologue,
        add: None,
    };
    let layers = [
        layer(8, 4, 2, Prologue::Nothing),
        layer(3, 2, 1, Prologue::NormRelu { epsilon: 1e-2 }),
    ];
    let stack = ConvStack::new([64, 64, 3], &layers, Precision::F32).unwrap();
    let case = StackCase {
        frames: (0..3 * 64 * 64 * 3).map(|_| rng.random()).collect(),
        parameters: values(&mut rng, stack.parameter_len()),
        gradient: values(&mut rng, 3 * 8 * 8 * 16),
        stack,
    };
    case.assert_equals_its_reference(&mut rng, 12.0, "the default encoder");
}

/// Clipping, rounding and pairing before values are stored gives the same bits as when they are
/// read.
#[test]
fn how_numbers_are_stored_changes_none() {
    for seed in 0..if cfg!(miri) { 2 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(60_000 + seed);
        let batch = rng.random_range(1..=if cfg!(miri) { 2 } else { 20 });
        let mut case = random_stack(&mut rng, batch);
        if seed % 2 == 0 {
            // As in the `cnn`: every output is read by the next layer alone.
            let layer = |channels, padding, prologue| ConvLayer {
                channels,
                kernel: [3, 3],
                stride: 2,
                padding,
                prologue,
                add: None,
            };
            let layers = [
                layer(4, 1, Prologue::Nothing),
                layer(18, 1, Prologue::Relu),
                layer(6, 2, Prologue::Nothing),
                layer(5, 1, Prologue::Relu),
            ];
            let side = if cfg!(miri) {
                4
            } else {
                rng.random_range(4..=17)
            };
            let stack = ConvStack::new([side, side, 3], &layers, Precision::F32).unwrap();
            let outputs: usize = stack.output().iter().product();
            case = StackCase {
                frames: (0..batch * side * side * 3).map(|_| rng.random()).collect(),
                parameters: values(&mut rng, stack.parameter_len()),
                gradient: values(&mut rng, batch * outputs),
                stack,
            };
        }
        for isa in Isa::available() {
            for precision in [Precision::F32, Precision::Bf16] {
                let stack = case.stack.on(isa, precision);
                let plain = case.run_of(&stack.storing_plainly());
                assert!(
                    case.run_of(&stack) == plain,
                    "seed {seed}, {isa:?}, {stack:?}"
                );
            }
        }
    }
}

/// Each product is off by at most 2^-8 of itself, and sums average that out. But a normalization of
/// nearly equal channels, or a ReLU near its kink, may magnify it. A wrong product would be seen:
/// the kernels themselves are exact over pairs, see `convolutions`.
#[test]
fn stacks_of_bf16_products_are_near_those_of_f32() {
    let norm = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
    let mut shares = Vec::new();
    for seed in 0..if cfg!(miri) { 1 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(8000 + seed);
        let case = random_stack(&mut rng, 5);
        for isa in Isa::available() {
            let exact = case.run(isa, Precision::F32);
            for (near, exact) in case.run(isa, Precision::Bf16).iter().zip(&exact) {
                let terms = near.iter().zip(exact);
                let off = norm(&terms.map(|(a, b)| a - b).collect::<Vec<f32>>());
                let whole = norm(exact);
                assert!(
                    off <= 0.5 * whole,
                    "seed {seed}, {isa:?}: {off} of {whole}, {:?}",
                    case.stack
                );
                shares.push(off / whole.max(f32::MIN_POSITIVE));
            }
        }
    }
    shares.sort_by(f32::total_cmp);
    let median = shares[shares.len() / 2];
    assert!((1e-4..1e-2).contains(&median), "{median}");
}

/// Many images are several blocks of each part; few images are one block of some parts.
#[test]
fn the_gradient_of_many_images_is_the_sum_of_those_of_few() {
    for seed in 0..if cfg!(miri) { 1 } else { 16 } {
        let mut rng = ChaCha8Rng::seed_from_u64(3000 + seed);
        let batch = if cfg!(miri) { 2 } else { 70 };
        let StackCase {
            stack,
            frames,
            parameters,
            gradient,
        } = random_stack(&mut rng, batch);
        let (frame, output) = (frames.len() / batch, gradient.len() / batch);
        let of = |images: std::ops::Range<usize>| {
            let case = StackCase {
                stack: stack.clone(),
                frames: frames[images.start * frame..images.end * frame].to_vec(),
                parameters: parameters.clone(),
                gradient: gradient[images.start * output..images.end * output].to_vec(),
            };
            let [_, to_parameters] = case.run(Isa::detect(), Precision::F32);
            to_parameters
        };
        let mut expected = vec![0.0; parameters.len()];
        for first in (0..batch).step_by(5) {
            let few = of(first..batch.min(first + 5));
            expected
                .iter_mut()
                .zip(few)
                .for_each(|(sum, x)| *sum += f64::from(x));
        }
        // Relative to the largest: a small sum is as uncertain as its terms.
        let scale = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        let found = of(0..batch).into_iter().map(|x| x / scale as f32);
        let expected: Vec<f64> = expected.iter().map(|x| x / scale).collect();
        let found: Vec<f32> = found.collect();
        assert_close(&format!("seed {seed}, {stack:?}"), &found, &expected);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for seed in 0..if cfg!(miri) { 1 } else { 30 } {
        let mut rng = ChaCha8Rng::seed_from_u64(2000 + seed);
        let batch = rng.random_range(0..70);
        let case = random_stack(&mut rng, batch);
        let precision = [Precision::F32, Precision::Bf16][seed as usize % 2];
        for isa in Isa::available() {
            let bits = |threads| {
                on(threads, || case.run(isa, precision))
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
fn stacks_that_do_not_fit_together_are_refused() {
    let layer = ConvLayer {
        channels: 4,
        kernel: [3, 3],
        stride: 1,
        padding: 1,
        prologue: Prologue::Nothing,
        add: None,
    };
    let new = |layers: &[ConvLayer]| ConvStack::new([8, 8, 3], layers, Precision::F32);
    assert!(matches!(new(&[]), Err(KernelError::Zero { .. })));
    let relu = ConvLayer {
        prologue: Prologue::Relu,
        ..layer
    };
    assert_eq!(new(&[relu]), Err(KernelError::FramesAsTheyAre));
    for (channels, add) in [(4, 1), (4, 2), (5, 0)] {
        let last = ConvLayer {
            channels,
            add: Some(add),
            ..layer
        };
        let error = KernelError::Residual { layer: 1, add };
        assert_eq!(new(&[layer, last]), Err(error));
    }
    let stack = new(&[
        layer,
        ConvLayer {
            add: Some(0),
            ..relu
        },
    ])
    .unwrap();
    let parameters = vec![0.0; stack.parameter_len()];
    let error = stack
        .forward(&[0; 191], &parameters, None, &mut [0.0; 256])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the frames of a convolution stack holds 191 elements, its shape needs 0"
    );
    let error = stack
        .backward(
            &[0; 192],
            &parameters,
            &SavedActivations::default(),
            &[0.0; 256],
            &mut parameters.clone(),
        )
        .unwrap_err();
    assert!(matches!(error, KernelError::Length { .. }));
}
