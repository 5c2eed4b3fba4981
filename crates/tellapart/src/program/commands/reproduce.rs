//! `tellapart reproduce counting`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::{Args, ValueEnum};
use tellapart::experiment::reproduce::{Plan, RUNS, RunProgress, Setting, findings};
use tellapart::experiment::summary::{RunSummary, Summary};
use tellapart::experiment::without_truth;
use tellapart::progress::Progress;
use tellapart::train::metrics::MetricRecord;
use tellapart::train::{RunDirectory, TrainError, ValidConfig};

use super::stop;
use crate::program::failure::Failure;
use crate::program::terminal::{self, Terminal};

/// Reproduce the paper's experiment: what four ways of training keep apart, and what they merge
#[derive(Args)]
#[command(
    after_help = "Four runs of each seed: joint-reward, joint-random, reward-only, dynamics-only. \
    Writes summary.json,\nreport.html and figures/ into the output folder, and a run directory for \
    each run under seed-N/.\nEvery seed is reported. Ctrl-C keeps the last checkpoints; continue with \
    --resume.\n\nExample: tellapart reproduce counting --seeds 5"
)]
pub(crate) struct Arguments {
    /// Experiment to reproduce
    #[arg(value_name = "EXPERIMENT")]
    experiment: Experiment,
    /// Keys to change in all runs, such as optimizer.updates=600
    #[arg(value_name = "KEY.PATH=VALUE")]
    overrides: Vec<String>,
    /// Number of seeds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// First seed; the others follow it
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=1 << 62))]
    first_seed: u64,
    /// Use the cheap encoder (it has a counting prior) and fewer updates: about a minute
    #[arg(long)]
    quick: bool,
    /// Use networks with declared Lipschitz constants, or plain ones
    #[arg(long, value_enum, default_value_t = SettingArgument::Bounded)]
    setting: SettingArgument,
    /// Output folder
    #[arg(long, value_name = "DIR", default_value = "runs/counting")]
    out: PathBuf,
    /// Continue the runs in the output folder
    #[arg(long)]
    resume: bool,
    /// Number of runs trained at a time, sharing the cores; by default one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Device to compute on: cpu, or wgpu where compiled in
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Print summary.json
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Experiment {
    /// Counting objects in 64x64 images, up to nuisance
    Counting,
}

#[derive(Clone, Copy, ValueEnum)]
enum SettingArgument {
    Bounded,
    Plain,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let Experiment::Counting = arguments.experiment;
    let mut overrides = arguments.overrides.clone();
    overrides.extend(
        arguments
            .device
            .iter()
            .map(|device| format!("device={device}")),
    );
    let first = arguments.first_seed;
    let plan = Plan {
        seeds: (first..first.saturating_add(arguments.seeds)).collect(),
        setting: match arguments.setting {
            SettingArgument::Bounded => Setting::Bounded,
            SettingArgument::Plain => Setting::Plain,
        },
        quick: arguments.quick,
        out: arguments.out.clone(),
        resume: arguments.resume,
        jobs: arguments
            .jobs
            .map(usize::from)
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1),
        overrides,
    };
    let configs = plan.configs().map_err(TrainError::from)?;
    if plan.resume && !holds_a_run(&plan.out) {
        return Err(TrainError::Run {
            path: plan.out,
            problem: "there is no run here to resume; leave out --resume to begin the experiment, \
                      or name its folder with --out"
                .to_string(),
        }
        .into());
    }
    let updates: u64 = configs.iter().map(|config| config.optimizer.updates).sum();
    let stop = stop::on_interrupt()?;
    let bar = RunBars {
        bar: terminal.progress(updates as usize, "updates"),
        quiet: terminal.is_quiet(),
        done: configs.iter().map(|_| Default::default()).collect(),
        configs,
        stop,
    };
    let summary = plan.run(&bar)?;
    drop(bar);
    if arguments.json {
        terminal.json(&summary)?;
    } else {
        print(&summary, terminal.out())?;
    }
    terminal.note(format_args!(
        "{}: report.html, summary.json, figures/, and a folder for each run",
        plan.out.display()
    ));
    Ok(())
}

/// Whether a run of any seed began in the output folder. One is enough: the others begin now, be it
/// because the first ones were interrupted or because there are more seeds than before.
fn holds_a_run(out: &Path) -> bool {
    let folders = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    };
    folders(out)
        .flat_map(|seed| folders(&seed))
        .any(|run| RunDirectory::has_begun(&run))
}

/// Progress bar over the updates of all runs, with a line for each finished run.
struct RunBars {
    bar: terminal::Progress,
    quiet: bool,
    configs: Vec<ValidConfig>,
    /// Number of updates of each run that the bar has counted.
    done: Vec<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Progress for RunBars {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl RunProgress for RunBars {
    fn updated(&self, run: &ValidConfig, record: &MetricRecord) {
        let index = self.configs.iter().position(|config| config == run);
        if let Some(done) = index.and_then(|index| self.done.get(index)) {
            let before = done.swap(record.update, Ordering::Relaxed);
            self.bar.advance(record.update.saturating_sub(before));
        }
    }

    fn measured(&self, run: &RunSummary) {
        if !self.quiet {
            self.bar.note(format_args!(
                "seed {} {}: {:.0} s of training; {}",
                run.seed,
                run.name,
                run.train_wall_seconds,
                tellapart::experiment::pages::one_line(run)
            ));
        }
    }
}

/// What the classes of this experiment are called.
const NOUNS: &str = "counts";

/// Prints the table and the findings.
fn print(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<14} {:>5} {:>9} {:>7} {:>9} {:>10} {:>9} {:>10} {:>9}",
        "run", "seed", "nearest", "merged", "closest", "certified", "relative", "error of", "CPU s"
    )?;
    writeln!(
        out,
        "{:<14} {:>5} {:>9} {:>7} {:>9} {:>10} {:>9} {:>10} {:>9}",
        "", "", "centroid", "pairs", "gap/mean", "pairs", "spread", "P/var", ""
    )?;
    let real = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.3}"));
    for (name, _) in RUNS {
        for run in summary.runs.iter().filter(|run| run.name == name) {
            writeln!(
                out,
                "{:<14} {:>5} {:>9.3} {:>7} {:>9} {:>10} {:>9} {:>10} {:>9.0}",
                run.name,
                run.seed,
                run.nearest_centroid_accuracy,
                run.merged_pairs.len(),
                real(run.closest_gap_over_mean_gap),
                run.certified_pairs
                    .map_or("–".to_string(), |pairs| pairs.to_string()),
                run.relative_spread
                    .map_or("–".to_string(), |value| format!("{value:.1e}")),
                real(run.target_error_over_variance),
                run.train_cpu_seconds
            )?;
        }
    }
    writeln!(out, "\n{}", findings(summary, NOUNS))?;
    match without_truth::in_words(summary, "count") {
        Some(text) => writeln!(out, "\n{text}"),
        None => Ok(()),
    }
}
