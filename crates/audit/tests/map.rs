//! Maps of latents in the plane: what they preserve, and what they must not depend on.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::Embeddings;
use tellapart_audit::recorded::LatentMap;

const WIDTH: usize = 12;

/// Twelve groups around the twelve unit vectors: two principal components cannot separate them.
fn groups(rows: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    (0..rows * WIDTH)
        .map(|at| {
            let center = if at / WIDTH % WIDTH == at % WIDTH {
                1.0
            } else {
                0.0
            };
            center + rng.random_range(-0.2..0.2f32)
        })
        .collect()
}

fn draw(values: &[f32], width: usize, wanted: &[usize], at_most: usize) -> LatentMap {
    let embeddings = Embeddings::new(values, values.len() / width, width).unwrap();
    LatentMap::draw(&embeddings, wanted, at_most).unwrap()
}

/// Returns the share of points whose nearest other point is of the same group.
fn kept(points: &[[f64; 2]]) -> f64 {
    let nearest = |i: usize| {
        let distance = |j: usize| (points[i][0] - points[j][0]).hypot(points[i][1] - points[j][1]);
        let others = (0..points.len()).filter(|&j| j != i);
        others
            .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
            .unwrap()
    };
    let same = (0..points.len()).filter(|&i| nearest(i) % WIDTH == i % WIDTH);
    same.count() as f64 / points.len() as f64
}

#[test]
fn neighbors_stay_together_where_components_mix_them() {
    let map = draw(&groups(480), WIDTH, &[], 2000);
    assert_eq!(map.rows, (0..480).collect::<Vec<_>>());
    let (by_components, by_neighbors) = (kept(&map.pca), kept(&map.neighbors));
    assert!(
        by_components < 0.7,
        "the input is too easy: {by_components}"
    );
    assert!(by_neighbors > 0.99, "{by_neighbors}");
}

#[test]
fn threads_change_nothing() {
    let values = groups(200);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| draw(&values, WIDTH, &[], 150))
    };
    let one = with(1);
    assert_eq!(one, with(1));
    assert_eq!(one, with(3));
}

#[test]
fn wanted_rows_come_first_and_the_rest_is_scattered() {
    let values = groups(400);
    let map = draw(&values, WIDTH, &[399, 7, 7, 200], 40);
    assert_eq!(map.rows.len(), 40);
    assert!(map.rows.is_sorted());
    for row in [7, 200, 399] {
        assert!(map.rows.contains(&row));
    }
    let residues: std::collections::BTreeSet<_> = map.rows.iter().map(|row| row % 10).collect();
    assert_eq!(residues.len(), 10, "{:?}", map.rows);
    assert_eq!(draw(&values, WIDTH, &[5, 1, 3], 2).rows, [1, 5]);
}

#[test]
fn equal_latents_share_a_spot() {
    // More copies of each than a point has neighbors.
    let values: Vec<f32> = (0..600).flat_map(|row| [(row % 3) as f32, 1.0]).collect();
    let map = draw(&values, 2, &[], 600);
    for row in 3..600 {
        assert_eq!(map.neighbors[row], map.neighbors[row % 3]);
    }
    assert_ne!(map.neighbors[0], map.neighbors[1]);
    assert_eq!(
        draw(&[1.0, -0.0, 1.0, 0.0], 2, &[], 2).neighbors,
        [[0.0; 2]; 2]
    );
}

#[test]
fn few_points_and_odd_scales_are_finite() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for scale in [1e-30f32, 1e-6, 1.0, 1e18, 1e37] {
        for rows in [1, 2, 3, 4, 5, 40] {
            let values: Vec<f32> = (0..rows * 2).map(|_| scale * rng.random::<f32>()).collect();
            let map = draw(&values, 2, &[], 2000);
            assert_eq!((map.pca.len(), map.neighbors.len()), (rows, rows));
            let all = map.pca.iter().chain(&map.neighbors).flatten();
            assert!(all.copied().all(f64::is_finite), "{rows} rows at {scale}");
        }
    }
    assert_eq!(draw(&[3.0; 5], 1, &[], 5).neighbors, [[0.0; 2]; 5]);
}
