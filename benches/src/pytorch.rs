//! Compares the time of a training step with PyTorch's.

use std::process::Command;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tellapart_train::Objectives;
use tellapart_train::config::{ValidConfig, parse};
use tellapart_train::experience::Experience;
use tellapart_train::learner::Learner;
use tellapart_train::memory;
use tellapart_train::seeds::{Purpose, generator_at};

use crate::arguments::Arguments;
use crate::step::whole_step;

const STEP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pytorch_step.py");
const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pytorch_run.py");

/// Settings that match the PyTorch script: four 3x3 convolutions of stride 2 with ReLU and no
/// hidden layer, latent 256, plain predictor and head. Alternatively the residual encoder. The
/// images are 256 pairs, as in the script.
const MODEL: [&str; 11] = [
    "data.num_envs=256",
    "data.window=2",
    "model.encoder.channels=[32,32,64,64]",
    "model.encoder.kernels=[3,3,3,3]",
    "model.encoder.strides=[2,2,2,2]",
    "model.encoder.normalize=false",
    "model.encoder.hidden=0",
    "model.latent=256",
    "model.predictor=plain",
    "model.head=plain",
    "loss.latent_noise=0",
];

const VARIANTS: [(&str, &[&str]); 2] = [
    (
        "f32",
        &[
            "eager",
            "channels_last",
            "compiled",
            "compiled_channels_last",
        ],
    ),
    (
        "bf16",
        &["bf16_channels_last", "compiled_bf16_channels_last"],
    ),
];

const ENCODERS: [&str; 2] = ["cnn", "resnet"];

/// Measures one step over 512 images of 64x64x3, on one and on two threads. Every variant of
/// PyTorch runs between two measurements of tellapart, all in separate processes. The variable
/// `PYTHON` names the interpreter, by default `python3`. Options: `--repeats`; `--encoder 2` takes
/// the residual encoder.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let repeats = arguments.take("repeats", 8)?;
    let encoder = arguments.take("encoder", 1)?.min(ENCODERS.len());
    arguments.finish()?;
    println!(
        "{}, 512 images of 64x64x3; wall milliseconds of a step, median [lower, upper quartile]; peak memory",
        ENCODERS[encoder - 1]
    );
    for threads in [1, 2] {
        for (precision, (name, variants)) in VARIANTS.iter().enumerate() {
            let ours = || our_step(encoder, precision + 1, threads, repeats);
            let mut mine = ours()?;
            let mut best = f64::INFINITY;
            for variant in *variants {
                let found = pytorch(ENCODERS[encoder - 1], variant, threads, repeats)?;
                best = best.min(found.show(threads, &format!("PyTorch, {variant}")));
                let again = ours()?;
                mine.milliseconds.extend(again.milliseconds);
                mine.peak_mib = mine.peak_mib.max(again.peak_mib);
            }
            let middle = mine.show(threads, &format!("tellapart, {name}"));
            println!(
                "  {threads} thread(s)  {name}: the best of PyTorch takes {:.2} times as long as tellapart",
                best / middle
            );
        }
    }
    Ok(())
}

/// Output of a process that measured steps.
#[derive(Serialize, Deserialize)]
struct Found {
    milliseconds: Vec<f64>,
    peak_mib: u64,
}

impl Found {
    /// Prints one line and returns the median.
    fn show(&self, threads: usize, name: &str) -> f64 {
        let mut times = self.milliseconds.clone();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[(share * (times.len() - 1) as f64).round() as usize];
        let [low, middle, high] = [0.25, 0.5, 0.75].map(at);
        let peak = self.peak_mib;
        println!(
            "  {threads} thread(s)  {name:<38} {middle:7.1} [{low:.1}, {high:.1}]  {peak:5} MiB"
        );
        middle
    }
}

/// Measures tellapart in the process that `pytorch` starts for it, and prints one line of JSON.
pub(crate) fn run_child(mut arguments: Arguments) -> Result<(), String> {
    let [encoder, precision, threads, repeats] =
        ["encoder", "precision", "threads", "repeats"].map(|name| arguments.take(name, 1));
    arguments.finish()?;
    let (encoder, precision) = (encoder?.min(ENCODERS.len()), precision?.min(VARIANTS.len()));
    let (encoder, precision) = (ENCODERS[encoder - 1], VARIANTS[precision - 1].0);
    let words = step_words(encoder, precision);
    let repeats = repeats?;
    let milliseconds = pool(threads?)?.install(|| {
        let mut step = whole_step(&words)?;
        for _ in 0..3 {
            step();
        }
        let times = (0..repeats).map(|_| {
            let start = Instant::now();
            step();
            start.elapsed().as_secs_f64() * 1e3
        });
        Ok::<_, String>(times.collect())
    })?;
    let peak_mib = memory::peak_mib().unwrap_or(0);
    let found = Found {
        milliseconds,
        peak_mib,
    };
    print_json(&found)
}

/// Returns the settings of the step with an encoder of [`ENCODERS`], in a precision.
pub(crate) fn step_words(encoder: &str, precision: &str) -> Vec<String> {
    MODEL
        .iter()
        .map(|word| (*word).to_owned())
        .chain([
            format!("model.encoder={encoder}"),
            format!("model.precision={precision}"),
        ])
        .collect()
}

fn our_step(
    encoder: usize,
    precision: usize,
    threads: usize,
    repeats: usize,
) -> Result<Found, String> {
    let options = [
        ("--encoder", encoder),
        ("--precision", precision),
        ("--threads", threads),
        ("--repeats", repeats),
    ];
    measured_by_child("pytorch-child", &options)
}

/// Runs a benchmark of this program in a process of its own, and returns what it prints.
pub(crate) fn measured_by_child<T: DeserializeOwned>(
    name: &str,
    options: &[(&str, usize)],
) -> Result<T, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(&own);
    command.arg(name);
    for (name, number) in options {
        command.args([*name, &number.to_string()]);
    }
    printed(&mut command, "the step of tellapart")
}

/// Prints one line of JSON.
pub(crate) fn print_json(found: &impl Serialize) -> Result<(), String> {
    let line = serde_json::to_string(found).map_err(|error| error.to_string())?;
    println!("{line}");
    Ok(())
}

fn pytorch(encoder: &str, variant: &str, threads: usize, repeats: usize) -> Result<Found, String> {
    let [threads, repeats] = [threads, repeats].map(|number| number.to_string());
    let words = [
        "--variant",
        variant,
        "--encoder",
        encoder,
        "--threads",
        &threads,
        "--repeats",
        &repeats,
    ];
    python(STEP, &words)
}

/// Measures updates a second of the default `joint-reward` recipe with its world, without
/// validation and checkpoints, on one and on two threads. Compares them with a PyTorch program of
/// the same recipe. Option: `--updates`.
pub(crate) fn run_updates(mut arguments: Arguments) -> Result<(), String> {
    let updates = arguments.take("updates", 400)?;
    arguments.finish()?;
    if updates < 20 {
        return Err("--updates must be at least 20: the first 10 are not counted".to_owned());
    }
    println!(
        "the joint-reward recipe with its world; updates a second, of {updates} but the first 10"
    );
    for threads in [1, 2] {
        let mut best: f64 = 0.0;
        let mut ours = vec![our_updates(threads, updates)?];
        for variant in [
            "eager",
            "channels_last",
            "compiled",
            "compiled_channels_last",
        ] {
            let [threads_word, updates_word] = [threads, updates].map(|number| number.to_string());
            let words = [
                "--variant",
                variant,
                "--threads",
                &threads_word,
                "--updates",
                &updates_word,
            ];
            let found: Updates = python(RUN, &words)?;
            let (count, total) = (
                found.seconds.len() as f64,
                found.seconds.iter().sum::<f64>(),
            );
            println!(
                "  {threads} thread(s)  PyTorch, {variant:<24} {:6.1}   {:.1} without drawing the world; \
                 nearest centroid {:.3}",
                count / total,
                count / (total - found.drawing_seconds),
                found.nearest_centroid_accuracy
            );
            best = best.max(count / total);
            ours.push(our_updates(threads, updates)?);
        }
        ours.sort_by(f64::total_cmp);
        let (low, middle, high) = (ours[0], ours[ours.len() / 2], ours[ours.len() - 1]);
        println!(
            "  {threads} thread(s)  tellapart {middle:31.1} [{low:.1}, {high:.1}], {:.2} times the best of PyTorch",
            middle / best
        );
    }
    Ok(())
}

/// Output of the PyTorch script for a whole run.
#[derive(Deserialize)]
struct Updates {
    seconds: Vec<f64>,
    drawing_seconds: f64,
    nearest_centroid_accuracy: f64,
}

fn our_updates(threads: usize, updates: usize) -> Result<f64, String> {
    pool(threads)?.install(|| {
        let config: ValidConfig = parse(&[], &[]).map_err(|error| error.to_string())?;
        let mut experience = Experience::open(&config).map_err(|error| error.to_string())?;
        let mut learner =
            Learner::new(&config, experience.interface()).map_err(|error| error.to_string())?;
        let feed = learner.feed();
        let objectives = Objectives::of(&config);
        let draw = |experience: &mut Experience, update: u64| {
            let mut rng = generator_at(config.seed, Purpose::Sampling, update);
            let batch = experience.next_batch(&mut rng);
            let batch = batch.map_err(|error| error.to_string())?;
            Ok::<_, String>(feed.inputs(batch, update))
        };
        let mut batch = draw(&mut experience, 0);
        let mut start = Instant::now();
        for update in 0..updates as u64 {
            if update == 10 {
                start = Instant::now();
            }
            let now = batch?;
            // Draws the next batch in the background, as a training run does.
            let mut next = None;
            (learner, _) = rayon::in_place_scope(|scope| {
                scope.spawn(|_| next = Some(draw(&mut experience, update + 1)));
                learner.update(now, &objectives, update)
            });
            batch = next.unwrap_or_else(|| draw(&mut experience, update + 1));
        }
        Ok((updates as f64 - 10.0) / start.elapsed().as_secs_f64())
    })
}

pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| error.to_string())
}

/// Runs a Python script and returns what it prints.
pub(crate) fn python<T: DeserializeOwned>(script: &str, words: &[&str]) -> Result<T, String> {
    let python = std::env::var("PYTHON").unwrap_or("python3".to_owned());
    let mut command = Command::new(&python);
    command
        .arg(script)
        .args(words)
        // Otherwise glibc returns large buffers to the system in every step, up to half of the
        // time.
        .env("MALLOC_MMAP_MAX_", "0")
        .env("MALLOC_TRIM_THRESHOLD_", "4294967296");
    printed(&mut command, &format!("{python} {script}")).map_err(|problem| {
        format!("{problem}; it needs PyTorch (python3 -m pip install torch), and PYTHON names the interpreter")
    })
}

/// Runs a process and returns the one line of JSON that it prints.
fn printed<T: DeserializeOwned>(command: &mut Command, name: &str) -> Result<T, String> {
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{name}: {}",
            problem.lines().last().unwrap_or("no message")
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{name}: {error}"))
}
