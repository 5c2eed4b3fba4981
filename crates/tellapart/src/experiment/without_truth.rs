//! Audits a run without ground truth, and compares the verdict with the truth.

use serde::{Deserialize, Serialize};
use tellapart_audit::RecordedOptions;
use tellapart_audit::recorded::{RecordedAudit, RecordedAuditOptions, Verdict};
use tellapart_data::Trajectories;
use tellapart_train::recording_evaluator::{RecordingEvaluator, rule_of};
use tellapart_train::seeds::{Purpose, derived_seed};
use tellapart_train::{TrainError, Trained, ValidConfig};

use super::ExperimentError;

use super::summary::{RunSummary, Summary};
use super::truth::Truth;
use crate::audit_recording::{AuditOptions, LatentsSource, audit_recording};
use crate::collect::Recorder;

/// Number of observations in an episode of the recording.
const EPISODE_ROWS: usize = 16;

/// Result of the audit of recorded data for a run, from held-out episodes alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithoutTruth {
    /// Whether something was merged that the recording tells apart.
    pub verdict: Verdict,
    /// Number of recorded observations.
    pub rows: usize,
    /// Number of compared pairs of rows that the recording tells apart.
    pub distinguished_pairs: u64,
    /// Number of the pairs in `distinguished_pairs` that are merged.
    pub merged_row_pairs: u64,
    /// Number of distinct rows in merged pairs.
    pub merged_rows: u64,
    /// Number of outliers: each alone among rows that must be apart from it.
    #[serde(default)]
    pub outlier_rows: u64,
    /// Largest required Lipschitz constant of a row and the nearest row that the recording tells
    /// from it. `None` where it is infinite, or nothing is told apart.
    pub max_required_lipschitz: Option<f64>,
    /// Number of pairs of a row and the nearest row that the recording tells from it; where the
    /// head predicts the reward.
    pub closest_pairs: Option<usize>,
    /// Number of the pairs in [`WithoutTruth::closest_pairs`] that are certified apart.
    pub closest_certified: Option<usize>,
    /// Pairs of true classes of the merged rows, looked up afterwards and only to compare.
    pub merged_pairs: Vec<[u32; 2]>,
    /// Number of merged pairs of rows for each entry of `merged_pairs`.
    pub merged_pairs_rows: Vec<u64>,
    /// Whether the verdict is unhealthy iff the truth-based audit finds two classes merged.
    pub agrees_with_truth: bool,
}

/// Records held-out episodes and audits the run on them. `p` is the reward, whatever the run
/// trained on.
///
/// Two rows can only be told apart by a word of actions that was recorded from both. So episodes
/// are longer than those the run was trained on, and do not end at the target. They have 16
/// observations under the policy of training, which repeats each action for 5 steps. The words that
/// matter (four removals lead from 8 to the target) then occur from most rows. There are about as
/// many rows as other held-out observations.
pub(super) fn audit(
    trained: &Trained,
    config: &ValidConfig,
    truth: &Truth,
) -> Result<RecordedAudit, ExperimentError> {
    let world = config.world().clone().endless(EPISODE_ROWS as u32 - 1);
    let rows = config.evaluation.held_out_per_state * truth.class_of_state.len();
    let recording = Recorder::new(
        world,
        rows.div_ceil(EPISODE_ROWS),
        derived_seed(config.seed, Purpose::Recording),
    );
    let mut parts = recording.record(|_| {})?.into_parts();
    // The verdict is compared with classes, which several states may share.
    for state in parts.state_ids.iter_mut().flatten() {
        *state = truth.class_of_state[*state as usize];
    }
    parts.extra.clear();
    let trajectories = Trajectories::new(parts).map_err(tellapart_train::TrainError::from)?;
    let (model, interface) = (&trained.model, &trained.interface);
    let model = RecordingEvaluator::new(model, interface, config, &trajectories)?;
    let latents = LatentsSource::Model(&model);
    let options = AuditOptions {
        evidence: RecordedOptions {
            action_rule: rule_of(truth.actions).map_err(TrainError::from)?,
            ..RecordedOptions::default()
        },
        audit: RecordedAuditOptions {
            with_truth: true,
            ..RecordedAuditOptions::default()
        },
    };
    Ok(audit_recording(&trajectories, latents, &options, &())?)
}

impl WithoutTruth {
    /// Summarizes an audit.
    pub(super) fn new(audit: &RecordedAudit, merges_classes: bool) -> Self {
        let truth = audit
            .healthy
            .as_ref()
            .and_then(|healthy| healthy.truth.as_ref());
        let certificate = audit.certificate.as_ref();
        Self {
            verdict: audit.verdict,
            rows: audit.rows,
            distinguished_pairs: audit.counts.distinguished,
            merged_row_pairs: audit.counts.encoder,
            merged_rows: audit.counts.encoder_rows,
            outlier_rows: audit.counts.outlier_rows,
            max_required_lipschitz: audit
                .closest
                .as_ref()
                .and_then(|pair| pair.required_lipschitz),
            closest_pairs: certificate.map(|certificate| certificate.pairs),
            closest_certified: certificate.map(|certificate| certificate.certified),
            merged_pairs: truth.map_or_else(Vec::new, |truth| truth.merged_states.clone()),
            merged_pairs_rows: truth.map_or_else(Vec::new, |truth| truth.pairs_of_states.clone()),
            agrees_with_truth: (audit.verdict == Verdict::Unhealthy) == merges_classes,
        }
    }

    /// Describes the verdict in one line, with the rows it rests on.
    pub fn one_line(&self) -> String {
        match self.verdict {
            Verdict::Healthy if self.outlier_rows > 0 => {
                format!(
                    "healthy, but for {} outliers of {} rows",
                    self.outlier_rows, self.rows
                )
            }
            Verdict::Healthy => "healthy".to_owned(),
            Verdict::Undecided => "undecided".to_owned(),
            Verdict::Unhealthy => format!(
                "unhealthy, {} of {} rows in merged pairs",
                self.merged_rows, self.rows
            ),
        }
    }
}

/// Describes the verdicts in words, and names the runs where the truth-based audit disagrees.
pub fn in_words(summary: &Summary, noun: &str) -> Option<String> {
    let audited: Vec<(&RunSummary, &WithoutTruth)> = summary
        .runs
        .iter()
        .filter_map(|run| Some((run, run.without_truth.as_ref()?)))
        .collect();
    let rows = audited.first()?.1.rows;
    let agreeing = audited
        .iter()
        .filter(|(_, found)| found.agrees_with_truth)
        .count();
    let mut text = format!(
        "Without truth: from {rows} recorded held-out observations of each run, with no {noun} looked at, the \
         verdict agrees with the one above on {agreeing} of {} runs.",
        audited.len()
    );
    for (run, found) in audited.iter().filter(|(_, found)| !found.agrees_with_truth) {
        let merged = run.merged_pairs.len();
        text.push_str(&format!(
            " {}, seed {}, is {}, while {}.",
            run.name,
            run.seed,
            found.one_line(),
            match merged {
                0 => format!("no two {noun}s as wholes are merged"),
                1 => format!("1 pair of {noun}s is merged"),
                _ => format!("{merged} pairs of {noun}s are merged"),
            }
        ));
    }
    Some(text)
}
