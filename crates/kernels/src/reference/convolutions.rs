//! Tests of the direct kernels against the definition in f64, and of bf16 and [`ConvShape`].

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{assert_close, products, values};
use crate::conv::direct::data_gradient::DataGradient;
use crate::conv::direct::forward::{Forward, Windows};
use crate::conv::direct::weight_gradient::WeightGradient;
use crate::conv::padded::Source;
use crate::conv::stored::Stored;
use crate::gemm::element::Element;
use crate::gemm::epilogue::{Epilogue, Out};
use crate::gemm::microkernel::Accumulator;
use crate::shape::{ConvShape, KernelError};
use crate::simd::Isa;
use crate::simd::bf16::{bf16, pair};
use crate::simd::precision::Pair;

fn random_shape(rng: &mut ChaCha8Rng) -> ConvShape {
    // Miri takes a microsecond for an operation.
    let (most, kinds) = if cfg!(miri) { (4, 4) } else { (12, 11) };
    loop {
        let channels = [1, 2, 3, 4, 8, 15, 16, 17, 32, 33, 40];
        let channels = &channels[..kinds];
        let image = [
            rng.random_range(0..=5),
            rng.random_range(1..=most),
            rng.random_range(1..=most),
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

#[test]
fn every_kernel_equals_its_naive_reference_over_random_shapes() {
    kernels_equal_their_references::<f32>(|x| x);
}

/// Products of bf16 values are exact in f32: where all arguments are bf16, the kernels must equal
/// the definition.
#[test]
fn every_kernel_over_pairs_equals_its_naive_reference_over_random_shapes() {
    kernels_equal_their_references::<Pair>(|x| f32::from_bits(bf16(x) << 16));
}

fn kernels_equal_their_references<I: Element>(rounded: impl Fn(f32) -> f32) {
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
            // Previous contents of the results must not matter.
            let source = Source::values(&input);
            let windows = Windows::over_channels::<I>(&shape, shape.batch);
            let mut found = vec![f32::NAN; shape.output_len()];
            let forward = Forward::<I>::new(isa, &shape, &windows, &weight, &bias);
            let to = Out::plain(&mut found);
            forward.run(isa, &windows, source, to, &mut windows.scratch());
            assert_close(&format!("output, {case}"), &found, &out);

            let windows = Windows::over_pixels::<I>(&shape, shape.batch);
            let sum = WeightGradient::new(isa, &shape, &windows);
            let mut sums = vec![f32::NAN; sum.sums_len()];
            let mut scratch = windows.scratch::<I>();
            let arriving = Stored::Values(&gradient);
            sum.add(
                isa,
                &windows,
                source,
                arriving,
                Accumulator::first(&mut sums),
                &mut scratch,
            );
            let mut found = vec![f32::NAN; shape.weight_len()];
            let mut found_bias = vec![f32::NAN; shape.out_channels];
            sum.finish(&sums, &mut found, &mut found_bias);
            assert_close(&format!("weight gradient, {case}"), &found, &to_weight);
            assert_close(&format!("bias gradient, {case}"), &found_bias, &to_bias);

            let mut found = vec![f32::NAN; shape.input_len()];
            let data = DataGradient::<I>::new(isa, &shape, &weight, shape.batch);
            let to = Out::plain(&mut found);
            data.run(isa, arriving, to, &mut data.scratch());
            assert_close(&format!("input gradient, {case}"), &found, &to_input);
        }
    }
}

/// Pairs in memory give the same bits as the same values one by one, and results are stored
/// rounded.
#[test]
fn pairs_in_memory_are_read_and_written_as_numbers_are() {
    let mut tried = 0;
    for seed in 0..if cfg!(miri) { 20 } else { 300 } {
        let mut rng = ChaCha8Rng::seed_from_u64(50_000 + seed);
        let shape = random_shape(&mut rng);
        if shape.in_channels % 2 + shape.out_channels % 2 > 0 || (cfg!(miri) && tried > 0) {
            continue;
        }
        tried += usize::from(shape.batch > 0);
        let mut values = |len| -> Vec<f32> {
            let values = values(&mut rng, len).into_iter();
            values.map(|x| f32::from_bits(bf16(x) << 16)).collect()
        };
        let input = values(shape.input_len());
        let weight = values(shape.weight_len());
        let bias = values(shape.out_channels);
        let gradient = values(shape.output_len());
        let paired = |numbers: &[f32]| -> Vec<Pair> {
            let twos = numbers.as_chunks::<2>().0.iter();
            twos.map(|&[low, high]| pair(low, high)).collect()
        };
        let (input_pairs, gradient_pairs) = (paired(&input), paired(&gradient));
        for isa in Isa::available() {
            let case = format!("seed {seed}, {isa:?}, {shape:?}");
            let windows = Windows::over_channels::<Pair>(&shape, shape.batch);
            let forward = Forward::<Pair>::new(isa, &shape, &windows, &weight, &bias);
            let run = |source, to: Out<'_>| {
                forward.run(isa, &windows, source, to, &mut windows.scratch());
            };
            let mut plain = vec![f32::NAN; shape.output_len()];
            run(Source::values(&input), Out::plain(&mut plain));
            let pairs = Source::Stored(Stored::Pairs(&input_pairs));
            for epilogue in [
                Epilogue::Nothing,
                Epilogue::Relu,
                Epilogue::WherePositive(&gradient_pairs),
            ] {
                let mut out = vec![Pair(7); shape.output_len() / 2];
                run(pairs, Out::Pairs(&mut out, epilogue));
                let passes = |at: usize| match epilogue {
                    Epilogue::Nothing => true,
                    Epilogue::Relu => plain[at] > 0.0,
                    Epilogue::WherePositive(_) => gradient[at] > 0.0,
                };
                let passed = plain.iter().enumerate();
                let passed = passed.map(|(at, &x)| if passes(at) { x } else { 0.0 });
                assert_eq!(out, paired(&passed.collect::<Vec<f32>>()), "{case}");
            }

            let windows = Windows::over_pixels::<Pair>(&shape, shape.batch);
            let sum = WeightGradient::new(isa, &shape, &windows);
            let run = |source, gradient| {
                let mut sums = vec![f32::NAN; sum.sums_len()];
                let mut scratch = windows.scratch::<Pair>();
                sum.add(
                    isa,
                    &windows,
                    source,
                    gradient,
                    Accumulator::first(&mut sums),
                    &mut scratch,
                );
                sums
            };
            let plain = run(Source::values(&input), Stored::Values(&gradient));
            assert_eq!(run(pairs, Stored::Pairs(&gradient_pairs)), plain, "{case}");

            let data = DataGradient::<Pair>::new(isa, &shape, &weight, shape.batch);
            let run = |gradient, to: Out<'_>| data.run(isa, gradient, to, &mut data.scratch());
            let mut plain = vec![f32::NAN; shape.input_len()];
            run(Stored::Values(&gradient), Out::plain(&mut plain));
            for epilogue in [Epilogue::Nothing, Epilogue::WherePositive(&input_pairs)] {
                let mut out = vec![Pair(7); shape.input_len() / 2];
                run(
                    Stored::Pairs(&gradient_pairs),
                    Out::Pairs(&mut out, epilogue),
                );
                let mut passed = plain.clone();
                if let Epilogue::WherePositive(_) = epilogue {
                    Epilogue::WherePositive(&input).copy(0, &plain, &mut passed);
                }
                assert_eq!(out, paired(&passed), "{case}");
            }
        }
    }
    assert!(tried > 0);
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
