//! Objectives next to the two of the paper, and moving averages as targets.

use std::fs;
use std::path::Path;

use burn::tensor::Tensor;
use tellapart_model::Pjepa;
use tellapart_model::objective::{Objective, Views};
use tellapart_train::config::WeightConfig;
use tellapart_train::{Objectives, RunDirectory, Trained, ValidConfig, train, train_on};

use crate::common::{assert_resumes, on_threads, run, tiny, values, without_times};

/// Returns the columns of `metrics.csv` and its number of rows.
fn metrics(run: &Path) -> (Vec<String>, usize) {
    let text = fs::read_to_string(run.join("metrics.csv")).unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap().split(',').map(str::to_owned);
    (header.collect(), lines.count())
}

#[test]
fn a_moving_average_is_part_of_a_checkpoint() {
    let config = tiny(&["gradients.target=ema", "gradients.target.decay=0.7"]);
    let folder = tempfile::tempdir().unwrap();
    let whole = assert_resumes(&config, folder.path(), "ema");
    let average = |run: &str| {
        folder
            .path()
            .join(run)
            .join("checkpoints/latest/target.safetensors")
    };
    let [of_whole, of_torn] = ["whole", "torn"].map(|run| fs::read(average(run)).unwrap());
    assert_eq!(of_whole, of_torn);
    // The decay matters, so the average is what predictions are compared with.
    for other in [
        &["gradients.target=ema", "gradients.target.decay=0.2"][..],
        &["gradients.target=stop-gradient"],
        &[],
    ] {
        let other = train(&tiny(other), None, &mut ()).unwrap();
        assert_ne!(values(&whole), values(&other));
    }
}

#[test]
fn a_checkpoint_without_its_moving_average_is_refused_by_name() {
    let config = tiny(&["gradients.target=ema"]);
    let folder = tempfile::tempdir().unwrap();
    assert!(run(&config, folder.path(), false, 7).stopped);
    fs::remove_file(folder.path().join("checkpoints/latest/target.safetensors")).unwrap();
    let directory = RunDirectory::open(folder.path(), &config, true).unwrap();
    let error = train(&config, Some(&directory), &mut ()).unwrap_err();
    assert!(error.to_string().contains("target.safetensors"), "{error}");
}

#[test]
fn variance_and_covariance_have_columns_if_they_have_a_weight() {
    let with = tiny(&["loss.variance.weight=0.5", "loss.covariance.weight=0.1"]);
    let folder = tempfile::tempdir().unwrap();
    let trained = assert_resumes(&with, folder.path(), "variance and covariance");
    let (columns, rows) = metrics(&folder.path().join("whole"));
    assert_eq!(rows, 12);
    for (name, weight) in [("variance", 0.5), ("covariance", 0.1)] {
        for column in ["loss", "weight", "validation_loss"] {
            let column = format!("{column}_{name}");
            assert!(columns.contains(&column), "{column}: {columns:?}");
            let value = trained.records[11].get(&column).unwrap();
            assert!(value.is_finite() && value > 0.0, "{column}: {value}");
        }
        let found = trained.records[0].get(&format!("weight_{name}"));
        assert_eq!(found, Some(weight));
    }
    let without = tiny(&["loss.variance.weight=0", "loss.covariance.weight=0"]);
    let plain = folder.path().join("plain");
    let without = run(&without, &plain, false, u64::MAX);
    let (columns, _) = metrics(&plain);
    let has = |name: &str| columns.iter().any(|column| column.contains(name));
    assert!(has("dynamics") && has("auxiliary") && !has("variance"));
    assert_ne!(values(&trained), values(&without));
}

#[test]
fn variance_and_covariance_are_the_same_on_any_number_of_threads() {
    let words = [
        "loss.variance.weight=0.5",
        "loss.covariance.weight=0.1",
        "optimizer.updates=6",
    ];
    let [one, two, three] = on_threads(|| {
        let trained = train(&tiny(&words), None, &mut ()).unwrap();
        (values(&trained), without_times(&trained))
    });
    assert_eq!(one, two);
    assert_eq!(one, three);
}

/// Mean square of the latents: an objective that no configuration has.
#[derive(Debug)]
struct Size;

impl Objective for Size {
    fn name(&self) -> &str {
        "size"
    }

    fn loss(&self, _model: &Pjepa, views: &Views<'_>) -> Tensor<1> {
        views.latents.clone().square().mean()
    }
}

fn with_size(config: &ValidConfig, weight: f32) -> Objectives {
    let weight = WeightConfig {
        weight,
        ..WeightConfig::default()
    };
    Objectives::of(config).with(Size, weight)
}

#[test]
fn an_objective_of_the_callers_own_trains_and_is_measured() {
    let config = tiny(&["optimizer.learning_rate=0.01"]);
    let folder = tempfile::tempdir().unwrap();
    let trained = |weight: f32| -> Trained {
        let path = folder.path().join(format!("weight {weight}"));
        let directory = RunDirectory::open(&path, &config, false).unwrap();
        let objectives = with_size(&config, weight);
        let trained = train_on(&config, &objectives, Some(&directory), &mut ()).unwrap();
        let (columns, rows) = metrics(&path);
        assert_eq!(rows, 12);
        for column in ["loss_size", "weight_size", "validation_loss_size"] {
            assert!(columns.iter().any(|found| found == column), "{columns:?}");
        }
        trained
    };
    let [light, heavy] = [0.0, 50.0].map(trained);
    let last = |of: &Trained, name: &str| of.records[11].get(name).unwrap();
    assert_eq!(last(&heavy, "weight_size"), 50.0);
    for name in ["loss_size", "validation_loss_size"] {
        let (light, heavy) = (last(&light, name), last(&heavy, name));
        assert!(
            0.0 < heavy && heavy < light / 2.0,
            "{name}: {heavy}, {light}"
        );
    }
    // A weight of zero changes nothing but the columns.
    let plain = train(&config, None, &mut ()).unwrap();
    assert_eq!(values(&plain), values(&light));

    // A folder that was begun with the objective is not continued without it.
    let path = folder.path().join("weight 50");
    let directory = RunDirectory::open(&path, &config, true).unwrap();
    let error = train(&config, Some(&directory), &mut ()).unwrap_err();
    assert!(error.to_string().contains("metrics.csv"), "{error}");
    let objectives = with_size(&config, 50.0);
    let again = train_on(&config, &objectives, Some(&directory), &mut ()).unwrap();
    assert_eq!(values(&again), values(&heavy));
}
