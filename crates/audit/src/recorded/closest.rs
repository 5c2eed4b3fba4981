//! The nearest distinguished row of a sample of rows, however far: the evidence of a healthy audit.

use rayon::prelude::*;
use tellapart_bisim::evidence::Comparison;
use tellapart_progress::{Progress, Stopped};

use super::neighbors::{SearchSpace, nearest_of, sample};
use super::pair_oracle::PairOracle;

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
    progress: &dyn Progress,
) -> Result<Closest, Stopped> {
    let points = space.points.len();
    if points < 2 {
        return Ok(Closest {
            pairs: Vec::new(),
            followed: 0,
            longest_witness: 0,
        });
    }
    let chosen = sample(points, if points <= ALL { points } else { SAMPLE }, seed);
    // If thousands of the nearest agree, the nearest of a few random ones bounds the distance.
    let far = sample(points, TRIES, !seed);
    let followed = chosen.par_chunks(16).map(|chunk| {
        let lists = nearest_of(space, chunk, TRIES, progress)?;
        let nearest = chunk.iter().zip(lists).map(|(&point, list)| {
            let row = space.points.row(point as usize);
            let others = list.into_items().into_iter();
            let others = others.map(|(_, id)| space.points.row(id as usize));
            if let Some(found) = first_distinguished(oracle, row, others, progress)? {
                return Ok(Some(found));
            }
            let far = far.iter().map(|&id| space.points.row(id as usize));
            let far = far.map(|other| (oracle.distance(row, other), other));
            let mut far: Vec<(f64, usize)> = far.collect();
            far.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let others = far.into_iter().map(|(_, other)| other);
            first_distinguished(oracle, row, others, progress)
        });
        nearest.collect::<Result<Vec<Option<Found>>, Stopped>>()
    });
    let followed = followed.collect::<Result<Vec<_>, Stopped>>()?;
    let mut found: Vec<Found> = followed.into_iter().flatten().flatten().collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.dedup();
    Ok(Closest {
        followed: chosen.len(),
        longest_witness: found.iter().map(|found| found.2).max().unwrap_or(0),
        pairs: found.into_iter().map(|found| found.1).collect(),
    })
}

/// A distinguished pair: its required Lipschitz constant, its rows, the length of its witness.
type Found = (f64, [usize; 2], u16);

/// Returns the first of some rows that the data distinguishes from `row`.
fn first_distinguished(
    oracle: &PairOracle<'_>,
    row: usize,
    others: impl Iterator<Item = usize>,
    progress: &dyn Progress,
) -> Result<Option<Found>, Stopped> {
    for other in others {
        progress.check()?;
        let pair = [row.min(other), row.max(other)];
        if let Comparison::Distinguished(witness) = oracle.compare(pair[0], pair[1]) {
            let distance = oracle.distance(pair[0], pair[1]);
            let length = u16::try_from(witness.len()).unwrap_or(u16::MAX);
            let constant = oracle.required_lipschitz(&witness, distance);
            return Ok(Some((constant, pair, length)));
        }
    }
    Ok(None)
}
