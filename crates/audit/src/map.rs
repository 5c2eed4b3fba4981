//! Maps of latents in the plane: principal components, and t-SNE.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::embeddings::squared_distance;
use crate::{AuditError, Embeddings, Pca};

/// Effective number of neighbors of a point (perplexity); fewer if there are few points.
const PERPLEXITY: f64 = 30.0;
/// Factor of the attraction in the first steps, so that groups form before they settle.
const EXAGGERATION: f32 = 12.0;
const EXAGGERATED_STEPS: usize = 250;
const STEPS: usize = 750;
/// Standard deviation of the starting positions along the first axis.
const START: f64 = 1e-4;

/// Two maps of a sample of rows in the plane, for a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatentMap {
    /// Rows shown, ascending: rows of pairs as far as there is room, then a sample of the others.
    pub rows: Vec<usize>,
    /// Coordinates of each row along the first two principal components, in the units of the
    /// latents.
    pub pca: Vec<[f64; 2]>,
    /// Shares of the variance along the two components, from 0 to 1.
    pub explained_share: [f64; 2],
    /// Coordinates of each row in a map that keeps neighbors together (t-SNE).
    pub neighbors: Vec<[f64; 2]>,
}

impl LatentMap {
    /// Maps at most `at_most` rows: `wanted` first, in their order (such as those of pairs, worst
    /// first), then a scattered sample of all others. The sample depends only on the number of rows
    /// and on those taken.
    ///
    /// Costs O(k^2 (d + 750)) for k rows of width d, and O(k d^2 + d^3) for the components; memory
    /// O(k d). The result does not depend on the number of threads.
    ///
    /// # Errors
    /// [`AuditError::NoConvergence`] if the principal components cannot be found.
    ///
    /// # Panics
    /// If a wanted row is out of range, as slices do.
    pub fn draw(
        embeddings: &Embeddings<'_>,
        wanted: &[usize],
        at_most: usize,
    ) -> Result<Self, AuditError> {
        let rows = sample(embeddings.rows(), wanted, at_most.max(1));
        let values = gather(embeddings, &rows);
        let sampled = Embeddings::new(&values, rows.len(), embeddings.width())?;
        let components = Pca::fit(&sampled, 2)?;
        let axis = |point: &[f64], k: usize| point.get(k).copied().unwrap_or(0.0);
        let share = |k: usize| axis(&components.explained_share, k);
        let pca: Vec<[f64; 2]> = components
            .projection
            .iter()
            .map(|point| [axis(point, 0), axis(point, 1)])
            .collect();
        let neighbors = spots(&sampled, &pca)?;
        Ok(Self {
            explained_share: [share(0), share(1)],
            rows,
            pca,
            neighbors,
        })
    }
}

/// Copies the latents of some rows, one after the other.
fn gather(embeddings: &Embeddings<'_>, rows: &[usize]) -> Vec<f32> {
    rows.iter()
        .flat_map(|&row| embeddings.row(row))
        .copied()
        .collect()
}

/// Returns ascending rows: `wanted` while there is room, then the others with the smallest
/// scrambled number.
fn sample(rows: usize, wanted: &[usize], at_most: usize) -> Vec<usize> {
    let mut taken = vec![false; rows];
    let mut chosen = Vec::new();
    for &row in wanted {
        if chosen.len() < at_most && !std::mem::replace(&mut taken[row], true) {
            chosen.push(row);
        }
    }
    let mut others: Vec<usize> = (0..rows).filter(|&row| !taken[row]).collect();
    let room = at_most - chosen.len();
    if room < others.len() {
        // Even steps would align with the length of episodes.
        others.select_nth_unstable_by_key(room, |&row| scramble(row as u64));
        others.truncate(room);
    }
    chosen.extend(others);
    chosen.sort_unstable();
    chosen
}

/// Scrambles a number by the finalizer of SplitMix64 (Steele, Lea & Flood 2014), a bijection.
fn scramble(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Returns the neighbor-preserving map. Rows with equal latents are one point of it: they must
/// share a spot.
fn spots(embeddings: &Embeddings<'_>, pca: &[[f64; 2]]) -> Result<Vec<[f64; 2]>, AuditError> {
    let mut first_rows = Vec::new();
    let mut numbers = HashMap::new();
    let point_of_row: Vec<usize> = (0..embeddings.rows())
        .map(|row| {
            // Adding zero maps both zeros to one.
            let bits: Vec<u32> = embeddings
                .row(row)
                .iter()
                .map(|v| (v + 0.0).to_bits())
                .collect();
            *numbers.entry(bits).or_insert_with(|| {
                first_rows.push(row);
                first_rows.len() - 1
            })
        })
        .collect();
    let values = gather(embeddings, &first_rows);
    let points = Embeddings::new(&values, first_rows.len(), embeddings.width())?;
    let start: Vec<[f64; 2]> = first_rows.iter().map(|&row| pca[row]).collect();
    let placed = keep_neighbors(&points, &start);
    Ok(point_of_row
        .into_iter()
        .map(|point| placed[point])
        .collect())
}

/// Computes a t-SNE map (van der Maaten & Hinton 2008) that starts from the principal components
/// (Kobak & Berens 2019), so that nothing in it is random. Attraction acts along the nearest
/// neighbors of each point (van der Maaten 2014), repulsion between every two points, exact.
///
/// The crate `bhtsne` 0.7 was tried. With 2000 points it is as fast on one core. But its bytes
/// change with the number of threads and, where distances tie, from run to run. Equal latents give
/// NaN.
fn keep_neighbors(embeddings: &Embeddings<'_>, pca: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let n = pca.len();
    let variance: f64 = pca.iter().map(|point| point[0] * point[0]).sum::<f64>() / n as f64;
    if n < 2 || !variance.sqrt().is_normal() {
        return vec![[0.0; 2]; n];
    }
    let affinities = affinities(embeddings);
    let shrink = START / variance.sqrt();
    let start =
        |axis: usize| -> Vec<f32> { pca.iter().map(|p| (p[axis] * shrink) as f32).collect() };
    let (mut x, mut y) = (start(0), start(1));
    let (mut velocity, mut gain) = (vec![[0.0f32; 2]; n], vec![[1.0f32; 2]; n]);
    // Learning rate of Belkina et al. (2019).
    let rate = (n as f32 / EXAGGERATION).max(50.0);
    for step in 0..STEPS {
        let early = step < EXAGGERATED_STEPS;
        let (attraction, momentum) = if early {
            (EXAGGERATION, 0.5)
        } else {
            (1.0, 0.8)
        };
        let gradient = gradient(&affinities, &x, &y, attraction);
        for point in 0..n {
            for axis in 0..2 {
                let (slope, speed) = (gradient[point][axis], &mut velocity[point][axis]);
                // Grow the gain while the point moves downhill, shrink it once it has overshot.
                let gain = &mut gain[point][axis];
                *gain = if (slope > 0.0) == (*speed > 0.0) {
                    (*gain * 0.8).max(0.01)
                } else {
                    *gain + 0.2
                };
                *speed = momentum * *speed - rate * *gain * slope;
            }
            x[point] += velocity[point][0];
            y[point] += velocity[point][1];
        }
    }
    x.into_iter()
        .zip(y)
        .map(|(x, y)| [f64::from(x), f64::from(y)])
        .collect()
}

/// Returns a quarter of the gradient of the Kullback-Leibler divergence by the position of every
/// point. Each point sums its own forces in the order of the points, so the result does not depend
/// on threads.
fn gradient(
    affinities: &[Vec<(usize, f32)>],
    x: &[f32],
    y: &[f32],
    attraction: f32,
) -> Vec<[f32; 2]> {
    let forces: Vec<([f32; 2], [f32; 2], f64)> = (0..x.len())
        .into_par_iter()
        .map(|i| {
            let (repulsion, weights) = repulsion(x, y, i);
            let mut pull = [0.0f32; 2];
            for &(j, p) in &affinities[i] {
                let (dx, dy) = (x[i] - x[j], y[i] - y[j]);
                let force = attraction * p / (1.0 + dx * dx + dy * dy);
                pull[0] += force * dx;
                pull[1] += force * dy;
            }
            (pull, repulsion, weights)
        })
        .collect();
    let total: f64 = forces.iter().map(|force| force.2).sum();
    // Only with a single spot is there nothing to push.
    let norm = if total > 0.0 {
        (1.0 / total) as f32
    } else {
        0.0
    };
    forces
        .into_iter()
        .map(|(pull, push, _)| [pull[0] - norm * push[0], pull[1] - norm * push[1]])
        .collect()
}

/// Returns the repulsion of point `i` by all points, not yet normalized, and its share of the norm.
/// With sixteen lanes the compiler vectorizes (0.3 ns for a pair; with eight it did not, and took
/// 0.9).
fn repulsion(x: &[f32], y: &[f32], i: usize) -> ([f32; 2], f64) {
    const LANES: usize = 16;
    let (x_i, y_i) = (x[i], y[i]);
    let push = |x_j: f32, y_j: f32| {
        let (dx, dy) = (x_i - x_j, y_i - y_j);
        let q = 1.0 / (1.0 + dx * dx + dy * dy);
        [q, q * q * dx, q * q * dy]
    };
    let (mut weight, mut right, mut up) = ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let (y_chunks, y_rest) = y.as_chunks::<LANES>();
    for (xs, ys) in x_chunks.iter().zip(y_chunks) {
        for lane in 0..LANES {
            let [q, dx, dy] = push(xs[lane], ys[lane]);
            weight[lane] += q;
            right[lane] += dx;
            up[lane] += dy;
        }
    }
    for (lane, (&x_j, &y_j)) in x_rest.iter().zip(y_rest).enumerate() {
        let [q, dx, dy] = push(x_j, y_j);
        weight[lane] += q;
        right[lane] += dx;
        up[lane] += dy;
    }
    // The point itself weighs 1 and pushes nothing.
    let weights = weight.iter().map(|&w| f64::from(w)).sum::<f64>() - 1.0;
    ([right.iter().sum(), up.iter().sum()], weights.max(0.0))
}

/// Returns symmetric affinities of neighbors, `[n][..]` of (neighbor, affinity), all summing to 1.
fn affinities(embeddings: &Embeddings<'_>) -> Vec<Vec<(usize, f32)>> {
    let n = embeddings.rows();
    let perplexity = PERPLEXITY.min((n as f64 - 1.0) / 3.0).max(1.0);
    let kept = ((3.0 * perplexity) as usize).clamp(1, n - 1);
    let directed: Vec<Vec<(usize, f64)>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let near = nearest(embeddings, i, kept);
            let squares: Vec<f64> = near.iter().map(|&(square, _)| square).collect();
            let shares = conditional(&squares, perplexity);
            near.iter().map(|near| near.1).zip(shares).collect()
        })
        .collect();
    let mut symmetric: Vec<Vec<(usize, f32)>> = vec![Vec::new(); n];
    for (i, neighbors) in directed.iter().enumerate() {
        for &(j, share) in neighbors {
            let half = (share / (2.0 * n as f64)) as f32;
            symmetric[i].push((j, half));
            symmetric[j].push((i, half));
        }
    }
    symmetric
}

/// Returns the `kept` nearest other rows with their squared distances; the lower row comes first on
/// a tie.
fn nearest(embeddings: &Embeddings<'_>, i: usize, kept: usize) -> Vec<(f64, usize)> {
    let mut all: Vec<(f64, usize)> = (0..embeddings.rows())
        .filter(|&j| j != i)
        .map(|j| (squared_distance(embeddings.row(i), embeddings.row(j)), j))
        .collect();
    let by_distance = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if kept < all.len() {
        all.select_nth_unstable_by(kept, by_distance);
        all.truncate(kept);
    }
    all.sort_unstable_by(by_distance);
    all
}

/// Returns Gaussian shares over ascending squared distances whose entropy has the given perplexity,
/// as close to it as ties allow.
fn conditional(squares: &[f64], perplexity: f64) -> Vec<f64> {
    let nearest = squares[0];
    // Distances beyond the nearest, in units of their mean: the picture is equal at every scale.
    let mean = squares.iter().map(|s| s - nearest).sum::<f64>() / squares.len() as f64;
    if mean < f64::MIN_POSITIVE {
        return vec![1.0 / squares.len() as f64; squares.len()];
    }
    let shares = |sharpness: f64| -> (Vec<f64>, f64) {
        let weights: Vec<f64> = squares
            .iter()
            .map(|square| (-sharpness * (square - nearest) / mean).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        let entropy = weights
            .iter()
            .map(|w| w / total)
            .filter(|share| *share > 0.0)
            .map(|share| -share * share.ln())
            .sum();
        (weights.into_iter().map(|w| w / total).collect(), entropy)
    };
    // Entropy falls as sharpness grows: bisect on a logarithmic scale.
    let (mut low, mut high) = (1e-9f64, 1e12f64);
    for _ in 0..64 {
        let middle = (low * high).sqrt();
        if shares(middle).1 > perplexity.ln() {
            low = middle;
        } else {
            high = middle;
        }
    }
    shares(low).0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kullback-Leibler divergence of the map from the affinities, as it is defined.
    fn divergence(affinities: &[Vec<(usize, f32)>], points: &[[f64; 2]]) -> f64 {
        let n = points.len();
        let near = |i: usize, j: usize| {
            let (dx, dy) = (points[i][0] - points[j][0], points[i][1] - points[j][1]);
            1.0 / (1.0 + dx * dx + dy * dy)
        };
        let pairs = || (0..n).flat_map(|i| (0..n).filter(move |&j| j != i).map(move |j| (i, j)));
        let total: f64 = pairs().map(|(i, j)| near(i, j)).sum();
        pairs()
            .map(|(i, j)| {
                let of_pair = affinities[i].iter().filter(|(k, _)| *k == j);
                let p: f64 = of_pair.map(|&(_, p)| f64::from(p)).sum();
                if p > 0.0 {
                    p * (p / (near(i, j) / total)).ln()
                } else {
                    0.0
                }
            })
            .sum()
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        let values: Vec<f32> = (0..60u64)
            .map(|i| (scramble(i) % 1000) as f32 / 500.0)
            .collect();
        let embeddings = Embeddings::new(&values, 20, 3).unwrap();
        let affinities = affinities(&embeddings);
        let sum: f64 = affinities
            .iter()
            .flatten()
            .map(|&(_, p)| f64::from(p))
            .sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        let points: Vec<[f64; 2]> = values
            .chunks(3)
            .map(|v| [v[0].into(), v[1].into()])
            .collect();
        let along = |axis: usize| points.iter().map(|p| p[axis] as f32).collect::<Vec<_>>();
        let found = gradient(&affinities, &along(0), &along(1), 1.0);
        for point in 0..20 {
            for axis in 0..2 {
                let at = |shift: f64| {
                    let mut moved = points.clone();
                    moved[point][axis] += shift;
                    divergence(&affinities, &moved)
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                let found = 4.0 * f64::from(found[point][axis]);
                assert!(
                    (found - slope).abs() < 1e-5,
                    "{point} {axis}: {found} {slope}"
                );
            }
        }
    }

    #[test]
    fn shares_have_the_perplexity_asked_for() {
        let squares: Vec<f64> = (0..90).map(|i| 1e-9 * f64::from(i * i)).collect();
        let entropy: f64 = conditional(&squares, 30.0)
            .iter()
            .map(|s| -s * s.ln())
            .sum();
        assert!((entropy.exp() - 30.0).abs() < 1e-6);
        assert_eq!(conditional(&[2.0; 4], 1.5), [0.25; 4]);
    }
}
