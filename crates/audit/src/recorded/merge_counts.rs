//! Merged pairs, counted by kind, with the worst pairs of each.

use std::collections::{BTreeMap, HashMap};

use tellapart_bisim::evidence::Witness;

use super::pair_oracle::PairOracle;
use super::schema::Cause;

/// Number of different values of `p` by which kinds differ; any further values count as equal.
const MOST_VALUES: u32 = 256;

/// Number of pairs kept for each kind, from which [`KindSummary::examples`] chooses.
const KEPT: usize = 64;
/// Number of pairs shown for each kind.
pub(super) const EXAMPLES: usize = 3;

/// A pair of rows that is merged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MergedRows {
    /// Required Lipschitz constant; infinite if the latents are equal.
    pub(super) required_lipschitz: f64,
    pub(super) distance: f64,
    pub(super) rows: [usize; 2],
}

/// Kind of a merged pair: pairs with equal keys are of one kind. `values` are ids of `p` at the end
/// of the witness.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MergeKey {
    pub(super) cause: Cause,
    pub(super) witness: Vec<u32>,
    pub(super) values: [u32; 2],
}

#[derive(Clone, Debug, Default)]
pub(super) struct KindSummary {
    pub(super) pairs: u64,
    /// The worst pairs, worst first; at most [`KEPT`].
    pub(super) worst: Vec<MergedRows>,
}

impl KindSummary {
    /// Returns the worst pairs of the kind that have no row in common. One row in the wrong place
    /// is near to many, and would otherwise fill the list.
    pub(super) fn examples(&self) -> Vec<MergedRows> {
        let mut chosen: Vec<MergedRows> = Vec::new();
        for pair in &self.worst {
            let is_new = |other: &MergedRows| !pair.rows.iter().any(|row| other.rows.contains(row));
            if chosen.len() < EXAMPLES && chosen.iter().all(is_new) {
                chosen.push(*pair);
            }
        }
        chosen
    }
}

/// A near pair that the data does not decide: the depth to which it agrees, its distance, its rows.
pub(super) type Open = (usize, f64, [usize; 2]);

/// Number of merged pairs of rows for each pair of states.
pub(super) type MergedStates = BTreeMap<[u32; 2], u64>;

/// Counts of merged and undecided pairs. Adding is commutative, so the order of threads does not
/// matter.
#[derive(Clone, Debug, Default)]
pub(super) struct MergeCounts {
    pub(super) kinds: HashMap<MergeKey, KindSummary>,
    /// Number of near pairs that are not decided, by the length of the longest word in which they
    /// agree.
    pub(super) open_by_depth: BTreeMap<usize, u64>,
    /// Undecided pairs that could be compared the least.
    pub(super) open: Vec<Open>,
    /// Pairs merged by the encoder, if they are listed.
    pub(super) by_encoder: Vec<[u32; 2]>,
    /// Number of pairs merged by the encoder for each pair of hidden states, if these are used.
    pub(super) by_states: MergedStates,
}

impl MergedRows {
    /// Orders pairs with the worst first, equally bad ones by row.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let by_constant = other.required_lipschitz.total_cmp(&self.required_lipschitz);
        by_constant.then(self.rows.cmp(&other.rows))
    }
}

impl MergeCounts {
    pub(super) fn add(
        &mut self,
        oracle: &PairOracle<'_>,
        cause: Cause,
        witness: &Witness,
        pair: MergedRows,
    ) {
        let recording = oracle.recorded.oracle.recording();
        let [i, j] = pair.rows;
        let mut values = witness.rows().map(|row| recording.value_id(row));
        if values.iter().any(|&id| id >= MOST_VALUES) {
            values = [0, 0];
        }
        values.sort_unstable();
        if let (Some(states), Cause::Encoder) = (oracle.states, cause) {
            let pair = [states[i].min(states[j]), states[i].max(states[j])];
            *self.by_states.entry(pair).or_default() += 1;
        }
        let kind = MergeKey {
            cause,
            witness: recording.word(witness.path_of_a()),
            values,
        };
        let summary = self.kinds.entry(kind).or_default();
        summary.pairs += 1;
        insert(&mut summary.worst, pair, MergedRows::order, KEPT);
    }

    pub(super) fn add_open(&mut self, depth: usize, distance: f64, rows: [usize; 2]) {
        *self.open_by_depth.entry(depth).or_default() += 1;
        insert(&mut self.open, (depth, distance, rows), open_order, KEPT);
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        for (kind, found) in other.kinds {
            let summary = self.kinds.entry(kind).or_default();
            summary.pairs += found.pairs;
            for pair in found.worst {
                insert(&mut summary.worst, pair, MergedRows::order, KEPT);
            }
        }
        for (depth, count) in other.open_by_depth {
            *self.open_by_depth.entry(depth).or_default() += count;
        }
        for open in other.open {
            insert(&mut self.open, open, open_order, KEPT);
        }
        self.by_encoder.extend(other.by_encoder);
        for (states, count) in other.by_states {
            *self.by_states.entry(states).or_default() += count;
        }
        self
    }

    /// Returns open pairs that agree for fewer than `depth` actions and have no row in common, the
    /// least compared first.
    pub(super) fn open_examples(&self, depth: usize) -> Vec<[usize; 2]> {
        let mut chosen: Vec<[usize; 2]> = Vec::new();
        for &(_, _, rows) in self.open.iter().filter(|open| open.0 < depth) {
            let is_new = |other: &[usize; 2]| !rows.iter().any(|row| other.contains(row));
            if chosen.len() < EXAMPLES && chosen.iter().all(is_new) {
                chosen.push(rows);
            }
        }
        chosen
    }

    /// Removes and returns the kinds, ordered by their worst pair, those of outliers last. Of
    /// equally bad kinds, the one with more pairs comes first.
    pub(super) fn take_kinds(&mut self) -> Vec<(MergeKey, KindSummary)> {
        let mut kinds: Vec<_> = std::mem::take(&mut self.kinds).into_iter().collect();
        let constant = |summary: &KindSummary| {
            summary
                .worst
                .first()
                .map_or(0.0, |pair| pair.required_lipschitz)
        };
        kinds.sort_by(|(a, of_a), (b, of_b)| {
            let by_constant = constant(of_b).total_cmp(&constant(of_a));
            let are_outliers = |kind: &MergeKey| kind.cause == Cause::Outlier;
            (are_outliers(a).cmp(&are_outliers(b)))
                .then(by_constant)
                .then(of_b.pairs.cmp(&of_a.pairs))
                .then_with(|| a.cmp(b))
        });
        kinds
    }
}

fn open_order(a: &Open, b: &Open) -> std::cmp::Ordering {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
}

/// Inserts into an ordered list of at most `most` items.
fn insert<T: Copy>(
    list: &mut Vec<T>,
    item: T,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
    most: usize,
) {
    let place = list.partition_point(|other| order(other, &item).is_lt());
    if place < most {
        list.insert(place, item);
        list.truncate(most);
    }
}
