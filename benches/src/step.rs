//! Measures a training step, and the share of its convolutions.

use std::hint::black_box;
use std::time::Duration;

use burn::tensor::{Device, Distribution, Tensor};
use tellapart_model::Precision;
use tellapart_model::conv_stack::{FrameBatch, Stage, StagePrologue, composed, conv_stack};
use tellapart_train::Objectives;
use tellapart_train::config::{ValidConfig, parse};
use tellapart_train::experience::Experience;
use tellapart_train::learner::Learner;
use tellapart_train::memory;
use tellapart_train::seeds::{Purpose, generator};

use crate::{
    arguments::Arguments,
    timing::{Times, side_by_side},
};

/// Measures a whole step (forward, backward, optimizers) of each encoder with the default recipe on
/// one thread. The inputs are made beforehand, since a run makes them in the background. Then
/// measures the convolutions of the generic encoder, forward and backward, with tellapart's kernels
/// and with Burn's operations. Options: `--window` (observations in a batch), `--repeats`,
/// `--millis` (of one repeat).
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let window = arguments.take("window", 128)?;
    let repeats = arguments.take("repeats", 9)?;
    let least = Duration::from_millis(arguments.take("millis", 200)? as u64);
    arguments.finish()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.map_err(|error| error.to_string())?
        .install(|| measured(window, repeats, least))
}

fn measured(window: usize, repeats: usize, least: Duration) -> Result<(), String> {
    println!(
        "{window} observations of 64x64x3, one thread; median of {repeats} repeats \
         [lower, upper quartile]"
    );
    for encoder in ["cnn", "patch", "resnet", "mlp", "vit"] {
        let mut step = whole_step(&[
            format!("model.encoder={encoder}"),
            format!("data.window={window}"),
        ])?;
        let [times] = side_by_side(repeats, least, [&mut *step]);
        println!("  {encoder:<7} step             {}", milliseconds(&times));
    }
    let device = Device::flex().autodiff();
    let (mut ours, mut burns) = (
        convolutions(&device, window, |frames, stages| {
            conv_stack(frames, stages, Precision::F32)
        }),
        convolutions(&device, window, composed),
    );
    let [ours, burns] = side_by_side(repeats, least, [&mut ours, &mut burns]);
    println!("  convolutions, tellapart  {}", milliseconds(&ours));
    println!(
        "  convolutions, Burn's     {}   {:.2} times as long as tellapart",
        milliseconds(&burns),
        burns.median().as_secs_f64() / ours.median().as_secs_f64()
    );
    if let Some(peak) = memory::peak_mib() {
        println!("  peak memory of this whole run: {peak} MiB");
    }
    Ok(())
}

/// Returns one training step of the default recipe, changed by `words` of the form
/// `key.path=value`.
pub(crate) fn whole_step(words: &[String]) -> Result<Box<dyn FnMut()>, String> {
    let config: ValidConfig = parse(&[], words).map_err(|error| error.to_string())?;
    let mut experience = Experience::open(&config).map_err(|error| error.to_string())?;
    let learner =
        Learner::new(&config, experience.interface()).map_err(|error| error.to_string())?;
    let batch = experience
        .next_batch(&mut generator(1, Purpose::Sampling))
        .map_err(|error| error.to_string())?;
    let inputs = learner.feed().inputs(batch, 0);
    let objectives = Objectives::of(&config);
    let (mut learner, mut update) = (Some(learner), 0);
    Ok(Box::new(move || {
        let inputs = inputs.clone();
        learner = learner
            .take()
            .map(|learner| learner.update(inputs, &objectives, update).0);
        update += 1;
    }))
}

type Convolve = fn(&FrameBatch, &[Stage]) -> Tensor<4>;

/// Returns a forward and backward pass through the three convolutions of the generic encoder.
fn convolutions(device: &Device, window: usize, run: Convolve) -> impl FnMut() {
    let uniform = Distribution::Uniform(-0.1, 0.1);
    let bytes: Vec<u8> = (0..window * 64 * 64 * 3)
        .map(|at| (at * 7919 % 251) as u8)
        .collect();
    let frames = FrameBatch::new(bytes, [64, 64, 3], device);
    let weights = [
        ([32, 3, 8, 8], 4, 2),
        ([32, 32, 3, 3], 2, 1),
        ([64, 32, 3, 3], 2, 1),
    ]
    .map(|(shape, stride, padding)| Stage {
        weight: Tensor::random(shape, uniform, device).require_grad(),
        bias: Tensor::zeros([shape[0]], device).require_grad(),
        stride,
        padding,
        input: StagePrologue::Nothing,
        add: None,
    });
    move || {
        black_box(run(&frames, &weights).sum().backward());
    }
}

fn milliseconds(times: &Times) -> String {
    let [low, middle, high] =
        [times.quantile(0.25), times.median(), times.quantile(0.75)].map(|t| t.as_secs_f64() * 1e3);
    format!("{middle:>8.1} ms [{low:.1}, {high:.1}]")
}
