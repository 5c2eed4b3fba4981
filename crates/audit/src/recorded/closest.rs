//! The nearest distinguished row of a sample of rows, however far: the evidence of a healthy audit.

use rayon::prelude::*;
use tellapart_bisim::evidence::Comparison;

use super::neighbors::{SearchSpace, nearest_of, sample};
use super::pair_oracle::{PairOracle, PairOutcome};

/// Largest number of points that are all followed; beyond it, a sample is.
const ALL: usize = 4096;
const SAMPLE: usize = 384;
/// Number of other points compared with each, nearest first, until one is distinguished.
const TRIES: usize = 4096;

/// The nearest distinguished pairs.
pub(super) struct Closest {
    /// Pairs of rows, greatest required Lipschitz constant first.
    pub(super) pairs: Vec<[usize; 2]>,
    /// Number of points from which they were searched.
    pub(super) followed: usize,
    /// Number of actions in the longest of their witnesses.
    pub(super) longest_witness: u16,
}

/// Finds, for each of some points, the nearest row that the data distinguishes from it.
pub(super) fn closest_distinguished(
    space: &SearchSpace<'_>,
    oracle: &PairOracle<'_>,
    seed: u64,
) -> Closest {
    let points = space.points.len();
    if points < 2 {
        return Closest {
            pairs: Vec::new(),
            followed: 0,
            longest_witness: 0,
        };
    }
    let chosen = sample(points, if points <= ALL { points } else { SAMPLE }, seed);
    // If thousands of the nearest agree, the nearest of a few random ones bounds the distance.
    let far = sample(points, TRIES, !seed);
    let mut found: Vec<(f64, [usize; 2], u16)> = chosen
        .par_chunks(16)
        .flat_map_iter(|chunk| {
            let lists = nearest_of(space, chunk, TRIES);
            chunk.iter().zip(lists).filter_map(|(&point, list)| {
                let row = space.points.row(point as usize);
                let is_told_apart = |other: &usize| {
                    matches!(oracle.outcome(row, *other).0, PairOutcome::Distinguished(_))
                };
                let others = list.into_items().into_iter();
                let mut others = others.map(|(_, id)| space.points.row(id as usize));
                let other = others.find(is_told_apart).or_else(|| {
                    let far = far.iter().map(|&id| space.points.row(id as usize));
                    let far = far.map(|other| (oracle.distance(row, other), other));
                    let mut far: Vec<(f64, usize)> = far.collect();
                    far.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                    far.into_iter().map(|(_, other)| other).find(is_told_apart)
                })?;
                let pair = [row.min(other), row.max(other)];
                match oracle.compare(pair[0], pair[1]) {
                    Comparison::Distinguished(witness) => {
                        let distance = oracle.distance(pair[0], pair[1]);
                        let length = u16::try_from(witness.len()).unwrap_or(u16::MAX);
                        Some((oracle.required_lipschitz(&witness, distance), pair, length))
                    }
                    _ => None,
                }
            })
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.dedup();
    Closest {
        followed: chosen.len(),
        longest_witness: found.iter().map(|found| found.2).max().unwrap_or(0),
        pairs: found.into_iter().map(|found| found.1).collect(),
    }
}
