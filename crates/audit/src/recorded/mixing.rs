//! Rows that are mixed: a row that must be apart is nearer than all rows that agree.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::pair_oracle::PairOutcome;
use super::scan::{Scan, is_agreeing, is_distinguished};

/// Number of random rows tried to find one that agrees with a given row.
const AGREEING_TRIES: usize = 48;
/// Relative difference up to which distances are equal: more than float16 and bfloat16 change the
/// distances of codes that were equally far apart before they were rounded.
const EQUALLY_FAR: f64 = 1e-3;

/// What is known of the rows that agree with a point.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judged {
    /// Whether there is one, so that the nearest neighbors can be judged.
    pub(super) has_agreeing: bool,
    /// Number of actions in which rows of the point itself agree with each other; 0 if none do.
    pub(super) own: u16,
}

impl Scan<'_> {
    /// Returns whether the nearest candidates can be judged, and whether a distinguished one is
    /// nearer than every agreeing row.
    pub(super) fn judge_nearest(
        &self,
        point: usize,
        findings: &[PairOutcome],
        seed: u64,
    ) -> (bool, bool) {
        let nearest = findings.iter().position(is_distinguished);
        let Some((place, length)) = nearest.and_then(|at| Some((at, length(findings[at])?))) else {
            return (
                findings.iter().any(|&finding| is_agreeing(finding, 1)),
                false,
            );
        };
        if self.agrees_as_near(point, place, findings, length) {
            return (true, false);
        }
        // Rows that agree, but were not compared as deeply, judge without a verdict.
        let is_judged = findings[..place]
            .iter()
            .any(|&finding| is_agreeing(finding, 1));
        if findings[place..]
            .iter()
            .any(|&finding| is_agreeing(finding, length))
        {
            return (true, true);
        }
        match self.any_agreeing(point, length, seed) {
            None => (is_judged, false),
            Some(row) => {
                let distance = self.oracle.embeddings.distance(self.points.row(point), row);
                (true, distance > self.reach(point, place))
            }
        }
    }

    /// Whether a candidate that is as near as the one at this place agrees with the point in words
    /// of at least `length` actions.
    fn agrees_as_near(
        &self,
        point: usize,
        place: usize,
        findings: &[PairOutcome],
        length: u16,
    ) -> bool {
        let reach = self.reach(point, place);
        findings.iter().enumerate().any(|(other, &finding)| {
            is_agreeing(finding, length) && (other <= place || self.distance(point, other) <= reach)
        })
    }

    /// Returns the distance of a candidate.
    fn distance(&self, point: usize, place: usize) -> f64 {
        let neighbor = place.checked_sub(1);
        neighbor.map_or(0.0, |place| {
            f64::from(self.neighbors.distances(point)[place])
        })
    }

    /// Returns the distance up to which others are no farther than a candidate. Where all latents
    /// are equally far apart, as in one-hot codes, none is nearer than another.
    fn reach(&self, point: usize, place: usize) -> f64 {
        self.distance(point, place) * (1.0 + EQUALLY_FAR)
    }

    /// Returns one of a few random rows that agrees with a point in words of at least `length`
    /// actions.
    fn any_agreeing(&self, point: usize, length: u16, seed: u64) -> Option<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(point as u64);
        let row = self.points.row(point);
        let rows = self.oracle.embeddings.rows();
        let mut others = (0..AGREEING_TRIES).map(|_| random.random_range(0..rows));
        others.find(|&other| other != row && is_agreeing(self.oracle.outcome(row, other).0, length))
    }

    /// Whether `other`, which the recording distinguishes from `point`, is nearer to it than every
    /// agreeing row.
    pub(super) fn is_nearer_than_agreeing(&self, point: usize, other: usize) -> bool {
        let count = self.neighbors.count() + 1;
        let findings = &self.findings[point * count..(point + 1) * count];
        let mut candidates = self.candidates(point);
        let place = candidates.position(|candidate| candidate == other);
        let Some((place, length)) = place.and_then(|at| Some((at, length(findings[at])?))) else {
            return false;
        };
        let Judged { has_agreeing, own } = self.judged[point];
        // Rows of a merged point agree with each other: nothing else is nearer than they are.
        let has_own = place > 0 && own >= length;
        has_agreeing && !has_own && !self.agrees_as_near(point, place, findings, length)
    }
}

/// Returns the number of actions, at least 1, in which rows must agree in order to count against a
/// distinguished pair.
fn length(finding: PairOutcome) -> Option<u16> {
    match finding {
        PairOutcome::Distinguished(length) => Some(length.max(1)),
        _ => None,
    }
}
