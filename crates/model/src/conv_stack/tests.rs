//! Values and gradients of the custom operations, compared with those of Burn's own.

use burn::tensor::{Device, Distribution, Tensor};

use super::{FrameBatch, Stage, StagePrologue, composed, conv_stack};
use crate::init::Init;
use crate::layers::{LayerNorm, Linear};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tellapart_kernels::Precision;

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

#[track_caller]
fn assert_close<const D: usize>(what: &str, found: Tensor<D>, expected: Tensor<D>) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let scale = expected.clone().abs().max().into_scalar::<f32>();
    let error = (found - expected).abs().max().into_scalar::<f32>();
    assert!(
        error <= 2e-5 * (1.0 + scale),
        "{what}: off by {error} at a scale of {scale}"
    );
}

fn frames(rows: usize, shape: [usize; 3], device: &Device) -> FrameBatch {
    let len = rows * shape.iter().product::<usize>();
    let bytes: Vec<u8> = (0..len).map(|at| (at * 7919 % 251) as u8).collect();
    FrameBatch::new(bytes, shape, device)
}

/// Returns a strided stage, then a residual block with every kind of input.
fn stages(device: &Device) -> Vec<Stage> {
    let stage = |shape: [usize; 4], stride, padding, input, add| Stage {
        weight: random(shape, device).require_grad(),
        bias: random([shape[0]], device).require_grad(),
        stride,
        padding,
        input,
        add,
    };
    let norm = |channels| StagePrologue::NormRelu {
        gamma: random([channels], device).require_grad(),
        beta: random([channels], device).require_grad(),
        epsilon: 1e-3,
    };
    vec![
        stage([8, 3, 4, 3], 2, 2, StagePrologue::Nothing, None),
        stage([33, 8, 3, 3], 1, 1, norm(8), None),
        stage([8, 33, 1, 1], 1, 0, StagePrologue::Relu, Some(0)),
        stage([5, 8, 2, 3], 3, 0, StagePrologue::Nothing, None),
    ]
}

#[test]
fn a_conv_stack_and_its_gradients_equal_those_of_burn() {
    let device = Device::flex().autodiff();
    for rows in [1, 3, 20] {
        let frames = frames(rows, [13, 11, 3], &device);
        let stages = stages(&device);
        let ours = conv_stack(&frames, &stages, Precision::F32);
        let burns = composed(&frames, &stages);
        assert_close("output", ours.clone().inner(), burns.clone().inner());
        let cotangent = random(ours.dims(), &device);
        let ours = (ours * cotangent.clone()).sum().backward();
        let burns = (burns * cotangent).sum().backward();
        for (index, stage) in stages.iter().enumerate() {
            let what = format!("stage {index} of {rows} images");
            let [found, expected] = [&ours, &burns].map(|from| stage.weight.grad(from).unwrap());
            assert_close(&what, found, expected);
            let [found, expected] = [&ours, &burns].map(|from| stage.bias.grad(from).unwrap());
            assert_close(&what, found, expected);
            if let StagePrologue::NormRelu { gamma, beta, .. } = &stage.input {
                for parameter in [gamma, beta] {
                    let [found, expected] =
                        [&ours, &burns].map(|from| parameter.grad(from).unwrap());
                    assert_close(&what, found, expected);
                }
            }
        }
    }
}

#[test]
fn without_gradients_the_result_is_the_same() {
    let device = Device::flex().autodiff();
    let stages = stages(&device);
    let frames = frames(20, [13, 11, 3], &device);
    let tracked = conv_stack(&frames, &stages, Precision::F32).inner();
    let plain: Vec<Stage> = stages
        .into_iter()
        .map(|stage| Stage {
            weight: stage.weight.inner(),
            bias: stage.bias.inner(),
            input: match stage.input {
                StagePrologue::NormRelu {
                    gamma,
                    beta,
                    epsilon,
                } => StagePrologue::NormRelu {
                    gamma: gamma.inner(),
                    beta: beta.inner(),
                    epsilon,
                },
                other => other,
            },
            ..stage
        })
        .collect();
    let frames = FrameBatch(frames.0.inner());
    let untracked = conv_stack(&frames, &plain, Precision::F32);
    assert_eq!(tracked.into_data(), untracked.into_data());
}

#[test]
fn normalization_and_its_gradients_equal_those_of_burn() {
    let device = Device::flex().autodiff();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for (rows, channels) in [(7, 5), (40, 32), (3, 70)] {
        let x = random([rows, channels], &device).require_grad();
        let norm = LayerNorm::new(&mut Init::new(&mut rng, &device, 0), channels, 1e-3);
        let pairs = [
            (
                norm.forward_relu(x.clone()),
                burn::tensor::activation::relu(norm.forward(x.clone())),
            ),
            (
                norm.forward_mish(x.clone()),
                burn::tensor::activation::mish(norm.forward(x.clone())),
            ),
        ];
        for (ours, burns) in pairs {
            assert_close("output", ours.clone().inner(), burns.clone().inner());
            let cotangent = random(ours.dims(), &device);
            let [ours, burns] = [ours, burns]
                .map(|out| x.grad(&(out * cotangent.clone()).sum().backward()).unwrap());
            assert_close("gradient", ours, burns);
        }
    }
}

#[test]
fn a_dense_layer_and_its_gradients_equal_those_of_burn() {
    let device = Device::flex().autodiff();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (rows, inputs, outputs) in [(7, 5, 3), (40, 64, 33), (1, 32, 100)] {
        let x = random([rows, inputs], &device).require_grad();
        let layer = Linear::new(&mut Init::new(&mut rng, &device, 0), inputs, outputs, 1.0);
        let Stage { weight, bias, .. } = layer.stage(StagePrologue::Nothing);
        let weight = weight.reshape([outputs, inputs]);
        let ours = layer.forward(x.clone(), Precision::F32);
        let burns = x.clone().matmul(weight.transpose()) + bias.unsqueeze();
        assert_close("output", ours.clone().inner(), burns.clone().inner());
        let cotangent = random(ours.dims(), &device);
        let [ours, burns] = [ours, burns].map(|out| {
            let gradients = (out * cotangent.clone()).sum().backward();
            (x.grad(&gradients).unwrap(), layer.gradients(&gradients))
        });
        assert_close("input gradient", ours.0, burns.0);
        assert_close("weight gradient", ours.1.0, burns.1.0);
        assert_close("bias gradient", ours.1.1, burns.1.1);
    }
}
