//! Tests of the strided Winograd convolution and its gradients against the definition in f64.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::exact::{Exact, Results};
use super::values;
use crate::conv::direct::forward::{Forward, Windows};
use crate::conv::padded::Source;
use crate::conv::strided::{
    StridedWinograd, StridedWinogradWeightGradient, is_possible, pays, pays_back,
};
use crate::gemm::epilogue::{Epilogue, Out};
use crate::gemm::microkernel::Accumulator;
use crate::memory::workspace::Workspace;
use crate::nn::norm::{Affine, measure};
use crate::shape::ConvShape;
use crate::simd::{Isa, WIDEST};

fn random_shape(rng: &mut ChaCha8Rng) -> ConvShape {
    // Miri takes a microsecond for an operation.
    let (batch, most, kinds) = if cfg!(miri) {
        (1..=1, 5, 2)
    } else {
        (0..=5, 20, 9)
    };
    let channels = [3, 16, 1, 17, 24, 32, 33, 40, 70];
    let outputs = [16, 17, 24, 32, 33, 40, 70];
    loop {
        let stride = rng.random_range(1..=5);
        let image = [
            rng.random_range(batch.clone()),
            rng.random_range(1..=most),
            rng.random_range(1..=most),
            channels[rng.random_range(0..kinds)],
        ];
        let weight = [
            outputs[rng.random_range(0..kinds.min(7))],
            image[3],
            rng.random_range(stride + 1..=2 * stride),
            rng.random_range(stride + 1..=2 * stride),
        ];
        let shape = ConvShape::new(image, weight, stride, rng.random_range(0..stride));
        if let Ok(shape) = shape {
            return shape;
        }
    }
}

/// Strided Winograd is off by up to 34 epsilons where an output at an edge sees few pixels. It then
/// rounds as coarsely as its neighbors, which see more.
#[test]
fn strided_minimal_filtering_equals_its_naive_reference_over_random_shapes() {
    for seed in 0..if cfg!(miri) { 1 } else { 200 } {
        let mut rng = ChaCha8Rng::seed_from_u64(30_000 + seed);
        // The first case has narrow cells, whose vectors are of two rows, as in the first layer of
        // the `cnn`.
        let shape = match seed {
            0 if !cfg!(miri) => ConvShape::new([2, 16, 20, 3], [16, 3, 8, 8], 4, 2).unwrap(),
            _ => random_shape(&mut rng),
        };
        assert!(is_possible(&shape));
        let exact = Exact::of(&shape, &mut rng);
        for isa in Isa::available() {
            let case = format!("seed {seed}, {isa:?}, {shape:?}");
            // Previous contents of results and workspace must not matter.
            let mut workspace = Workspace::of(f32::NAN);
            let source = Source::values(&exact.input);
            let mut found = Results::unset(&shape);
            let forward =
                StridedWinograd::new(isa, &shape, &exact.weight, &exact.bias, shape.batch);
            forward.run(
                isa,
                source,
                Epilogue::Nothing,
                &mut found.out,
                &mut workspace,
            );

            let sum = StridedWinogradWeightGradient::new(isa, &shape, shape.batch);
            let mut sums = vec![f32::NAN; sum.sums_len()];
            sum.add(
                isa,
                source,
                &exact.gradient,
                Accumulator::first(&mut sums),
                &mut workspace,
            );
            sum.finish(isa, &sums, &mut found.to_weight, &mut found.to_bias);
            sum.arrange(&mut found.to_weight);

            // The data gradient writes whole vectors.
            if shape.in_channels * shape.stride >= WIDEST {
                let data = StridedWinograd::data_gradient(isa, &shape, &exact.weight, shape.batch);
                let mut ran = |epilogue| {
                    let mut to_input = vec![f32::NAN; shape.input_len()];
                    data.run(
                        isa,
                        Source::values(&exact.gradient),
                        epilogue,
                        &mut to_input,
                        &mut workspace,
                    );
                    to_input
                };
                let to_input = ran(Epilogue::Nothing);
                let seen = Epilogue::WherePositive(&exact.input);
                let mut passed = to_input.clone();
                seen.copy(0, &to_input, &mut passed);
                assert_eq!(ran(seen), passed, "{case}");
                found.to_input = Some(to_input);
            }
            exact.assert_near(&found, 70.0, &case);
        }
    }
}

/// Checks the documented rounding: up to four times the error of the direct algorithm, and 1.3e-6
/// in all.
#[test]
fn it_rounds_as_coarsely_as_is_said() {
    if cfg!(miri) {
        return;
    }
    for (image, outputs, kernel, stride, padding) in [
        ([2, 32, 32, 32], 32, 3, 2, 1),
        ([2, 64, 64, 3], 32, 8, 4, 2),
        ([2, 32, 32, 32], 32, 4, 2, 1),
        ([2, 8, 8, 64], 64, 3, 2, 1),
    ] {
        let weight = [outputs, image[3], kernel, kernel];
        let shape = ConvShape::new(image, weight, stride, padding).unwrap();
        let exact = Exact::of(&shape, &mut ChaCha8Rng::seed_from_u64(5));
        let isa = Isa::detect();
        let source = Source::values(&exact.input);
        let (mut filtered, mut direct) =
            (vec![0.0; shape.output_len()], vec![0.0; shape.output_len()]);
        let strided = StridedWinograd::new(isa, &shape, &exact.weight, &exact.bias, shape.batch);
        strided.run(
            isa,
            source,
            Epilogue::Nothing,
            &mut filtered,
            &mut Workspace::default(),
        );
        let windows = Windows::over_channels::<f32>(&shape, shape.batch);
        let forward = Forward::<f32>::new(isa, &shape, &windows, &exact.weight, &exact.bias);
        let to = Out::plain(&mut direct);
        forward.run(isa, &windows, source, to, &mut windows.scratch());
        let [filtered, direct] = [filtered, direct].map(|out| exact.relative_error(&out));
        assert!(
            filtered < 1.5e-6 && filtered < 5.0 * direct,
            "{shape:?}: {filtered:e}, directly {direct:e}"
        );
    }
}

/// Bytes, and values clipped or normalized while reading, are convolved as what they become.
#[test]
fn every_source_is_what_it_is_written_out() {
    for seed in 0..if cfg!(miri) { 1 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(40_000 + seed);
        let shape = random_shape(&mut rng);
        let input = values(&mut rng, shape.input_len());
        let bytes: Vec<u8> = (0..shape.input_len()).map(|_| rng.random()).collect();
        let [gamma, beta] = [0, 1].map(|_| values(&mut rng, shape.in_channels));
        let weight = values(&mut rng, shape.weight_len());
        let bias = values(&mut rng, shape.out_channels);
        for isa in Isa::available() {
            let mut moments = vec![0.0; 2 * (input.len() / shape.in_channels)];
            measure(isa, &input, 1e-2, &mut moments);
            let forward = StridedWinograd::new(isa, &shape, &weight, &bias, shape.batch);
            let ran = |source: Source<'_>| {
                let mut found = vec![f32::NAN; shape.output_len()];
                forward.run(
                    isa,
                    source,
                    Epilogue::Nothing,
                    &mut found,
                    &mut Workspace::of(f32::NAN),
                );
                found
            };
            for source in [
                Source::Frames(&bytes),
                Source::Relu(&input),
                Source::NormRelu(&input, Affine::new(&gamma, &beta, &moments)),
            ] {
                let mut written = vec![f32::NAN; shape.input_len()];
                source.write(isa, &mut written);
                let case = format!("seed {seed}, {isa:?}, {shape:?}");
                assert_eq!(ran(source), ran(Source::values(&written)), "{case}");
            }
        }
    }
}

#[test]
fn it_is_chosen_by_shape_and_precision() {
    let shape = |size: [usize; 2], channels: [usize; 2], kernel, stride, padding| {
        let [height, width] = size;
        let image = [1, height, width, channels[0]];
        let weight = [channels[1], channels[0], kernel, kernel];
        ConvShape::new(image, weight, stride, padding).unwrap()
    };
    assert!(pays::<f32>(&shape([32, 32], [32, 32], 3, 2, 1)));
    assert!(pays::<f32>(&shape([8, 8], [64, 64], 4, 2, 1)));
    assert!(pays_back::<f32>(&shape([32, 32], [32, 32], 3, 2, 1)));
    // Shifted by half a kernel, the cells of so small an image are too many.
    assert!(!pays_back::<f32>(&shape([8, 8], [64, 64], 4, 2, 1)));
    let frames = shape([64, 64], [3, 32], 8, 4, 2);
    assert!(pays::<f32>(&frames) && !pays_back::<f32>(&frames));
    // Rows and columns that no output sees.
    let cropped = shape([32, 32], [32, 32], 3, 2, 0);
    assert!(pays::<f32>(&cropped) && !pays_back::<f32>(&cropped));
    // With so many weights, the memory of the transformed ones would matter.
    assert!(!pays::<f32>(&shape([32, 32], [1024, 1024], 3, 2, 1)));
    for other in [
        shape([64, 64], [3, 32], 3, 2, 1),
        shape([32, 32], [32, 32], 3, 1, 1),
        shape([32, 32], [32, 32], 2, 2, 0),
        shape([32, 32], [32, 32], 5, 2, 2),
        shape([32, 32], [32, 15], 3, 2, 1),
        shape([32, 32], [32, 32], 3, 2, 2),
        shape([2, 2], [32, 32], 3, 2, 1),
    ] {
        assert!(!pays::<f32>(&other), "{other:?}");
    }
}
