//! The audit of recorded data against its definition, over all pairs.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{
    Audit, Cause, Foreseen, RecordedAudit, RecordedAuditOptions, Verdict,
};
use tellapart_audit::{Embeddings, Recorded, RecordedOptions};
use tellapart_data::{Actions, Frames, Trajectories, TrajectoryParts};
use tellapart_files::Values;

mod walks;

use walks::{Walks, distance, walks};

/// Audits with every pair as a candidate.
fn audited(walks: &Walks, latents: &[f32]) -> RecordedAudit {
    let options = RecordedAuditOptions {
        neighbors: 512,
        ..RecordedAuditOptions::default()
    };
    walks::audited(walks, latents, options)
}

/// There are so few rows that only the required Lipschitz constant decides the verdict; every pair
/// is a candidate.
#[test]
fn required_lipschitz_counts_and_verdict_are_those_of_the_definition() {
    let mut verdicts = [0; 3];
    for seed in 0..200 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let walks = walks(&mut random, 4, 4, 4);
        let (rows, width) = (16, random.random_range(1..4));
        let noise = [0.0, 0.05, 1.0][seed as usize % 3];
        let latents: Vec<f32> = (0..rows * width)
            .map(|at| {
                let state = walks.states[at / width] as f32;
                (if at % width == 0 { state } else { 0.0 }) + noise * random.random_range(-1.0..1.0)
            })
            .collect();
        let found = audited(&walks, &latents);

        let pairs = || (0..rows).flat_map(|i| (0..i).map(move |j| (j, i)));
        let squares: f64 = pairs()
            .map(|(i, j)| distance(&latents, width, i, j).powi(2))
            .sum();
        let spread = (squares / (rows * (rows - 1) / 2) as f64).sqrt();
        let told_apart: Vec<(usize, usize, Vec<u32>)> = pairs()
            .filter_map(|(i, j)| Some((i, j, walks.witness(i, j)?)))
            .collect();
        let constant = |i: usize, j: usize| spread / distance(&latents, width, i, j);
        let merged: Vec<_> = told_apart
            .iter()
            .filter(|(i, j, _)| constant(*i, *j) > found.threshold)
            .collect();
        let mut merged_rows: Vec<usize> = merged.iter().flat_map(|(i, j, _)| [*i, *j]).collect();
        merged_rows.sort_unstable();
        merged_rows.dedup();

        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
        assert!(
            close(found.spread, spread),
            "seed {seed}: {} {spread}",
            found.spread
        );
        assert!(found.neighborhoods.rows < 20, "seed {seed}");
        // A few rows represent all with equal latents.
        if noise > 0.0 {
            assert_eq!(
                found.counts.distinguished,
                told_apart.len() as u64,
                "seed {seed}"
            );
            assert_eq!(found.counts.encoder, merged.len() as u64, "seed {seed}");
            assert_eq!(
                found.counts.encoder_rows,
                merged_rows.len() as u64,
                "seed {seed}"
            );
        }
        let verdict = match (told_apart.is_empty(), merged.is_empty()) {
            (true, _) => Verdict::Undecided,
            (false, true) => Verdict::Healthy,
            (false, false) => Verdict::Unhealthy,
        };
        // If hardly anything can be compared, there is no verdict either.
        if found.counts.comparable * 50 >= found.counts.compared {
            assert_eq!(found.verdict, verdict, "seed {seed}");
        }
        verdicts[found.verdict as usize] += 1;
        for pair in found.pairs.iter().filter(|pair| pair.cause != Cause::Data) {
            let word = walks.witness(pair.i, pair.j);
            assert_eq!(pair.witness, word, "seed {seed}: {pair:?}");
            match pair.required_lipschitz {
                Some(found) => assert!(close(found, constant(pair.i, pair.j)), "seed {seed}"),
                None => assert_eq!(distance(&latents, width, pair.i, pair.j), 0.0),
            }
        }
        // Every row is followed to the nearest that must be apart.
        let greatest = told_apart
            .iter()
            .map(|(i, j, _)| constant(*i, *j))
            .fold(0.0, f64::max);
        if let Some(closest) = found.closest.as_ref().filter(|_| noise > 0.0) {
            assert_eq!(
                closest.required_lipschitz.is_none(),
                greatest.is_infinite(),
                "seed {seed}"
            );
            assert!(
                closest
                    .required_lipschitz
                    .is_none_or(|found| close(found, greatest)),
                "seed {seed}"
            );
        }
    }
    // Healthy, unhealthy, undecided.
    assert!(verdicts.iter().all(|count| *count > 10), "{verdicts:?}");
}

/// Pairs of one kind that share a row are not both shown, nor more than three of a kind.
#[test]
fn the_list_does_not_repeat_itself() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let walks = walks(&mut random, 40, 12, 5);
    let latents: Vec<f32> = (0..480).map(|_| random.random_range(-1.0..1.0)).collect();
    let found = audited(&walks, &latents);
    assert_eq!(found.verdict, Verdict::Unhealthy);
    for kind in 0..found.counts.kinds.len() {
        let of_kind = || found.pairs.iter().filter(|pair| pair.kind == Some(kind));
        assert!(of_kind().count() <= 3);
        let mut rows: Vec<usize> = of_kind().flat_map(|pair| [pair.i, pair.j]).collect();
        rows.sort_unstable();
        assert!(rows.windows(2).all(|pair| pair[0] != pair[1]), "{rows:?}");
    }
    let all: u64 = found.counts.kinds.iter().map(|kind| kind.pairs).sum();
    assert_eq!(all, found.counts.encoder + found.counts.observation);
}

/// The head returns the first coordinate, and the dynamics do nothing. So `p` of the observation
/// itself is predicted up to the noise, and the bound must hold.
#[test]
fn bounds_are_those_of_the_theorem_and_are_never_above_the_distance() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let walks = walks(&mut random, 30, 6, 2);
    let rows = walks.states.len();
    let latents: Vec<f32> = walks
        .states
        .iter()
        .flat_map(|&state| [f32::from(u8::from(state == 0)), 0.0])
        .map(|value| value + random.random_range(-0.2..0.2))
        .collect();
    let evidence = RecordedOptions::default();
    let recorded = Recorded::new(&walks.trajectories, &evidence, &()).unwrap();
    let embeddings = Embeddings::new(&latents, rows, 2).unwrap();
    let options = RecordedAuditOptions::default();
    let audit = Audit::new(
        &walks.trajectories,
        &recorded,
        &evidence,
        &embeddings,
        options,
    );
    let audit = audit.unwrap();
    let mut found = audit.run(&()).unwrap();
    let asked = audit.certifiable(&found, &()).unwrap();
    let predicted: Vec<f32> = asked
        .rollouts()
        .iter()
        .map(|rollout| latents[2 * rollout.row])
        .collect();
    for (lipschitz, is_sound) in [(Some(1.0), true), (None, true), (Some(0.05), false)] {
        let foreseen = Foreseen {
            predicted: &predicted,
            lipschitz,
        };
        audit.certify(&mut found, &asked, foreseen).unwrap();
        let certificate = found.certificate.as_ref().unwrap();
        assert!(certificate.pairs > 100 && certificate.random_pairs > 1000);
        assert!(certificate.certified > certificate.pairs / 2);
        assert_eq!(certificate.violations == 0, is_sound, "{lipschitz:?}");
        for pair in &certificate.closest {
            let (bound, [i, j]) = (&pair.bound, [pair.i, pair.j]);
            let p = |row: usize| f64::from(u8::from(walks.states[row] == 0));
            if bound.word.is_empty() {
                let error = |row: usize| (f64::from(latents[2 * row]) - p(row)).abs();
                let margin = (p(i) - p(j)).abs() - error(i) - error(j);
                assert!((bound.margin - margin).abs() < 1e-9, "{pair:?}");
            }
            assert_eq!(bound.certified_distance.is_some(), lipschitz.is_some());
        }
    }
    let short = Foreseen {
        predicted: &predicted[1..],
        lipschitz: None,
    };
    assert!(audit.certify(&mut found, &asked, short).is_err());
    let zero = Foreseen {
        predicted: &predicted,
        lipschitz: Some(0.0),
    };
    assert!(audit.certify(&mut found, &asked, zero).is_err());
}

/// Where no row is rewarded, nothing is told apart, and the reason says why.
#[test]
fn a_constant_p_is_named() {
    let walks = Walks::new(
        vec![1, 2, 1, 2],
        vec![1, 0, 1, 0],
        vec![false, true, false, true],
    );
    let found = audited(&walks, &[0.0, 1.0, 2.0, 3.0]);
    assert_eq!(found.verdict, Verdict::Undecided);
    assert!(
        found.reason.contains("is the same in every row"),
        "{}",
        found.reason
    );
}

/// Rows 0 and 2 show the same and have nearly the same latent, but lead to different rewards: no
/// encoder can help that. The encoder's greatest constant is another one.
#[test]
fn identical_observations_do_not_count_as_kept_apart() {
    let trajectories = Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![1],
            values: vec![5.0, 6.0, 5.0, 7.0],
        },
        actions: Actions::Discrete {
            count: 1,
            ids: vec![0; 4],
        },
        rewards: Some(Values::F32(vec![0.0, 1.0, 0.0, 0.0])),
        terminals: vec![false; 4],
        timeouts: vec![false, true, false, true],
        world_is_deterministic: Some(true),
        ..TrajectoryParts::default()
    });
    let walks = Walks {
        trajectories: trajectories.unwrap(),
        states: vec![1, 0, 1, 2],
        actions: vec![0; 4],
        ends: vec![false, true, false, true],
    };
    let found = audited(&walks, &[0.0, 10.0, 0.001, -10.0]);
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.reason);
    let closest = found.closest.as_ref().unwrap();
    assert_eq!(
        (closest.i, closest.j, closest.cause),
        (0, 2, Cause::Observation)
    );
    assert!(closest.required_lipschitz.unwrap() > found.threshold);
    let said = found.reason.split("found is ").nth(1).unwrap();
    let said: f64 = said.split(',').next().unwrap().parse().unwrap();
    assert!(said < found.threshold, "{}", found.reason);
}
