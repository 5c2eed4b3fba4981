//! Reads what a run left behind: its curves, and its best model with the parameters by name.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::model::{device, parameters::parameters};
use tellapart::train::checkpoint::{Which, load};
use tellapart::train::config::{ConfigLayer, parse};
use tellapart::train::{RunDirectory, train};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A tiny run, so that there is one to read.
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run");
    let text = "data.window = 32\nmodel.encoder = \"patch\"\noptimizer.updates = 5";
    let config = parse(&[ConfigLayer { text, origin: "" }], &[])?;
    let directory = RunDirectory::open(&path, &config, false)?;
    train(&config, Some(&directory), &mut ())?;

    // metrics.csv has a header; a cell is empty where nothing was measured.
    let metrics = std::fs::read_to_string(path.join("metrics.csv"))?;
    let (header, rows) = metrics.split_once('\n').ok_or("no header")?;
    let mut names = header.split(',');
    let column = names.position(|name| name == "loss_dynamics");
    let mut last = rows.lines().last().ok_or("no rows")?.split(',');
    let loss = last.nth(column.ok_or("no such column")?);
    println!("L_dyn at the end: {}", loss.ok_or("a short row")?);

    // The model as it was at its smallest validation loss.
    let (model, stored) = load(&path, Which::Best, &device::by_name("cpu")?)?;
    let encoder = stored.model.encoder.name();
    println!("{encoder}, latent {}", stored.model.latent);
    for (name, values) in parameters(&model) {
        println!("  {name:<32} {:?}", values.shape);
    }
    let lipschitz = model
        .rollout_lipschitz()
        .ok_or("plain networks declare none")?;
    println!("a rollout stretches latents at most {lipschitz}-fold");
    Ok(())
}
