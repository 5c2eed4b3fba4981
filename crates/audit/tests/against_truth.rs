//! Planted merges are found, each with a witness that the system confirms.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::{AuditError, AuditReport, Classes, Embeddings};
use tellapart_bisim::{largest_bisimulation, witness};
use tellapart_system::{ActionId, MooreMachine, generate};

/// Audits ten noisy observations of every class, around the position planted for it.
fn audit(system: &MooreMachine, places: &[f32], seed: u64) -> AuditReport {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let labels: Vec<u32> = (0..places.len() as u32)
        .flat_map(|class| [class; 10])
        .collect();
    let latents: Vec<f32> = labels
        .iter()
        .flat_map(|&class| {
            [places[class as usize], 0.0, 1.0].map(|at| at + rng.random_range(-0.05..0.05))
        })
        .collect();
    let embeddings = Embeddings::new(&latents, labels.len(), 3).unwrap();
    let classes = Classes::new(&labels, places.len()).unwrap();
    AuditReport::against_truth(&embeddings, &classes, system).unwrap()
}

#[test]
fn planted_merges_are_named_in_the_summary() {
    let system = generate::counter(9).unwrap();
    let report = audit(&system, &[0.0, 0.0, 0.0, 3.0, 4.0, 5.0, 6.0, 6.0, 8.0], 1);
    let summary = report.summary();
    assert!(
        summary.starts_with("Merges 0-1, 0-2, 1-2, 6-7 (4 of 36 pairs of classes)."),
        "{summary}"
    );
    let healthy = audit(&system, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 2);
    assert!(
        healthy.summary().starts_with("Keeps all 9 classes apart."),
        "{}",
        healthy.summary()
    );
    let collapsed = audit(&system, &[0.0; 9], 3);
    assert!(
        collapsed
            .summary()
            .starts_with("Merges every class with every other (all 36 pairs).")
    );
}

#[test]
fn classes_of_another_system_are_refused() {
    let system = generate::counter(9).unwrap();
    let embeddings = Embeddings::new(&[0.0, 1.0], 2, 1).unwrap();
    let classes = Classes::new(&[0, 1], 2).unwrap();
    let error = AuditReport::against_truth(&embeddings, &classes, &system).unwrap_err();
    assert_eq!(
        error,
        AuditError::ForeignPartition {
            found: 2,
            expected: 9
        }
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn merged_pairs_are_the_planted_ones_with_shortest_witnesses(seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let system = generate::counter(rng.random_range(2..12)).unwrap();
        let partition = largest_bisimulation(&system);
        let places: Vec<f32> =
            (0..partition.blocks()).map(|_| rng.random_range(0..6) as f32).collect();
        let report = audit(&system, &places, seed);
        let planted: Vec<(u32, u32)> = (0..places.len() as u32)
            .flat_map(|a| (a + 1..places.len() as u32).map(move |b| (a, b)))
            .filter(|&(a, b)| places[a as usize] == places[b as usize])
            .collect();
        let found: Vec<(u32, u32)> =
            report.clusters.merged.iter().map(|pair| (pair.a, pair.b)).collect();
        prop_assert_eq!(found, planted);
        for pair in &report.clusters.merged {
            let state = |block: u32| partition.representatives()[block as usize];
            let word: Vec<ActionId> =
                pair.witness.as_ref().unwrap().iter().map(|&a| ActionId::new(a)).collect();
            let end = |block: u32| system.output(system.run(state(block), &word));
            prop_assert_ne!(end(pair.a), end(pair.b));
            prop_assert_eq!(word.len(), witness(&system, state(pair.a), state(pair.b)).unwrap().len());
        }
    }
}
