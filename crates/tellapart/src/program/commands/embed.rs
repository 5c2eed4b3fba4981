//! `tellapart embed RUN --data D.npz --out Z.npy`.

use std::path::PathBuf;

use clap::Args;
use tellapart::files::{Array, Values, write_npy};
use tellapart::train::recording_evaluator::{FinishedRun, RecordingEvaluator};

use super::{Overwrite, counted, recording};
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Write the latents that a run's encoder computes for a recording
#[derive(Args)]
#[command(
    after_help = "Row i of the file is the latent of observation i of the recording, float32.\n\n\
    Example:\n  \
    tellapart embed runs/counting/seed-1/joint-reward --data walks.npz --out latents.npy"
)]
pub(crate) struct Arguments {
    /// Folder of a finished run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Recording: trajectories (.npz)
    #[arg(long, value_name = "DATA.npz")]
    data: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
    /// Observations of an HDF5 file that has several
    #[arg(long, value_name = "PATH")]
    observations: Option<String>,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let Arguments { data, out, .. } = arguments;
    if out.extension().is_none_or(|extension| extension != "npy") {
        return Err(Failure::bad_input(format!(
            "{}: latents are written as .npy; name a file that ends in .npy",
            out.display()
        )));
    }
    arguments.overwrite.check(out)?;
    let bar = terminal.progress(1000, "per mille");
    bar.busy_with("reading");
    let run = FinishedRun::read(&arguments.run)?;
    let trajectories = recording(data, arguments.observations.as_deref())?;
    let model = RecordingEvaluator::new(&run.model, &run.interface, &run.config, &trajectories)
        .map_err(|error| Failure::bad_input(format!("{}: {error}", data.display())))?;
    let latents = model.embed(&bar)?;
    let (rows, width) = (trajectories.rows(), run.config.model.latent);
    let array = Array {
        shape: vec![rows, width],
        values: Values::F32(latents),
    };
    write_npy(out, &array)?;
    drop(bar);
    terminal.note(format_args!(
        "{}: {} of {}",
        out.display(),
        counted(rows, "latent", "latents"),
        counted(width, "dimension", "dimensions"),
    ));
    Ok(())
}
