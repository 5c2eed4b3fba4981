//! Clusters: how true classes lie in latent space, and which of them are merged.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::embeddings::squared_distance;
use crate::{AuditError, Classes, Embeddings};

/// Gap of two centroids, in spreads, below which their classes count as merged.
pub const MERGED_WITHIN_SPREADS: f64 = 3.0;

/// Gap, in units in the last place of the centroids' norm, up to which it counts as none: f32
/// latents cannot hold it reliably.
const RESOLUTION_ULPS: f64 = 8.0;

/// Geometry of the true classes in latent space.
///
/// Every ratio is `None` (null in JSON) exactly where its denominator is zero or its classes are
/// missing. No value is ever NaN or infinite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Clusters {
    /// One record per class, in class order; empty classes are included.
    pub classes: Vec<ClassCluster>,
    /// Share of observations strictly nearer to their own class's centroid than to any other, in
    /// `[0, 1]`.
    ///
    /// Leave-one-out: the own centroid is computed without the observation. A tie counts as not
    /// own, so exactly equal latents give 0. An observation that is alone in its class counts as
    /// not own, too. With a single non-empty class there is nothing to confuse, and this is 1 (for
    /// two or more observations).
    pub nearest_centroid_accuracy: f64,
    /// Mean silhouette (Rousseeuw 1987), in `[-1, 1]`; 0 for an observation alone in its class and
    /// for one whose distances all vanish. `None` with fewer than two non-empty classes.
    pub silhouette: Option<f64>,
    /// Distance between the centroids of every two classes, `[classes][classes]`, symmetric, zero
    /// on the diagonal; `None` where a class is empty.
    pub gaps: Vec<Vec<Option<f64>>>,
    /// Smallest gap between two classes. `None` with fewer than two non-empty classes.
    pub closest_gap: Option<f64>,
    /// Mean gap over all pairs of classes.
    pub mean_gap: Option<f64>,
    /// Smallest gap divided by the mean gap, in `[0, 1]`. `None` if all centroids coincide.
    pub closest_gap_over_mean_gap: Option<f64>,
    /// Mean spread of the classes divided by the smallest gap. `None` if that gap is zero.
    pub spread_over_closest_gap: Option<f64>,
    /// Mean distance of two observations divided by the mean norm of the latents; small for a
    /// complete collapse. `None` with a single observation, or if every latent is zero.
    pub relative_spread: Option<f64>,
    /// Pairs of classes that are merged, in order.
    pub merged: Vec<MergedPair>,
    /// Threshold that decided `merged`, in spreads.
    pub merged_within_spreads: f64,
}

/// One class in latent space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassCluster {
    /// Class index.
    pub class: u32,
    /// Number of observations of this class.
    pub observations: usize,
    /// Mean latent, `[width]`; empty for an empty class. Of latents in `f64`, what is left of it
    /// without the mean of all.
    pub centroid: Vec<f64>,
    /// Root mean squared distance to the centroid; 0 for an empty class.
    pub spread: f64,
}

/// Two classes that the encoder merged, although they are not bisimilar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MergedPair {
    /// Lower class of the pair.
    pub a: u32,
    /// Higher class of the pair.
    pub b: u32,
    /// Distance of the centroids.
    pub gap: f64,
    /// Gap in units of the pair's spread, `sqrt((s_a^2 + s_b^2) / 2)`. `None` if that is zero.
    pub gap_in_spreads: Option<f64>,
    /// Shortest action word after which the auxiliary values differ, which is why the two must not
    /// be merged. `None` until looked up (see [`AuditReport`](crate::AuditReport)).
    pub witness: Option<Vec<u32>>,
}

impl Clusters {
    /// Measures the classes.
    ///
    /// O(n^2 d) time for the silhouette (on all threads of the current rayon pool; the result does
    /// not depend on their number), O(n (d + classes)) memory.
    ///
    /// `merged_within_spreads` is usually [`MERGED_WITHIN_SPREADS`].
    ///
    /// # Errors
    /// If the labels do not have one entry per row, or the setting is not a finite number >= 0.
    pub fn measure(
        embeddings: &Embeddings<'_>,
        classes: &Classes<'_>,
        merged_within_spreads: f64,
    ) -> Result<Self, AuditError> {
        classes.check_against(embeddings)?;
        if !(merged_within_spreads.is_finite() && merged_within_spreads >= 0.0) {
            return Err(AuditError::Setting {
                name: "merged_within_spreads".to_owned(),
                value: merged_within_spreads,
                expected: "finite and not negative",
            });
        }
        let clusters = class_clusters(embeddings, classes);
        let gaps = gaps(&clusters);
        let of_pairs: Vec<f64> = (0..clusters.len())
            .flat_map(|a| gaps[a][a + 1..].iter().copied().flatten())
            .collect();
        let closest_gap = of_pairs.iter().copied().reduce(f64::min);
        let mean_gap = mean(&of_pairs);
        let filled: Vec<f64> = clusters
            .iter()
            .filter(|c| c.observations > 0)
            .map(|c| c.spread)
            .collect();
        let pairwise = Pairwise::measure(embeddings, classes);
        Ok(Self {
            nearest_centroid_accuracy: nearest_centroid_accuracy(embeddings, classes, &clusters),
            silhouette: pairwise.silhouette,
            closest_gap,
            mean_gap,
            closest_gap_over_mean_gap: ratio(closest_gap, mean_gap),
            spread_over_closest_gap: ratio(mean(&filled), closest_gap),
            relative_spread: ratio(pairwise.mean_distance, Some(embeddings.mean_norm())),
            merged: merged_pairs(&clusters, &gaps, merged_within_spreads),
            merged_within_spreads,
            classes: clusters,
            gaps,
        })
    }
}

fn class_clusters(embeddings: &Embeddings<'_>, classes: &Classes<'_>) -> Vec<ClassCluster> {
    let sizes = classes.sizes();
    let mut centroids = vec![vec![0.0f64; embeddings.width()]; classes.count()];
    for row in 0..embeddings.rows() {
        for (sum, &value) in centroids[classes.of(row)]
            .iter_mut()
            .zip(embeddings.row(row))
        {
            *sum += f64::from(value);
        }
    }
    for (centroid, &size) in centroids.iter_mut().zip(&sizes) {
        if size == 0 {
            centroid.clear();
        }
        centroid.iter_mut().for_each(|sum| *sum /= size as f64);
    }
    let mut squares = vec![0.0f64; classes.count()];
    for row in 0..embeddings.rows() {
        let class = classes.of(row);
        squares[class] += to_centroid(embeddings.row(row), &centroids[class]).powi(2);
    }
    (0u32..)
        .zip(centroids)
        .zip(sizes.into_iter().zip(squares))
        .map(|((class, centroid), (observations, square))| ClassCluster {
            class,
            observations,
            centroid,
            spread: (square / observations.max(1) as f64).sqrt(),
        })
        .collect()
}

fn gaps(clusters: &[ClassCluster]) -> Vec<Vec<Option<f64>>> {
    let gap = |a: &ClassCluster, b: &ClassCluster| {
        (a.observations > 0 && b.observations > 0).then(|| {
            a.centroid
                .iter()
                .zip(&b.centroid)
                .map(|(x, y)| (x - y).powi(2))
                .sum::<f64>()
                .sqrt()
        })
    };
    clusters
        .iter()
        .map(|a| clusters.iter().map(|b| gap(a, b)).collect())
        .collect()
}

/// Computes the leave-one-out accuracy in one pass. Leaving `x` out of its class of `n` moves the
/// centroid `c` to `(n c - x) / (n - 1)`. Its distance from `x` thus grows by exactly
/// `n / (n - 1)`.
fn nearest_centroid_accuracy(
    embeddings: &Embeddings<'_>,
    classes: &Classes<'_>,
    clusters: &[ClassCluster],
) -> f64 {
    let own_is_nearest = |row: &usize| {
        let latent = embeddings.row(*row);
        let own = &clusters[classes.of(*row)];
        if own.observations < 2 {
            return false;
        }
        let n = own.observations as f64;
        let to_own = to_centroid(latent, &own.centroid) * n / (n - 1.0);
        clusters
            .iter()
            .filter(|other| other.class != own.class && other.observations > 0)
            .all(|other| to_own < to_centroid(latent, &other.centroid))
    };
    (0..embeddings.rows()).filter(own_is_nearest).count() as f64 / embeddings.rows() as f64
}

fn merged_pairs(
    clusters: &[ClassCluster],
    gaps: &[Vec<Option<f64>>],
    within_spreads: f64,
) -> Vec<MergedPair> {
    let norm = |c: &ClassCluster| c.centroid.iter().map(|v| v * v).sum::<f64>().sqrt();
    let mut merged = Vec::new();
    for a in clusters {
        for b in &clusters[a.class as usize + 1..] {
            let Some(gap) = gaps[a.class as usize][b.class as usize] else {
                continue;
            };
            let spread = ((a.spread.powi(2) + b.spread.powi(2)) / 2.0).sqrt();
            let resolution = RESOLUTION_ULPS * f64::from(f32::EPSILON) * norm(a).max(norm(b));
            if gap < within_spreads * spread || gap <= resolution {
                let gap_in_spreads = ratio(Some(gap), Some(spread));
                merged.push(MergedPair {
                    a: a.class,
                    b: b.class,
                    gap,
                    gap_in_spreads,
                    witness: None,
                });
            }
        }
    }
    merged
}

/// Measures that need the distance of every two observations.
struct Pairwise {
    silhouette: Option<f64>,
    mean_distance: Option<f64>,
}

impl Pairwise {
    fn measure(embeddings: &Embeddings<'_>, classes: &Classes<'_>) -> Self {
        let sizes = classes.sizes();
        // Rows are independent and summed in order afterwards: equal bits on any number of threads.
        let rows: Vec<(f64, f64)> = (0..embeddings.rows())
            .into_par_iter()
            .map(|row| {
                let mut to_class = vec![0.0; classes.count()];
                for other in 0..embeddings.rows() {
                    to_class[classes.of(other)] +=
                        squared_distance(embeddings.row(row), embeddings.row(other)).sqrt();
                }
                (
                    silhouette_of(classes.of(row), &to_class, &sizes),
                    to_class.iter().sum(),
                )
            })
            .collect();
        let n = rows.len() as f64;
        let filled = sizes.iter().filter(|&&size| size > 0).count();
        Self {
            silhouette: (filled >= 2).then(|| rows.iter().map(|r| r.0).sum::<f64>() / n),
            mean_distance: (rows.len() >= 2)
                .then(|| rows.iter().map(|r| r.1).sum::<f64>() / (n * (n - 1.0))),
        }
    }
}

/// Returns the silhouette of one observation of class `own`. `to_class[c]` is its summed distance
/// to all of class `c`.
fn silhouette_of(own: usize, to_class: &[f64], sizes: &[usize]) -> f64 {
    if sizes[own] < 2 {
        return 0.0;
    }
    let within = to_class[own] / (sizes[own] - 1) as f64;
    let nearest = (0..sizes.len())
        .filter(|&class| class != own && sizes[class] > 0)
        .map(|class| to_class[class] / sizes[class] as f64)
        .reduce(f64::min);
    match nearest {
        Some(nearest) if nearest.max(within) > 0.0 => (nearest - within) / nearest.max(within),
        _ => 0.0,
    }
}

fn to_centroid(latent: &[f32], centroid: &[f64]) -> f64 {
    latent
        .iter()
        .zip(centroid)
        .map(|(&x, c)| (f64::from(x) - c).powi(2))
        .sum::<f64>()
        .sqrt()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Returns a ratio if it exists: both sides are known, the denominator is positive, and the
/// quotient is finite.
fn ratio(over: Option<f64>, under: Option<f64>) -> Option<f64> {
    over.zip(under)
        .and_then(|(a, b)| (b > 0.0).then_some(a / b))
        .filter(|r| r.is_finite())
}
