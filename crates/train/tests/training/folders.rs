//! Run directories: checkpoints, divergence, damaged folders, a run that is trained twice.

use std::path::Path;

use tellapart_model::device;
use tellapart_model::parameters::parameters;
use tellapart_progress::Progress;
use tellapart_train::checkpoint::{Which, load};
use tellapart_train::metrics::MetricRecord;
use tellapart_train::{Observer, RunDirectory, TrainError, ValidConfig, train};

use crate::common::{run, tiny, values, write_recording};

#[test]
fn a_checkpoint_loads_as_the_model_that_was_trained() {
    let config = tiny(&[]);
    let folder = tempfile::tempdir().unwrap();
    let trained = run(&config, folder.path(), false, u64::MAX);
    let cpu = device::by_name("cpu").unwrap();
    let (model, stored) = load(folder.path(), Which::Latest, &cpu).unwrap();
    assert_eq!(parameters(&model), values(&trained));
    assert_eq!(stored.model, config.model);
    assert!(load(folder.path(), Which::Best, &cpu).is_ok());
}

#[test]
fn folders_that_cannot_be_used_are_refused_by_name() {
    let config = tiny(&["optimizer.updates=2"]);
    let folder = tempfile::tempdir().unwrap();
    let error = |config: &ValidConfig, resume| {
        RunDirectory::open(folder.path(), config, resume)
            .unwrap_err()
            .to_string()
    };
    run(&config, folder.path(), false, u64::MAX);
    assert!(error(&config, false).contains("--resume"));
    assert!(error(&tiny(&["optimizer.updates=3"]), true).contains("began with other settings"));

    let weights = folder.path().join("checkpoints/latest/model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    std::fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    let cpu = device::by_name("cpu").unwrap();
    // Another version is refused for being one, not for its fields.
    let path = folder.path().join("checkpoints/latest/config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    let older = config.replace("tellapart.model/3", "tellapart.model/2");
    std::fs::write(&path, older).unwrap();
    let problem = load(folder.path(), Which::Latest, &cpu).unwrap_err();
    let problem = problem.to_string();
    assert!(
        problem.contains("has schema tellapart.model/2"),
        "{problem}"
    );
    std::fs::write(&path, config).unwrap();

    let problem = load(folder.path(), Which::Latest, &cpu)
        .unwrap_err()
        .to_string();
    assert!(problem.contains("model.safetensors"), "{problem}");

    std::fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    let problem = load(folder.path(), Which::Latest, &cpu)
        .unwrap_err()
        .to_string();
    assert!(problem.contains("no checkpoint"), "{problem}");
}

/// A process that is killed may leave a checkpoint in two folders, or a part of one.
#[test]
fn what_a_killed_replacement_left_is_resumed_and_goes() {
    let config = tiny(&[]);
    let folder = tempfile::tempdir().unwrap();
    let whole = run(&config, &folder.path().join("whole"), false, u64::MAX);
    let killed = folder.path().join("killed");
    run(&config, &killed, false, 4);
    let at = |name: &str| killed.join("checkpoints").join(name);
    // Killed between the two renames.
    std::fs::rename(at("latest"), at("latest.before")).unwrap();
    std::fs::create_dir(at("latest.next")).unwrap();
    let trained = run(&config, &killed, true, u64::MAX);
    assert_eq!(values(&trained), values(&whole));
    // Killed while the last one was removed: no other will take its place. And at the beginning of
    // a new one.
    std::fs::create_dir(at("latest.before")).unwrap();
    std::fs::write(at("latest.before").join("config.json"), "{}").unwrap();
    std::fs::create_dir(at("best.next")).unwrap();
    let trained = run(&config, &killed, true, u64::MAX);
    assert_eq!(values(&trained), values(&whole));
    for name in ["latest.before", "latest.next", "best.before", "best.next"] {
        assert!(!at(name).exists(), "{name}");
    }
}

#[test]
fn a_run_that_diverges_says_so_and_keeps_no_checkpoint_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    // The rewards are finite, but their squared error is not.
    write_recording(&data, |row| [0.0, 1e30][row % 2]);
    let config = tiny(&[&format!("data.source={}", data.display())]);
    let run = folder.path().join("run");
    let directory = RunDirectory::open(&run, &config, false).unwrap();
    let error = train(&config, Some(&directory), &mut ()).unwrap_err();
    assert!(
        matches!(error, TrainError::Diverged { update: 0, .. }),
        "{error}"
    );
    let error = error.to_string();
    for key in ["optimizer.learning_rate", "loss.dynamics.weight"] {
        assert!(error.contains(key), "{error}");
    }
    assert!(!run.join("checkpoints/latest").exists());
}

/// The results of the update before the divergence are not lost.
#[test]
fn a_run_that_diverges_keeps_the_checkpoint_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    // One row is too large, and some windows do not contain it.
    write_recording(&data, |row| if row == 25 { 1e30 } else { 0.0 });
    let source = format!("data.source={}", data.display());
    let mut later = 0;
    for seed in 0..8 {
        let config = tiny(&[&source, "evaluation.every=1", &format!("seed={seed}")]);
        let run = folder.path().join(format!("run {seed}"));
        let directory = RunDirectory::open(&run, &config, false).unwrap();
        let Err(error) = train(&config, Some(&directory), &mut ()) else {
            continue;
        };
        let TrainError::Diverged { update, .. } = error else {
            panic!("{error}");
        };
        if update > 0 {
            later += 1;
            let state = std::fs::read_to_string(run.join("checkpoints/latest/state.json"));
            let state: serde_json::Value = serde_json::from_str(&state.unwrap()).unwrap();
            assert_eq!(state["update"], update);
            let metrics = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
            assert_eq!(metrics.lines().count() as u64, 1 + update);
        }
    }
    assert!(later > 0);
}

#[test]
fn a_run_is_not_continued_on_another_recording() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.npz");
    write_recording(&data, |row| [0.0, 1.0][row % 2]);
    let config = tiny(&[&format!("data.source={}", data.display())]);
    let path = folder.path().join("run");
    assert!(run(&config, &path, false, 5).stopped);
    write_recording(&data, |row| [1.0, 0.0][row % 2]);
    let directory = RunDirectory::open(&path, &config, true).unwrap();
    let error = train(&config, Some(&directory), &mut ()).unwrap_err();
    assert!(
        matches!(error, TrainError::RecordingChanged { .. }),
        "{error}"
    );
    write_recording(&data, |row| [0.0, 1.0][row % 2]);
    assert!(!run(&config, &path, true, u64::MAX).stopped);
}

#[test]
fn a_run_is_trained_by_one_at_a_time() {
    /// Observer that tries to train the same run in the middle of it.
    struct Second<'a>(&'a ValidConfig, &'a Path, Option<TrainError>);

    impl Progress for Second<'_> {}

    impl Observer for Second<'_> {
        fn updated(&mut self, _: &MetricRecord) {
            let directory = RunDirectory::open(self.1, self.0, true).unwrap();
            let second = train(self.0, Some(&directory), &mut ());
            self.2 = second.err();
        }
    }

    let config = tiny(&[]);
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::open(folder.path(), &config, false).unwrap();
    let mut second = Second(&config, folder.path(), None);
    train(&config, Some(&directory), &mut second).unwrap();
    let refused = second.2.unwrap().to_string();
    assert!(refused.contains("another process"), "{refused}");
    // After the first training is done, the folder is free.
    run(&config, folder.path(), true, u64::MAX);
}
