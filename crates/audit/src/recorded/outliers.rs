//! Outliers: single rows in the wrong place, as opposed to classes that are merged.
//!
//! An observation that the encoder misplaced is merged with every row around it. So the merged
//! pairs are first explained by as few rows as possible. Those of these rows that lie together, and
//! that the recording does not distinguish, are a class that was merged. The others are outliers.

use std::collections::{BTreeSet, BinaryHeap};

use rayon::prelude::*;
use tellapart_progress::{Progress, Stopped};

use super::pair_oracle::{PairOracle, PairOutcome};
use super::points::{UniqueLatents, evenly};

/// Number of rows in one place that are no accident, if none is distinguished from another and at
/// least [`AGREEING`] of their pairs could be compared.
const GROUP: usize = 5;
/// Number of pairs of a group that must agree in a recorded word. (Of random pairs that can be
/// compared, one in two or three agrees.)
const AGREEING: usize = 6;
/// Number of rows with the same latent examined for each row.
const ALIKE: usize = 128;
/// Number of nearby rows examined for each row; if there are more, some of them suffice.
const TOGETHER: usize = 256;
/// Largest number of rows in a cover; if explaining the merged pairs takes more, they are no
/// accident.
const MOST: usize = 1 << 16;

/// Rows that explain the merged pairs (a cover of them), split into outliers and others.
#[derive(Debug, Default)]
pub(super) struct Outliers {
    /// Outliers, ascending.
    outliers: Vec<u32>,
    /// Other rows of the cover, ascending.
    grouped: Vec<u32>,
}

impl Outliers {
    /// Finds the outliers among the rows of the pairs that the encoder merged. `reach` is the
    /// distance, in spreads, within which rows lie together.
    ///
    /// Cost: `m log m` for `m` pairs, and at most a distance for every two rows of the cover.
    pub(super) fn of(
        oracle: &PairOracle<'_>,
        points: &UniqueLatents,
        pairs: &[[u32; 2]],
        reach: f64,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        let alike = |row: usize| points.rows(points.of_row(row)).len();
        let cover = cover(oracle.embeddings.rows(), pairs, alike);
        if cover.len() > MOST {
            return Ok(Self {
                outliers: Vec::new(),
                grouped: cover,
            });
        }
        let is_grouped = |&row: &u32| {
            progress.check()?;
            let row = row as usize;
            // Few rows stand for all that have one latent, so these are asked, too.
            let alike = evenly(points.rows(points.of_row(row)), ALIKE);
            let alike = alike.map(|&other| other as usize);
            let others = cover.iter().map(|&other| other as usize);
            let others = others.filter(|&other| points.of_row(other) != points.of_row(row));
            let together = others.filter(|&other| oracle.distance(row, other) <= reach);
            Ok(is_in_class(
                oracle,
                row,
                alike.chain(together).take(TOGETHER),
            ))
        };
        let is_grouped = cover.par_iter().map(is_grouped);
        let is_grouped = is_grouped.collect::<Result<Vec<bool>, _>>()?;
        let (mut grouped, mut outliers) = (Vec::new(), Vec::new());
        for (row, is_grouped) in cover.into_iter().zip(is_grouped) {
            if is_grouped {
                grouped.push(row);
            } else {
                outliers.push(row);
            }
        }
        let mut found = Self { outliers, grouped };
        // Keep only those that explain a pair which no group does.
        let pairs = pairs.iter().map(|pair| pair.map(|row| row as usize));
        let explaining: BTreeSet<usize> = pairs.filter_map(|pair| found.of_pair(pair)).collect();
        found
            .outliers
            .retain(|&row| explaining.contains(&(row as usize)));
        Ok(found)
    }

    /// Returns the outliers, ascending.
    pub(super) fn rows(&self) -> Vec<usize> {
        self.outliers.iter().map(|&row| row as usize).collect()
    }

    /// Returns the row of a merged pair that is an outlier, if that explains the pair.
    pub(super) fn of_pair(&self, pair: [usize; 2]) -> Option<usize> {
        let is_in = |rows: &[u32], row: usize| rows.binary_search(&(row as u32)).is_ok();
        if pair.iter().any(|&row| is_in(&self.grouped, row)) {
            return None;
        }
        pair.into_iter().find(|&row| is_in(&self.outliers, row))
    }
}

/// Whether some of the rows that lie `together` with a row form a class with it, as far as the
/// recording says.
fn is_in_class(oracle: &PairOracle<'_>, row: usize, together: impl Iterator<Item = usize>) -> bool {
    let depth = |a: usize, b: usize| match oracle.outcome(a, b).0 {
        PairOutcome::Distinguished(_) => None,
        PairOutcome::Agreeing(depth) => Some(depth),
        PairOutcome::Incomparable | PairOutcome::Undecided => Some(0),
    };
    let others = together.filter(|&other| other != row);
    let mut others: Vec<(u16, usize)> = others
        .filter_map(|other| Some((depth(row, other)?, other)))
        .collect();
    // Those that agree with it the longest come first: they are the likeliest to be of its class.
    others.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut class = vec![row];
    let mut agreeing = 0;
    for (_, other) in others {
        let depths: Option<Vec<u16>> = class.iter().map(|&member| depth(member, other)).collect();
        if let Some(depths) = depths {
            class.push(other);
            agreeing += depths.iter().filter(|depth| **depth > 0).count();
            if class.len() >= GROUP && agreeing >= AGREEING {
                return true;
            }
        }
    }
    false
}

/// Returns a small set of rows that contains one of every pair, ascending. Greedy: each time the
/// row in most of the pairs left, over the number of rows `alike`, for all of which it would stand.
fn cover(rows: usize, pairs: &[[u32; 2]], alike: impl Fn(usize) -> usize) -> Vec<u32> {
    let mut starts = vec![0_usize; rows + 1];
    for &row in pairs.iter().flatten() {
        starts[row as usize + 1] += 1;
    }
    let mut left: Vec<usize> = starts[1..].to_vec();
    for row in 0..rows {
        starts[row + 1] += starts[row];
    }
    let mut next = starts.clone();
    let mut of_row = vec![0_u32; 2 * pairs.len()];
    for (place, &pair) in pairs.iter().enumerate() {
        for row in pair {
            of_row[next[row as usize]] = place as u32;
            next[row as usize] += 1;
        }
    }
    let mut is_covered = vec![false; pairs.len()];
    let with_pairs = (0..rows).filter(|&row| left[row] > 0);
    let worth = |count: usize, row: usize| ((count as u64) << 32) / alike(row).max(1) as u64;
    // Ties go to the later row: the choice is arbitrary, but always the same.
    let entries = with_pairs.map(|row| (worth(left[row], row), row));
    let mut queue: BinaryHeap<(u64, usize)> = entries.collect();
    let mut cover = Vec::new();
    while let Some((before, row)) = queue.pop() {
        // The entry is stale: some of the row's pairs have been covered since.
        if before > worth(left[row], row) {
            if left[row] > 0 {
                queue.push((worth(left[row], row), row));
            }
            continue;
        }
        cover.push(row as u32);
        for &place in &of_row[starts[row]..starts[row + 1]] {
            if !std::mem::replace(&mut is_covered[place as usize], true) {
                for row in pairs[place as usize] {
                    left[row as usize] -= 1;
                }
            }
        }
    }
    cover.sort_unstable();
    cover
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::cover;

    #[test]
    fn the_middle_of_a_star_covers_it() {
        let star: Vec<[u32; 2]> = (0..6).filter(|&row| row != 4).map(|row| [row, 4]).collect();
        assert_eq!(cover(6, &star, |_| 1), [4]);
        // Not if it stands for many: then the others are in the wrong place.
        assert_eq!(
            cover(6, &star, |row| if row == 4 { 6 } else { 1 }),
            [0, 1, 2, 3, 5]
        );
        let two: Vec<[u32; 2]> = star.into_iter().chain([[6, 8], [7, 8], [4, 8]]).collect();
        assert_eq!(cover(9, &two, |_| 1), [4, 8]);
        assert!(cover(3, &[], |_| 1).is_empty());
    }

    /// Recounts all pairs for each row.
    fn plain_cover(rows: u32, pairs: &[[u32; 2]], alike: &[usize]) -> Vec<u32> {
        let mut pairs = pairs.to_vec();
        let mut cover = Vec::new();
        while !pairs.is_empty() {
            let left = |row: &u32| {
                let count = pairs.iter().flatten().filter(|other| *other == row).count();
                ((count as u64) << 32) / alike[*row as usize] as u64
            };
            let Some(row) = (0..rows).max_by_key(left) else {
                break;
            };
            cover.push(row);
            pairs.retain(|pair| !pair.contains(&row));
        }
        cover.sort_unstable();
        cover
    }

    #[test]
    fn it_is_the_cover_of_the_plain_loop() {
        for seed in 0..300 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let rows = random.random_range(2..30);
            let count = random.random_range(0..60);
            let mut pairs: Vec<[u32; 2]> = (0..count)
                .map(|_| [random.random_range(0..rows), random.random_range(0..rows)])
                .filter(|[a, b]| a < b)
                .collect();
            pairs.sort_unstable();
            pairs.dedup();
            let alike: Vec<usize> = (0..rows).map(|_| random.random_range(1..4)).collect();
            assert_eq!(
                cover(rows as usize, &pairs, |row| alike[row]),
                plain_cover(rows, &pairs, &alike),
                "seed {seed}"
            );
        }
    }
}
