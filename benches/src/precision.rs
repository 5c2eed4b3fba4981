//! Measures how much bf16 products change an encoder's convolutions, in tellapart and in PyTorch.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tellapart_kernels::{ConvLayer, ConvStack, KernelError, Precision, Prologue, SavedActivations};

use crate::{arguments::Arguments, pytorch::python};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pytorch_precision.py");

/// Compares bf16 with f32 in the convolutions of the encoders of `pytorch`, at PyTorch's
/// initialization. The images and the gradient of the output are random. Prints the norm of the
/// difference over the norm. Options: `--images`, `--seeds`.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let images = arguments.take("images", 64)?;
    let seeds = arguments.take("seeds", 25)?;
    arguments.finish()?;
    println!(
        "bf16 against f32: the norm of the difference over the norm, of the output / of the gradient; of {seeds} \
         seeds: median [least, most]"
    );
    for (encoder, layers) in [("cnn", cnn()), ("resnet", resnet())] {
        let ours: Result<Vec<_>, _> = (0..seeds as u64)
            .map(|seed| off(&layers, images, seed))
            .collect();
        let ours = ours.map_err(|error| error.to_string())?;
        let [images, seeds] = [images, seeds].map(|count| count.to_string());
        let words = ["--encoder", encoder, "--images", &images, "--seeds", &seeds];
        let theirs: Off = python(SCRIPT, &words)?;
        println!("  {encoder:<7} PyTorch    {}", described(&theirs.off));
        println!("  {encoder:<7} tellapart  {}", described(&ours));
    }
    Ok(())
}

/// Output of the PyTorch script.
#[derive(Deserialize)]
struct Off {
    off: Vec<[f32; 2]>,
}

fn described(off: &[[f32; 2]]) -> String {
    [0, 1]
        .map(|which| {
            let mut shares: Vec<f32> = off.iter().map(|off| 100.0 * off[which]).collect();
            shares.sort_by(f32::total_cmp);
            let (low, middle, high) = (
                shares[0],
                shares[shares.len() / 2],
                shares[shares.len() - 1],
            );
            format!("{middle:>6.2} % [{low:.2}, {high:.2}]")
        })
        .join(" / ")
}

/// Returns the relative difference of the output and of the gradient with respect to the
/// parameters.
fn off(layers: &[ConvLayer], images: usize, seed: u64) -> Result<[f32; 2], KernelError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let frames: Vec<u8> = (0..images * 64 * 64 * 3).map(|_| rng.random()).collect();
    let mut parameters: Vec<f32> = Vec::new();
    let mut channels = 3;
    for layer in layers {
        if let Prologue::NormRelu { .. } = layer.prologue {
            parameters.extend(vec![1.0; channels]);
            parameters.extend(vec![0.0; channels]);
        }
        let taps = channels * layer.kernel[0] * layer.kernel[1];
        let bound = 1.0 / (taps as f32).sqrt();
        let numbers = layer.channels * taps + layer.channels;
        parameters.extend((0..numbers).map(|_| rng.random_range(-bound..bound)));
        channels = layer.channels;
    }
    let mut arriving = Vec::new();
    let mut run = |precision| {
        let stack = ConvStack::new([64, 64, 3], layers, precision)?;
        let numbers = images * stack.output().iter().product::<usize>();
        // Sums of twelve uniform values: nearly normal.
        let mut normal = || (0..12).map(|_| rng.random_range(-0.5_f32..0.5)).sum();
        arriving.resize_with(numbers, &mut normal);
        let (mut out, mut saved) = (vec![0.0; numbers], SavedActivations::default());
        stack.forward(&frames, &parameters, Some(&mut saved), &mut out)?;
        let mut gradient = vec![0.0; parameters.len()];
        stack.backward(&frames, &parameters, &saved, &arriving, &mut gradient)?;
        Ok([out, gradient])
    };
    let (exact, near) = (run(Precision::F32)?, run(Precision::Bf16)?);
    Ok([0, 1].map(|which| share(&near[which], &exact[which])))
}

fn share(near: &[f32], exact: &[f32]) -> f32 {
    let norm = |terms: &mut dyn Iterator<Item = f32>| {
        terms.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
    };
    let off = norm(&mut near.iter().zip(exact).map(|(a, b)| a - b));
    (off / norm(&mut exact.iter().copied())) as f32
}

fn cnn() -> Vec<ConvLayer> {
    let layers = [32, 32, 64, 64].into_iter().enumerate();
    let layers = layers.map(|(index, channels)| match index {
        0 => convolution(channels, 2, Prologue::Nothing),
        _ => convolution(channels, 2, Prologue::Relu),
    });
    layers.collect()
}

fn resnet() -> Vec<ConvLayer> {
    let mut layers = Vec::new();
    for _ in 0..4 {
        layers.push(convolution(32, 2, Prologue::Nothing));
        for _ in 0..2 {
            let add = Some(layers.len() - 1);
            let inner = convolution(32, 1, Prologue::NormRelu { epsilon: 1e-5 });
            layers.extend([inner, ConvLayer { add, ..inner }]);
        }
    }
    layers
}

fn convolution(channels: usize, stride: usize, prologue: Prologue) -> ConvLayer {
    ConvLayer {
        channels,
        kernel: [3, 3],
        stride,
        padding: 1,
        prologue,
        add: None,
    }
}
