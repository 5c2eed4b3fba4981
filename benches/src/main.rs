//! Benchmarks: `cargo run --release -p tellapart-benches -- NAME [--option N ...]`.
//!
//! Each benchmark measures tellapart and its baseline in the same run, and reports a median with
//! its spread. A new benchmark is a module and a line in [`BENCHES`].

// A benchmark is a program: it prints measurements to stdout and problems to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "ablation")]
mod ablation;
mod arguments;
mod bisim;
mod evidence;
mod peak;
mod precision;
mod pytorch;
mod renderer;
mod step;
mod timing;

use std::process::ExitCode;

use arguments::Arguments;

/// Name, purpose and function of each benchmark.
const BENCHES: &[(&str, &str, Bench)] = &[
    #[cfg(feature = "ablation")]
    (
        "ablation",
        "what each part of the kernels buys in an update and in steps of cnn and resnet",
        ablation::run,
    ),
    #[cfg(feature = "ablation")]
    (
        "ablation-child",
        "one measurement, as `ablation` starts it",
        ablation::run_child,
    ),
    #[cfg(not(feature = "ablation"))]
    (
        "ablation",
        "what each part of the kernels buys; needs `cargo run --features ablation`",
        no_switches,
    ),
    (
        "renderer",
        "frames of the counting world against a memset of the bytes",
        renderer::run,
    ),
    (
        "bisim",
        "the largest bisimulation of generated systems, next to what else computes it",
        bisim::run,
    ),
    (
        "evidence",
        "the oracle of what recorded data distinguishes, next to a plain scan",
        evidence::run,
    ),
    (
        "precision",
        "how far bf16 takes an encoder's convolutions from f32, next to PyTorch's",
        precision::run,
    ),
    ("pytorch", "a training step next to PyTorch's", pytorch::run),
    (
        "pytorch-child",
        "one measurement of tellapart, as `pytorch` starts it",
        pytorch::run_child,
    ),
    (
        "pytorch-updates",
        "updates a second of the experiment's recipe next to PyTorch's",
        pytorch::run_updates,
    ),
    (
        "step",
        "a training step of each encoder, and its convolutions against Burn's own",
        step::run,
    ),
];

type Bench = fn(Arguments) -> Result<(), String>;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    if name == bisim::CHILD {
        return exit(&name, bisim::child(&words.collect::<Vec<_>>()));
    }
    let Some((_, _, bench)) = BENCHES.iter().find(|(known, ..)| *known == name) else {
        eprintln!("usage: tellapart-benches NAME [--option N ...], where NAME is one of");
        for (known, purpose, _) in BENCHES {
            eprintln!("  {known:<16} {purpose}");
        }
        return ExitCode::from(2);
    };
    exit(&name, Arguments::parse(words).and_then(bench))
}

/// Says how to build the benchmark `ablation`.
#[cfg(not(feature = "ablation"))]
fn no_switches(_: Arguments) -> Result<(), String> {
    Err(
        "the kernels have no switches; use `cargo run --release -p tellapart-benches \
         --features ablation -- ablation`"
            .to_owned(),
    )
}

fn exit(name: &str, result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{name}: {problem}");
            ExitCode::from(2)
        }
    }
}
