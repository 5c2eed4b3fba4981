//! Candidate pairs, point by point: first what the data says of each, then those that are merged.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::judge::{Finding, Judge};
use super::marks::RowMarks;
use super::neighbours::Neighbours;
use super::points::{Points, Representatives, evenly, in_order_of_actions};
use super::record::Cause;
use super::strays::Strays;
use super::tally::{Hit, Tally};

/// Rows that stand for a point where its own rows are compared with each other.
const REPRESENTATIVES: usize = 24;
/// Rows that stand for a point where it is compared with a neighbour.
const OF_NEIGHBOURS: usize = 3;
/// Random rows tried to learn whether a row has kin at all.
const KIN_TRIES: usize = 48;

/// The nearest neighbours of every point, compared.
pub(super) struct Scan<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) points: &'a Points,
    pub(super) neighbours: &'a Neighbours,
    representatives: Representatives,
    /// What the data says of each point and its candidates: the point itself, then its neighbours.
    findings: Vec<Finding>,
    /// Whether kin of a point is known, so that what lies nearest to it can be judged.
    is_judged: Vec<bool>,
}

/// What the first look at all candidates counts.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstLook {
    pub(super) compared: u64,
    pub(super) distinguished: u64,
    pub(super) undecided: u64,
    /// Pairs of which something can be said beside their own `p`.
    pub(super) comparable: u64,
    /// Rows whose nearest neighbours can be judged.
    pub(super) judged_rows: usize,
    /// Of these, rows with a distinguished row nearer than any kin.
    pub(super) mixed_rows: usize,
    /// Actions in the longest witness.
    pub(super) longest_witness: u16,
}

impl FirstLook {
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

    /// Share of the rows judged that are mixed.
    pub(super) fn mixed(&self) -> Option<f64> {
        (self.judged_rows > 0).then(|| self.mixed_rows as f64 / self.judged_rows as f64)
    }
}

impl<'a> Scan<'a> {
    /// Compares every point with itself (if it has several rows) and with its neighbours.
    pub(super) fn new(
        judge: &'a Judge<'a>,
        points: &'a Points,
        neighbours: &'a Neighbours,
        seed: u64,
        progress: &(dyn Fn(f64) + Sync),
    ) -> (Self, FirstLook) {
        let mut scan = Self {
            judge,
            points,
            neighbours,
            representatives: Representatives::new(points, judge.recorded, REPRESENTATIVES),
            findings: Vec::new(),
            is_judged: Vec::new(),
        };
        let done = AtomicUsize::new(0);
        let found: Vec<(Vec<Finding>, bool, FirstLook)> = (0..points.len())
            .into_par_iter()
            .map(|point| {
                let before = done.fetch_add(1, Ordering::Relaxed);
                if before.is_multiple_of(1024) {
                    progress(before as f64 / points.len() as f64);
                }
                scan.look(point, seed)
            })
            .collect();
        let mut look = FirstLook::default();
        for (findings, is_judged, of_point) in found {
            scan.findings.extend(findings);
            scan.is_judged.push(is_judged);
            look = look.merge(of_point);
        }
        (scan, look)
    }

    /// The point itself, then its neighbours.
    fn candidates(&self, point: usize) -> impl Iterator<Item = usize> + '_ {
        let neighbours = self.neighbours.of(point).iter();
        std::iter::once(point).chain(neighbours.map(|&other| other as usize))
    }

    /// Whether a pair of points is to be counted when `point` is looked at: once for both.
    fn is_counted_at(&self, point: usize, other: usize) -> bool {
        point <= other || !self.neighbours.of(other).contains(&(point as u32))
    }

    /// The pairs of rows that stand for a pair of points.
    fn pairs(&self, point: usize, other: usize) -> Vec<[usize; 2]> {
        let (left, right) = (
            self.representatives.of(point),
            self.representatives.of(other),
        );
        let pair = |a: &u32, b: &u32| [(*a).min(*b) as usize, (*a).max(*b) as usize];
        if point == other && self.points.rows(point).len() > REPRESENTATIVES {
            return in_order_of_actions(self.points.rows(point), self.judge.recorded);
        }
        if point == other {
            let pairs = |(place, a)| left[place + 1..].iter().map(move |b| pair(a, b));
            return left.iter().enumerate().flat_map(pairs).collect();
        }
        let pairs = |a| evenly(right, OF_NEIGHBOURS).map(move |b| pair(a, b));
        evenly(left, OF_NEIGHBOURS).flat_map(pairs).collect()
    }

    fn look(&self, point: usize, seed: u64) -> (Vec<Finding>, bool, FirstLook) {
        let mut look = FirstLook::default();
        let mut findings = Vec::with_capacity(self.neighbours.count() + 1);
        for other in self.candidates(point) {
            let is_counted = u64::from(self.is_counted_at(point, other));
            let mut strongest = Finding::Incomparable;
            for [a, b] in self.pairs(point, other) {
                let (finding, _) = self.judge.finding(a, b);
                look.compared += is_counted;
                match finding {
                    Finding::Distinguished(length) => {
                        look.distinguished += is_counted;
                        look.comparable += is_counted;
                        look.longest_witness = look.longest_witness.max(length);
                    }
                    Finding::Agreeing(_) => look.comparable += is_counted,
                    Finding::Undecided => look.undecided += is_counted,
                    Finding::Incomparable => {}
                }
                // What no encoder could keep apart says nothing about how this one mixes.
                let is_of_the_observation = || self.judge.cause(a, b) == Cause::Observation;
                if !is_distinguished(&finding) || !is_of_the_observation() {
                    strongest = stronger(strongest, finding);
                }
            }
            findings.push(strongest);
        }
        let (is_judged, is_mixed) = self.judge_nearest(point, &findings, seed);
        let rows = self.points.rows(point).len();
        look.judged_rows = if is_judged { rows } else { 0 };
        look.mixed_rows = if is_mixed { rows } else { 0 };
        (findings, is_judged, look)
    }

    /// Whether the nearest candidates can be judged, and whether a distinguished one is nearer than any
    /// kin.
    fn judge_nearest(&self, point: usize, findings: &[Finding], seed: u64) -> (bool, bool) {
        let first = findings
            .iter()
            .find(|finding| is_kin(**finding, 1) || matches!(finding, Finding::Distinguished(_)));
        match first {
            None => (false, false),
            Some(Finding::Distinguished(length)) => {
                let length = (*length).max(1);
                let has_kin = findings.iter().any(|finding| is_kin(*finding, length))
                    || self.has_kin(point, length, seed);
                (has_kin, has_kin)
            }
            Some(_) => {
                // Kin, but was it compared as deeply as the first one that is distinguished?
                let distinguished = findings.iter().position(is_distinguished);
                let is_mixed = distinguished.is_some_and(|place| {
                    let Finding::Distinguished(length) = findings[place] else {
                        return false;
                    };
                    !findings[..place]
                        .iter()
                        .any(|finding| is_kin(*finding, length))
                        && (findings[place..]
                            .iter()
                            .any(|finding| is_kin(*finding, length))
                            || self.has_kin(point, length, seed))
                });
                (true, is_mixed)
            }
        }
    }

    /// Whether one of a few random rows agrees with a point in words of at least so many actions.
    fn has_kin(&self, point: usize, length: u16, seed: u64) -> bool {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(point as u64);
        let row = self.points.row(point);
        let rows = self.judge.embeddings.rows();
        (0..KIN_TRIES).any(|_| {
            let other = random.random_range(0..rows);
            other != row && is_kin(self.judge.finding(row, other).0, length)
        })
    }

    /// Whether `other`, which the data tells from `point`, is nearer to it than any kin.
    fn is_nearer_than_kin(&self, point: usize, other: usize) -> bool {
        let count = self.neighbours.count() + 1;
        let findings = &self.findings[point * count..(point + 1) * count];
        let Some(place) = self
            .candidates(point)
            .position(|candidate| candidate == other)
        else {
            return false;
        };
        let Finding::Distinguished(length) = findings[place] else {
            return false;
        };
        self.is_judged[point]
            && !findings[..place]
                .iter()
                .any(|finding| is_kin(*finding, length.max(1)))
    }

    /// The distinguished pairs that are merged.
    pub(super) fn merged(&self, rule: Rule<'_>, rows: &RowMarks) -> Tally {
        let count = self.neighbours.count() + 1;
        (0..self.points.len())
            .into_par_iter()
            .fold(Tally::default, |mut tally, point| {
                let findings = &self.findings[point * count..(point + 1) * count];
                for (place, other) in self.candidates(point).enumerate() {
                    if !self.is_counted_at(point, other) {
                        continue;
                    }
                    let is_far = place > 0
                        && rule.threshold * f64::from(self.neighbours.distances(point)[place - 1])
                            > self.judge.spread;
                    if !is_far || is_distinguished(&findings[place]) {
                        let by_mixing = rule.is_mixed
                            && is_distinguished(&findings[place])
                            && (self.is_nearer_than_kin(point, other)
                                || self.is_nearer_than_kin(other, point));
                        for [a, b] in self.pairs(point, other) {
                            let merge = Merge {
                                rule,
                                by_mixing,
                                is_far,
                            };
                            self.add(&mut tally, [a, b], merge, rows);
                        }
                    }
                }
                tally
            })
            .reduce(Tally::default, Tally::merge)
    }

    fn add(&self, tally: &mut Tally, [a, b]: [usize; 2], merge: Merge<'_>, rows: &RowMarks) {
        use tellapart_bisim::evidence::Comparison;
        let distance = self.judge.distance(a, b);
        match self.judge.compare(a, b) {
            Comparison::Distinguished(witness) => {
                let strain = self.judge.strain(&witness, distance);
                if strain > merge.rule.threshold || merge.by_mixing {
                    let hit = Hit {
                        strain,
                        distance,
                        rows: [a, b],
                    };
                    let mut cause = self.judge.cause(a, b);
                    if cause == Cause::Encoder {
                        let astray = || merge.rule.strays?.of_pair([a, b]);
                        if astray().is_some() {
                            cause = Cause::Stray;
                        } else {
                            rows.mark(a);
                            rows.mark(b);
                        }
                        if merge.rule.lists_pairs {
                            tally.by_encoder.push([a as u32, b as u32]);
                        }
                    }
                    tally.add(self.judge, cause, &witness, hit);
                }
            }
            Comparison::NotDistinguished(agreement) if agreement.missing > 0 && !merge.is_far => {
                tally.add_open(agreement.depth, distance, [a, b]);
            }
            _ => {}
        }
    }
}

impl Scan<'_> {
    /// Adds those of the closest distinguished pairs that are merged and were not compared as neighbours;
    /// says how many were not.
    pub(super) fn add_closest(
        &self,
        tally: &mut Tally,
        closest: &[[usize; 2]],
        rule: Rule<'_>,
        rows: &RowMarks,
    ) -> u64 {
        let merge = Merge {
            rule,
            by_mixing: false,
            is_far: true,
        };
        let mut added = 0;
        for &pair in closest {
            let [a, b] = pair.map(|row| self.points.of_row(row));
            let is_neighbour = |a: usize, b: usize| self.neighbours.of(a).contains(&(b as u32));
            if a != b && !is_neighbour(a, b) && !is_neighbour(b, a) {
                added += 1;
                self.add(tally, pair, merge, rows);
            }
        }
        added
    }

    /// Share of the points whose neighbours reach beyond the distance within which a typical difference of
    /// `p` counts as merged.
    pub(super) fn exhausted(&self, threshold: f64) -> f64 {
        let points = self.points.len();
        if self.neighbours.count() + 1 >= points {
            return 1.0;
        }
        let reach = |point: &usize| {
            let furthest = self.neighbours.distances(*point).last();
            furthest.is_some_and(|&distance| threshold * f64::from(distance) > self.judge.spread)
        };
        (0..points).filter(reach).count() as f64 / points as f64
    }
}

/// When a distinguished pair is merged: with a strain above `threshold`, or, if `is_mixed`, nearer than kin.
#[derive(Clone, Copy)]
pub(super) struct Rule<'a> {
    pub(super) threshold: f64,
    pub(super) is_mixed: bool,
    /// Where they are known, pairs with a stray row are set apart.
    pub(super) strays: Option<&'a Strays>,
    /// The pairs that the encoder merged are to be listed.
    pub(super) lists_pairs: bool,
}

/// How one pair is judged.
#[derive(Clone, Copy)]
struct Merge<'a> {
    rule: Rule<'a>,
    /// It is merged whatever its strain.
    by_mixing: bool,
    /// A typical difference of `p` would not make it merged.
    is_far: bool,
}

fn is_distinguished(finding: &Finding) -> bool {
    matches!(finding, Finding::Distinguished(_))
}

/// Kin: agrees in words at least as long.
fn is_kin(finding: Finding, length: u16) -> bool {
    matches!(finding, Finding::Agreeing(depth) if depth >= length)
}

/// Of the pairs that stand for two points, a distinguished one speaks first, then the one that agrees
/// the longest.
fn stronger(a: Finding, b: Finding) -> Finding {
    let rank = |finding| match finding {
        Finding::Distinguished(length) => (2, u16::MAX - length),
        Finding::Agreeing(depth) => (1, depth),
        Finding::Incomparable | Finding::Undecided => (0, 0),
    };
    if rank(b) > rank(a) { b } else { a }
}
