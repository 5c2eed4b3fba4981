//! Stray rows: a row that lies among rows which must be apart from it, while the rows that act like it do not.
//!
//! Two rows that are merged may be two classes that are merged, or one observation that the encoder put in
//! the wrong place. What tells these from each other is where the rows lie that act like one of the two.

use std::collections::HashMap;

use rayon::prelude::*;
use tellapart_bisim::evidence::Witness;

use super::judge::{Finding, Judge};
use super::neighbours::sample;

/// Rows that act like a row: as many as are asked where it belongs; more than half must be there to be asked.
const KIN: usize = 9;
/// So many times further from some rows than each of them from the next a row lies outside of them. (Three
/// spreads between centroids are what keeps classes apart where they are known.)
const OUTSIDE: f64 = 3.0;
/// Comparisons spent on finding kin; of more rows, a sample is compared with each.
const COMPARISONS: usize = 1 << 24;
const FEWEST_CANDIDATES: usize = 256;

/// The kin of some rows: those that agree with them in the longest words.
pub(super) struct Kindred<'a> {
    judge: &'a Judge<'a>,
    /// Strain above which a pair counts as merged.
    pub(super) threshold: f64,
    of_row: HashMap<usize, Vec<Kin>>,
}

#[derive(Clone, Copy)]
struct Kin {
    /// Actions in the longest word in which it agrees.
    depth: u16,
    row: usize,
}

impl<'a> Kindred<'a> {
    /// Compares each of `rows` with all others, or, where that would be more than 2^24 comparisons, with a
    /// sample of them.
    pub(super) fn of(judge: &'a Judge<'a>, threshold: f64, rows: &[usize], seed: u64) -> Self {
        let all = judge.embeddings.rows();
        let candidates = (COMPARISONS / rows.len().max(1)).max(FEWEST_CANDIDATES);
        let candidates = sample(all, candidates, seed);
        let of_row = rows
            .par_iter()
            .map(|&row| {
                let others = candidates.iter().map(|&other| other as usize);
                let mut kin: Vec<Kin> = others
                    .filter(|&other| other != row)
                    .filter_map(|other| match judge.finding(row, other).0 {
                        Finding::Agreeing(depth) if depth < u16::MAX => {
                            Some(Kin { depth, row: other })
                        }
                        _ => None,
                    })
                    .collect();
                kin.sort_unstable_by_key(|kin| (std::cmp::Reverse(kin.depth), kin.row));
                kin.truncate(KIN);
                (row, kin)
            })
            .collect();
        Self {
            judge,
            threshold,
            of_row,
        }
    }

    /// Which row of a merged pair lies astray, if one does: its kin, but for one row at most, would not be merged
    /// with the other row, which lies outside of them: more than three times as far as they are from the
    /// nearest of each other.
    /// Kin is asked of which agrees in words longer than the witness of the pair: what agrees no longer may be
    /// anything that the witness tells from the other row.
    pub(super) fn astray(&self, [i, j]: [usize; 2], witness: &Witness) -> Option<usize> {
        // The distance within which two rows that differ as these do are merged.
        let reach = self.judge.difference(witness) / self.threshold;
        let mut found = [[i, j], [j, i]].map(|[row, other]| {
            let (from_other, among_kin) = self.around(row, other, witness.len())?;
            (from_other > reach.max(OUTSIDE * among_kin)).then_some((from_other, row))
        });
        found.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        found[1].map(|(_, row)| row)
    }

    /// Of the kin of `row`: the distance of the second nearest from `other`, and the median distance from the
    /// nearest of its own (rows that act alike as far as is recorded may be of several classes). `None` where
    /// there is too little of it.
    fn around(&self, row: usize, other: usize, length: usize) -> Option<(f64, f64)> {
        let deep = |kin: &&Kin| usize::from(kin.depth) > length;
        let kin: Vec<usize> = (self.of_row.get(&row)?.iter().filter(deep))
            .map(|kin| kin.row)
            .collect();
        let from_other = kin.iter().map(|&kin| self.judge.distance(kin, other));
        let among = kin.iter().map(|&a| {
            let others = kin.iter().filter(|&&b| b != a);
            let distances = others.map(|&b| self.judge.distance(a, b));
            distances.fold(f64::INFINITY, f64::min)
        });
        let (from_other, among) = (sorted(from_other), sorted(among));
        (2 * kin.len() > KIN).then(|| (from_other[1], among[among.len() / 2]))
    }
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers
}
