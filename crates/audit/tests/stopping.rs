//! An audit that a caller stops in the middle, after any number of questions.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{Audit, RecordedAuditOptions};
use tellapart_audit::{AuditError, Embeddings, Recorded, RecordedError, RecordedOptions};
use tellapart_progress::{Progress, Stopped};

mod walks;

use walks::walks;

/// Says to stop from the question with this number on, and keeps the stages it was told of.
struct After {
    limit: usize,
    asked: AtomicUsize,
    stages: Mutex<Vec<String>>,
}

impl After {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            asked: AtomicUsize::new(0),
            stages: Mutex::default(),
        }
    }
}

impl Progress for After {
    fn progress(&self, stage: &str, fraction: f64) {
        assert!((0.0..=1.0).contains(&fraction), "{stage}: {fraction}");
        let mut stages = self.stages.lock().unwrap();
        if stages.last().is_none_or(|last| last != stage) {
            stages.push(stage.to_owned());
        }
    }

    fn stopped(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.limit
    }
}

#[test]
fn an_audit_ends_early_wherever_it_is_stopped() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let walks = walks(&mut random, 40, 20, 6);
    let evidence = RecordedOptions::default();
    let recorded = Recorded::new(&walks.trajectories, &evidence, &()).unwrap();
    let latents: Vec<f32> = walks
        .states
        .iter()
        .map(|&state| state.min(4) as f32 + random.random_range(-0.01..0.01_f32))
        .collect();
    let embeddings = Embeddings::new(&latents, latents.len(), 1).unwrap();
    let options = RecordedAuditOptions::default();
    let trajectories = &walks.trajectories;
    let audit = Audit::new(trajectories, &recorded, &evidence, &embeddings, options).unwrap();

    let all = After::new(usize::MAX);
    let found = audit.run(&all).unwrap();
    assert_eq!(found, audit.run(&()).unwrap());
    let stages = all.stages.into_inner().unwrap();
    assert_eq!(stages, ["nearest neighbors", "comparing", "diagnostics"]);
    // How often it asks depends on no thread.
    let asked = all.asked.into_inner();
    assert!(asked > 1000, "{asked}");
    for limit in (0..asked).step_by(asked / 50).chain([1, 2, asked - 1]) {
        let stopped = audit.run(&After::new(limit));
        assert_eq!(stopped, Err(AuditError::Stopped(Stopped)), "{limit}");
    }

    let all = After::new(usize::MAX);
    audit.certifiable(&found, &all).unwrap();
    let asked = all.asked.into_inner();
    for limit in [0, asked / 2, asked - 1] {
        let stopped = audit.certifiable(&found, &After::new(limit));
        assert_eq!(stopped.err(), Some(Stopped), "{limit}");
    }
}

#[test]
fn reading_evidence_ends_early() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let walks = walks(&mut random, 20_000, 8, 6);
    let evidence = RecordedOptions::default();
    let all = After::new(usize::MAX);
    Recorded::new(&walks.trajectories, &evidence, &all).unwrap();
    let asked = all.asked.into_inner();
    assert!(asked > 4, "{asked}");
    for limit in 0..asked {
        let stopped = Recorded::new(&walks.trajectories, &evidence, &After::new(limit));
        let is_stopped = matches!(stopped, Err(RecordedError::Stopped(Stopped)));
        assert!(is_stopped, "{limit} of {asked}");
    }
}
