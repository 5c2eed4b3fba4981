//! Comparison of the candidate pairs, point by point: first what the recording says of each, then
//! which are merged.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use tellapart_progress::{Progress, Stopped};

use super::atomic_bitset::AtomicBitset;
use super::merge_counts::{MergeCounts, MergedRows};
use super::mixing::Judged;
use super::neighbors::Neighbors;
use super::outliers::Outliers;
use super::pair_oracle::{PairOracle, PairOutcome};
use super::points::{Representatives, UniqueLatents, evenly, in_order_of_actions};
use super::schema::Cause;

/// Largest number of rows that represent a point when its own rows are compared with each other.
const REPRESENTATIVES: usize = 24;
/// Largest number of rows that represent a point when it is compared with a neighbor.
const OF_NEIGHBORS: usize = 3;

/// The nearest neighbors of every point, compared.
pub(super) struct Scan<'a> {
    pub(super) oracle: &'a PairOracle<'a>,
    pub(super) points: &'a UniqueLatents,
    pub(super) neighbors: &'a Neighbors,
    representatives: Representatives,
    /// Outcome for each point and candidate: first the point with itself, then with its neighbors.
    pub(super) findings: Vec<PairOutcome>,
    pub(super) judged: Vec<Judged>,
}

/// Counts from the first comparison of all candidates.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstComparison {
    pub(super) compared: u64,
    pub(super) distinguished: u64,
    pub(super) undecided: u64,
    /// Pairs of which something can be said beyond their own `p`.
    pub(super) comparable: u64,
    /// Rows whose nearest neighbors can be judged.
    pub(super) judged_rows: usize,
    /// Judged rows with a distinguished row nearer than every agreeing row.
    pub(super) mixed_rows: usize,
    /// Number of actions in the longest witness.
    pub(super) longest_witness: u16,
}

impl FirstComparison {
    fn merge(mut self, other: Self) -> Self {
        self.compared += other.compared;
        self.distinguished += other.distinguished;
        self.undecided += other.undecided;
        self.comparable += other.comparable;
        self.judged_rows += other.judged_rows;
        self.mixed_rows += other.mixed_rows;
        self.longest_witness = self.longest_witness.max(other.longest_witness);
        self
    }

    /// Returns the share of the judged rows that are mixed.
    pub(super) fn mixed(&self) -> Option<f64> {
        (self.judged_rows > 0).then(|| self.mixed_rows as f64 / self.judged_rows as f64)
    }
}

impl<'a> Scan<'a> {
    /// Compares every point with itself (if it has several rows) and with its neighbors.
    pub(super) fn new(
        oracle: &'a PairOracle<'a>,
        points: &'a UniqueLatents,
        neighbors: &'a Neighbors,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<(Self, FirstComparison), Stopped> {
        let mut scan = Self {
            oracle,
            points,
            neighbors,
            representatives: Representatives::new(points, oracle.recorded, REPRESENTATIVES),
            findings: Vec::new(),
            judged: Vec::new(),
        };
        let done = AtomicUsize::new(0);
        let found = (0..points.len())
            .into_par_iter()
            .map(|point| {
                let before = done.fetch_add(1, Ordering::Relaxed);
                if before.is_multiple_of(1024) {
                    progress.progress("comparing", before as f64 / points.len() as f64);
                }
                scan.look(point, seed, progress)
            })
            .collect::<Result<Vec<(Vec<PairOutcome>, Judged, FirstComparison)>, _>>()?;
        let mut look = FirstComparison::default();
        for (findings, judged, of_point) in found {
            scan.findings.extend(findings);
            scan.judged.push(judged);
            look = look.merge(of_point);
        }
        Ok((scan, look))
    }

    /// Returns the candidates of a point: the point itself, then its neighbors.
    pub(super) fn candidates(&self, point: usize) -> impl Iterator<Item = usize> + '_ {
        let neighbors = self.neighbors.of(point).iter();
        std::iter::once(point).chain(neighbors.map(|&other| other as usize))
    }

    /// Whether a pair of points is counted when `point` is visited. Each pair is counted once.
    fn is_counted_at(&self, point: usize, other: usize) -> bool {
        point <= other || !self.neighbors.of(other).contains(&(point as u32))
    }

    /// Returns the pairs of rows that represent a pair of points.
    fn pairs(&self, point: usize, other: usize) -> Vec<[usize; 2]> {
        let (left, right) = (
            self.representatives.of(point),
            self.representatives.of(other),
        );
        let pair = |a: &u32, b: &u32| [(*a).min(*b) as usize, (*a).max(*b) as usize];
        if point == other && self.points.rows(point).len() > REPRESENTATIVES {
            return in_order_of_actions(self.points.rows(point), self.oracle.recorded);
        }
        if point == other {
            let pairs = |(place, a)| left[place + 1..].iter().map(move |b| pair(a, b));
            return left.iter().enumerate().flat_map(pairs).collect();
        }
        let pairs = |a| evenly(right, OF_NEIGHBORS).map(move |b| pair(a, b));
        evenly(left, OF_NEIGHBORS).flat_map(pairs).collect()
    }

    fn look(
        &self,
        point: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<(Vec<PairOutcome>, Judged, FirstComparison), Stopped> {
        let mut look = FirstComparison::default();
        let mut findings = Vec::with_capacity(self.neighbors.count() + 1);
        let mut own = 0;
        for other in self.candidates(point) {
            let is_counted = u64::from(self.is_counted_at(point, other));
            let mut strongest = PairOutcome::Incomparable;
            // A point may have all rows, and as many pairs of them.
            for [a, b] in self.pairs(point, other) {
                progress.check()?;
                let (finding, _) = self.oracle.outcome(a, b);
                look.compared += is_counted;
                match finding {
                    PairOutcome::Distinguished(length) => {
                        look.distinguished += is_counted;
                        look.comparable += is_counted;
                        look.longest_witness = look.longest_witness.max(length);
                    }
                    PairOutcome::Agreeing(depth) => {
                        look.comparable += is_counted;
                        if other == point {
                            own = own.max(depth);
                        }
                    }
                    PairOutcome::Undecided => look.undecided += is_counted,
                    PairOutcome::Incomparable => {}
                }
                // Pairs that no encoder could keep apart say nothing about how this one mixes.
                let is_of_the_observation = || self.oracle.cause(a, b) == Cause::Observation;
                if !is_distinguished(&finding) || !is_of_the_observation() {
                    strongest = stronger(strongest, finding);
                }
            }
            findings.push(strongest);
        }
        let (has_agreeing, is_mixed) = self.judge_nearest(point, &findings, seed);
        let rows = self.points.rows(point).len();
        look.judged_rows = if has_agreeing { rows } else { 0 };
        look.mixed_rows = if is_mixed { rows } else { 0 };
        Ok((findings, Judged { has_agreeing, own }, look))
    }

    /// Finds the distinguished pairs that are merged.
    pub(super) fn merged(
        &self,
        rule: MergeRule<'_>,
        rows: &AtomicBitset,
        progress: &dyn Progress,
    ) -> Result<MergeCounts, Stopped> {
        let count = self.neighbors.count() + 1;
        (0..self.points.len())
            .into_par_iter()
            .try_fold(MergeCounts::default, |mut merges, point| {
                let findings = &self.findings[point * count..(point + 1) * count];
                for (place, other) in self.candidates(point).enumerate() {
                    if !self.is_counted_at(point, other) {
                        continue;
                    }
                    let is_far = place > 0
                        && rule.threshold * f64::from(self.neighbors.distances(point)[place - 1])
                            > self.oracle.spread;
                    if !is_far || is_distinguished(&findings[place]) {
                        let by_mixing = rule.is_mixed
                            && is_distinguished(&findings[place])
                            && (self.is_nearer_than_agreeing(point, other)
                                || self.is_nearer_than_agreeing(other, point));
                        for [a, b] in self.pairs(point, other) {
                            progress.check()?;
                            let merge = Merge {
                                rule,
                                by_mixing,
                                is_far,
                            };
                            self.add(&mut merges, [a, b], merge, rows);
                        }
                    }
                }
                Ok(merges)
            })
            .try_reduce(MergeCounts::default, |one, other| Ok(one.merge(other)))
    }

    fn add(
        &self,
        merges: &mut MergeCounts,
        [a, b]: [usize; 2],
        merge: Merge<'_>,
        rows: &AtomicBitset,
    ) {
        use tellapart_bisim::evidence::Comparison;
        let distance = self.oracle.distance(a, b);
        match self.oracle.compare(a, b) {
            Comparison::Distinguished(witness) => {
                let constant = self.oracle.required_lipschitz(&witness, distance);
                if constant > merge.rule.threshold || merge.by_mixing {
                    let pair = MergedRows {
                        required_lipschitz: constant,
                        distance,
                        rows: [a, b],
                    };
                    let mut cause = self.oracle.cause(a, b);
                    if cause == Cause::Encoder {
                        let outlier = || merge.rule.outliers?.of_pair([a, b]);
                        if outlier().is_some() {
                            cause = Cause::Outlier;
                        } else {
                            rows.mark(a);
                            rows.mark(b);
                        }
                        if merge.rule.lists_pairs {
                            merges.by_encoder.push([a as u32, b as u32]);
                        }
                    }
                    merges.add(self.oracle, cause, &witness, pair);
                }
            }
            Comparison::NotDistinguished(agreement) if agreement.missing > 0 && !merge.is_far => {
                merges.add_open(agreement.depth, distance, [a, b]);
            }
            _ => {}
        }
    }
}

impl Scan<'_> {
    /// Adds the closest distinguished pairs that are merged and were not compared as neighbors.
    /// Returns how many of the closest pairs were not compared as neighbors.
    pub(super) fn add_closest(
        &self,
        merges: &mut MergeCounts,
        closest: &[[usize; 2]],
        rule: MergeRule<'_>,
        rows: &AtomicBitset,
    ) -> u64 {
        let merge = Merge {
            rule,
            by_mixing: false,
            is_far: true,
        };
        let mut added = 0;
        for &pair in closest {
            let [a, b] = pair.map(|row| self.points.of_row(row));
            let is_neighbor = |a: usize, b: usize| self.neighbors.of(a).contains(&(b as u32));
            if a != b && !is_neighbor(a, b) && !is_neighbor(b, a) {
                added += 1;
                self.add(merges, pair, merge, rows);
            }
        }
        added
    }

    /// Returns the share of the points whose neighbors reach beyond the distance within which a
    /// typical difference of `p` counts as merged.
    pub(super) fn exhausted(&self, threshold: f64) -> f64 {
        let points = self.points.len();
        if self.neighbors.count() + 1 >= points {
            return 1.0;
        }
        let reach = |point: &usize| {
            let furthest = self.neighbors.distances(*point).last();
            furthest.is_some_and(|&distance| threshold * f64::from(distance) > self.oracle.spread)
        };
        (0..points).filter(reach).count() as f64 / points as f64
    }
}

/// Rule by which a distinguished pair counts as merged: its required Lipschitz constant is above
/// `threshold`, or, if `is_mixed`, it is nearer than agreeing rows.
#[derive(Clone, Copy)]
pub(super) struct MergeRule<'a> {
    pub(super) threshold: f64,
    pub(super) is_mixed: bool,
    /// Outliers, once they are known; their pairs get a cause of their own.
    pub(super) outliers: Option<&'a Outliers>,
    /// Whether the pairs that the encoder merged are listed.
    pub(super) lists_pairs: bool,
}

/// How one pair is judged.
#[derive(Clone, Copy)]
struct Merge<'a> {
    rule: MergeRule<'a>,
    /// Whether it is merged whatever its required Lipschitz constant.
    by_mixing: bool,
    /// Whether it is so far apart that a typical difference of `p` would not make it merged.
    is_far: bool,
}

pub(super) fn is_distinguished(finding: &PairOutcome) -> bool {
    matches!(finding, PairOutcome::Distinguished(_))
}

/// Whether rows agree in words of at least `length` actions.
pub(super) fn is_agreeing(finding: PairOutcome, length: u16) -> bool {
    matches!(finding, PairOutcome::Agreeing(depth) if depth >= length)
}

/// Returns the outcome that counts among the pairs that represent two points: a distinguished one
/// with the shortest witness, else the one that agrees the longest.
fn stronger(a: PairOutcome, b: PairOutcome) -> PairOutcome {
    let rank = |finding| match finding {
        PairOutcome::Distinguished(length) => (2, u16::MAX - length),
        PairOutcome::Agreeing(depth) => (1, depth),
        PairOutcome::Incomparable | PairOutcome::Undecided => (0, 0),
    };
    if rank(b) > rank(a) { b } else { a }
}
