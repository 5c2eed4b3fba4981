//! Whole, tiny runs: resuming, seeds, gradients that must not reach the encoder, damaged folders.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::collections::BTreeMap;
use std::path::Path;

use tellapart_model::device;
use tellapart_model::parameters::{ParameterValues, parameters};
use tellapart_train::checkpoint::{Which, load};
use tellapart_train::metrics::MetricRecord;
use tellapart_train::observer::Observer;
use tellapart_train::{RunDirectory, Silent, Trained, ValidConfig, config, train};

/// A world of 16x16 images and a run of a dozen updates.
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
[loss]
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
        &[config::Layer {
            text: TINY,
            origin: "tiny",
        }],
        &words,
    )
    .unwrap()
}

/// Stops after so many updates.
struct StopAfter(u64, u64);

impl Observer for StopAfter {
    fn updated(&mut self, record: &MetricRecord) {
        self.1 = record.update;
    }

    fn wants_to_stop(&self) -> bool {
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
        .for_each(|record| record.cpu_seconds = 0.0);
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
            "data.copies=2",
        ],
        &[
            "model.dynamics=plain",
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
    let train_with = |words: &[&str]| values(&train(&tiny(words), None, &mut Silent).unwrap());
    let one = train_with(&["optimizer.updates=3"]);
    assert_eq!(one, train_with(&["optimizer.updates=3"]));
    assert_ne!(one, train_with(&["optimizer.updates=3", "seed=2"]));
}

#[test]
fn a_loss_that_may_not_reach_the_encoder_does_not() {
    let after = |words: &[&str]| {
        let words = [words, &["optimizer.updates=3"]].concat();
        values(&train(&tiny(&words), None, &mut Silent).unwrap())
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
    // Without gradients into the encoder, dynamics and head still learn.
    assert_ne!(
        part(&neither, "head"),
        part(&after(&["optimizer.head_rate=0"]), "head")
    );
    // The weight of a loss that does not reach the encoder cannot matter to it.
    let auxiliary_only = ["gradients.dynamics=false"];
    let heavier = ["gradients.dynamics=false", "loss.dynamics_weight=9"];
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
    assert!(error(&tiny(&["optimizer.updates=3"]), true).contains("another configuration"));

    let weights = folder.path().join("checkpoints/latest/model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    std::fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    let cpu = device::by_name("cpu").unwrap();
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
