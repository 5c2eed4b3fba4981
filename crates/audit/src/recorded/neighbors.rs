//! The nearest neighbors of every point.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tellapart_progress::{Progress, Stopped};

use super::blocks::{LatentBlock, TopK};
use super::cells::in_cells;
use super::points::UniqueLatents;
use crate::Embeddings;

/// Largest number of multiplications (points^2 * width) of an exact search: a few seconds on two
/// cores.
const EXACT_PRODUCTS: f64 = 4e11;
/// Number of points whose true neighbors are found to measure an approximate search.
const RECALL_SAMPLE: usize = 256;
/// Name of the stage, for progress.
pub(super) const STAGE: &str = "nearest neighbors";
const BLOCK_ROWS: usize = 256;
const BLOCK_COLUMNS: usize = 2048;
/// Largest number of values in a block of columns, each thread holding one: 64 MiB.
const BLOCK_VALUES: usize = 1 << 24;

/// The nearest other points of every point, nearest first.
pub(super) struct Neighbors {
    /// `[points][count]`.
    ids: Vec<u32>,
    distances: Vec<f32>,
    count: usize,
    pub(super) is_exact: bool,
}

/// Input of a neighbor search.
#[derive(Clone, Copy)]
pub(super) struct SearchSpace<'a> {
    pub(super) embeddings: &'a Embeddings<'a>,
    pub(super) points: &'a UniqueLatents,
    pub(super) mean: &'a [f64],
}

impl SearchSpace<'_> {
    pub(super) fn block(&self, points: impl ExactSizeIterator<Item = usize>) -> LatentBlock {
        let rows = points.map(|point| self.points.row(point));
        LatentBlock::gather(self.embeddings, self.mean, rows)
    }

    /// Returns the distance of two points, summed in f64.
    pub(super) fn distance(&self, a: usize, b: usize) -> f64 {
        let [a, b] = [a, b].map(|point| self.points.row(point));
        self.embeddings.distance(a, b)
    }
}

impl Neighbors {
    /// Finds the `count` nearest of every point, fewer if there are fewer points. The search is
    /// exact if that takes a few seconds, otherwise within cells of random projections. The result
    /// does not depend on the number of threads.
    pub(super) fn find(
        space: &SearchSpace<'_>,
        count: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        let products = (space.points.len() as f64).powi(2) * space.embeddings.width() as f64;
        if products <= EXACT_PRODUCTS {
            Self::exact(space, count, progress)
        } else {
            Self::approximate(space, count, seed, progress)
        }
    }

    /// Compares every point with every other.
    pub(super) fn exact(
        space: &SearchSpace<'_>,
        count: usize,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        let points: Vec<u32> = (0..space.points.len() as u32).collect();
        let count = count.min(points.len() - 1);
        let done = std::sync::atomic::AtomicUsize::new(0);
        let lists = points
            .par_chunks(BLOCK_ROWS)
            .map(|chunk| {
                let found = nearest_of(space, chunk, spare(count), progress)?;
                let before = done.fetch_add(chunk.len(), std::sync::atomic::Ordering::Relaxed);
                progress.progress(STAGE, (before + chunk.len()) as f64 / points.len() as f64);
                Ok(found.into_iter().map(TopK::into_items).collect())
            })
            .collect::<Result<Vec<Vec<_>>, _>>()?;
        let lists: Vec<_> = lists.into_iter().flatten().collect();
        Self::settle(space, &lists, count, true, progress)
    }

    fn approximate(
        space: &SearchSpace<'_>,
        count: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        let count = count.min(space.points.len() - 1);
        let lists = in_cells(space, spare(count), seed, progress)?;
        Self::settle(space, &lists, count, false, progress)
    }

    /// Orders candidates by their distances in f64, and keeps the nearest.
    fn settle(
        space: &SearchSpace<'_>,
        lists: &[Vec<(f32, u32)>],
        count: usize,
        is_exact: bool,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        let settled = lists
            .par_iter()
            .enumerate()
            .map(|(point, list)| {
                progress.check()?;
                let distance = |other: u32| space.distance(point, other as usize) as f32;
                let mut list: Vec<_> = list.iter().map(|&(_, id)| (distance(id), id)).collect();
                list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                list.truncate(count);
                Ok(list)
            })
            .collect::<Result<Vec<Vec<(f32, u32)>>, _>>()?;
        Ok(Self {
            ids: settled.iter().flatten().map(|&(_, id)| id).collect(),
            distances: settled.iter().flatten().map(|&(d, _)| d).collect(),
            count,
            is_exact,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns the neighbors of a point, nearest first.
    pub(super) fn of(&self, point: usize) -> &[u32] {
        &self.ids[point * self.count..(point + 1) * self.count]
    }

    /// Returns the distances of the neighbors of a point, nearest first.
    pub(super) fn distances(&self, point: usize) -> &[f32] {
        &self.distances[point * self.count..(point + 1) * self.count]
    }

    /// Returns the share of the true neighbors that were found, for a sample of points, and the
    /// number of those points.
    pub(super) fn recall(
        &self,
        space: &SearchSpace<'_>,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<(f64, usize), Stopped> {
        if self.is_exact || self.count == 0 {
            return Ok((1.0, 0));
        }
        let sample = sample(space.points.len(), RECALL_SAMPLE, seed);
        let found: usize = sample
            .par_chunks(32)
            .map(|chunk| {
                let exact = nearest_of(space, chunk, spare(self.count), progress)?;
                let exact: Vec<_> = exact.into_iter().map(TopK::into_items).collect();
                let hits = chunk.iter().zip(exact).map(|(&point, list)| {
                    let mut exact: Vec<(f64, u32)> = list
                        .iter()
                        .map(|&(_, id)| (space.distance(point as usize, id as usize), id))
                        .collect();
                    exact.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                    let nearest = exact.iter().take(self.count);
                    nearest
                        .filter(|(_, id)| self.of(point as usize).contains(id))
                        .count()
                });
                Ok(hits.sum::<usize>())
            })
            .sum::<Result<_, _>>()?;
        let recall = found as f64 / (sample.len() * self.count) as f64;
        Ok((recall, sample.len()))
    }
}

/// Returns the number of candidates to keep if `count` are wanted: products in f32 confuse the
/// order of the very nearest.
fn spare(count: usize) -> usize {
    count + count / 2 + 4
}

/// Finds the nearest of all points for each of a few.
pub(super) fn nearest_of(
    space: &SearchSpace<'_>,
    points: &[u32],
    count: usize,
    progress: &dyn Progress,
) -> Result<Vec<TopK>, Stopped> {
    let block = space.block(points.iter().map(|&point| point as usize));
    let mut found = vec![TopK::new(count.min(space.points.len() - 1)); points.len()];
    let mut products = Vec::new();
    let columns = (BLOCK_VALUES / space.embeddings.width()).clamp(BLOCK_ROWS, BLOCK_COLUMNS);
    for start in (0..space.points.len()).step_by(columns) {
        progress.check()?;
        let others = space.block(start..(start + columns).min(space.points.len()));
        block.compare(&others, &mut products, |row, keys| {
            found[row].offer(keys, |place| (start + place) as u32, points[row]);
        });
    }
    Ok(found)
}

/// Draws `count` of `0..points`, ascending; all if there are no more.
pub(super) fn sample(points: usize, count: usize, seed: u64) -> Vec<u32> {
    if points <= count {
        return (0..points as u32).collect();
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = std::collections::BTreeSet::new();
    while chosen.len() < count {
        chosen.insert(random.random_range(0..points) as u32);
    }
    chosen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows around a few centers far from the origin, some of them equal.
    fn latents(random: &mut ChaCha8Rng, rows: usize, width: usize) -> Vec<f32> {
        let centers: Vec<f32> = (0..5 * width)
            .map(|_| random.random_range(-1.0..1.0) + 30.0)
            .collect();
        let noise = [0.01, 0.3, 5.0][random.random_range(0..3)];
        let mut values: Vec<f32> = Vec::with_capacity(rows * width);
        for row in 0..rows {
            if row > 0 && random.random_range(0..10) == 0 {
                let twin = random.random_range(0..row) * width;
                values.extend_from_within(twin..twin + width);
                continue;
            }
            let center = random.random_range(0..5) * width;
            for axis in 0..width {
                values.push(centers[center + axis] + noise * random.random_range(-1.0..1.0_f32));
            }
        }
        values
    }

    fn with_space(values: &[f32], width: usize, test: impl FnOnce(&SearchSpace<'_>)) {
        let embeddings = Embeddings::new(values, values.len() / width, width).unwrap();
        let points = UniqueLatents::new(&embeddings);
        let mean = super::super::scales::Spread::of(&embeddings).unwrap().mean;
        test(&SearchSpace {
            embeddings: &embeddings,
            points: &points,
            mean: &mean,
        });
    }

    /// Returns all other points, by distance.
    fn slow(space: &SearchSpace<'_>, point: usize) -> Vec<(f32, u32)> {
        let others = (0..space.points.len()).filter(|&other| other != point);
        let mut list: Vec<_> = others
            .map(|other| (space.distance(point, other) as f32, other as u32))
            .collect();
        list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        list
    }

    /// Includes sizes around those of the blocks, where a single row may be left over.
    #[test]
    fn an_exact_search_finds_what_comparing_every_two_finds() {
        for seed in 0..24 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let left = random.random_range(0..8);
            let rows = [2 + left, 250 + left, 509 + left, 2046 + left][seed as usize % 4];
            let width = random.random_range(1..40);
            let values = latents(&mut random, rows, width);
            with_space(&values, width, |space| {
                if space.points.len() < 2 {
                    return;
                }
                let found = Neighbors::exact(space, 16, &()).unwrap();
                for point in 0..space.points.len() {
                    let expected = slow(space, point);
                    let expected = &expected[..found.count()];
                    let distances: Vec<f32> = expected.iter().map(|item| item.0).collect();
                    let ids: Vec<u32> = expected.iter().map(|item| item.1).collect();
                    assert_eq!(
                        (found.distances(point), found.of(point)),
                        (&distances[..], &ids[..]),
                        "seed {seed}, point {point} of {rows}, width {width}"
                    );
                }
            });
        }
    }

    #[test]
    fn an_approximate_search_says_truly_how_much_it_finds() {
        for (seed, width) in [(1, 4), (2, 24), (3, 64)] {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let values = latents(&mut random, 9000, width);
            with_space(&values, width, |space| {
                let found = Neighbors::approximate(space, 16, seed, &()).unwrap();
                let (said, _) = found.recall(space, seed, &()).unwrap();
                let sampled: Vec<usize> = (0..space.points.len()).step_by(16).collect();
                let mut hits = 0;
                for &point in &sampled {
                    let expected = slow(space, point);
                    let nearest = expected[..16].iter().map(|item| item.1);
                    hits += nearest.filter(|id| found.of(point).contains(id)).count();
                    // Neighbors found are at their true distance.
                    for (&id, &distance) in found.of(point).iter().zip(found.distances(point)) {
                        assert_eq!(distance, space.distance(point, id as usize) as f32);
                    }
                }
                let recall = hits as f64 / (16 * sampled.len()) as f64;
                // Measured: 0.998, 0.929 and 0.847.
                assert!((recall - said).abs() < 0.05, "seed {seed}: {recall} {said}");
                assert!(recall > 0.6, "seed {seed}: {recall}");
            });
        }
    }
}
