use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::exact::{Exact, Sums};
use crate::lanes::Isa;
use crate::norm::{Affine, measure, rectify_gradient};
use crate::padded::Source;
use crate::shape::ConvShape;
use crate::strided::{
    Strided, StridedDataGradient, StridedWeightGradient, is_possible, pays, pays_back,
};
use crate::workspace::Workspace;

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

/// It is off by up to 34 epsilons where an output at an edge sees few pixels: it then rounds as those beside
/// it do, which see more.
#[test]
fn strided_minimal_filtering_equals_its_naive_twin_over_random_shapes() {
    for seed in 0..if cfg!(miri) { 1 } else { 200 } {
        let mut rng = ChaCha8Rng::seed_from_u64(30_000 + seed);
        let shape = random_shape(&mut rng);
        assert!(is_possible(&shape));
        let exact = Exact::of(&shape, &mut rng);
        for isa in Isa::available() {
            let case = format!("seed {seed}, {isa:?}, {shape:?}");
            let check = |what: &str, found: &[f32], expected: &Sums| {
                expected.assert_near(&format!("{what}, {case}"), found, 70.0);
            };
            // Whatever was in the results, or between, before must not matter.
            let mut workspace = Workspace::of(f32::NAN);
            let source = Source::Values(&exact.input);
            let mut found = vec![f32::NAN; shape.output_len()];
            let forward = Strided::new(isa, &shape, &exact.weight, &exact.bias, shape.batch);
            forward.run(isa, source, &mut found, &mut workspace);
            check("output", &found, &exact.out);

            // Whatever it reads, it is what that is written out.
            let mut ran = |source: Source<'_>| {
                let mut found = vec![f32::NAN; shape.output_len()];
                forward.run(isa, source, &mut found, &mut workspace);
                found
            };
            let bytes: Vec<u8> = exact
                .input
                .iter()
                .map(|x| (x * 127.0 + 128.0) as u8)
                .collect();
            let channels = shape.in_channels;
            let mut moments = vec![0.0; 2 * (exact.input.len() / channels)];
            measure(isa, &exact.input, 1e-2, &mut moments);
            let affine = Affine::new(
                &exact.input[..channels.min(exact.input.len())],
                &exact.weight[..channels],
                &moments,
            );
            for source in [
                Source::Frames(&bytes),
                Source::Relu(&exact.input),
                Source::NormRelu(&exact.input, affine),
            ] {
                if shape.batch == 0 {
                    continue;
                }
                let mut written = vec![f32::NAN; shape.input_len()];
                source.write(isa, &mut written);
                assert_eq!(ran(source), ran(Source::Values(&written)), "{case}");
            }

            let sum = StridedWeightGradient::new(isa, &shape, shape.batch);
            let mut sums = vec![0.0; sum.sums_len()];
            sum.add(isa, source, &exact.gradient, &mut sums, &mut workspace);
            let mut found = vec![f32::NAN; shape.weight_len()];
            let mut found_bias = vec![f32::NAN; shape.out_channels];
            sum.finish(isa, &sums, &mut found, &mut found_bias);
            sum.arrange(&mut found);
            check("weight gradient", &found, &exact.to_weight);
            check("bias gradient", &found_bias, &exact.to_bias);

            let mut found = vec![f32::NAN; shape.input_len()];
            if shape.in_channels * shape.stride < 16 {
                continue;
            }
            let data = StridedDataGradient::new(isa, &shape, &exact.weight, shape.batch);
            data.run(isa, &exact.gradient, None, &mut found, &mut workspace);
            check("input gradient", &found, &exact.to_input);
            // Behind a ReLU that saw the input.
            let mut passed = vec![f32::NAN; shape.input_len()];
            let seen = Some(&exact.input[..]);
            data.run(isa, &exact.gradient, seen, &mut passed, &mut workspace);
            rectify_gradient(isa, &exact.input, &mut found);
            assert_eq!(passed, found, "{case}");
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
    // So many weights that the memory of the transformed ones would matter.
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
