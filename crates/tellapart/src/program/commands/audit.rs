//! `tellapart audit --data D.npz (--embeddings Z | --run RUN)`.

mod inputs;
mod text;

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Instant;

use clap::{ArgGroup, Args};
use tellapart::audit::AuditError;
use tellapart::audit::recorded::{RecordedAuditOptions, Verdict};
use tellapart::embedding_file::Pool;
use tellapart::files::write_atomically;
use tellapart::report::render_audit_html;
use tellapart::{AuditPageOptions, AuditRecordingError, AuditableRecording};

use self::inputs::Inputs;
use super::Overwrite;
use super::recording_args::RecordingArgs;
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Report which observations an encoder merged that a recording tells apart, and why
#[derive(Args)]
#[command(
    group = ArgGroup::new("latents").required(true).args(["embeddings", "run"]),
    after_help = "Row i of the embeddings is the latent of observation i of the recording. No model \
    and no truth are needed.\nWith --run, the latents are those of a finished run, and pairs that \
    are provably apart are marked.\nExit code 3: the encoder merged what the recording tells apart.\n\
    That takes a deterministic world: see --world.\n\n\
    Examples:\n  \
    tellapart audit --data walks.npz --embeddings latents.npy\n  \
    tellapart audit --data walks.npz --embeddings latents.npy --explain 17 230\n  \
    tellapart audit --data walks.npz --run runs/counting/seed-1/joint-reward --action-rule sign\n  \
    tellapart audit --data d4rl.npz --embeddings latents.npy --p-of step --world deterministic\n  \
    tellapart audit --data walks.npz --embeddings z.npz --array z --p aux --tolerance 0.1 --action-rule sign"
)]
pub(crate) struct Arguments {
    /// Recording: trajectories (.npz, HDF5, or the folder of a Minari dataset)
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// Latents of its rows: [rows, dimensions] as .npy, .npz or .safetensors
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,
    /// Folder of a finished run whose model makes the latents, instead of --embeddings
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Array that holds the latents, if an .npz or .safetensors has several
    #[arg(long, value_name = "NAME", requires = "embeddings")]
    array: Option<String>,
    /// How [rows, tokens, dimensions] become latents: mean, flatten or first (token)
    #[arg(long, value_name = "HOW", requires = "embeddings")]
    pool: Option<Pool>,
    #[command(flatten)]
    recording: RecordingArgs,
    /// Observations are identical if no value differs by more than this
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    same_observation: f64,
    /// Required Lipschitz constant above which a pair counts as merged
    #[arg(long, value_name = "L", default_value_t = RecordedAuditOptions::default().threshold, allow_negative_numbers = true)]
    threshold: f64,
    /// Share of the rows that may be outliers, not merged
    #[arg(long, alias = "strays", value_name = "SHARE", default_value_t = RecordedAuditOptions::default().outlier_tolerance, allow_negative_numbers = true)]
    outliers: f64,
    /// Nearest neighbors of each latent that are compared with it
    #[arg(long, alias = "neighbours", value_name = "K", default_value_t = RecordedAuditOptions::default().neighbors)]
    neighbors: usize,
    /// Number of pairs to show
    #[arg(long, value_name = "N", default_value_t = RecordedAuditOptions::default().shown)]
    pairs: usize,
    /// Seed of random samples
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Also compare the findings with the hidden states (state_ids) of the recording
    #[arg(long)]
    truth: bool,
    /// Explain one pair of rows, step by step, instead
    #[arg(long, num_args = 2, value_names = ["I", "J"])]
    explain: Option<Vec<usize>>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Also write an HTML page with all findings
    #[arg(long, value_name = "FILE.html", conflicts_with = "explain")]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    arguments.check_output()?;
    let start = Instant::now();
    let bar = terminal.progress(1000, "per mille");
    bar.busy_with("reading");
    let inputs = Inputs::read(arguments)?;
    let evidence = inputs.evidence(arguments);
    let model = inputs.model(arguments)?;
    let latents = inputs.latents(model.as_deref(), arguments)?;
    let failure = |error| arguments.failure(error);
    let audit = AuditableRecording::new(&inputs.recording, latents, &evidence, &bar);
    let audit = audit.map_err(failure)?;
    let options = arguments.audit_options();

    if let Some(&[i, j]) = arguments.explain.as_deref() {
        let pair = audit.explain([i, j], &options, &bar).map_err(failure)?;
        drop(bar);
        if let Some(note) = inputs.note() {
            terminal.note(note);
        }
        if arguments.json {
            return terminal.json(&pair);
        }
        let (recorded, out) = (audit.recorded(), terminal.out());
        return Ok(text::story(
            &pair,
            [i, j],
            arguments.threshold,
            recorded,
            out,
        )?);
    }
    let mut found = audit.audit(&options, &bar).map_err(failure)?;
    let notes = inputs.note().map(str::to_owned).into_iter();
    let notes = notes.chain(super::left_out(&inputs.recording));
    found.warnings.splice(0..0, notes);
    drop(bar);
    let seconds = start.elapsed().as_secs_f64();
    terminal.detail(format_args!("audited in {seconds:.1} s"));
    if arguments.json {
        terminal.json(&found)?;
    } else {
        text::print(&found, terminal.out())?;
    }
    let verdict = found.verdict;
    if let Some(out) = &arguments.out {
        let options = AuditPageOptions {
            data: arguments.data.display().to_string(),
            latents: arguments.source(),
            with_truth: arguments.truth,
        };
        let page = audit.page(found, &options).map_err(Failure::failed)?;
        let html = render_audit_html(&page).map_err(Failure::failed)?;
        write_atomically(out, |file| file.write_all(html.as_bytes()))?;
        terminal.note(format_args!("{}: written", out.display()));
    }
    match verdict {
        Verdict::Unhealthy => Err(Failure::Unhealthy),
        Verdict::Healthy | Verdict::Undecided => Ok(()),
    }
}

impl Arguments {
    fn check_output(&self) -> Result<(), Failure> {
        let Some(out) = &self.out else {
            return Ok(());
        };
        self.overwrite.check(out)?;
        if out.extension().is_none_or(|extension| extension != "html") {
            return Err(Failure::bad_input(format!(
                "{}: what is written is a page; name a file that ends in .html",
                out.display()
            )));
        }
        Ok(())
    }

    fn audit_options(&self) -> RecordedAuditOptions {
        RecordedAuditOptions {
            threshold: self.threshold,
            outlier_tolerance: self.outliers,
            neighbors: self.neighbors,
            shown: self.pairs,
            same_observation: self.same_observation,
            seed: self.seed,
            with_truth: self.truth,
        }
    }

    /// Returns the source of the latents, as the user typed it.
    fn source(&self) -> String {
        let named = self.run.as_ref().or(self.embeddings.as_ref());
        named.map_or_else(String::new, |path| path.display().to_string())
    }

    fn in_data(&self, error: &dyn Display) -> Failure {
        Failure::bad_input(format!("{}: {error}", self.data.display()))
    }

    /// Names the file or option that is at fault.
    fn failure(&self, error: AuditRecordingError) -> Failure {
        match error {
            AuditRecordingError::Evidence(error) => self.in_data(&error),
            AuditRecordingError::Latents(error @ AuditError::Setting { .. }) => {
                Failure::bad_input(error)
            }
            AuditRecordingError::Latents(error) => {
                Failure::bad_input(format!("{}: {error}", self.source()))
            }
            AuditRecordingError::Pair(error) => Failure::bad_input(format!("--explain: {error}")),
            AuditRecordingError::Stopped(stopped) => stopped.into(),
            error => Failure::failed(error),
        }
    }
}
