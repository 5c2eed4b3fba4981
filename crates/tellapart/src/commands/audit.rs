//! `tellapart audit --data D.npz (--embeddings Z | --run RUN)`.

mod latents;
mod page;
mod text;

use std::path::PathBuf;
use std::time::Instant;

use clap::{ArgGroup, Args};
use tellapart::audit::recorded::{Audit, Cause, Certifiable, RecordedAuditOptions, Verdict};
use tellapart::audit::{AuditError, Recorded, RecordedOptions};
use tellapart::data::ActionRule;
use tellapart::files::write_atomically;
use tellapart::report::render_audit_html;
use tellapart::train::recording_evaluator::FinishedRun;

use self::latents::Latents;
use super::{Overwrite, recording};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Report which observations an encoder merged that a recording tells apart, and why
#[derive(Args)]
#[command(
    group = ArgGroup::new("latents").required(true).args(["embeddings", "run"]),
    after_help = "Row i of the embeddings is the latent of observation i of the recording. No model \
    and no truth are needed.\nWith --run, the latents are those of a finished run, and pairs that \
    are provably apart are marked.\nExit code 3: the encoder merged what the recording tells apart.\n\n\
    Examples:\n  \
    tellapart audit --data walks.npz --embeddings latents.npy\n  \
    tellapart audit --data walks.npz --embeddings latents.npy --explain 17 230\n  \
    tellapart audit --data walks.npz --run runs/counting/seed-1/joint-reward --action-rule sign\n  \
    tellapart audit --data walks.npz --embeddings z.npz --array z --p aux --tolerance 0.1 --action-rule sign"
)]
pub(crate) struct Arguments {
    /// Recording: trajectories (.npz)
    #[arg(long, value_name = "DATA.npz")]
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
    /// Array to be predicted: rewards (or what the run predicts), aux, or another
    #[arg(long, value_name = "NAME")]
    p: Option<String>,
    /// Largest distance of values of p that count as equal
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    tolerance: Option<f64>,
    /// Rule for equal action vectors: sign, distinct, a number of bins, or at:-0.5,0.5
    #[arg(long, value_name = "RULE")]
    action_rule: Option<String>,
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

/// Largest number of rows for which `--explain` also audits the whole recording; more would take
/// seconds.
const ROWS_TO_AUDIT: usize = 1 << 15;

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        arguments.overwrite.check(out)?;
        if out.extension().is_none_or(|extension| extension != "html") {
            return Err(Failure::bad_input(format!(
                "{}: what is written is a page; name a file that ends in .html",
                out.display()
            )));
        }
    }
    let options = RecordedAuditOptions {
        threshold: arguments.threshold,
        outlier_tolerance: arguments.outliers,
        neighbors: arguments.neighbors,
        shown: arguments.pairs,
        same_observation: arguments.same_observation,
        seed: arguments.seed,
        with_truth: arguments.truth,
    };
    let action_rule = arguments.action_rule.as_deref();
    let action_rule = action_rule.map(str::parse::<ActionRule>).transpose()?;
    let start = Instant::now();
    let bar = terminal.progress(1000, "per mille");
    bar.busy_with("reading");
    let run = arguments
        .run
        .as_deref()
        .map(FinishedRun::read)
        .transpose()?;
    let trajectories = recording(&arguments.data)?;
    let in_data = |error: &dyn std::fmt::Display| {
        Failure::bad_input(format!("{}: {error}", arguments.data.display()))
    };
    if arguments.truth && trajectories.state_ids.is_none() {
        return Err(in_data(
            &"--truth needs the array state_ids, which is not there",
        ));
    }
    let of_run = run.as_ref().and_then(FinishedRun::predicted_array);
    let evidence = RecordedOptions {
        value: arguments
            .p
            .as_deref()
            .or(of_run)
            .unwrap_or("rewards")
            .to_owned(),
        tolerance: arguments.tolerance,
        action_rule,
    };
    bar.busy_with("looking for what the recording tells apart");
    let recorded = Recorded::new(&trajectories, &evidence).map_err(|error| in_data(&error))?;
    let latents = match (&run, &arguments.embeddings) {
        (Some(run), _) => {
            Latents::of_run(run, &trajectories, &|share| bar.part_of("encoding", share))
                .map_err(|error| in_data(&error))?
        }
        (None, Some(file)) => Latents::read(file, arguments.array.as_deref())?,
        (None, None) => {
            return Err(Failure::bad_input(
                "name the latents with --embeddings or --run",
            ));
        }
    };
    let source = source(arguments);
    let in_latents = |error| match error {
        // An option, not the file, is at fault.
        AuditError::Setting { .. } => Failure::bad_input(error),
        error => Failure::bad_input(format!("{source}: {error}")),
    };
    let embeddings = latents.embeddings().map_err(in_latents)?;
    let audit = Audit::new(&trajectories, &recorded, &evidence, &embeddings, options)
        .map_err(in_latents)?;

    if let Some([i, j]) = arguments.explain.as_deref() {
        let mut pair = audit
            .explain(*i, *j)
            .map_err(|error| Failure::bad_input(format!("--explain: {error}")))?;
        // Only all pairs together tell whether a merged pair is due to an outlier.
        if pair.cause == Cause::Encoder && trajectories.rows() <= ROWS_TO_AUDIT {
            let whole = audit
                .run(&|what, share| bar.part_of(what, share))
                .map_err(Failure::failed)?;
            whole.explain_outlier(&mut pair);
        }
        if let Some(asked) = Certifiable::of_pair(&pair)
            && let Some(predicted) = latents.foresee(&evidence.value, asked.rollouts())
        {
            let bounds = audit.bounds(&asked, predicted.foreseen());
            pair.bound = bounds.map_err(Failure::failed)?.into_iter().next();
        }
        drop(bar);
        return if arguments.json {
            terminal.json(&pair)
        } else {
            let asked = [*i, *j];
            Ok(text::story(
                &pair,
                asked,
                arguments.threshold,
                &recorded,
                terminal.out(),
            )?)
        };
    }
    let mut found = audit
        .run(&|what, share| bar.part_of(what, share))
        .map_err(Failure::failed)?;
    if run.is_some() {
        bar.busy_with("certifying");
        let asked = audit.certifiable(&found);
        match latents.foresee(&evidence.value, asked.rollouts()) {
            Some(predicted) => audit
                .certify(&mut found, &asked, predicted.foreseen())
                .map_err(Failure::failed)?,
            None => found.warnings.push(format!(
                "No certificate: the head of the run does not foresee {}, but {}.",
                evidence.value,
                of_run.unwrap_or("a random function of the pixels")
            )),
        }
    }
    drop(bar);
    terminal.detail(format_args!(
        "audited in {:.1} s",
        start.elapsed().as_secs_f64()
    ));
    if arguments.json {
        terminal.json(&found)?;
    } else {
        text::print(&found, terminal.out())?;
    }
    let verdict = found.verdict;
    if let Some(out) = &arguments.out {
        let values = &recorded.values.values;
        let page = page::page(found, arguments, &trajectories, values, &embeddings);
        let html = render_audit_html(&page.map_err(Failure::failed)?).map_err(Failure::failed)?;
        write_atomically(out, |file| file.write_all(html.as_bytes()))?;
        terminal.note(format_args!("{}: written", out.display()));
    }
    match verdict {
        Verdict::Unhealthy => Err(Failure::Unhealthy),
        Verdict::Healthy | Verdict::Undecided => Ok(()),
    }
}

/// Returns the source of the latents, as the user typed it.
fn source(arguments: &Arguments) -> String {
    let named = arguments.run.as_ref().or(arguments.embeddings.as_ref());
    named.map_or_else(String::new, |path| path.display().to_string())
}
