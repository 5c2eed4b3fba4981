//! `tellapart convert IN OUT`.

use std::path::PathBuf;

use clap::Args;
use tellapart::inspect::PartRecord;
use tellapart::system;

use super::system_file::SystemFile;
use super::{Overwrite, counted, system_parts};
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Convert a finite system from one format to another
#[derive(Args)]
#[command(after_help = "Formats, by the end of the name:
  .tsys     our binary format: opened without parsing, nothing is lost
  .npz      NumPy tables next [states, actions] and output [states] or [states, m]
  .aut      Aldebaran, deterministic
  .tra      PRISM's explicit files, deterministic; labels in .lab, rewards in .srew and .trew beside it
  .boa.txt  the text format of Boa, deterministic
  .dot      a drawing for Graphviz (written only)

Examples:
  tellapart convert model.tra model.tsys
  tellapart convert model.tra model.npz --rewards model1.srew
  tellapart convert model.tsys model.boa.txt
  tellapart convert smaller.aut smaller.dot && dot -Tsvg smaller.dot -o smaller.svg")]
pub(crate) struct Arguments {
    /// System to read
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write
    #[arg(value_name = "OUT")]
    output: PathBuf,
    #[command(flatten)]
    rewards: system_parts::Rewards,
    /// Draw systems of more than 500 states, too
    #[arg(long)]
    any_size: bool,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let file = SystemFile::new(&arguments.output, &arguments.overwrite)?;
    let found = system::read::any_with(&arguments.input, &arguments.rewards.rewards)?;
    let parts: Vec<PartRecord> = found.parts.iter().map(PartRecord::of).collect();
    for line in system_parts::described(&parts, &found.columns, &found.unread_arrays) {
        terminal.note(format_args!("{}: {line}", arguments.input.display()));
    }
    let machine = found.machine;
    if arguments.any_size {
        file.write_any_size(&machine)?;
    } else {
        file.write(&machine)?;
    }
    let written = format!(
        "{}, {}, {}",
        counted(machine.states(), "state", "states"),
        counted(machine.actions(), "action", "actions"),
        counted(machine.outputs(), "output", "outputs"),
    );
    file.report(&written, &machine, terminal);
    Ok(())
}
