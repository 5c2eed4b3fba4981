//! Checkpoints whose files are cut short, overwritten or missing.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::fs;
use std::path::Path;

use tellapart_model::device;
use tellapart_progress::Progress;
use tellapart_train::checkpoint::{Which, load};
use tellapart_train::metrics::MetricRecord;
use tellapart_train::observer::Observer;
use tellapart_train::{RunDirectory, TrainError, ValidConfig, config, train};

/// World of 16x16 images, and a run that has a checkpoint before it is done.
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
updates = 4
warmup = 2
[evaluation]
log_every = 1
every = 2
validation_per_state = 4
held_out_per_state = 4
horizon_steps = 3
"#;

/// Files of a checkpoint, and whether the model can be loaded without them.
const FILES: [(&str, bool); 6] = [
    ("model.safetensors", false),
    ("config.json", false),
    ("state.json", true),
    ("optimizer_encoder.bpk", true),
    ("optimizer_predictor.bpk", true),
    ("optimizer_head.bpk", true),
];

/// Observer that stops a run after its second update.
struct StopInTheMiddle(bool);

impl Observer for StopInTheMiddle {
    fn updated(&mut self, record: &MetricRecord) {
        self.0 = record.update >= 1;
    }
}

impl Progress for StopInTheMiddle {
    fn stopped(&self) -> bool {
        self.0
    }
}

fn begun(folder: &Path) -> ValidConfig {
    let layer = config::ConfigLayer {
        text: TINY,
        origin: "tiny",
    };
    let config = config::parse(&[layer], &[]).unwrap();
    let directory = RunDirectory::open(folder, &config, false).unwrap();
    let trained = train(&config, Some(&directory), &mut StopInTheMiddle(false)).unwrap();
    assert!(trained.stopped);
    config
}

/// Resumes the run, and returns the error if there is one.
fn resumed(folder: &Path, config: &ValidConfig) -> Option<TrainError> {
    let directory = RunDirectory::open(folder, config, true).unwrap();
    train(config, Some(&directory), &mut ()).err()
}

fn assert_names(error: &TrainError, file: &str, advice: &str) {
    let said = error.to_string();
    assert!(matches!(error, TrainError::Damaged { .. }), "{said}");
    for part in [file, "damaged or cut short", "restore it", advice] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_damaged_file_of_a_checkpoint_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = begun(folder.path());
    let cpu = device::by_name("cpu").unwrap();
    for (name, can_do_without) in FILES {
        let path = folder.path().join("checkpoints/latest").join(name);
        let whole = fs::read(&path).unwrap();
        let length = whole.len();
        assert!(length > 8, "{name}");
        let mut damaged: Vec<Vec<u8>> = [0, 1, 7, 8, 9, length / 3, length / 2, length - 1]
            .into_iter()
            .map(|kept| whole[..kept].to_vec())
            .collect();
        damaged.push(vec![0; length]);
        damaged.push(vec![0xff; length]);
        damaged.push([&[0x7b; 16], &whole[16..]].concat());
        for bytes in damaged {
            fs::write(&path, &bytes).unwrap();
            let loaded = load(folder.path(), Which::Latest, &cpu);
            match loaded {
                Ok(_) => assert!(can_do_without, "{name}"),
                Err(error) => assert_names(&error, name, "checkpoints/best"),
            }
            // What a run resumes with is in its own `config.toml`, so it can do without this one.
            if name != "config.json" {
                let error = resumed(folder.path(), &config).unwrap();
                assert_names(&error, name, "in another folder");
            }
        }
        // Without `state.json` there is no checkpoint, and a run begins anew.
        if name != "state.json" {
            fs::remove_file(&path).unwrap();
            match load(folder.path(), Which::Latest, &cpu) {
                Ok(_) => assert!(can_do_without, "{name}"),
                Err(error) => assert_names(&error, name, "it is missing"),
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    load(folder.path(), Which::Latest, &cpu).unwrap();
    assert!(resumed(folder.path(), &config).is_none());
}

#[test]
fn weights_that_are_not_of_the_stored_model_are_refused_by_file() {
    let folder = tempfile::tempdir().unwrap();
    begun(folder.path());
    let path = folder.path().join("checkpoints/latest/config.json");
    let text = fs::read_to_string(&path).unwrap();
    let other = text.replacen("\"latent\": 4", "\"latent\": 6", 1);
    assert_ne!(text, other);
    fs::write(&path, other).unwrap();
    let cpu = device::by_name("cpu").unwrap();
    let error = load(folder.path(), Which::Latest, &cpu).unwrap_err();
    assert_names(&error, "model.safetensors", "has shape");
}

#[test]
fn metrics_without_their_header_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = begun(folder.path());
    let path = folder.path().join("metrics.csv");
    let whole = fs::read(&path).unwrap();
    let refused = || resumed(folder.path(), &config).unwrap().to_string();
    fs::write(&path, &whole[..5]).unwrap();
    for said in [refused(), {
        fs::remove_file(&path).unwrap();
        refused()
    }] {
        assert!(
            said.contains("metrics.csv") && said.contains("restore it"),
            "{said}"
        );
    }
    fs::write(&path, whole).unwrap();
    assert!(resumed(folder.path(), &config).is_none());
}
