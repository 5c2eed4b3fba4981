//! The audit of latents in f64, and of latents of far more dimensions than rows.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::PreciseLatents;
use tellapart_audit::recorded::{RecordedAudit, RecordedAuditOptions, Verdict};

mod walks;

use walks::{Walks, audited, audited_embeddings, walks};

fn audited_precisely(walks: &Walks, values: Vec<f64>) -> RecordedAudit {
    let rows = walks.states.len();
    let width = values.len() / rows;
    let latents = PreciseLatents::new(values, rows, width).unwrap();
    audited_embeddings(
        walks,
        &latents.embeddings(),
        RecordedAuditOptions::default(),
    )
}

/// Each state in a place of its own, with some noise.
fn places(walks: &Walks, width: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let states = walks.states.iter().max().unwrap() + 1;
    let mut any = || random.random_range(-1.0..1.0);
    let centers: Vec<f64> = (0..states * width).map(|_| any()).collect();
    let of_state = |state: usize| &centers[state * width..(state + 1) * width];
    let latents = walks.states.iter().flat_map(|&state| of_state(state));
    latents.map(|center| center + 0.02 * any()).collect()
}

#[test]
fn an_offset_that_f32_cannot_hold_changes_no_finding() {
    for (seed, width) in [(1, 4), (2, 4), (3, 500)] {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 20, 6, 4);
        let near = places(&walks, width, &mut random);
        let far = near.iter().map(|value| 1e6 + 1e-3 * value).collect();
        let (near, far) = (
            audited_precisely(&walks, near),
            audited_precisely(&walks, far),
        );
        assert_eq!(near.verdict, Verdict::Healthy, "seed {seed}");
        assert_eq!(far.verdict, near.verdict, "seed {seed}");
        assert_eq!(far.search.points, walks.states.len(), "seed {seed}");
        // Kinds hold distances, which differ in their last digits.
        assert_eq!(far.counts.encoder, near.counts.encoder);
        assert_eq!(far.counts.compared, near.counts.compared);
        assert_eq!(far.closest_pairs.len(), near.closest_pairs.len());
        let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-5;
        assert!(close(1e3 * far.spread, near.spread), "seed {seed}");
        let [a, b] = [&far, &near].map(|found| found.closest.as_ref().unwrap());
        assert!(close(
            a.required_lipschitz.unwrap(),
            b.required_lipschitz.unwrap()
        ));
        let [a, b] = [&far, &near].map(|found| &found.diagnostics);
        assert!(close(a.lidar.unwrap(), b.lidar.unwrap()), "seed {seed}");
        assert!(close(a.effective_rank.unwrap(), b.effective_rank.unwrap()));
        // What depends on the origin is said of the latents as they are.
        let norm = 1e6 * (width as f64).sqrt();
        assert!(close(a.relative_spread.unwrap(), a.mean_distance / norm));
        assert!(a.rankme.unwrap() < 1.001);
        assert!(
            far.warnings
                .iter()
                .any(|said| said.contains("next to a point"))
        );
    }
}

/// The two rewarded rows of each cluster differ by less than f32 holds at that distance from the
/// mean, but they do differ.
#[test]
fn latents_that_only_f64_tells_apart_are_not_called_equal() {
    let states = vec![0, 1, 0, 1, 0, 1, 0, 1];
    let ends = vec![false, true, false, true, false, true, false, true];
    let walks = Walks::new(states, vec![0; 8], ends);
    let values: Vec<f64> = (0..8)
        .map(|row| if row < 4 { -1e6 } else { 1e6 } + 1e-6 * f64::from(row))
        .collect();
    let found = audited_precisely(&walks, values.clone());
    assert_eq!(found.search.points, 8);
    assert_eq!(found.search.duplicates, 0);
    assert_eq!(found.verdict, Verdict::Unhealthy);
    assert!(!found.pairs.is_empty());
    for pair in &found.pairs {
        assert!(!pair.required_lipschitz_is_infinite, "{pair:?}");
        let expected = (values[pair.i] - values[pair.j]).abs() / found.spread;
        assert!((pair.distance / expected - 1.0).abs() < 1e-9, "{pair:?}");
    }
    let equal: Vec<f64> = (0..8)
        .map(|row| if row < 4 { -1e6 } else { 1e6 + 1e-6 })
        .collect();
    let found = audited_precisely(&walks, equal);
    assert_eq!((found.search.points, found.search.duplicates), (2, 8));
    assert!(
        found
            .pairs
            .iter()
            .all(|pair| pair.required_lipschitz_is_infinite)
    );
}

#[test]
fn thousands_of_dimensions_take_no_matrix_of_that_size() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let walks = walks(&mut random, 6, 4, 3);
    let width = 200_000;
    // Its square would take 320 gigabytes.
    let latents = places(&walks, width, &mut random);
    let latents: Vec<f32> = latents.into_iter().map(|value| value as f32).collect();
    let found = audited(&walks, &latents, RecordedAuditOptions::default());
    assert_eq!(found.verdict, Verdict::Healthy);
    let diagnostics = &found.diagnostics;
    assert_eq!(diagnostics.singular_values.len(), 24);
    assert_eq!(diagnostics.left_out, None);
    let rank = diagnostics.lidar.unwrap();
    assert!((1.0..6.0).contains(&rank), "{rank}");
}
