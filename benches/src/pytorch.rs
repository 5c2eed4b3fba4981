//! How long does a training step take beside PyTorch's?

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;
use tellapart_train::config::{ValidConfig, parse};
use tellapart_train::experience::Experience;
use tellapart_train::learner::Learner;
use tellapart_train::memory;
use tellapart_train::seeds::{Purpose, generator_at};

use crate::arguments::Arguments;
use crate::peak;
use crate::step::whole_step;

const STEP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pytorch_step.py");
const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pytorch_run.py");

/// What PyTorch is given: four 3x3 convolutions of stride 2 with ReLU and no hidden layer, latent 256,
/// plain dynamics and head; or the residual encoder. Our windows have as many images as PyTorch's
/// pairs, and so nearly twice as many transitions.
const MODEL: [&str; 10] = [
    "data.window=512",
    "model.cnn.channels=[32,32,64,64]",
    "model.cnn.kernels=[3,3,3,3]",
    "model.cnn.strides=[2,2,2,2]",
    "model.cnn.normalise=false",
    "model.cnn.hidden=0",
    "model.latent=256",
    "model.dynamics=plain",
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

/// One step over 512 images of 64x64x3 on one and on two threads, each variant of PyTorch in a process
/// of its own (`PYTHON` names the interpreter, else `python3`) between two measurements of ours.
/// `--repeats`; `--resnet 2` takes the residual encoder instead.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let repeats = arguments.take("repeats", 8)?;
    let encoder = match arguments.take("resnet", 1)? {
        1 => "cnn",
        _ => "resnet",
    };
    arguments.finish()?;
    println!(
        "{encoder}, 512 images of 64x64x3; wall milliseconds of a step, median [lower, upper quartile]; \
         peak memory of a process that does nothing else"
    );
    for threads in [1, 2] {
        for (precision, variants) in VARIANTS {
            let mut ours = Vec::new();
            let mut peers = Vec::new();
            let mut peak_mib = 0;
            for variant in variants {
                let (times, peak) = our_step(encoder, precision, threads, repeats)?;
                ours.extend(times);
                peak_mib = peak_mib.max(peak);
                peers.push((variant, pytorch(encoder, variant, threads, repeats)?));
            }
            let shown = |name: &str, times: &mut Vec<f64>, peak: u64| {
                times.sort_by(f64::total_cmp);
                let at = |share: f64| times[(share * (times.len() - 1) as f64).round() as usize];
                let [low, middle, high] = [0.25, 0.5, 0.75].map(at);
                println!(
                    "  {threads} thread(s)  {name:<36} {middle:7.1} [{low:.1}, {high:.1}]  {peak:5} MiB"
                );
                middle
            };
            let mine = shown(&format!("tellapart, {precision}"), &mut ours, peak_mib);
            let mut best = f64::INFINITY;
            for (variant, mut found) in peers {
                let name = format!("PyTorch {}, {variant}", found.torch);
                best = best.min(shown(&name, &mut found.milliseconds, found.peak_mib));
            }
            println!(
                "  {threads} thread(s)  {precision}: the best of PyTorch takes {:.2} times ours",
                best / mine
            );
        }
    }
    Ok(())
}

/// Milliseconds of each step, and the peak memory in MiB.
fn our_step(
    encoder: &str,
    precision: &str,
    threads: usize,
    repeats: usize,
) -> Result<(Vec<f64>, u64), String> {
    let words: Vec<String> = MODEL
        .iter()
        .map(|word| (*word).to_owned())
        .chain([
            format!("model.encoder={encoder}"),
            format!("model.precision={precision}"),
        ])
        .collect();
    pool(threads)?.install(|| {
        peak::reset();
        let mut step = whole_step(&words)?;
        for _ in 0..3 {
            step();
        }
        let times = (0..repeats)
            .map(|_| {
                let start = Instant::now();
                black_box(step());
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        Ok((times, memory::peak_mib().unwrap_or(0)))
    })
}

/// What the script of a step prints.
#[derive(Deserialize)]
struct Found {
    milliseconds: Vec<f64>,
    peak_mib: u64,
    torch: String,
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

/// Updates a second of the default `joint-reward` run, its world included, on one and on two threads,
/// beside a PyTorch program of the same recipe. `--updates`.
pub(crate) fn run_whole(mut arguments: Arguments) -> Result<(), String> {
    let updates = arguments.take("updates", 400)?;
    arguments.finish()?;
    println!(
        "the joint-reward run, its world included; updates a second over {updates} updates but the first 10"
    );
    for threads in [1, 2] {
        let mut best: f64 = 0.0;
        let mut ours = Vec::new();
        for variant in [
            "eager",
            "channels_last",
            "compiled",
            "compiled_channels_last",
        ] {
            ours.push(our_updates(threads, updates)?);
            let [threads_word, updates] = [threads, updates].map(|number| number.to_string());
            let words = [
                "--variant",
                variant,
                "--threads",
                &threads_word,
                "--updates",
                &updates,
            ];
            let found: Run = python(RUN, &words)?;
            let rate = found.seconds.len() as f64 / found.seconds.iter().sum::<f64>();
            println!(
                "  {threads} thread(s)  PyTorch {}, {variant:<24} {rate:6.1}",
                found.torch
            );
            best = best.max(rate);
        }
        ours.sort_by(f64::total_cmp);
        let (low, high) = (ours[0], ours[ours.len() - 1]);
        let middle = (ours[1] + ours[2]) / 2.0;
        println!(
            "  {threads} thread(s)  tellapart {middle:41.1} [{low:.1}, {high:.1}], {:.2} times the best of PyTorch",
            middle / best
        );
    }
    Ok(())
}

/// What the script of a run prints.
#[derive(Deserialize)]
struct Run {
    seconds: Vec<f64>,
    torch: String,
}

fn our_updates(threads: usize, updates: usize) -> Result<f64, String> {
    pool(threads)?.install(|| {
        let config: ValidConfig = parse(&[], &[]).map_err(|error| error.to_string())?;
        let mut experience = Experience::open(&config).map_err(|error| error.to_string())?;
        let mut learner =
            Learner::new(&config, experience.interface()).map_err(|error| error.to_string())?;
        let mut start = Instant::now();
        for update in 0..updates as u64 {
            if update == 10 {
                start = Instant::now();
            }
            let mut rng = generator_at(config.seed, Purpose::Sampling, update);
            let batch = experience
                .next_batch(&mut rng)
                .map_err(|error| error.to_string())?;
            black_box(learner.update(&batch, update));
        }
        Ok((updates as f64 - 10.0) / start.elapsed().as_secs_f64())
    })
}

fn pool(threads: usize) -> Result<rayon::ThreadPool, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| error.to_string())
}

/// The one line of JSON that a script prints.
fn python<T: for<'a> Deserialize<'a>>(script: &str, words: &[&str]) -> Result<T, String> {
    let python = std::env::var("PYTHON").unwrap_or("python3".to_owned());
    let output = Command::new(&python)
        .arg(script)
        .args(words)
        // Without these glibc hands large buffers back in every step: up to half of the time.
        .env("MALLOC_MMAP_MAX_", "0")
        .env("MALLOC_TRIM_THRESHOLD_", "4294967296")
        .output()
        .map_err(|error| format!("{python}: {error}; name another interpreter with PYTHON"))?;
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        let last = problem.lines().last().unwrap_or("no message").to_owned();
        return Err(format!(
            "{python} {script}: {last}; it needs PyTorch (python3 -m pip install torch), and PYTHON \
             names the interpreter"
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{script}: {error}"))
}
