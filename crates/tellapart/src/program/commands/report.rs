//! `tellapart report RUN...`.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tellapart::experiment::pages::{ReportedRun, experiment};
use tellapart::experiment::reproduce::{findings, one_run};
use tellapart::experiment::summary::Summary;
use tellapart::experiment::truth::Truth;
use tellapart::files::write_atomically;
use tellapart::report::render_html;
use tellapart::train::{RunDirectory, TrainError, config};

use super::train::TrainingBar;
use super::{Overwrite, stop};
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Measure trained runs again and compare them on one page
#[derive(Args)]
#[command(
    after_help = "Reads config.toml and the latest checkpoint of each run directory. The runs must \
    be of one environment;\nan unfinished run is trained to its end first.\n\n\
    Example: tellapart report runs/joint-reward-seed-1 runs/reward-only-seed-1 --out compare.html"
)]
pub(crate) struct Arguments {
    /// Run directories
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Page to write
    #[arg(long, value_name = "FILE.html", default_value = "report.html")]
    out: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    arguments.overwrite.check(&arguments.out)?;
    let mut configs = Vec::with_capacity(arguments.runs.len());
    for run in &arguments.runs {
        let file = run.join("config.toml");
        if !file.is_file() {
            return Err(Failure::bad_input(format!(
                "{}: not a run directory: there is no config.toml in it; name the folder of one run, such as \
                 runs/counting/seed-1/joint-reward",
                run.display()
            )));
        }
        let config = config::read(&file, &[]).map_err(TrainError::from)?;
        if !config.is_live() {
            return Err(Failure::bad_input(format!(
                "{}: trained on recorded data, whose truth is not known; only runs of an \
                 environment can be measured",
                run.display()
            )));
        }
        configs.push(config);
    }
    let Some(first) = configs.first() else {
        return Err(Failure::bad_input("name at least one run directory"));
    };
    if let Some(index) = configs
        .iter()
        .position(|config| config.environment != first.environment)
    {
        return Err(Failure::bad_input(format!(
            "{} and {}: trained in different environments; report them apart",
            arguments.runs[0].display(),
            arguments.runs[index].display()
        )));
    }
    let truth = Truth::of(first)?;
    let stop = stop::on_interrupt()?;
    let mut shown: Vec<ReportedRun> = Vec::with_capacity(configs.len());
    for (config, run) in configs.iter().zip(&arguments.runs) {
        let directory = RunDirectory::open(run, config, true)?;
        let bar = TrainingBar {
            bar: terminal.progress(config.optimizer.updates as usize, "updates"),
            stop: Arc::clone(&stop),
        };
        bar.bar.busy_with("measuring");
        shown.push(one_run(config, &directory, &truth, &bar)?);
    }
    let runs = shown.iter().map(|run| run.summary.clone()).collect();
    let summary = Summary::new("as configured", false, &truth, runs);
    let lead = findings(&summary, &truth.nouns());
    let page = experiment("Runs side by side", &lead, &truth, &shown, &summary);
    let html = render_html(&page).map_err(Failure::failed)?;
    write_atomically(&arguments.out, |out| out.write_all(html.as_bytes()))?;
    writeln!(terminal.out(), "{lead}")?;
    terminal.note(format_args!("{}: written", arguments.out.display()));
    Ok(())
}
