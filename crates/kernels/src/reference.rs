//! Tests of every kernel against a slow, obvious reference implementation, over random shapes, on
//! every instruction set.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::shape::ConvShape;

mod conv_stacks;
mod convolutions;
mod dense;
mod elementwise;
mod exact;
mod maxmin;
mod normalization;
mod orthogonal;
mod winograd;
mod winograd_strided;

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

/// Runs `work` on a pool of `threads` threads; under Miri nothing asks for more than one.
fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    if cfg!(miri) {
        return work();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(work)
}

fn values(rng: &mut ChaCha8Rng, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
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
