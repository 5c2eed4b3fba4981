//! Whole, tiny runs: resuming, seeds, gradients that must not reach the encoder, damaged folders.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tellapart_data::{Actions, Frames, Trajectories, TrajectoryParts};
use tellapart_model::device;
use tellapart_model::parameters::{ParameterValues, parameters};
use tellapart_progress::Progress;
use tellapart_train::checkpoint::{Which, load};
use tellapart_train::metrics::MetricRecord;
use tellapart_train::observer::Observer;
use tellapart_train::{RunDirectory, TrainError, Trained, ValidConfig, config, train};

/// World of 16x16 images, and a run of a dozen updates.
const TINY: &str = r#"
[environment]
image_side = 16
radius = 1
min_distance = 3
max_count = 2
target = 1
[data]
window = 16
[model]
latent = 4
hidden = 8
[optimizer]
updates = 12
warmup = 2
[loss.dynamics]
ramp_start = 2
ramp_end = 6
[evaluation]
log_every = 1
every = 4
validation_per_state = 4
held_out_per_state = 4
horizon_steps = 3
"#;

fn tiny(words: &[&str]) -> ValidConfig {
    let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
    config::parse(
        &[config::ConfigLayer {
            text: TINY,
            origin: "tiny",
        }],
        &words,
    )
    .unwrap()
}

/// Observer that stops a run after a number of updates.
struct StopAfter(u64, u64);

impl Observer for StopAfter {
    fn updated(&mut self, record: &MetricRecord) {
        self.1 = record.update;
    }
}

impl Progress for StopAfter {
    fn stopped(&self) -> bool {
        self.1 + 1 >= self.0
    }
}

fn run(config: &ValidConfig, folder: &Path, resume: bool, stop_after: u64) -> Trained {
    let directory = RunDirectory::open(folder, config, resume).unwrap();
    train(config, Some(&directory), &mut StopAfter(stop_after, 0)).unwrap()
}

fn without_times(trained: &Trained) -> Vec<MetricRecord> {
    let mut records = trained.records.clone();
    records
        .iter_mut()
        .for_each(|record| record.scalars.retain(|one| one.name != "cpu_seconds"));
    records
}

fn values(trained: &Trained) -> BTreeMap<String, ParameterValues> {
    parameters(&trained.model)
}

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
        let config = tiny(words);
        let folder = tempfile::tempdir().unwrap();
        let whole = run(&config, &folder.path().join("whole"), false, u64::MAX);
        let torn = folder.path().join("torn");
        let first = run(&config, &torn, false, 7);
        assert!(
            first.stopped && first.updates < 12,
            "{words:?}: {}",
            first.updates
        );
        let second = run(&config, &torn, true, u64::MAX);
        assert!(!second.stopped);
        assert_eq!(values(&whole), values(&second), "{words:?}");
        assert_eq!(without_times(&whole), without_times(&second), "{words:?}");
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
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let train = || train(&tiny(words), None, &mut ()).unwrap();
            let trained = pool.build().unwrap().install(train);
            (values(&trained), without_times(&trained))
        };
        let one = on(1);
        for threads in [2, 3] {
            assert_eq!(one, on(threads), "{words:?}, {threads} threads");
        }
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

#[test]
fn the_convolutions_of_the_cnn_and_the_precision_of_products_are_configuration() {
    let sizes = [
        "optimizer.updates=1",
        "model.encoder.channels=[5, 6]",
        "model.encoder.kernels=[3, 4]",
        "model.encoder.strides=[2, 1]",
        "model.encoder.normalize=false",
        "model.encoder.hidden=0",
    ];
    let plain = values(&train(&tiny(&sizes), None, &mut ()).unwrap());
    let shapes: Vec<_> = plain
        .iter()
        .filter(|(name, _)| name.starts_with("encoder."))
        .map(|(name, values)| (name.as_str(), values.shape.clone()))
        .collect();
    // Kernels of 4 at stride 1 are padded by 2 on each side: 8 pixels become 9.
    assert_eq!(
        shapes,
        [
            ("encoder.convs.0.bias", vec![5]),
            ("encoder.convs.0.weight", vec![5, 3, 3, 3]),
            ("encoder.convs.1.bias", vec![6]),
            ("encoder.convs.1.weight", vec![6, 5, 4, 4]),
            ("encoder.latent.bias", vec![4]),
            ("encoder.latent.weight", vec![4, 6 * 9 * 9]),
        ]
    );
    let rounded = [&sizes[..], &["model.precision=bf16"]].concat();
    assert_ne!(
        plain,
        values(&train(&tiny(&rounded), None, &mut ()).unwrap())
    );

    for (word, expected) in [
        (
            "model.encoder.kernels=[3]",
            "`model.encoder.kernels` is [3]; expected as many numbers as model.encoder.channels has",
        ),
        (
            "model.encoder.strides=[0, 1, 1]",
            "`model.encoder.strides` is [0, 1, 1]; expected one to 16 whole numbers from 1 to 64",
        ),
        (
            "model.encoder.channels=[]",
            "`model.encoder.channels` is []; expected one to 16 whole numbers from 1 to 1024",
        ),
    ] {
        let words = [word.to_owned()];
        let error = config::parse(&[], &words).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let too_large = tiny(&[
        "model.encoder.kernels=[40, 3, 3]",
        "model.encoder.strides=[30, 2, 2]",
    ]);
    let error = train(&too_large, None, &mut ()).unwrap_err().to_string();
    assert!(error.contains("model.encoder.kernels"), "{error}");
}

#[test]
fn a_loss_that_may_not_reach_the_encoder_does_not() {
    let after = |words: &[&str]| {
        let words = [words, &["optimizer.updates=3"]].concat();
        values(&train(&tiny(&words), None, &mut ()).unwrap())
    };
    let part = |values: &BTreeMap<String, ParameterValues>, name: &str| -> Vec<ParameterValues> {
        let of = values.iter().filter(|(key, _)| key.starts_with(name));
        of.map(|(_, value)| value.clone()).collect()
    };
    let neither = after(&["gradients.dynamics=false", "gradients.auxiliary=false"]);
    let untouched = after(&[
        "gradients.dynamics=false",
        "gradients.auxiliary=false",
        "optimizer.encoder_rate=0",
    ]);
    assert_eq!(part(&neither, "encoder"), part(&untouched, "encoder"));
    // Without gradients into the encoder, predictor and head still learn.
    assert_ne!(
        part(&neither, "head"),
        part(&after(&["optimizer.head_rate=0"]), "head")
    );
    // The weight of a loss that does not reach the encoder cannot matter to it.
    let auxiliary_only = ["gradients.dynamics=false"];
    let heavier = ["gradients.dynamics=false", "loss.dynamics.weight=9"];
    assert_eq!(
        part(&after(&auxiliary_only), "encoder"),
        part(&after(&heavier), "encoder")
    );
    assert_ne!(
        part(&after(&auxiliary_only), "encoder"),
        part(&neither, "encoder")
    );
}

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

/// Writes three episodes of 16x16 images with these rewards.
fn write_recording(path: &Path, reward: impl Fn(usize) -> f32) {
    let rows = 60;
    let last_of_episode = |row: usize| row % 20 == 19;
    let recording = Trajectories::new(TrajectoryParts {
        observations: Frames::U8 {
            shape: vec![16, 16, 3],
            values: (0..rows * 16 * 16 * 3).map(|i| (i % 251) as u8).collect(),
        },
        actions: Actions::Discrete {
            count: 2,
            ids: (0..rows as u32).map(|row| row % 2).collect(),
        },
        rewards: Some((0..rows).map(reward).collect()),
        terminals: vec![false; rows],
        timeouts: (0..rows).map(last_of_episode).collect(),
        ..TrajectoryParts::default()
    });
    recording.unwrap().write_npz(path).unwrap();
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
    assert!(error.to_string().contains("learning_rate"), "{error}");
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
