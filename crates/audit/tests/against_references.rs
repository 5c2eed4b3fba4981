//! Every measure against a reference implementation, on random embeddings.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::{Classes, Clusters, Embeddings, MERGED_WITHIN_SPREADS, Pca, Spectrum};

struct Sample {
    latents: Vec<f32>,
    labels: Vec<u32>,
    rows: usize,
    width: usize,
    classes: usize,
}

/// Noisy classes around random centers; some classes may stay empty.
fn sample(seed: u64) -> Sample {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (rows, width, classes) = (
        rng.random_range(2..40),
        rng.random_range(1..20),
        rng.random_range(1..6),
    );
    let noise = [0.0, 0.1, 3.0][rng.random_range(0..3)];
    let centers: Vec<f32> = (0..classes * width)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();
    let labels: Vec<u32> = (0..rows)
        .map(|_| rng.random_range(0..classes) as u32)
        .collect();
    let latents = labels
        .iter()
        .flat_map(|&c| centers[c as usize * width..(c as usize + 1) * width].to_vec())
        .map(|center| center + noise * rng.random_range(-1.0..1.0f32))
        .collect();
    Sample {
        latents,
        labels,
        rows,
        width,
        classes,
    }
}

impl Sample {
    fn row(&self, row: usize) -> Vec<f64> {
        self.latents[row * self.width..(row + 1) * self.width]
            .iter()
            .map(|&v| f64::from(v))
            .collect()
    }

    fn members(&self, class: usize) -> Vec<usize> {
        (0..self.rows)
            .filter(|&row| self.labels[row] as usize == class)
            .collect()
    }

    fn centroid(&self, rows: &[usize]) -> Option<Vec<f64>> {
        let rows: Vec<Vec<f64>> = rows.iter().map(|&row| self.row(row)).collect();
        (!rows.is_empty()).then(|| {
            (0..self.width)
                .map(|d| rows.iter().map(|row| row[d]).sum::<f64>() / rows.len() as f64)
                .collect()
        })
    }

    fn clusters(&self) -> Clusters {
        let embeddings = Embeddings::new(&self.latents, self.rows, self.width).unwrap();
        let classes = Classes::new(&self.labels, self.classes).unwrap();
        Clusters::measure(&embeddings, &classes, MERGED_WITHIN_SPREADS).unwrap()
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| (x - y).powi(2))
        .sum::<f64>()
        .sqrt()
}

proptest! {
    #[test]
    fn accuracy_is_that_of_centroids_really_computed_without_the_row(seed: u64) {
        let sample = sample(seed);
        // Rows with a near tie may fall either way.
        let (mut surely, mut maybe) = (0, 0);
        for row in 0..sample.rows {
            let own_class = sample.labels[row] as usize;
            let to = |class: usize| {
                let others: Vec<usize> =
                    sample.members(class).into_iter().filter(|&r| r != row).collect();
                sample.centroid(&others).map(|c| distance(&c, &sample.row(row)))
            };
            let Some(own) = to(own_class) else { continue };
            let nearest = (0..sample.classes)
                .filter(|&c| c != own_class)
                .filter_map(to)
                .fold(f64::INFINITY, f64::min);
            surely += usize::from(own < nearest - 1e-9);
            maybe += usize::from(own < nearest + 1e-9);
        }
        let found = sample.clusters().nearest_centroid_accuracy * sample.rows as f64;
        prop_assert!(surely as f64 <= found + 1e-6 && found - 1e-6 <= maybe as f64);
    }

    #[test]
    fn silhouette_is_the_textbook_one(seed: u64) {
        let sample = sample(seed);
        let filled = (0..sample.classes).filter(|&c| !sample.members(c).is_empty()).count();
        let mut sum = 0.0;
        for row in 0..sample.rows {
            let mean_to = |members: &[usize]| {
                members.iter().map(|&m| distance(&sample.row(m), &sample.row(row))).sum::<f64>()
                    / members.len() as f64
            };
            let own = sample.labels[row] as usize;
            let fellows: Vec<usize> =
                sample.members(own).into_iter().filter(|&m| m != row).collect();
            if fellows.is_empty() {
                continue;
            }
            let a = mean_to(&fellows);
            let b = (0..sample.classes)
                .filter(|&c| c != own && !sample.members(c).is_empty())
                .map(|c| mean_to(&sample.members(c)))
                .fold(f64::INFINITY, f64::min);
            sum += if b.is_finite() && a.max(b) > 0.0 { (b - a) / a.max(b) } else { 0.0 };
        }
        match sample.clusters().silhouette {
            Some(found) => prop_assert!((found - sum / sample.rows as f64).abs() < 1e-9),
            None => prop_assert!(filled < 2),
        }
    }

    #[test]
    fn spreads_and_gaps_are_the_textbook_ones(seed: u64) {
        let sample = sample(seed);
        let clusters = sample.clusters();
        for class in 0..sample.classes {
            let members = sample.members(class);
            let Some(centroid) = sample.centroid(&members) else {
                prop_assert!(clusters.gaps[class].iter().all(Option::is_none));
                continue;
            };
            let mean_square =
                members.iter().map(|&m| distance(&sample.row(m), &centroid).powi(2)).sum::<f64>()
                    / members.len() as f64;
            prop_assert!((clusters.classes[class].spread - mean_square.sqrt()).abs() < 1e-9);
            for other in 0..sample.classes {
                let gap = sample.centroid(&sample.members(other)).map(|c| distance(&c, &centroid));
                match (gap, clusters.gaps[class][other]) {
                    (Some(gap), Some(found)) => prop_assert!((gap - found).abs() < 1e-9),
                    (gap, found) => prop_assert_eq!(gap, found),
                }
            }
        }
    }

    #[test]
    fn principal_components_are_orthonormal_and_rebuild_the_latents(seed: u64) {
        let sample = sample(seed);
        let embeddings = Embeddings::new(&sample.latents, sample.rows, sample.width).unwrap();
        let pca = Pca::fit(&embeddings, usize::MAX).unwrap();
        for (i, a) in pca.components.iter().enumerate() {
            for (j, b) in pca.components.iter().enumerate() {
                let dot: f64 = a.iter().zip(b).map(|(x, y)| x * y).sum();
                prop_assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-9);
            }
        }
        prop_assert!(pca.explained_share.windows(2).all(|pair| pair[0] >= pair[1]));
        for row in 0..sample.rows {
            let rebuilt: Vec<f64> = (0..sample.width)
                .map(|d| {
                    let along: f64 =
                        pca.components.iter().zip(&pca.projection[row]).map(|(c, x)| c[d] * x).sum();
                    pca.mean[d] + along
                })
                .collect();
            prop_assert!(distance(&rebuilt, &sample.row(row)) < 1e-8);
        }
    }

    #[test]
    fn singular_values_have_the_right_norm_and_ranks_stay_in_range(seed: u64) {
        let sample = sample(seed);
        let embeddings = Embeddings::new(&sample.latents, sample.rows, sample.width).unwrap();
        let spectrum = Spectrum::measure(&embeddings).unwrap();
        let values = &spectrum.singular_values;
        prop_assert_eq!(values.len(), sample.rows.min(sample.width));
        let square: f64 = values.iter().map(|v| v * v).sum();
        let frobenius: f64 = sample.latents.iter().map(|&v| f64::from(v).powi(2)).sum();
        prop_assert!((square - frobenius).abs() <= 1e-9 * frobenius.max(1.0));
        let rank = spectrum.rankme.unwrap();
        prop_assert!(rank >= 0.999 && rank <= values.len() as f64 + 1e-3);
        if let Some(rank) = spectrum.effective_rank {
            prop_assert!(rank >= 0.999 && rank <= values.len() as f64 + 1e-9);
        }
    }
}
