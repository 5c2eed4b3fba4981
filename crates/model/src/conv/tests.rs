//! Values and gradients of the custom operations beside those of Burn's own.

use burn::tensor::{Device, Distribution, Tensor};

use super::{Conv2dOptions, channel_norm_relu, composed, conv2d};

const THREADS: usize = 2;

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

#[track_caller]
fn assert_close<const D: usize>(what: &str, found: Tensor<D>, expected: Tensor<D>) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let scale = expected.clone().abs().max().into_scalar::<f32>();
    let error = (found - expected).abs().max().into_scalar::<f32>();
    assert!(
        error <= 1e-5 * (1.0 + scale),
        "{what}: off by {error} at a scale of {scale}"
    );
}

#[test]
fn convolution_and_its_gradients_equal_those_of_burn() {
    let device = Device::flex().autodiff();
    // batch, height, width, in, out, kernel height, kernel width, stride, padding
    for case in [
        [5, 20, 16, 3, 32, 8, 8, 4, 2],
        [3, 9, 8, 32, 33, 3, 3, 2, 1],
        [2, 6, 7, 5, 4, 2, 3, 1, 0],
        [1, 4, 4, 2, 3, 1, 1, 3, 1],
    ] {
        let [
            batch,
            height,
            width,
            ins,
            outs,
            rows,
            columns,
            stride,
            padding,
        ] = case;
        for biased in [false, true] {
            // Channels first at rest: the operations see a permuted, non-contiguous tensor.
            let x = random([batch, ins, height, width], &device).require_grad();
            let weight = random([outs, ins, rows, columns], &device).require_grad();
            let bias = random([outs], &device).require_grad();
            let given = biased.then(|| bias.clone());
            let last = || x.clone().permute([0, 2, 3, 1]);

            let options = Conv2dOptions {
                stride,
                padding,
                threads: THREADS,
            };
            let ours = conv2d(last(), weight.clone(), given.clone(), options);
            let burns = composed::conv2d(last(), weight.clone(), given, stride, padding);
            let cotangent = random(ours.dims(), &device);
            assert_close("output", ours.clone().inner(), burns.clone().inner());

            let ours = (ours * cotangent.clone()).sum().backward();
            let burns = (burns * cotangent).sum().backward();
            assert_close("x", x.grad(&ours).unwrap(), x.grad(&burns).unwrap());
            assert_close(
                "weight",
                weight.grad(&ours).unwrap(),
                weight.grad(&burns).unwrap(),
            );
            if biased {
                assert_close(
                    "bias",
                    bias.grad(&ours).unwrap(),
                    bias.grad(&burns).unwrap(),
                );
            }
        }
    }
}

#[test]
fn normalisation_and_its_gradients_equal_those_of_burn() {
    let device = Device::flex().autodiff();
    for channels in [1, 7, 32, 65] {
        let x = random([4, channels, 3, 5], &device).require_grad();
        let gamma = random([channels], &device).require_grad();
        let beta = random([channels], &device).require_grad();
        let last = || x.clone().permute([0, 2, 3, 1]);

        let ours = channel_norm_relu(last(), gamma.clone(), beta.clone(), 1e-3, THREADS);
        let burns = composed::channel_norm_relu(last(), gamma.clone(), beta.clone(), 1e-3);
        let cotangent = random(ours.dims(), &device);
        assert_close("output", ours.clone().inner(), burns.clone().inner());

        let ours = (ours * cotangent.clone()).sum().backward();
        let burns = (burns * cotangent).sum().backward();
        assert_close("x", x.grad(&ours).unwrap(), x.grad(&burns).unwrap());
        assert_close(
            "gamma",
            gamma.grad(&ours).unwrap(),
            gamma.grad(&burns).unwrap(),
        );
        assert_close(
            "beta",
            beta.grad(&ours).unwrap(),
            beta.grad(&burns).unwrap(),
        );
    }
}

#[test]
fn nothing_is_tracked_without_autodiff_and_a_constant_input_gets_no_gradient() {
    let plain = Device::flex();
    let tracked = plain.clone().autodiff();
    let x = random([2, 8, 8, 3], &tracked);
    let weight = random([4, 3, 3, 3], &tracked).require_grad();
    let options = Conv2dOptions {
        stride: 2,
        padding: 1,
        threads: THREADS,
    };
    let out = conv2d(x.clone(), weight.clone(), None, options);
    let inner = conv2d(x.clone().inner(), weight.clone().inner(), None, options);
    assert_close("output", out.clone().inner(), inner.clone());
    assert!(!inner.device().is_autodiff());
    let gradients = out.sum().backward();
    assert!(x.grad(&gradients).is_none());
    assert!(weight.grad(&gradients).is_some());
}
