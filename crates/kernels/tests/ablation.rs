//! What replaces a part computes the same. One test, because the switches belong to the process.

#![cfg(feature = "ablation")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_kernels::ablation::{Part, leave_out};
use tellapart_kernels::{ConvLayer, ConvStack, Precision, Prologue, SavedActivations};

#[test]
fn a_stack_without_a_part_computes_the_same() {
    let layer = |channels, kernel, stride, prologue, add| ConvLayer {
        channels,
        kernel: [kernel; 2],
        stride,
        padding: 1,
        prologue,
        add,
    };
    let norm = Prologue::NormRelu { epsilon: 1e-3 };
    let layers = [
        layer(16, 4, 2, Prologue::Nothing, None),
        layer(16, 3, 1, norm, None),
        layer(16, 3, 1, Prologue::Relu, Some(0)),
        layer(32, 3, 2, norm, None),
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut random = |count| -> Vec<f32> {
        let values = (0..count).map(|_| rng.random_range(-0.5..0.5));
        values.collect()
    };
    let stack = ConvStack::new([32, 32, 8], &layers, Precision::F32).unwrap();
    let parameters = random(stack.parameter_len());
    let images = 19;
    let frames: Vec<u8> = (0..images * 32 * 32 * 8)
        .map(|at| (at * 7919 % 251) as u8)
        .collect();
    let gradient = random(images * stack.output().iter().product::<usize>());
    let run = |parts: &[Part]| {
        leave_out(parts);
        // Made anew: the instruction set is chosen here.
        let stack = ConvStack::new([32, 32, 8], &layers, Precision::F32).unwrap();
        let mut saved = SavedActivations::default();
        let mut all = vec![0.0; gradient.len() + parameters.len()];
        let (out, to_parameters) = all.split_at_mut(gradient.len());
        stack
            .forward(&frames, &parameters, Some(&mut saved), out)
            .unwrap();
        stack
            .backward(&frames, &parameters, &saved, &gradient, to_parameters)
            .unwrap();
        all
    };
    let complete = run(&[]);
    let norm = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>().sqrt();
    for (parts, exact) in [
        (&[Part::Winograd][..], false),
        (&[Part::StridedWinograd], false),
        (&[Part::Winograd, Part::StridedWinograd], false),
        (&[Part::FusedPrologue], true),
        (&[Part::ImageBlocks], false),
        (&[Part::LargePages], true),
        (&[Part::SpareBuffers], true),
        (&[Part::Avx512], false),
    ] {
        let found = run(parts);
        if exact {
            assert_eq!(found, complete, "{parts:?}");
        }
        for range in [0..gradient.len(), gradient.len()..complete.len()] {
            let off: Vec<f32> = found[range.clone()]
                .iter()
                .zip(&complete[range.clone()])
                .map(|(a, b)| a - b)
                .collect();
            let share = norm(&off) / norm(&complete[range]);
            assert!(share < 1e-5, "without {parts:?}: off by {share}");
        }
    }
    assert_eq!(run(&[]), complete);
}
