//! The merged pairs: those of stray rows set apart, counted by kind, the worst chosen to be shown.

use super::audit::Audit;
use super::marks::Found;
use super::record::{AuditedPair, Cause, Counts, MergeKind};
use super::scan::{FirstLook, Rule, Scan};
use super::strays::Kindred;
use super::tally::{EXAMPLES, Hit, Kind, OfKind, Tally};

/// The merged pairs.
pub(super) struct Merged<'a> {
    pub(super) tally: Tally,
    pub(super) rows: Found,
    /// Closest pairs that had not been compared before.
    pub(super) added: u64,
    /// If pairs with stray rows were set apart.
    pub(super) kindred: Option<Kindred<'a>>,
}

impl Audit<'_> {
    /// Pairs with a stray row are set apart, as long as such rows are few: what most rows do is no accident.
    pub(super) fn merged(
        &self,
        scan: &Scan<'_>,
        is_mixed: bool,
        closest: &[[usize; 2]],
    ) -> Merged<'_> {
        let all = self.embeddings.rows();
        let look = |kindred| {
            let rule = Rule {
                threshold: self.options.threshold,
                is_mixed,
                kindred,
            };
            let rows = Found::nothing(all);
            let mut tally = scan.merged(rule, &rows);
            let added = scan.add_closest(&mut tally, closest, rule, &rows);
            (tally, rows, added)
        };
        let found = |(tally, rows, added), kindred| Merged {
            tally,
            rows,
            added,
            kindred,
        };
        let all_pairs = look(None);
        let merged = all_pairs.1.merged.rows();
        let most = self.options.strays * all as f64;
        if is_mixed || merged.is_empty() || most == 0.0 {
            return found(all_pairs, None);
        }
        let Self { judge, options, .. } = self;
        let kindred = Kindred::of(judge, options.threshold, &merged, options.seed);
        let set_apart = look(Some(&kindred));
        if set_apart.1.stray.count() as f64 > most {
            found(all_pairs, None)
        } else {
            found(set_apart, Some(kindred))
        }
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

    pub(super) fn counts(&self, look: &FirstLook, kinds: &[(Kind, OfKind)]) -> Counts {
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
            encoder_rows: 0,
            stray: of_cause(Cause::Stray),
            stray_rows: 0,
            observation: of_cause(Cause::Observation),
            data: 0,
            undecided: look.undecided,
            kinds: kinds.iter().filter_map(kind).collect(),
        }
    }
}
