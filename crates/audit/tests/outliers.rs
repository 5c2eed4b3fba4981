//! Outliers are distinguished from classes that are merged.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{Audit, Cause, RecordedAudit, RecordedAuditOptions, Verdict};
use tellapart_audit::{Embeddings, Recorded, RecordedOptions};

mod walks;

use walks::{Walks, walks};

const STATES: usize = 6;

/// Places each row at the corner of its state, with noise.
fn at_corners(random: &mut ChaCha8Rng, places: &[usize]) -> Vec<f32> {
    let mut latents = Vec::with_capacity(places.len() * STATES);
    for &place in places {
        for axis in 0..STATES {
            let corner = f32::from(u8::from(axis == place));
            latents.push(corner + 0.01 * random.random_range(-1.0..1.0));
        }
    }
    latents
}

fn audited(walks: &Walks, latents: &[f32], outlier_tolerance: f64) -> RecordedAudit {
    let options = RecordedAuditOptions {
        outlier_tolerance,
        shown: 1000,
        ..RecordedAuditOptions::default()
    };
    walks::audited(walks, latents, options)
}

/// Moves `count` different rows, each to the corner of another state.
fn moved(walks: &Walks, random: &mut ChaCha8Rng, count: usize) -> (Vec<usize>, Vec<usize>) {
    let mut places = walks.states.clone();
    let mut rows = Vec::new();
    while rows.len() < count {
        let row = random.random_range(0..places.len());
        if !rows.contains(&row) {
            places[row] = (places[row] + random.random_range(1..STATES)) % STATES;
            rows.push(row);
        }
    }
    (places, rows)
}

#[test]
fn a_few_rows_in_the_wrong_place_are_outliers_and_nothing_is_merged() {
    let (mut outliers, mut clumps, mut named) = (0, 0, [0; 2]);
    for seed in 0..40 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 60, 16, STATES);
        let (places, moved) = moved(&walks, &mut random, 8);
        let latents = at_corners(&mut random, &places);
        let found = audited(&walks, &latents, 0.05);
        // Five that were moved to one place are no accident.
        let is_healthy = found.verdict == Verdict::Healthy;
        clumps += usize::from(!is_healthy);
        assert_eq!(is_healthy, found.counts.encoder == 0, "seed {seed}");
        for pair in found
            .pairs
            .iter()
            .filter(|pair| pair.cause == Cause::Outlier)
        {
            // If a row is in a single pair, either row of the pair may be named.
            let is_moved = |row: usize| moved.contains(&row);
            assert!(
                is_moved(pair.i) || is_moved(pair.j),
                "seed {seed}: {pair:?}"
            );
            named[usize::from(is_moved(pair.outlier.unwrap()))] += 1;
            assert_eq!(walks.witness(pair.i, pair.j), pair.witness, "seed {seed}");
        }
        assert!(found.counts.outlier_rows <= 8, "seed {seed}");
        outliers += found.counts.outlier_rows;

        // With a tolerance of zero, pairs count as merged.
        let strict = audited(&walks, &latents, 0.0);
        assert_eq!(strict.verdict, Verdict::Unhealthy, "seed {seed}");
        assert_eq!((strict.counts.outlier, strict.counts.outlier_rows), (0, 0));
        let merged = found.counts.encoder + found.counts.outlier;
        assert_eq!(strict.counts.encoder, merged, "seed {seed}");
    }
    // Not all moved rows share a word with their new neighbors.
    assert!(outliers > 150 && clumps < 4, "{outliers} {clumps}");
    assert!(named[1] > 20 * named[0], "{named:?}");
}

/// Holds wherever in its episode the row stands, and however few rows act like it.
#[test]
fn one_row_in_the_wrong_place_is_one_outlier() {
    for seed in 0..10 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 50, 12, STATES);
        let step = random.random_range(0..12);
        let row = (0..50)
            .map(|episode| 12 * episode + step)
            .find(|&row| walks.states[row] == 0);
        let row = row.unwrap();
        let mut places = walks.states.clone();
        places[row] = 3;
        let found = audited(&walks, &at_corners(&mut random, &places), 0.05);
        assert_eq!(found.verdict, Verdict::Healthy, "seed {seed}, step {step}");
        assert_eq!(found.counts.outlier_rows, 1, "seed {seed}, step {step}");
        assert!(
            found
                .reason
                .contains("but for 1 of 600 rows that is an outlier"),
            "{}",
            found.reason
        );
        let outliers = found.pairs.iter().filter_map(|pair| pair.outlier);
        assert!(outliers.clone().count() > 0 && outliers.clone().all(|outlier| outlier == row));
    }
}

/// A class of at least five rows that lie among those of another is merged, however rare it is.
/// Here a single episode shows a state from which no action leads to the reward.
#[test]
fn a_rare_class_that_is_merged_is_no_accident() {
    const NEVER: usize = STATES;
    for seed in 0..20 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let Walks {
            mut states,
            mut actions,
            mut ends,
            ..
        } = walks(&mut random, 60, 16, STATES);
        states.extend([NEVER; 8]);
        actions.extend([0; 8]);
        ends.extend((1..=8).map(|step| step == 8));
        let walks = Walks::new(states, actions, ends);
        let places: Vec<usize> = walks
            .states
            .iter()
            .map(|&state| if state == NEVER { 1 } else { state })
            .collect();
        let found = audited(&walks, &at_corners(&mut random, &places), 0.05);
        assert_eq!(
            found.verdict,
            Verdict::Unhealthy,
            "seed {seed}: {}",
            found.reason
        );
        let by_the_encoder = found
            .pairs
            .iter()
            .filter(|pair| pair.cause == Cause::Encoder);
        let states: Vec<[usize; 2]> = by_the_encoder
            .map(|pair| [walks.states[pair.i], walks.states[pair.j]])
            .collect();
        assert!(!states.is_empty(), "seed {seed}");
        assert!(
            states.iter().all(|states| *states == [1, NEVER]),
            "seed {seed}: {states:?}"
        );
    }
}

#[test]
fn many_rows_in_the_wrong_place_are_no_accident() {
    for seed in 0..5 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 100, 16, STATES);
        let (places, _) = moved(&walks, &mut random, 120);
        let found = audited(&walks, &at_corners(&mut random, &places), 0.05);
        assert_eq!(found.verdict, Verdict::Unhealthy, "seed {seed}");
    }
}

/// Fewer than five rows in each place, but more than tolerated: they are counted, and their pairs
/// count as merged.
#[test]
fn scattered_rows_are_tolerated_up_to_the_share_that_is_asked_for() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let walks = walks(&mut random, 60, 16, STATES);
    let (places, _) = moved(&walks, &mut random, 6);
    let latents = at_corners(&mut random, &places);
    let tolerant = audited(&walks, &latents, 0.05);
    assert_eq!(tolerant.verdict, Verdict::Healthy, "{}", tolerant.reason);
    let strict = audited(&walks, &latents, 0.001);
    assert_eq!(strict.verdict, Verdict::Unhealthy);
    assert_eq!(strict.counts.outlier_rows, tolerant.counts.outlier_rows);
    assert_eq!(strict.counts.encoder, tolerant.counts.outlier);
    assert!(
        strict
            .reason
            .contains("more than the 0.1 % that are tolerated"),
        "{}",
        strict.reason
    );
}

/// One diverged latent must not make all others look near.
#[test]
fn latents_far_outside_are_named_and_left_out_of_the_unit() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let walks = walks(&mut random, 60, 16, STATES);
    let mut latents = at_corners(&mut random, &walks.states);
    let spread = audited(&walks, &latents, 0.05).spread;
    for value in &mut latents[7 * STATES..8 * STATES] {
        *value *= 300.0;
    }
    let found = audited(&walks, &latents, 0.05);
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.reason);
    assert!(
        (found.spread / spread - 1.0).abs() < 0.02,
        "{}",
        found.spread
    );
    assert!(found.trimmed_share.unwrap() > 0.9);
    assert!(
        found
            .warnings
            .iter()
            .any(|warning| warning.contains("far outside"))
    );

    // One dimension far beyond the others, as of features on different scales.
    let mut latents = at_corners(&mut random, &walks.states);
    let plain = audited(&walks, &latents, 0.05);
    assert_eq!(plain.dominant_dimension, None);
    for row in latents.chunks_exact_mut(STATES) {
        row[2] = row[2] * 100.0 + 1e4;
    }
    let found = audited(&walks, &latents, 0.05);
    let dominant = found.dominant_dimension.unwrap();
    assert_eq!(dominant.dimension, 2);
    assert!((0.99..1.0).contains(&dominant.share), "{}", dominant.share);
    let named = |warning: &String| warning.starts_with("Dimension 2 of the latents");
    assert!(found.warnings.iter().any(named), "{:?}", found.warnings);

    latents[9] = 1e20;
    let embeddings = Embeddings::new(&latents, walks.states.len(), STATES).unwrap();
    let evidence = RecordedOptions::default();
    let recorded = Recorded::new(&walks.trajectories, &evidence, &()).unwrap();
    let options = RecordedAuditOptions::default();
    let refused = Audit::new(
        &walks.trajectories,
        &recorded,
        &evidence,
        &embeddings,
        options,
    );
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("row 1, column 3"), "{message}");
}
