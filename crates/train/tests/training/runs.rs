//! Whole runs: resuming, seeds, threads, and which checkpoint is the best.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tellapart_model::device;
use tellapart_model::parameters::parameters;
use tellapart_progress::Progress;
use tellapart_train::checkpoint::{Which, load};
use tellapart_train::metrics::MetricRecord;
use tellapart_train::{Observer, RunDirectory, train};

use crate::common::{assert_resumes, on_threads, tiny, values, without_times};

#[test]
fn a_resumed_run_gives_the_numbers_of_an_uninterrupted_one() {
    for words in [
        &[][..],
        &[
            "data.sampling=uniform",
            "data.windows=2",
            "data.replay_rows=40",
            "data.num_envs=2",
        ],
        &[
            "model.predictor=plain",
            "model.head=two-hot",
            "model.encoder=patch",
        ],
        &[
            "target.kind=random",
            "target.width=3",
            "model.head=plain",
            "model.encoder=resnet",
        ],
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert_resumes(&tiny(words), folder.path(), &format!("{words:?}"));
    }
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let train_with = |words: &[&str]| values(&train(&tiny(words), None, &mut ()).unwrap());
    let one = train_with(&["optimizer.updates=3"]);
    assert_eq!(one, train_with(&["optimizer.updates=3"]));
    assert_ne!(one, train_with(&["optimizer.updates=3", "seed=2"]));
}

#[test]
fn the_number_of_threads_changes_no_parameter_and_no_record() {
    for words in [
        &["optimizer.updates=6"][..],
        &["optimizer.updates=6", "model.precision=bf16"],
    ] {
        let [one, two, three] = on_threads(|| {
            let trained = train(&tiny(words), None, &mut ()).unwrap();
            (values(&trained), without_times(&trained))
        });
        assert_eq!(one, two, "{words:?}, 2 threads");
        assert_eq!(one, three, "{words:?}, 3 threads");
    }
}

/// The model of an update is evaluated while the next update is computed.
#[test]
fn the_best_checkpoint_is_of_the_update_that_validated_best() {
    /// Observer that stops a run after a number of updates, whichever records it has seen.
    struct StopAt(u64, AtomicU64);

    impl Observer for StopAt {}

    impl Progress for StopAt {
        fn stopped(&self) -> bool {
            self.1.fetch_add(1, Ordering::Relaxed) + 1 == self.0
        }
    }

    // The learning rate is so high that the last model is not always the best one.
    let mut earlier = 0;
    for (seed, threads) in [(1, 1), (2, 2), (3, 1), (4, 2)] {
        let seed = format!("seed={seed}");
        let config = tiny(&["optimizer.learning_rate=1.0", "optimizer.updates=20", &seed]);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        let stopping_at = |update| {
            let folder = tempfile::tempdir().unwrap();
            let directory = RunDirectory::open(folder.path(), &config, false).unwrap();
            let mut stop = StopAt(update, AtomicU64::new(0));
            let trained = pool.install(|| train(&config, Some(&directory), &mut stop).unwrap());
            (folder, trained)
        };
        let parameters_of = |folder: &Path, which| {
            let (model, _) = load(folder, which, &device::by_name("cpu").unwrap()).unwrap();
            parameters(&model)
        };
        let (folder, trained) = stopping_at(u64::MAX);
        let updates: Vec<u64> = trained.records.iter().map(|record| record.update).collect();
        assert_eq!(updates, Vec::from_iter(1..=20));
        let weight = trained.records[19].get("weight_dynamics").unwrap();
        let totals = trained.records.iter().filter_map(|record| {
            let dynamics = record.get("validation_loss_dynamics")?;
            assert!(record.update.is_multiple_of(4));
            let total = weight * dynamics + record.get("validation_loss_auxiliary")?;
            Some((record.update, total))
        });
        let totals: Vec<(u64, f64)> = totals.collect();
        assert_eq!(totals.len(), 5);
        let best = totals.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
        earlier += usize::from(best < 20);
        // A run that stops evaluates at once.
        let (stopped, again) = stopping_at(best);
        let validation = |record: &MetricRecord| -> Vec<_> {
            let all = record.scalars.iter().cloned();
            all.filter(|one| one.name.starts_with("validation_"))
                .collect()
        };
        let found = validation(again.records.last().unwrap());
        assert_eq!(found, validation(&trained.records[best as usize - 1]));
        let stopped = parameters_of(stopped.path(), Which::Latest);
        assert_eq!(
            parameters_of(folder.path(), Which::Best),
            stopped,
            "{totals:?}"
        );
    }
    assert!(earlier > 0);
}
