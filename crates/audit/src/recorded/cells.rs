//! Approximate nearest neighbors: exact search within cells of random projections.
//!
//! The points are halved along the direction between two of them, again and again, until a cell
//! holds few (a random projection tree; Dasgupta & Freund 2008). Within a cell all distances are
//! measured by matrix products. Several trees cut in different places; a point keeps the best
//! candidates of all.
//!
//! A graph index (HNSW) finds more of the neighbors for each distance that it measures, but
//! measures them one by one. Matrix products on the same processor are some fifty times as fast.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tellapart_progress::{Progress, Stopped};

use super::blocks::{LatentBlock, TopK};
use super::neighbors::{STAGE, SearchSpace};

/// Largest number of points in a cell.
const CELL: usize = 2048;
/// Number of trees.
const TREES: usize = 4;
/// Number of cells that are searched before their results are stored.
const CELLS_AT_ONCE: usize = 64;
const BLOCK_ROWS: usize = 256;

/// Finds up to `count` candidates for each point as `(key, point)`, in no order.
///
/// Costs at most `TREES * points * CELL * width` multiplications.
pub(super) fn in_cells(
    space: &SearchSpace<'_>,
    count: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Vec<Vec<(f32, u32)>>, Stopped> {
    let mut lists: Vec<Vec<(f32, u32)>> = vec![Vec::new(); space.points.len()];
    for tree in 0..TREES {
        let mut points: Vec<u32> = (0..space.points.len() as u32).collect();
        split(space, &mut points, tree_seed(seed, tree as u64), progress)?;
        let cells: Vec<&[u32]> = cells(&points);
        for (batch, some) in cells.chunks(CELLS_AT_ONCE).enumerate() {
            let found = some
                .par_iter()
                .map(|cell| search(space, cell, count, progress))
                .collect::<Result<Vec<_>, _>>()?;
            for (cell, found) in some.iter().zip(found) {
                for (&point, list) in cell.iter().zip(found) {
                    merge(&mut lists[point as usize], list, count);
                }
            }
            let done = tree as f64 + ((batch + 1) * CELLS_AT_ONCE) as f64 / cells.len() as f64;
            progress.progress(STAGE, (done / TREES as f64).min(1.0));
        }
    }
    Ok(lists)
}

fn tree_seed(seed: u64, branch: u64) -> u64 {
    (seed ^ branch.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Orders the points so that each cell is contiguous; [`cells`] returns the cells.
fn split(
    space: &SearchSpace<'_>,
    points: &mut [u32],
    seed: u64,
    progress: &dyn Progress,
) -> Result<(), Stopped> {
    progress.check()?;
    if points.len() <= CELL {
        return Ok(());
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut any = || points[random.random_range(0..points.len())] as usize;
    let latent = |point: usize| space.embeddings.row(space.points.row(point));
    let (a, b) = (latent(any()), latent(any()));
    let direction: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let mut places: Vec<(f32, u32)> = points
        .par_iter()
        .map(|&point| (dot(latent(point as usize), &direction), point))
        .collect();
    let half = places.len() / 2;
    places.select_nth_unstable_by(half, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (slot, (_, point)) in points.iter_mut().zip(places) {
        *slot = point;
    }
    let (low, high) = points.split_at_mut(half);
    let (low, high) = rayon::join(
        || split(space, low, tree_seed(seed, 1), progress),
        || split(space, high, tree_seed(seed, 2), progress),
    );
    low.and(high)
}

/// Returns the cells of points that [`split`] ordered.
fn cells(points: &[u32]) -> Vec<&[u32]> {
    if points.len() <= CELL {
        return vec![points];
    }
    let (low, high) = points.split_at(points.len() / 2);
    let mut all = cells(low);
    all.extend(cells(high));
    all
}

/// Finds the nearest points within one cell, for each of its points.
fn search(
    space: &SearchSpace<'_>,
    cell: &[u32],
    count: usize,
    progress: &dyn Progress,
) -> Result<Vec<Vec<(f32, u32)>>, Stopped> {
    let all: LatentBlock = space.block(cell.iter().map(|&point| point as usize));
    let mut products = Vec::new();
    let mut lists = Vec::with_capacity(cell.len());
    for some in cell.chunks(BLOCK_ROWS) {
        progress.check()?;
        let block = space.block(some.iter().map(|&point| point as usize));
        block.compare(&all, &mut products, |row, keys| {
            let mut least = TopK::new(count);
            least.offer(keys, |place| cell[place], some[row]);
            lists.push(least.into_items());
        });
    }
    Ok(lists)
}

fn merge(old: &mut Vec<(f32, u32)>, new: Vec<(f32, u32)>, count: usize) {
    if old.is_empty() {
        *old = new;
        return;
    }
    for item in new {
        if !old.iter().any(|&(_, id)| id == item.1) {
            old.push(item);
        }
    }
    old.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    old.truncate(count);
}

/// Computes the dot product in sixteen lanes, so that the compiler vectorizes.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 16];
    let (a_chunks, a_rest) = a.as_chunks::<16>();
    let (b_chunks, b_rest) = b.as_chunks::<16>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += x[lane] * y[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(x, y)| x * y);
    lanes.iter().sum::<f32>() + rest.sum::<f32>()
}
