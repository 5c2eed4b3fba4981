//! `tellapart evidence DATA`.

mod text;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tellapart::audit::recorded::World;
use tellapart::audit::{Recorded, RecordedError, RecordedOptions};
use tellapart::bisim::evidence::{
    Comparison, Contradiction, ContradictionKind, CoverageError, SeparatedByCoverage,
};

use super::recording_args::RecordingArgs;
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Largest number of missing words that are listed.
const MOST_MISSING: usize = 10;

/// Report which recorded observations must be told apart, and what the recording leaves open
#[derive(Args)]
#[command(
    mut_arg("p", |arg| arg
        .help("Array that is p: rewards, aux, or another one")
        .default_value("rewards")),
    mut_arg("tolerance", |arg| arg
        .help("Values of p differ iff they are further apart than X [default: iff not equal]")),
    mut_arg("action_rule", |arg| arg
        .help("Rule for equal action vectors: sign, distinct, a number of bins, at:EDGE,EDGE")),
    after_help = "Examples:
  tellapart evidence counting.npz --action-rule sign --pair 0 5
  tellapart evidence robot.npz --p aux --tolerance 0.1 --action-rule 5"
)]
pub(crate) struct Arguments {
    /// Recording (.npz, HDF5, or the folder of a Minari dataset)
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Also compare the observations in rows I and J, counted from 0
    #[arg(long, num_args = 2, value_names = ["I", "J"])]
    pair: Option<Vec<usize>>,
    #[command(flatten)]
    recording: RecordingArgs,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let bar = terminal.progress(1000, "per mille");
    bar.busy_with("reading");
    let trajectories = super::recording(&arguments.data, arguments.recording.observations())?;
    let options = arguments.recording.options(&trajectories, None);
    let in_file = |error: &dyn std::error::Error| {
        Failure::bad_input(format!("{}: {error}", arguments.data.display()))
    };
    bar.busy_with("looking for what the recording tells apart");
    let recorded = Recorded::new(&trajectories, &options, &bar).map_err(|error| match error {
        RecordedError::Stopped(stopped) => stopped.into(),
        error => in_file(&error),
    })?;
    let coverage = SeparatedByCoverage::with_progress(recorded.oracle.recording(), &bar);
    let coverage = coverage.map_err(|error| match error {
        CoverageError::Stopped(stopped) => stopped.into(),
        error => in_file(&error),
    })?;
    drop(bar);
    let pair = match arguments.pair.as_deref() {
        Some(&[i, j]) => Some(pair(&recorded, [i, j])?),
        _ => None,
    };
    let document = EvidenceDocument {
        notes: super::left_out(&trajectories)
            .into_iter()
            .chain(recorded.notes(&trajectories, &options))
            .collect(),
        ..EvidenceDocument::new(&recorded, &options, &coverage, pair)
    };
    if arguments.json {
        return terminal.json(&document);
    }
    let data = arguments.data.display().to_string();
    text::print(&data, &recorded, &document, terminal.out())?;
    Ok(())
}

/// JSON document of `evidence --json`.
#[derive(Serialize)]
struct EvidenceDocument {
    schema: &'static str,
    /// Array that is p, and what its values belong to.
    p: String,
    p_of: String,
    /// Number of rows whose p is not known.
    p_unknown: usize,
    world: World,
    /// What a reader must know of p: sentences.
    notes: Vec<String>,
    rows: usize,
    episodes: usize,
    observations: usize,
    actions: usize,
    action_names: Vec<String>,
    /// Number of recorded pairs of an observation and an action; `coverage` is their share of all
    /// pairs.
    recorded_steps: usize,
    coverage: f64,
    classes_separated_by_coverage: usize,
    contradictions: Vec<EvidenceContradiction>,
    /// Number of observations whose rows are not merged, because of the contradictions.
    unmerged_observations: usize,
    pair: Option<PairRecord>,
}

#[derive(Serialize)]
struct EvidenceContradiction {
    observation: u32,
    kind: &'static str,
    action: Option<u32>,
    rows: [usize; 2],
}

/// Result of comparing one pair of rows.
#[derive(Serialize)]
struct PairRecord {
    i: usize,
    j: usize,
    says: Says,
    separated_by_coverage: Option<bool>,
    witness: Option<WitnessRecord>,
    /// Number of actions up to which the two were compared; null where they are one state.
    depth: Option<usize>,
    /// Number of words that would say more; `missing_words` holds the first of them.
    missing: usize,
    missing_words: Vec<MissingRecord>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Says {
    Distinguished,
    NotDistinguished,
    Same,
    Undecided,
}

#[derive(Serialize)]
struct WitnessRecord {
    word: Vec<u32>,
    /// Rows that the word leads to from the two rows; `p` holds the values there.
    rows: [usize; 2],
    p: [Vec<f64>; 2],
}

#[derive(Serialize)]
struct MissingRecord {
    recorded_from: usize,
    word: Vec<u32>,
    leads_to: usize,
    p: Vec<f64>,
}

impl EvidenceDocument {
    fn new(
        recorded: &Recorded,
        options: &RecordedOptions,
        coverage: &SeparatedByCoverage,
        pair: Option<PairRecord>,
    ) -> Self {
        let recording = recorded.oracle.recording();
        let (observations, actions) = (recording.observations(), recording.actions());
        let unmerged = (0..observations as u32)
            .filter(|&id| recording.is_unmerged(id))
            .count();
        let separated = |pair: PairRecord| PairRecord {
            separated_by_coverage: Some(coverage.separates(pair.i, pair.j)),
            ..pair
        };
        Self {
            schema: "tellapart.evidence/2",
            p: options.value.clone(),
            p_of: options.value_of.to_string(),
            p_unknown: recorded.values.unknown(),
            world: recorded.world.clone(),
            notes: Vec::new(),
            rows: recording.rows(),
            episodes: recording.episodes(),
            observations,
            actions,
            action_names: (0..actions as u32)
                .map(|action| recorded.actions.name(action))
                .collect(),
            recorded_steps: recording.recorded_steps(),
            coverage: recording.recorded_steps() as f64 / (observations as f64 * actions as f64),
            classes_separated_by_coverage: coverage.classes().blocks(),
            contradictions: recording
                .contradictions()
                .iter()
                .map(contradiction)
                .collect(),
            unmerged_observations: unmerged,
            pair: pair.map(separated),
        }
    }
}

fn contradiction(found: &Contradiction) -> EvidenceContradiction {
    let (kind, action) = match found.kind {
        ContradictionKind::Value => ("value", None),
        ContradictionKind::Output { action } => ("output", Some(action)),
        ContradictionKind::Successor { action } => ("successor", Some(action)),
    };
    EvidenceContradiction {
        observation: found.observation,
        kind,
        action,
        rows: found.rows,
    }
}

fn pair(recorded: &Recorded, [i, j]: [usize; 2]) -> Result<PairRecord, Failure> {
    let recording = recorded.oracle.recording();
    if let Some(row) = [i, j].into_iter().find(|&row| row >= recording.rows()) {
        return Err(Failure::bad_input(format!(
            "--pair: there is no row {row}: the rows are 0 to {}",
            recording.rows() - 1
        )));
    }
    let p = |row: usize| recorded.p(row).to_vec();
    let says = |says: Says| PairRecord {
        i,
        j,
        says,
        separated_by_coverage: None,
        witness: None,
        depth: None,
        missing: 0,
        missing_words: Vec::new(),
    };
    Ok(match recorded.oracle.compare(i, j) {
        Comparison::Same => says(Says::Same),
        Comparison::Distinguished(witness) => PairRecord {
            depth: Some(witness.len()),
            witness: Some(WitnessRecord {
                word: recording.word(witness.path_of_a()),
                rows: witness.rows(),
                p: witness.rows().map(p),
            }),
            ..says(Says::Distinguished)
        },
        Comparison::NotDistinguished(agreement) => {
            let words = recorded
                .oracle
                .missing(i, j, MOST_MISSING)
                .map_err(Failure::failed)?;
            let words = words.into_iter().map(|missing| MissingRecord {
                recorded_from: missing.recorded_from,
                p: p(missing.leads_to),
                leads_to: missing.leads_to,
                word: missing.word,
            });
            PairRecord {
                depth: Some(agreement.depth),
                missing: agreement.missing,
                missing_words: words.collect(),
                ..says(Says::NotDistinguished)
            }
        }
        Comparison::Undecided(undecided) => PairRecord {
            depth: Some(undecided.depth.saturating_sub(1)),
            ..says(Says::Undecided)
        },
    })
}
