//! Trains a P-JEPA on a recording, then embeds the recording with the trained encoder.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::train::config::{ConfigLayer, parse};
use tellapart::train::{RunDirectory, recording_evaluator::RecordingEvaluator, train};
use tellapart::{collect::Recorder, counting};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("counting.npz");

    // Any recording will do (vectors with the encoder `mlp`); docs/formats.md lists its arrays.
    let mut world = counting::Options::default();
    (world.max_steps, world.end_at_target) = (15, false);
    let recording = Recorder::new(world.validate()?, 40, 1).record(|_| {})?;
    recording.write_npz(&path)?;

    // A configuration is TOML; every key has a default. 20 updates are far too few to learn.
    let text = "data.window = 16\nmodel.encoder = \"patch\"\noptimizer.updates = 20";
    let layer = ConfigLayer { text, origin: "" };
    // Actions are numbers; those of one sign are the same action.
    let source = format!("data.source={}", path.display());
    let words = [source, "data.action_rule=sign".to_owned()];
    let config = parse(&[layer], &words)?;
    let directory = RunDirectory::open(&folder.path().join("run"), &config, false)?;
    let trained = train(&config, Some(&directory), &mut ())?;
    let last = trained.records.last().ok_or("no record")?;
    let loss = |name: &str| last.get(name).ok_or("no such column");
    let (dynamics, auxiliary) = (loss("loss_dynamics")?, loss("loss_auxiliary")?);
    println!("L_dyn {dynamics:.3}, L_p {auxiliary:.3}");

    let (model, fits) = (&trained.model, &trained.interface);
    let evaluator = RecordingEvaluator::new(model, fits, &config, &recording)?;
    let latents = evaluator.embed(&())?;
    let (rows, latent) = (recording.rows(), config.model.latent);
    println!("{rows} latents of {latent} values");
    assert_eq!(latents.len(), rows * latent);
    Ok(())
}
