//! The merged pairs: those of outliers set apart, counted by kind, the worst chosen to be shown.

use tellapart_progress::{Progress, Stopped};

use super::atomic_bitset::AtomicBitset;
use super::audit::Audit;
use super::merge_counts::{EXAMPLES, KindSummary, MergeCounts, MergeKey, MergedRows};
use super::outliers::Outliers;
use super::scan::{FirstComparison, MergeRule, Scan};
use super::schema::{AuditedPair, Cause, Counts, MergeKind, RecordedAudit};

/// Largest number of merged pairs for which outliers are searched; more are no accident.
const MOST_PAIRS: usize = 1 << 24;

/// The merged pairs.
pub(super) struct Merged {
    pub(super) merges: MergeCounts,
    /// Number of different rows in pairs that the encoder merged.
    pub(super) rows: u64,
    /// Outliers. If there are more than tolerated, their pairs count as the encoder's.
    pub(super) outliers: Vec<usize>,
    /// Number of closest pairs that had not been compared before.
    pub(super) added: u64,
    /// Outliers whose pairs were set apart, if any were.
    pub(super) set_apart: Option<Outliers>,
}

impl Audit<'_> {
    /// Finds the merged pairs. Pairs with an outlier are set apart as long as outliers are few:
    /// many are no accident.
    pub(super) fn merged(
        &self,
        scan: &Scan<'_>,
        is_mixed: bool,
        closest: &[[usize; 2]],
        progress: &dyn Progress,
    ) -> Result<Merged, Stopped> {
        let Self {
            oracle, options, ..
        } = self;
        let all = self.embeddings.rows();
        let compare = |outliers: Option<&Outliers>, lists_pairs| {
            let rule = MergeRule {
                threshold: options.threshold,
                is_mixed,
                outliers,
                lists_pairs,
            };
            let rows = AtomicBitset::new(all);
            let mut merges = scan.merged(rule, &rows, progress)?;
            let added = scan.add_closest(&mut merges, closest, rule, &rows);
            Ok(Merged {
                merges,
                rows: rows.count(),
                outliers: Vec::new(),
                added,
                set_apart: None,
            })
        };
        let may_have_outliers = options.outlier_tolerance > 0.0 && !is_mixed;
        let mut merged = compare(None, may_have_outliers)?;
        // Threads list them in any order.
        let mut pairs = std::mem::take(&mut merged.merges.by_encoder);
        pairs.sort_unstable();
        if pairs.is_empty() || pairs.len() > MOST_PAIRS {
            return Ok(merged);
        }
        let found = Outliers::of(
            oracle,
            scan.points,
            &pairs,
            1.0 / options.threshold,
            progress,
        )?;
        let outliers = found.rows();
        if !outliers.is_empty() && outliers.len() as f64 <= options.outlier_tolerance * all as f64 {
            merged = compare(Some(&found), false)?;
            merged.set_apart = Some(found);
        }
        Ok(Merged { outliers, ..merged })
    }

    /// Returns the worst pairs, taking turns between kinds.
    pub(super) fn shown(
        &self,
        kinds: &[(MergeKey, KindSummary)],
        pair: &dyn Fn(usize, usize) -> AuditedPair,
    ) -> Vec<AuditedPair> {
        let mut shown = Vec::new();
        let examples: Vec<Vec<MergedRows>> = kinds
            .iter()
            .map(|(_, summary)| summary.examples())
            .collect();
        for turn in 0..EXAMPLES {
            for (place, examples) in examples.iter().enumerate() {
                if let Some(example) = examples
                    .get(turn)
                    .filter(|_| shown.len() < self.options.shown)
                {
                    let [i, j] = example.rows;
                    let mut pair = pair(i, j);
                    pair.kind = Some(place);
                    shown.push(pair);
                }
            }
        }
        shown
    }

    /// Returns the counts of pairs. `kinds` are those taken from `merged`.
    pub(super) fn counts(
        &self,
        comparison: &FirstComparison,
        kinds: &[(MergeKey, KindSummary)],
        merged: &Merged,
    ) -> Counts {
        let of_cause = |cause| {
            let kinds = kinds.iter().filter(|(kind, _)| kind.cause == cause);
            kinds.map(|(_, summary)| summary.pairs).sum()
        };
        let kind = |(kind, summary): &(MergeKey, KindSummary)| {
            let worst = summary.worst.first()?;
            let pair = self.oracle.pair(worst.rows[0], worst.rows[1], None);
            let mut p = [pair.p_i.last()?.clone(), pair.p_j.last()?.clone()];
            p.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            let nearest = summary.worst.iter().map(|pair| pair.distance);
            Some(MergeKind {
                cause: kind.cause,
                witness: kind.witness.clone(),
                p,
                pairs: summary.pairs,
                required_lipschitz: worst
                    .required_lipschitz
                    .is_finite()
                    .then_some(worst.required_lipschitz),
                distance: nearest.fold(f64::INFINITY, f64::min),
            })
        };
        Counts {
            compared: comparison.compared,
            distinguished: comparison.distinguished,
            comparable: comparison.comparable,
            encoder: of_cause(Cause::Encoder),
            encoder_rows: merged.rows,
            outlier: of_cause(Cause::Outlier),
            outlier_rows: merged.outliers.len() as u64,
            observation: of_cause(Cause::Observation),
            data: merged
                .merges
                .open_by_depth
                .range(..usize::from(comparison.longest_witness))
                .map(|(_, count)| count)
                .sum(),
            undecided: comparison.undecided,
            kinds: kinds.iter().filter_map(kind).collect(),
        }
    }
}

impl RecordedAudit {
    /// Changes the cause of a pair merged by the encoder to outlier, if one of its rows is an
    /// outlier of this audit.
    pub fn explain_outlier(&self, pair: &mut AuditedPair) {
        let is_merged = pair.required_lipschitz_is_infinite
            || pair
                .required_lipschitz
                .is_some_and(|constant| constant > self.threshold);
        // With too many outliers, their pairs count as the encoder's.
        if pair.cause == Cause::Encoder && is_merged && self.counts.outlier > 0 {
            let is_outlier = |row: &usize| self.outliers.binary_search(row).is_ok();
            pair.outlier = [pair.i, pair.j].into_iter().find(is_outlier);
            if pair.outlier.is_some() {
                pair.cause = Cause::Outlier;
            }
        }
    }
}
