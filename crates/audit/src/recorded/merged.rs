//! The merged pairs: those of stray rows set apart, counted by kind, the worst chosen to be shown.

use super::audit::Audit;
use super::marks::RowMarks;
use super::record::{AuditedPair, Cause, Counts, MergeKind, RecordedAudit};
use super::scan::{FirstLook, Rule, Scan};
use super::strays::Strays;
use super::tally::{EXAMPLES, Hit, Kind, OfKind, Tally};

/// More merged pairs than this are no accident, and no row is sought that explains them.
const MOST_PAIRS: usize = 1 << 24;

/// The merged pairs.
pub(super) struct Merged {
    pub(super) tally: Tally,
    /// Different rows in pairs that the encoder merged.
    pub(super) rows: u64,
    /// Rows astray; where these are more than may be, their pairs are the encoder's.
    pub(super) astray: Vec<usize>,
    /// Closest pairs that had not been compared before.
    pub(super) added: u64,
    /// If pairs with a stray row were set apart.
    pub(super) strays: Option<Strays>,
}

impl Audit<'_> {
    /// Pairs with a stray row are set apart, as long as such rows are few: what many rows do is no accident.
    pub(super) fn merged(&self, scan: &Scan<'_>, is_mixed: bool, closest: &[[usize; 2]]) -> Merged {
        let Self { judge, options, .. } = self;
        let all = self.embeddings.rows();
        let look = |strays: Option<&Strays>, lists_pairs| {
            let rule = Rule {
                threshold: options.threshold,
                is_mixed,
                strays,
                lists_pairs,
            };
            let rows = RowMarks::new(all);
            let mut tally = scan.merged(rule, &rows);
            let added = scan.add_closest(&mut tally, closest, rule, &rows);
            Merged {
                tally,
                rows: rows.count(),
                astray: Vec::new(),
                added,
                strays: None,
            }
        };
        let may_stray = options.strays > 0.0 && !is_mixed;
        let mut merged = look(None, may_stray);
        // Threads list them in any order.
        let mut pairs = std::mem::take(&mut merged.tally.by_encoder);
        pairs.sort_unstable();
        if pairs.is_empty() || pairs.len() > MOST_PAIRS {
            return merged;
        }
        let strays = Strays::of(judge, &pairs, 1.0 / options.threshold);
        let astray = strays.rows();
        if !astray.is_empty() && astray.len() as f64 <= options.strays * all as f64 {
            merged = look(Some(&strays), false);
            merged.strays = Some(strays);
        }
        Merged { astray, ..merged }
    }

    /// The worst pairs, taking turns between kinds.
    pub(super) fn shown(
        &self,
        kinds: &[(Kind, OfKind)],
        pair: &dyn Fn(usize, usize) -> AuditedPair,
    ) -> Vec<AuditedPair> {
        let mut shown = Vec::new();
        let examples: Vec<Vec<Hit>> = kinds
            .iter()
            .map(|(_, of_kind)| of_kind.examples())
            .collect();
        for turn in 0..EXAMPLES {
            for (place, examples) in examples.iter().enumerate() {
                if let Some(hit) = examples
                    .get(turn)
                    .filter(|_| shown.len() < self.options.shown)
                {
                    let [i, j] = hit.rows;
                    let mut pair = pair(i, j);
                    pair.kind = Some(place);
                    shown.push(pair);
                }
            }
        }
        shown
    }

    /// How many pairs there are of what; `merged` without its kinds.
    pub(super) fn counts(
        &self,
        look: &FirstLook,
        kinds: &[(Kind, OfKind)],
        merged: &Merged,
    ) -> Counts {
        let of_cause = |cause| {
            let kinds = kinds.iter().filter(|(kind, _)| kind.cause == cause);
            kinds.map(|(_, of_kind)| of_kind.pairs).sum()
        };
        let kind = |(kind, of_kind): &(Kind, OfKind)| {
            let worst = of_kind.worst.first()?;
            let pair = self.judge.pair(worst.rows[0], worst.rows[1], None);
            let mut p = [pair.p_i.last()?.clone(), pair.p_j.last()?.clone()];
            p.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            let nearest = of_kind.worst.iter().map(|hit| hit.distance);
            Some(MergeKind {
                cause: kind.cause,
                witness: kind.witness.clone(),
                p,
                pairs: of_kind.pairs,
                strain: worst.strain.is_finite().then_some(worst.strain),
                distance: nearest.fold(f64::INFINITY, f64::min),
            })
        };
        Counts {
            compared: look.compared,
            distinguished: look.distinguished,
            comparable: look.comparable,
            encoder: of_cause(Cause::Encoder),
            encoder_rows: merged.rows,
            stray: of_cause(Cause::Stray),
            stray_rows: merged.astray.len() as u64,
            observation: of_cause(Cause::Observation),
            data: merged
                .tally
                .open_by_depth
                .range(..usize::from(look.longest_witness))
                .map(|(_, count)| count)
                .sum(),
            undecided: look.undecided,
            kinds: kinds.iter().filter_map(kind).collect(),
        }
    }
}

impl RecordedAudit {
    /// Says of a pair that is merged by the encoder alone whether a row of it lies astray, as this audit found.
    pub fn explain_stray(&self, pair: &mut AuditedPair) {
        let is_merged =
            pair.strain_is_infinite || pair.strain.is_some_and(|strain| strain > self.threshold);
        // Where too many rows lie astray, their pairs are the encoder's.
        if pair.cause == Cause::Encoder && is_merged && self.counts.stray > 0 {
            let is_astray = |row: &usize| self.astray.binary_search(row).is_ok();
            pair.astray = [pair.i, pair.j].into_iter().find(is_astray);
            if pair.astray.is_some() {
                pair.cause = Cause::Stray;
            }
        }
    }
}
