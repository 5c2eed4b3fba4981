//! Tests of the Winograd convolution and its gradients against the definition in f64.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::exact::{Exact, Results};
use crate::conv::direct::forward::{Forward, Windows};
use crate::conv::direct::weight_gradient::WeightGradient;
use crate::conv::padded::Source;
use crate::conv::stored::Stored;
use crate::conv::winograd::{Winograd, WinogradWeightGradient, is_possible, pays};
use crate::gemm::element::Element;
use crate::gemm::epilogue::{Epilogue, Out};
use crate::gemm::microkernel::Accumulator;
use crate::memory::workspace::Workspace;
use crate::shape::ConvShape;
use crate::simd::Isa;
use crate::simd::precision::Pair;

fn random_shape(rng: &mut ChaCha8Rng) -> ConvShape {
    // Miri takes a microsecond for an operation.
    let (batch, most, kinds) = if cfg!(miri) {
        (1..=1, 3, 2)
    } else {
        (0..=5, 12, 7)
    };
    let channels = &[16, 17, 24, 32, 33, 40, 70][..kinds];
    loop {
        let image = [
            rng.random_range(batch.clone()),
            rng.random_range(1..=most),
            rng.random_range(1..=most),
            channels[rng.random_range(0..kinds)],
        ];
        let weight = [channels[rng.random_range(0..kinds)], image[3], 3, 3];
        let shape = ConvShape::new(image, weight, 1, rng.random_range(0..=2));
        if let Ok(shape) = shape {
            return shape;
        }
    }
}

/// The direct algorithm is off by up to 2.4 epsilons over these shapes, Winograd by 3.4. In the
/// root mean square Winograd rounds no worse, because it adds up fewer products.
#[test]
fn minimal_filtering_equals_its_naive_reference_over_random_shapes() {
    for seed in 0..if cfg!(miri) { 1 } else { 200 } {
        let mut rng = ChaCha8Rng::seed_from_u64(20_000 + seed);
        let shape = random_shape(&mut rng);
        assert!(is_possible::<f32>(&shape));
        let exact = Exact::of(&shape, &mut rng);
        for isa in Isa::available() {
            let case = format!("seed {seed}, {isa:?}, {shape:?}");
            exact.assert_near(&run::<f32>(isa, &shape, &exact, &case), 8.0, &case);
        }
    }
}

#[test]
fn over_whole_numbers_it_is_exact() {
    for seed in 0..if cfg!(miri) { 1 } else { 200 } {
        let mut rng = ChaCha8Rng::seed_from_u64(40_000 + seed);
        let mut shape = random_shape(&mut rng);
        while cfg!(miri) && !is_possible::<Pair>(&shape) {
            shape = random_shape(&mut rng);
        }
        let exact = Exact::of_whole_numbers(&shape, &mut rng);
        for isa in Isa::available() {
            let case = format!("seed {seed}, {isa:?}, {shape:?}");
            exact.assert_equal(&run::<f32>(isa, &shape, &exact, &case), &case);
            if is_possible::<Pair>(&shape) {
                exact.assert_equal(&run::<Pair>(isa, &shape, &exact, &case), &case);
            }
        }
    }
}

/// Runs the convolution and both gradients; that with respect to the input a second time through a
/// ReLU.
fn run<I: Element>(isa: Isa, shape: &ConvShape, exact: &Exact, case: &str) -> Results {
    // Previous contents of results and workspace must not matter.
    let mut workspace = Workspace::of(f32::NAN);
    let source = Source::values(&exact.input);
    let mut found = Results::unset(shape);
    let forward = Winograd::<I>::new(isa, shape, &exact.weight, &exact.bias, shape.batch);
    forward.run(
        isa,
        source,
        Epilogue::Nothing,
        &mut found.out,
        &mut workspace,
    );

    let sum = WinogradWeightGradient::<I>::new(isa, shape, shape.batch);
    let mut sums = vec![f32::NAN; sum.sums_len()];
    sum.add(
        isa,
        source,
        &exact.gradient,
        Accumulator::first(&mut sums),
        &mut workspace,
    );
    sum.finish(&sums, &mut found.to_weight, &mut found.to_bias);

    let data = Winograd::<I>::data_gradient(isa, shape, &exact.weight, shape.batch);
    let source = Source::values(&exact.gradient);
    let mut to_input = vec![f32::NAN; shape.input_len()];
    data.run(
        isa,
        source,
        Epilogue::Nothing,
        &mut to_input,
        &mut workspace,
    );
    let seen = Epilogue::WherePositive(&exact.input);
    let (mut passed, mut expected) = (to_input.clone(), to_input.clone());
    data.run(isa, source, seen, &mut passed, &mut workspace);
    seen.copy(0, &to_input, &mut expected);
    assert_eq!(passed, expected, "{case}");
    found.to_input = Some(to_input);
    found
}

/// Checks the documented rounding in bf16: up to twice the error of the direct algorithm.
#[test]
fn it_rounds_to_bf16_as_coarsely_as_is_said() {
    if cfg!(miri) {
        return;
    }
    for (image, outputs) in [([2, 32, 32, 32], 32), ([2, 8, 8, 64], 64)] {
        let shape = ConvShape::new(image, [outputs, image[3], 3, 3], 1, 1).unwrap();
        let exact = Exact::of(&shape, &mut ChaCha8Rng::seed_from_u64(5));
        let isa = Isa::detect();
        let filtered = run::<Pair>(isa, &shape, &exact, "rounding");
        let mut direct = Results::unset(&shape);
        let source = Source::values(&exact.input);
        let windows = Windows::over_channels::<Pair>(&shape, shape.batch);
        let forward = Forward::<Pair>::new(isa, &shape, &windows, &exact.weight, &exact.bias);
        let to = Out::plain(&mut direct.out);
        forward.run(isa, &windows, source, to, &mut windows.scratch());
        let windows = Windows::over_pixels::<Pair>(&shape, shape.batch);
        let sum = WeightGradient::new(isa, &shape, &windows);
        let (mut sums, mut scratch) = (vec![f32::NAN; sum.sums_len()], windows.scratch::<Pair>());
        let gradient = Stored::Values(&exact.gradient);
        sum.add(
            isa,
            &windows,
            source,
            gradient,
            Accumulator::first(&mut sums),
            &mut scratch,
        );
        sum.finish(&sums, &mut direct.to_weight, &mut direct.to_bias);
        for [filtered, direct] in [
            [&filtered, &direct].map(|found| exact.relative_error(&found.out)),
            [&filtered, &direct].map(|found| exact.relative_error_of_weight(&found.to_weight)),
        ] {
            assert!(
                (1e-3..5e-3).contains(&direct) && (1.5..2.0).contains(&(filtered / direct)),
                "{shape:?}: {filtered:e}, directly {direct:e}"
            );
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
    assert!(pays::<f32>(&shape([32, 32], [32, 32], 3, 1, 1)));
    assert!(pays::<f32>(&shape([2, 2], [16, 70], 3, 1, 1)));
    assert!(pays::<f32>(&shape([7, 7], [32, 32], 3, 1, 1)));
    assert!(pays::<Pair>(&shape([32, 32], [32, 32], 3, 1, 1)));
    // A pair holds two neighboring channels.
    for channels in [[17, 32], [32, 17]] {
        assert!(pays::<f32>(&shape([32, 32], channels, 3, 1, 1)));
        assert!(!pays::<Pair>(&shape([32, 32], channels, 3, 1, 1)));
    }
    for other in [
        shape([32, 32], [32, 32], 3, 2, 1),
        shape([32, 32], [32, 32], 1, 1, 1),
        shape([32, 32], [32, 32], 3, 1, 3),
        shape([32, 32], [15, 32], 3, 1, 1),
        shape([32, 32], [32, 15], 3, 1, 1),
        shape([1, 32], [32, 32], 3, 1, 1),
        shape([5, 5], [32, 32], 3, 1, 1),
    ] {
        assert!(!pays::<f32>(&other), "{other:?}");
    }
}
