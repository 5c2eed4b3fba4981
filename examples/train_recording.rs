//! Trains a P-JEPA on a recording, then embeds the recording with the trained encoder.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::train::config::{ConfigLayer, parse};
use tellapart::train::{RunDirectory, Silent, recording_evaluator::RecordingEvaluator, train};
use tellapart::{collect::Recorder, counting};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("counting.npz");

    // Any recording with images will do; docs/formats.md lists its arrays.
    let mut world = counting::Options::default();
    (world.max_steps, world.end_at_target) = (15, false);
    let recording = Recorder::new(world.validate()?, 40, 1).record(|_| {})?;
    recording.write_npz(&path)?;

    // A configuration is TOML; every key has a default. 20 updates are far too few to learn.
    let text = "data.window = 16\nmodel.encoder = \"patch\"\noptimizer.updates = 20";
    let layer = ConfigLayer { text, origin: "" };
    let config = parse(&[layer], &[format!("data.source={}", path.display())])?;
    let directory = RunDirectory::open(&folder.path().join("run"), &config, false)?;
    let trained = train(&config, Some(&directory), &mut Silent)?;
    let last = trained.records.last().ok_or("no record")?;
    println!(
        "L_dyn {:.3}, L_p {:.3}",
        last.loss_dynamics, last.loss_auxiliary
    );

    let (model, fits) = (&trained.model, &trained.interface);
    let evaluator = RecordingEvaluator::new(model, fits, &config, &recording)?;
    let latents = evaluator.embed(&|_| {});
    println!(
        "{} latents of {} values",
        recording.rows(),
        config.model.latent
    );
    assert_eq!(latents.len(), recording.rows() * config.model.latent);
    Ok(())
}
