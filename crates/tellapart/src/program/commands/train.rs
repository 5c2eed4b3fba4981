//! `tellapart train CONFIG.toml [key=value ...] [--resume]`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use tellapart::experiment::ExperimentError;
use tellapart::experiment::follow::ValidationAudit;
use tellapart::experiment::reproduce::{RunProgress, one_run};
use tellapart::experiment::summary::{RecordedSummary, RunSummary};
use tellapart::experiment::truth::Truth;
use tellapart::progress::Progress;
use tellapart::train::metrics::MetricRecord;
use tellapart::train::{RunDirectory, TrainError, ValidConfig, config, train};

use super::stop;
use crate::program::failure::Failure;
use crate::program::terminal::{self, Terminal};

/// Train one run, measure it, and write its run directory
#[derive(Args)]
#[command(
    after_help = "The run directory holds config.toml (resolved), metrics.csv, checkpoints/, \
    environment.json and\nsummary.json; where there is an environment to ask for the truth, also \
    report.html and figures/.\n\n\
    Example: tellapart train configs/joint-reward.toml seed=7 optimizer.updates=600 --out runs/short"
)]
pub(crate) struct Arguments {
    /// Configuration of the run
    #[arg(value_name = "CONFIG.toml")]
    config: PathBuf,
    /// Keys to change, such as model.encoder=patch optimizer.updates=600
    #[arg(value_name = "KEY.PATH=VALUE")]
    overrides: Vec<String>,
    /// Run directory; by default runs/NAME-seed-SEED
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Continue an interrupted run from its last checkpoint
    #[arg(long)]
    resume: bool,
    /// Device to compute on: cpu, or wgpu where compiled in
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Print the resolved configuration as TOML, and stop
    #[arg(long, conflicts_with_all = ["json", "resume", "out"])]
    print_config: bool,
    /// Print the run's summary as one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut overrides = arguments.overrides.clone();
    overrides.extend(
        arguments
            .device
            .iter()
            .map(|device| format!("device={device}")),
    );
    let config = config::read(&arguments.config, &overrides).map_err(TrainError::from)?;
    if arguments.print_config {
        let text = toml::to_string(&*config).map_err(std::io::Error::other)?;
        return Ok(write!(terminal.out(), "{text}")?);
    }
    let out = arguments.out.clone().unwrap_or_else(|| {
        PathBuf::from("runs").join(format!("{}-seed-{}", config.name, config.seed))
    });
    let directory = if arguments.resume {
        RunDirectory::resume(&out, &config)?
    } else {
        RunDirectory::open(&out, &config, false)?
    };
    let bar = TrainingBar {
        bar: terminal.progress(config.optimizer.updates as usize, "updates"),
        stop: stop::on_interrupt()?,
    };
    if config.is_live() {
        let truth = Truth::of(&config)?;
        let shown = pool()?.install(|| one_run(&config, &directory, &truth, &bar))?;
        drop(bar);
        if arguments.json {
            terminal.json(&shown.summary)?;
        } else {
            writeln!(terminal.out(), "{}", shown.measured.audit.summary())?;
        }
    } else {
        let trained = pool()?.install(|| {
            let mut follower =
                ValidationAudit::new(&[], &bar, |record| bar.updated(&config, record));
            train(&config, Some(&directory), &mut follower).map_err(ExperimentError::from)
        })?;
        drop(bar);
        if trained.stopped {
            let folder = out.display().to_string();
            return Err(ExperimentError::Stopped { folder }.into());
        }
        let summary = RecordedSummary::new(&config, &trained);
        if !directory.is_finished() {
            directory.finish(&summary).map_err(Failure::from)?;
        }
        if arguments.json {
            terminal.json(&summary)?;
        } else {
            writeln!(terminal.out(), "{}", summary.in_words())?;
        }
    }
    terminal.note(format_args!("{}: finished", out.display()));
    Ok(())
}

/// Makes a pool with all threads for the one run, which itself uses one of them.
fn pool() -> Result<rayon::ThreadPool, ExperimentError> {
    Ok(rayon::ThreadPoolBuilder::new().build()?)
}

/// Progress bar over the updates of one run, which Ctrl-C stops.
pub(super) struct TrainingBar {
    pub(super) bar: terminal::Progress,
    pub(super) stop: Arc<AtomicBool>,
}

impl Progress for TrainingBar {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl RunProgress for TrainingBar {
    fn updated(&self, _run: &ValidConfig, record: &MetricRecord) {
        self.bar.set(record.update as usize);
    }

    fn measured(&self, _run: &RunSummary) {}
}
