//! Rows that lie astray are told from classes that are merged.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{Audit, Cause, RecordedAudit, RecordedAuditOptions, Verdict};
use tellapart_audit::{Embeddings, Recorded, RecordedOptions};

mod walks;

use walks::{Walks, distance, walks};

const STATES: usize = 4;

/// A corner for each of the states, and noise about it.
fn at_corners(random: &mut ChaCha8Rng, places: &[usize], noise: f32) -> Vec<f32> {
    let mut latents = Vec::with_capacity(places.len() * STATES);
    for &place in places {
        for axis in 0..STATES {
            let corner = f32::from(u8::from(axis == place));
            latents.push(corner + noise * random.random_range(-1.0..1.0));
        }
    }
    latents
}

fn audited(walks: &Walks, latents: &[f32], strays: f64) -> RecordedAudit {
    let evidence = RecordedOptions::default();
    let recorded = Recorded::new(&walks.trajectories, &evidence).unwrap();
    let width = latents.len() / walks.states.len();
    let embeddings = Embeddings::new(latents, walks.states.len(), width).unwrap();
    let options = RecordedAuditOptions {
        strays,
        shown: 1000,
        ..RecordedAuditOptions::default()
    };
    let audit = Audit::new(
        &walks.trajectories,
        &recorded,
        &evidence,
        &embeddings,
        options,
    )
    .unwrap();
    let found = audit.run(&|_, _| {}).unwrap();
    // What is said of one pair alone is what the whole audit says of it.
    for pair in found.pairs.iter().filter(|pair| pair.cause == Cause::Stray) {
        let alone = audit.explain(pair.i, pair.j).unwrap();
        assert_eq!((alone.cause, alone.astray), (Cause::Stray, pair.astray));
    }
    found
}

/// Rows at the beginning of long futures, so that the recording knows what they are.
fn some_rows(walks: &Walks, random: &mut ChaCha8Rng, count: usize, length: usize) -> Vec<usize> {
    let mut rows: Vec<usize> = Vec::new();
    while rows.len() < count {
        let row = random.random_range(0..walks.states.len());
        if row % length < length / 4 && walks.states[row] > 0 && !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

#[test]
fn a_few_rows_in_the_wrong_place_are_astray_and_nothing_is_merged() {
    let (mut healthy, mut stray_rows, mut named) = (0, 0, [0; 2]);
    for seed in 0..8 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 100, 16, STATES);
        let mut places = walks.states.clone();
        let moved = some_rows(&walks, &mut random, 12, 16);
        for &row in &moved {
            places[row] = (places[row] + 1 + random.random_range(0..STATES - 1)) % STATES;
        }
        let latents = at_corners(&mut random, &places, 0.01);
        let found = audited(&walks, &latents, 0.05);
        let is_healthy = found.verdict == Verdict::Healthy;
        assert_eq!(is_healthy, found.counts.encoder == 0, "seed {seed}");
        assert_eq!(is_healthy, found.reason.contains("astray"), "seed {seed}");
        healthy += usize::from(is_healthy);
        for pair in found.pairs.iter().filter(|pair| pair.cause != Cause::Data) {
            let is_moved = |row: usize| moved.contains(&row);
            assert!(
                is_moved(pair.i) || is_moved(pair.j),
                "seed {seed}: {pair:?}"
            );
            assert_eq!(walks.witness(pair.i, pair.j), pair.witness, "seed {seed}");
            if let Some(row) = pair.astray {
                named[usize::from(is_moved(row))] += 1;
            }
        }
        stray_rows += found.counts.stray_rows;

        // Whoever tolerates none is told that pairs are merged.
        let strict = audited(&walks, &latents, 0.0);
        assert_eq!(strict.verdict, Verdict::Unhealthy, "seed {seed}");
        assert_eq!((strict.counts.stray, strict.counts.stray_rows), (0, 0));
        let merged = found.counts.encoder + found.counts.stray;
        assert_eq!(strict.counts.encoder, merged, "seed {seed}");
    }
    // A few of the moved rows share no word with their new neighbours, and where a neighbour acts like rows that
    // lie elsewhere, as far as is recorded, it may be blamed instead.
    assert!((70..=120).contains(&stray_rows), "{stray_rows}");
    // Where too little acts like a row, it is not excused.
    assert!(healthy >= 6, "{healthy}");
    assert!(named[1] > 20 * named[0], "{named:?}");
}

/// However few rows a class has: if all of them are among those of another, the two are merged. Here a single
/// episode shows a state from which no action leads to the reward.
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
        } = walks(&mut random, 100, 16, STATES);
        states.extend([NEVER; 12]);
        actions.extend([0; 12]);
        ends.extend((1..=12).map(|step| step == 12));
        let walks = Walks::new(states, actions, ends);
        let places: Vec<usize> = walks
            .states
            .iter()
            .map(|&state| if state == NEVER { 1 } else { state })
            .collect();
        let latents = at_corners(&mut random, &places, 0.01);
        let found = audited(&walks, &latents, 0.05);
        assert_eq!(
            found.verdict,
            Verdict::Unhealthy,
            "seed {seed}: {}",
            found.reason
        );
        for pair in found
            .pairs
            .iter()
            .filter(|pair| pair.cause == Cause::Encoder)
        {
            let states = [walks.states[pair.i], walks.states[pair.j]];
            assert_eq!(states, [1, NEVER], "seed {seed}: {pair:?}");
        }
    }
}

#[test]
fn many_rows_in_the_wrong_place_are_no_accident() {
    for seed in 0..5 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 100, 16, STATES);
        let mut places = walks.states.clone();
        for row in some_rows(&walks, &mut random, 200, 16) {
            places[row] = (places[row] + 1 + random.random_range(0..STATES - 1)) % STATES;
        }
        let latents = at_corners(&mut random, &places, 0.01);
        let found = audited(&walks, &latents, 0.05);
        assert_eq!(found.verdict, Verdict::Unhealthy, "seed {seed}");
        assert_eq!(found.counts.stray_rows, 0, "seed {seed}");
    }
}

/// The rule as it is written: kin are the nine rows that agree the longest, of which those count that agree
/// longer than the witness, if they are five or more; a row is astray if the other row is beyond merging distance
/// of all of them but one, and three times as far from these as the median of them from the next.
#[test]
fn a_row_is_astray_by_the_plain_rule() {
    let (mut strays, mut others) = (0, 0);
    for seed in 0..60 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 40, 10, STATES);
        let mut places = walks.states.clone();
        for row in some_rows(&walks, &mut random, 5, 10) {
            places[row] = random.random_range(0..STATES);
        }
        let noise = random.random_range(0.01..1.0);
        let latents = at_corners(&mut random, &places, noise);
        let found = audited(&walks, &latents, 1.0);
        if found.neighbourhoods.mixed > Some(0.05) {
            // Then nobody asks.
            continue;
        }
        let apart = |a: usize, b: usize| distance(&latents, STATES, a, b) / found.spread;
        let sorted = |mut numbers: Vec<f64>| {
            numbers.sort_by(f64::total_cmp);
            numbers
        };
        for pair in &found.pairs {
            let Some(witness) = &pair.witness else {
                continue;
            };
            let is_astray = |row: usize, other: usize| {
                let mut kin: Vec<(usize, usize)> = (0..walks.states.len())
                    .filter(|&other| other != row)
                    .filter_map(|other| Some((walks.agreement(row, other)?, other)))
                    .filter(|(depth, _)| *depth > 0)
                    .collect();
                kin.sort_by_key(|&(depth, other)| (std::cmp::Reverse(depth), other));
                kin.truncate(9);
                kin.retain(|(depth, _)| *depth > witness.len());
                if kin.len() < 5 {
                    return None;
                }
                let from_other = sorted(kin.iter().map(|(_, kin)| apart(*kin, other)).collect())[1];
                let nearest = |(_, a): &(usize, usize)| {
                    let others = kin.iter().filter(|(_, b)| b != a);
                    others
                        .map(|(_, b)| apart(*a, *b))
                        .fold(f64::INFINITY, f64::min)
                };
                let among = sorted(kin.iter().map(nearest).collect())[kin.len() / 2];
                let limit = (3.0 * among).max(1.0 / found.threshold);
                (from_other > limit).then_some(from_other)
            };
            let (i, j) = (is_astray(pair.i, pair.j), is_astray(pair.j, pair.i));
            let expected = match (i, j) {
                (None, None) => None,
                (i, j) if i > j => Some(pair.i),
                _ => Some(pair.j),
            };
            assert_eq!(pair.astray, expected, "seed {seed}: {pair:?}");
            strays += usize::from(expected.is_some());
            others += usize::from(expected.is_none());
        }
    }
    assert!(strays > 15 && others > 5, "{strays} {others}");
}
