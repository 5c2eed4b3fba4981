//! Comparison of a pair of rows by the data, and what follows for their latents.

use tellapart_bisim::evidence::{Comparison, Path, Witness};
use tellapart_data::Frames;

use super::evidence::Recorded;
use super::outliers::Outliers;
use super::schema::{AuditedPair, Cause, Settling};
use crate::Embeddings;

/// Number of words listed for a pair that the data does not decide.
const SETTLING_WORDS: usize = 3;
/// Greatest difference of `p` that counts, in units of its median. A few values of another
/// magnitude would make latents count as merged that are as far apart as any.
const MOST_UNITS: f64 = 5.0;
/// Number of pairs of states examined for one candidate pair.
const STATES_PER_PAIR: usize = 1 << 12;

/// Everything by which pairs are judged.
pub(super) struct PairOracle<'a> {
    pub(super) recorded: &'a Recorded,
    pub(super) observations: &'a Frames,
    pub(super) embeddings: &'a Embeddings<'a>,
    /// First rows of the episodes.
    pub(super) episodes: Vec<usize>,
    /// Hidden states, to be counted next to the findings; they decide nothing.
    pub(super) states: Option<&'a [u32]>,
    pub(super) spread: f64,
    pub(super) p_unit: f64,
    /// Largest difference of any element at which two observations count as identical.
    pub(super) same_observation: f64,
}

/// Outcome of a comparison in four bytes, for millions of candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairOutcome {
    /// Distinguished by the data, by a word of the given number of actions.
    Distinguished(u16),
    /// Not distinguished. They agree in all common words, the longest of which has the given number
    /// of actions.
    Agreeing(u16),
    /// Not comparable: no action was recorded from both, and `p` is equal.
    Incomparable,
    /// The comparison was given up.
    Undecided,
}

impl PairOracle<'_> {
    pub(super) fn compare(&self, i: usize, j: usize) -> Comparison {
        self.recorded.oracle.compare_within(i, j, STATES_PER_PAIR)
    }

    /// Returns the outcome, and the number of words that were recorded on one side only.
    pub(super) fn outcome(&self, i: usize, j: usize) -> (PairOutcome, usize) {
        let steps = |steps: usize| u16::try_from(steps).unwrap_or(u16::MAX);
        match self.compare(i, j) {
            Comparison::Same => (PairOutcome::Agreeing(u16::MAX), 0),
            Comparison::Distinguished(witness) => {
                (PairOutcome::Distinguished(steps(witness.len())), 0)
            }
            Comparison::NotDistinguished(agreement) if agreement.depth == 0 => {
                (PairOutcome::Incomparable, agreement.missing)
            }
            Comparison::NotDistinguished(agreement) => (
                PairOutcome::Agreeing(steps(agreement.depth)),
                agreement.missing,
            ),
            Comparison::Undecided(_) => (PairOutcome::Undecided, 0),
        }
    }

    /// Returns the latent distance in units of the spread; 0 if the spread is 0.
    pub(super) fn distance(&self, i: usize, j: usize) -> f64 {
        if self.spread > 0.0 {
            self.embeddings.distance(i, j) / self.spread
        } else {
            0.0
        }
    }

    /// Returns the difference of `p` at the end of a witness, in units of `p_unit`; greater ones
    /// count as [`MOST_UNITS`].
    fn difference(&self, witness: &Witness) -> f64 {
        let [a, b] = witness.rows().map(|row| self.recorded.p_id(row));
        (self.recorded.values.distance(a, b) / self.p_unit).min(MOST_UNITS)
    }

    /// Returns the required Lipschitz constant; infinite if the latents are equal.
    pub(super) fn required_lipschitz(&self, witness: &Witness, distance: f64) -> f64 {
        if distance == 0.0 {
            return f64::INFINITY;
        }
        // Only equal latents make it infinite, however great a difference of `p` is.
        (self.difference(witness) / distance).min(f64::MAX)
    }

    pub(super) fn cause(&self, i: usize, j: usize) -> Cause {
        if is_same(
            self.recorded,
            self.observations,
            i,
            j,
            self.same_observation,
        ) {
            Cause::Observation
        } else {
            Cause::Encoder
        }
    }

    /// Returns the episode of a row and its step within it.
    pub(super) fn place(&self, row: usize) -> (usize, usize) {
        let episode = self.episodes.partition_point(|&start| start <= row) - 1;
        (episode, row - self.episodes[episode])
    }

    /// Describes a pair in full. With `outliers`, its cause may be an outlier.
    pub(super) fn pair(&self, i: usize, j: usize, outliers: Option<&Outliers>) -> AuditedPair {
        let (i, j) = (i.min(j), i.max(j));
        let distance = self.distance(i, j);
        let places = [i, j].map(|row| self.place(row));
        let mut pair = AuditedPair {
            i,
            j,
            episodes: places.map(|(episode, _)| episode),
            steps: places.map(|(_, step)| step),
            distance,
            required_lipschitz: None,
            required_lipschitz_is_infinite: false,
            cause: Cause::Data,
            outlier: None,
            witness: None,
            trace_i: Vec::new(),
            trace_j: Vec::new(),
            p_i: Vec::new(),
            p_j: Vec::new(),
            kind: None,
            settling: Vec::new(),
            bound: None,
        };
        let mut paths = [i, j].map(Path::at);
        if let Comparison::Distinguished(witness) = self.compare(i, j) {
            let constant = self.required_lipschitz(&witness, distance);
            pair.required_lipschitz = constant.is_finite().then_some(constant);
            pair.required_lipschitz_is_infinite = constant.is_infinite();
            pair.cause = self.cause(i, j);
            if pair.cause == Cause::Encoder {
                pair.outlier = outliers.and_then(|outliers| outliers.of_pair([i, j]));
                if pair.outlier.is_some() {
                    pair.cause = Cause::Outlier;
                }
            }
            pair.witness = Some(self.recorded.oracle.recording().word(witness.path_of_a()));
            paths = [witness.path_of_a().clone(), witness.path_of_b().clone()];
        } else if let Ok(missing) = self.recorded.oracle.missing(i, j, SETTLING_WORDS) {
            pair.settling = missing
                .into_iter()
                .map(|missing| Settling {
                    record_from: if missing.recorded_from == i { j } else { i },
                    word: missing.word,
                })
                .collect();
        }
        let [of_i, of_j] = paths.each_ref();
        (pair.trace_i, pair.trace_j) = (of_i.rows().collect(), of_j.rows().collect());
        pair.p_i = self.recorded.p_along(of_i);
        pair.p_j = self.recorded.p_along(of_j);
        pair
    }
}

/// Whether two rows show the same observation, within a tolerance.
fn is_same(recorded: &Recorded, frames: &Frames, i: usize, j: usize, tolerance: f64) -> bool {
    let recording = recorded.oracle.recording();
    if recording.observation(i) == recording.observation(j) {
        return true;
    }
    if tolerance <= 0.0 {
        return false;
    }
    let width: usize = frames.shape().iter().product();
    let [a, b] = [i, j].map(|row| row * width..(row + 1) * width);
    match frames {
        Frames::U8 { values, .. } => {
            let mut pairs = values[a].iter().zip(&values[b]);
            pairs.all(|(x, y)| f64::from(x.abs_diff(*y)) <= tolerance)
        }
        Frames::F32 { values, .. } => {
            let mut pairs = values[a].iter().zip(&values[b]);
            pairs.all(|(x, y)| (f64::from(*x) - f64::from(*y)).abs() <= tolerance)
        }
        Frames::Other { values, .. } => {
            let apart = |x: usize, y: usize| match (values.integer(x), values.integer(y)) {
                (Some(x), Some(y)) => (x - y).unsigned_abs() as f64,
                _ => (values.number(x) - values.number(y)).abs(),
            };
            a.zip(b).all(|(x, y)| apart(x, y) <= tolerance)
        }
    }
}
