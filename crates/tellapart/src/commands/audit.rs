//! `tellapart audit --data D.npz --embeddings Z`.

mod page;
mod text;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tellapart::audit::recorded::{Audit, RecordedAuditOptions, Verdict};
use tellapart::audit::{Embeddings, Recorded, RecordedOptions};
use tellapart::data::{ActionRule, Trajectories};
use tellapart::embedding_file::EmbeddingFile;
use tellapart::files::write_atomically;
use tellapart::report::render_audit_html;

use super::Overwrite;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Say which observations an encoder merged that a recording tells apart, and whose fault it is
#[derive(Args)]
#[command(
    after_help = "Row i of the embeddings is the latent of observation i of the recording. No model \
    and no truth are needed.\nExit code 3: the encoder merged what the recording tells apart.\n\n\
    Examples:\n  \
    tellapart audit --data walks.npz --embeddings latents.npy\n  \
    tellapart audit --data walks.npz --embeddings latents.npy --explain 17 230\n  \
    tellapart audit --data walks.npz --embeddings z.npz --array z --p aux --tolerance 0.1 --action-rule sign"
)]
pub(crate) struct Arguments {
    /// The recording: trajectories (.npz)
    #[arg(long, value_name = "DATA.npz")]
    data: PathBuf,
    /// The latents of its rows: [rows, dimensions] as .npy, .npz or .safetensors
    #[arg(long, value_name = "FILE")]
    embeddings: PathBuf,
    /// Which array of an .npz or .safetensors with several holds the latents
    #[arg(long, value_name = "NAME", requires = "embeddings")]
    array: Option<String>,
    /// What must be foreseen: rewards, aux, or another array
    #[arg(long, value_name = "NAME", default_value = "rewards")]
    p: String,
    /// Values of p that are no further apart than this count as equal
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    tolerance: Option<f64>,
    /// Which action vectors are one: sign, distinct, a number of bins, or at:-0.5,0.5
    #[arg(long, value_name = "RULE")]
    action_rule: Option<String>,
    /// Observations are identical if no number differs by more than this
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    same_observation: f64,
    /// Strain above which a pair counts as merged
    #[arg(long, value_name = "STRAIN", default_value_t = RecordedAuditOptions::default().threshold, allow_negative_numbers = true)]
    threshold: f64,
    /// Nearest neighbours of each latent that are compared with it
    #[arg(long, value_name = "K", default_value_t = RecordedAuditOptions::default().neighbours)]
    neighbours: usize,
    /// How many pairs to show
    #[arg(long, value_name = "N", default_value_t = RecordedAuditOptions::default().shown)]
    pairs: usize,
    /// What random samples follow from
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Also hold the findings against the hidden states (state_ids) of the recording
    #[arg(long)]
    truth: bool,
    /// Tell the story of one pair of rows instead
    #[arg(long, num_args = 2, value_names = ["I", "J"])]
    explain: Option<Vec<usize>>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Also write a page that shows everything
    #[arg(long, value_name = "FILE.html", conflicts_with = "explain")]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        arguments.overwrite.check(out)?;
    }
    let evidence = RecordedOptions {
        value: arguments.p.clone(),
        tolerance: arguments.tolerance,
        action_rule: arguments
            .action_rule
            .as_deref()
            .map(str::parse::<ActionRule>)
            .transpose()?,
    };
    let options = RecordedAuditOptions {
        threshold: arguments.threshold,
        neighbours: arguments.neighbours,
        shown: arguments.pairs,
        same_observation: arguments.same_observation,
        seed: arguments.seed,
        with_truth: arguments.truth,
    };
    let start = Instant::now();
    let bar = terminal.progress(1000, "per mille");
    bar.busy_with("reading");
    let trajectories = Trajectories::read_npz(&arguments.data)?;
    let in_data = |error: &dyn std::fmt::Display| {
        Failure::bad_input(format!("{}: {error}", arguments.data.display()))
    };
    let file = EmbeddingFile::read(&arguments.embeddings, arguments.array.as_deref())?;
    let in_embeddings =
        |error| Failure::bad_input(format!("{}: {error}", arguments.embeddings.display()));
    let embeddings = Embeddings::new(&file.values, file.rows, file.width).map_err(in_embeddings)?;
    if arguments.truth && trajectories.state_ids.is_none() {
        return Err(in_data(
            &"--truth needs the array state_ids, which is not there",
        ));
    }
    bar.busy_with("looking for what the recording tells apart");
    let recorded = Recorded::new(&trajectories, &evidence).map_err(|error| in_data(&error))?;
    let audit = Audit::new(&trajectories, &recorded, &evidence, &embeddings, options)
        .map_err(in_embeddings)?;

    if let Some([i, j]) = arguments.explain.as_deref() {
        let pair = audit
            .explain(*i, *j)
            .map_err(|error| Failure::bad_input(format!("--explain: {error}")))?;
        drop(bar);
        return if arguments.json {
            terminal.json(&pair)
        } else {
            Ok(text::story(&pair, &recorded, terminal.out())?)
        };
    }
    let found = audit
        .run(&|what, share| bar.part_of(what, share))
        .map_err(Failure::failed)?;
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
