//! The audit itself: from a recording and embeddings to a verdict.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_bisim::evidence::ContradictionKind;
use tellapart_data::Trajectories;
use tellapart_progress::{Progress, Stopped};

use super::closest::closest_distinguished;
use super::evidence::{Recorded, RecordedOptions};
use super::neighbors::{Neighbors, SearchSpace};
use super::pair_oracle::{PairOracle, PairOutcome};
use super::points::UniqueLatents;
use super::scales::{Spread, smallest_difference, unit_of_p};
use super::scan::{FirstComparison, Scan};
use super::schema::{
    AuditedPair, Cause, ContradictionRecord, Coverage, DominantDimension, MOST_LISTED,
    Neighborhoods, RecordedAudit, SCHEMA, Search,
};
use super::{diagnostics, invariance, verdict};
use crate::{AuditError, Embeddings};

/// Default of [`RecordedAuditOptions::threshold`].
///
/// Above 10, a typical difference of `p` lies within a tenth of the spread of the latents. Nine
/// well separated clusters need a constant of 1, nine on a line one of 4.
pub const DEFAULT_THRESHOLD: f64 = 10.0;
/// Default number of nearest neighbors compared with each latent.
pub const DEFAULT_NEIGHBORS: usize = 16;
/// Default share of the rows that may be outliers.
pub const DEFAULT_OUTLIER_TOLERANCE: f64 = 0.05;
const MOST_NEIGHBORS: usize = 512;
/// Number of random pairs compared to estimate how much of the recording can be compared.
const COVERAGE_SAMPLE: usize = 4096;
const CONTRADICTIONS_LISTED: usize = 20;

/// Options of an audit.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedAuditOptions {
    /// Required Lipschitz constant above which a distinguished pair counts as merged.
    pub threshold: f64,
    /// Share of the rows that may be outliers. Pairs with an outlier do not count as merged by the
    /// encoder unless there are more outliers.
    pub outlier_tolerance: f64,
    /// Number of nearest neighbors compared with each latent.
    pub neighbors: usize,
    /// Largest number of merged pairs shown.
    pub shown: usize,
    /// Largest difference of any element at which two observations count as identical.
    pub same_observation: f64,
    /// Seed of the random samples.
    pub seed: u64,
    /// Whether the findings are compared with the hidden states.
    pub with_truth: bool,
}

impl Default for RecordedAuditOptions {
    fn default() -> Self {
        Self {
            threshold: DEFAULT_THRESHOLD,
            outlier_tolerance: DEFAULT_OUTLIER_TOLERANCE,
            neighbors: DEFAULT_NEIGHBORS,
            shown: 10,
            same_observation: 0.0,
            seed: 0,
            with_truth: false,
        }
    }
}

/// A recording and embeddings of its rows, ready to be audited.
pub struct Audit<'a> {
    trajectories: &'a Trajectories,
    pub(super) embeddings: &'a Embeddings<'a>,
    evidence: &'a RecordedOptions,
    pub(super) options: RecordedAuditOptions,
    pub(super) recorded: &'a Recorded,
    mean: Vec<f64>,
    trimmed_share: Option<f64>,
    dominant: Option<DominantDimension>,
    pub(super) oracle: PairOracle<'a>,
}

impl<'a> Audit<'a> {
    /// Checks that everything fits. `recorded` must have been made of `trajectories` with
    /// `evidence`.
    ///
    /// # Errors
    /// If the embeddings do not have as many rows as the recording, or an option is out of range.
    pub fn new(
        trajectories: &'a Trajectories,
        recorded: &'a Recorded,
        evidence: &'a RecordedOptions,
        embeddings: &'a Embeddings<'a>,
        options: RecordedAuditOptions,
    ) -> Result<Self, AuditError> {
        options.check()?;
        if embeddings.rows() != trajectories.rows() {
            return Err(AuditError::RowCount {
                found: embeddings.rows(),
                expected: trajectories.rows(),
            });
        }
        let Spread {
            mean,
            spread,
            trimmed_share,
            dominant,
        } = Spread::of(embeddings)?;
        let tolerance = evidence.tolerance.unwrap_or(0.0);
        let oracle = PairOracle {
            recorded,
            observations: &trajectories.observations,
            embeddings,
            episodes: trajectories.episodes().map(|rows| rows.start).collect(),
            states: trajectories
                .state_ids
                .as_deref()
                .filter(|_| options.with_truth),
            spread,
            p_unit: unit_of_p(&recorded.values, tolerance, options.seed),
            same_observation: options.same_observation,
        };
        Ok(Self {
            trajectories,
            embeddings,
            evidence,
            options,
            recorded,
            mean,
            trimmed_share,
            dominant,
            oracle,
        })
    }

    /// Explains one pair of rows, whether near or not. Which rows are outliers is known only after
    /// [`Audit::run`].
    ///
    /// # Errors
    /// If a row is out of range.
    pub fn explain(&self, i: usize, j: usize) -> Result<AuditedPair, AuditError> {
        for row in [i, j] {
            if row >= self.embeddings.rows() {
                return Err(AuditError::NoSuchRow {
                    row,
                    rows: self.embeddings.rows(),
                });
            }
        }
        Ok(self.oracle.pair(i, j, None))
    }

    /// Runs the whole audit. Reports the stages "nearest neighbors", "comparing" and
    /// "diagnostics".
    ///
    /// Cost, for `n` different latents of width `d`: `n^2 d` multiplications up to 4e11 of them,
    /// beyond that about `8000 n d`. Then `n` times the number of neighbors comparisons by the
    /// oracle.
    ///
    /// # Errors
    /// If a decomposition fails; [`AuditError::Stopped`], soon after `progress` says so.
    pub fn run(&self, progress: &dyn Progress) -> Result<RecordedAudit, AuditError> {
        let Self {
            oracle, options, ..
        } = self;
        let points = UniqueLatents::new(self.embeddings);
        let space = SearchSpace {
            embeddings: self.embeddings,
            points: &points,
            mean: &self.mean,
        };
        progress.check()?;
        let neighbors = Neighbors::find(&space, options.neighbors, options.seed, progress)?;
        let (recall, recall_sample) = neighbors.recall(&space, options.seed, progress)?;
        let (scan, mut comparison) =
            Scan::new(oracle, &points, &neighbors, options.seed, progress)?;
        let closest = closest_distinguished(&space, oracle, options.seed, progress)?;
        comparison.longest_witness = comparison.longest_witness.max(closest.longest_witness);
        let coverage = self.coverage(&comparison, progress)?;
        let neighborhoods = Neighborhoods {
            rows: comparison.judged_rows,
            mixed: comparison.mixed(),
            by_chance: {
                let comparable = coverage.distinguished + coverage.agreeing;
                (comparable > 0.0).then(|| coverage.distinguished / comparable)
            },
        };
        let is_mixed = verdict::is_mixed(&neighborhoods, options.outlier_tolerance);
        let mut merged = self.merged(&scan, is_mixed, &closest.pairs, progress)?;
        let kinds = merged.merges.take_kinds();
        let (added, merges) = (merged.added, &merged.merges);
        let pair = |i: usize, j: usize| oracle.pair(i, j, merged.set_apart.as_ref());
        comparison.compared += added;
        comparison.comparable += added;
        comparison.distinguished += added;
        progress.check()?;
        progress.progress("diagnostics", 0.0);

        let counts = self.counts(&comparison, &kinds, &merged);
        let mut pairs = self.shown(&kinds, &pair);
        let open = merges.open_examples(usize::from(comparison.longest_witness));
        let open = open.iter().take(options.shown);
        pairs.extend(open.map(|&[i, j]| pair(i, j)));
        let mut audit = RecordedAudit {
            schema: SCHEMA.to_owned(),
            verdict: verdict::verdict(&counts, &coverage, self.recorded.world.kind),
            reason: String::new(),
            warnings: Vec::new(),
            rows: self.trajectories.rows(),
            episodes: oracle.episodes.len(),
            observations: self.recorded.oracle.recording().observations(),
            latent_width: self.embeddings.width(),
            p: self.evidence.value.clone(),
            p_of: self.evidence.value_of.to_string(),
            p_unknown: self.recorded.values.unknown(),
            p_width: self.recorded.values.width(),
            p_unit: oracle.p_unit,
            tolerance: self.evidence.tolerance,
            world: self.recorded.world.clone(),
            actions: (0..self.recorded.actions.count as u32)
                .map(|action| self.recorded.actions.name(action))
                .collect(),
            spread: oracle.spread,
            threshold: options.threshold,
            outlier_tolerance: options.outlier_tolerance,
            trimmed_share: self.trimmed_share,
            dominant_dimension: self.dominant,
            pairs,
            outliers: merged.outliers.into_iter().take(MOST_LISTED).collect(),
            counts,
            search: Search {
                method: if neighbors.is_exact {
                    "exact"
                } else {
                    "approximate"
                }
                .to_owned(),
                neighbors: neighbors.count(),
                points: points.len(),
                duplicates: points.duplicates(),
                recall,
                recall_sample,
                exhausted: scan.exhausted(options.threshold),
                followed: closest.followed,
            },
            neighborhoods,
            coverage,
            contradictions: self.contradictions(),
            closest: closest.pairs.first().map(|[i, j]| pair(*i, *j)),
            closest_pairs: closest.pairs,
            diagnostics: diagnostics::measure(self.trajectories, self.embeddings, options.seed)?,
            healthy: None,
            certificate: None,
        };
        progress.check()?;
        audit.healthy = invariance::measure(
            self.trajectories,
            self.embeddings,
            &audit,
            oracle.states.map(|states| (states, &merges.by_states)),
            options.seed,
            progress,
        )?;
        audit.warnings = verdict::warnings(&audit, self.different_latents(&points));
        let notes = self.recorded.notes(self.trajectories, self.evidence);
        let tolerance = self.evidence.tolerance.unwrap_or(0.0);
        let smallest = smallest_difference(&self.recorded.values, tolerance);
        let magnitudes = smallest.and_then(|smallest| verdict::magnitudes(&audit, smallest));
        audit.warnings.extend(notes.into_iter().chain(magnitudes));
        let flags = [&self.trajectories.terminals, &self.trajectories.timeouts];
        if audit.rows > 1 && !flags.into_iter().flatten().any(|flag| *flag) {
            audit.warnings.push(
                "No row of the recording ends an episode (terminals, timeouts): all count as one."
                    .to_owned(),
            );
        }
        // Skip pairs of identical observations: no encoder can keep them apart.
        let mut closest = audit.closest_pairs.iter().map(|[i, j]| pair(*i, *j));
        let greatest = closest.find(|pair| pair.cause != Cause::Observation);
        audit.reason = verdict::reason(&audit, greatest.and_then(|pair| pair.required_lipschitz));
        audit.diagnostics.contradicts = verdict::contradicts(&audit);
        Ok(audit)
    }

    fn coverage(
        &self,
        comparison: &FirstComparison,
        progress: &dyn Progress,
    ) -> Result<Coverage, Stopped> {
        let recording = self.recorded.oracle.recording();
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        let rows = self.embeddings.rows();
        let (mut sampled, mut distinguished, mut agreeing) = (0, 0, 0);
        for _ in 0..if rows > 1 { COVERAGE_SAMPLE } else { 0 } {
            let i = random.random_range(0..rows);
            let j = random.random_range(0..rows - 1);
            let j = if j >= i { j + 1 } else { j };
            progress.check()?;
            sampled += 1;
            match self.oracle.outcome(i, j).0 {
                PairOutcome::Distinguished(_) => distinguished += 1,
                PairOutcome::Agreeing(_) => agreeing += 1,
                PairOutcome::Incomparable | PairOutcome::Undecided => {}
            }
        }
        let share = |count: usize| count as f64 / sampled.max(1) as f64;
        Ok(Coverage {
            recorded_steps: recording.recorded_steps(),
            possible_steps: recording.observations() * recording.actions(),
            sampled_pairs: sampled,
            distinguished: share(distinguished),
            agreeing: share(agreeing),
            incomparable: share(sampled - distinguished - agreeing),
            longest_witness: usize::from(comparison.longest_witness),
        })
    }

    fn contradictions(&self) -> Vec<ContradictionRecord> {
        let recording = self.recorded.oracle.recording();
        let all = recording.contradictions().iter();
        all.take(CONTRADICTIONS_LISTED)
            .map(|contradiction| {
                let (kind, action) = match contradiction.kind {
                    ContradictionKind::Value => ("value", None),
                    ContradictionKind::Output { action } => ("output", Some(action)),
                    ContradictionKind::Successor { action } => ("successor", Some(action)),
                };
                ContradictionRecord {
                    rows: contradiction.rows,
                    kind: kind.to_owned(),
                    action,
                }
            })
            .collect()
    }

    /// Counts the observations with several rows, and those among them whose rows have different
    /// latents; gives an example.
    fn different_latents(&self, points: &UniqueLatents) -> verdict::DifferentLatents {
        let recording = self.recorded.oracle.recording();
        let mut first_of = vec![usize::MAX; recording.observations()];
        let mut found = verdict::DifferentLatents::default();
        let mut has_several = vec![false; first_of.len()];
        let mut differs = vec![false; first_of.len()];
        for row in 0..recording.rows() {
            let observation = recording.observation(row) as usize;
            if first_of[observation] == usize::MAX {
                first_of[observation] = row;
                continue;
            }
            let first = first_of[observation];
            found.recurring += usize::from(!std::mem::replace(&mut has_several[observation], true));
            // Closer than merged pairs, a difference is noise: of the encoder, or of how batches
            // were made.
            let apart = 1.0 / self.options.threshold;
            if points.of_row(first) != points.of_row(row)
                && self.oracle.distance(first, row) > apart
            {
                found.example.get_or_insert([first, row]);
                found.differing += usize::from(!std::mem::replace(&mut differs[observation], true));
            }
        }
        found
    }
}

impl RecordedAuditOptions {
    fn check(&self) -> Result<(), AuditError> {
        let bad = |name: &str, value: f64, expected| {
            Err(AuditError::Setting {
                name: name.to_owned(),
                value,
                expected,
            })
        };
        if !(self.threshold.is_finite() && self.threshold > 0.0) {
            return bad(
                "the threshold of the required Lipschitz constant",
                self.threshold,
                "finite and above zero",
            );
        }
        if !(0.0..=1.0).contains(&self.outlier_tolerance) {
            return bad(
                "the share of outliers",
                self.outlier_tolerance,
                "from 0 to 1",
            );
        }
        if !(1..=MOST_NEIGHBORS).contains(&self.neighbors) {
            let value = self.neighbors as f64;
            return bad("the number of neighbors", value, "from 1 to 512");
        }
        if !(self.same_observation.is_finite() && self.same_observation >= 0.0) {
            let value = self.same_observation;
            return bad(
                "the tolerance of observations",
                value,
                "finite and at least zero",
            );
        }
        Ok(())
    }
}
