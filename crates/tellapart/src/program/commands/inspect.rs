//! `tellapart inspect FILE`.

mod align;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use tellapart::data::ActionRule;
use tellapart::inspect::{self, ArrayRecord, Container, EpisodeRecord, FileKind, Inspection};

use super::{counted, system_parts};
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Describe the content of a file: trajectories, a finite system, embeddings, arrays, tensors
#[derive(Args)]
#[command(
    after_help = "Reads .npz, .npy, .safetensors, HDF5, and systems in .tsys, .aut, .tra and .boa.txt. Ends with \
    exit code 2\nif the file is not valid as what it seems to be."
)]
pub(crate) struct Arguments {
    /// File to describe
    file: PathBuf,
    /// Say in which rows the actions and p of a recording belong
    #[arg(long)]
    align: bool,
    /// With --align: the array that is p [default: rewards, or aux]
    #[arg(long, value_name = "NAME", requires = "align")]
    p: Option<String>,
    /// With --align: rule for equal action vectors
    #[arg(long, value_name = "RULE", requires = "align", value_parser = super::recording_args::rule)]
    action_rule: Option<ActionRule>,
    /// Observations of an HDF5 file that has several
    #[arg(long, value_name = "PATH")]
    observations: Option<String>,
    #[command(flatten)]
    rewards: system_parts::Rewards,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    if arguments.align {
        return align::run(arguments, terminal);
    }
    let found = inspect::file_with(
        &arguments.file,
        &arguments.rewards.rewards,
        arguments.observations.as_deref(),
    )?;
    if arguments.json {
        terminal.json(&found)?;
    } else {
        print(&found, terminal.out())?;
    }
    match &found.problem {
        None => Ok(()),
        Some(problem) => {
            let what = name(found.format);
            let path = found.path.display();
            Err(Failure::bad_input(format!(
                "{path}: not valid as {what}: {problem}"
            )))
        }
    }
}

fn print(found: &Inspection, out: &mut impl Write) -> io::Result<()> {
    let container = match found.container {
        Container::Npy => ".npy",
        Container::Npz => ".npz",
        Container::Aut => ".aut",
        Container::Tra => ".tra",
        Container::Boa => ".boa.txt",
        Container::Tsys => ".tsys",
        Container::Safetensors => ".safetensors",
        Container::Hdf5 => "HDF5",
    };
    let (path, size) = (found.path.display(), counted_bytes(found.bytes));
    writeln!(out, "{path}: {} ({container}, {size})", name(found.format))?;
    print_arrays(&found.arrays, out)?;
    if let Some(system) = &found.system {
        writeln!(
            out,
            "{}, {}, {}",
            counted(system.states, "state", "states"),
            counted(system.actions, "action", "actions"),
            counted(system.outputs, "output", "outputs"),
        )?;
    }
    for line in system_parts::described(&found.files, &found.columns, &[]) {
        writeln!(out, "{line}")?;
    }
    if let Some(episodes) = &found.episodes {
        print_episodes(episodes, out)?;
    }
    if let Some(names) = &found.action_names {
        print_action_names(names, out)?;
    }
    for note in &found.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

fn name(format: FileKind) -> &'static str {
    match format {
        FileKind::Trajectories => "trajectories",
        FileKind::System => "finite system",
        FileKind::Embeddings => "embeddings",
        FileKind::Arrays => "arrays",
    }
}

/// Prints a table whose columns are as wide as their widest entry.
fn print_arrays(arrays: &[ArrayRecord], out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<[String; 4]> = arrays
        .iter()
        .map(|array| {
            let shape = format!("{:?}", array.shape);
            [
                array.name.clone(),
                array.dtype.clone(),
                shape,
                values(array),
            ]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [names, dtypes, shapes] = [0, 1, 2].map(|column| width(column).unwrap_or(0));
    for [name, dtype, shape, values] in &rows {
        // The only array of a .npy file has no name, so its line begins with blanks.
        let line = format!("{name:names$}  {dtype:dtypes$}  {shape:shapes$}  {values}");
        writeln!(out, "  {}", line.trim())?;
    }
    Ok(())
}

/// Formats the range of the values, and the number of NaN and infinite ones.
fn values(array: &ArrayRecord) -> String {
    let range = match (array.min, array.max) {
        (Some(min), Some(max)) if min == max => format!("all {}", short(min)),
        (Some(min), Some(max)) => format!("{} to {}", short(min), short(max)),
        _ => String::new(),
    };
    match array.not_finite {
        0 => range,
        n => format!("{range}; {n} NaN or infinite")
            .trim_start_matches("; ")
            .to_owned(),
    }
}

/// Formats whole numbers exactly, others with up to five significant digits.
fn short(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..15).contains(&magnitude) {
        return format!("{value:.4e}");
    }
    let digits = format!("{value:.*}", (4 - magnitude).max(0) as usize);
    match digits.contains('.') {
        true => digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => digits,
    }
}

fn print_episodes(episodes: &EpisodeRecord, out: &mut impl Write) -> io::Result<()> {
    let EpisodeRecord {
        count,
        rows,
        shortest,
        longest,
        mean,
        terminal,
        timeout,
        ..
    } = episodes;
    writeln!(
        out,
        "{}, {}: {shortest} to {longest} an episode, {mean:.2} on average",
        counted(*count, "episode", "episodes"),
        counted(*rows, "observation", "observations"),
    )?;
    writeln!(out, "{terminal} ended by the world, {timeout} cut off")?;
    if let Some(states) = episodes.hidden_states {
        writeln!(out, "{}", counted(states, "hidden state", "hidden states"))?;
    }
    Ok(())
}

/// Prints the names by id; the last ones are left out if there are many.
fn print_action_names(names: &[String], out: &mut impl Write) -> io::Result<()> {
    const SHOWN: usize = 20;
    let rest = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        rest => format!(", and {rest} more"),
    };
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    writeln!(
        out,
        "{}: {}{rest}",
        counted(names.len(), "named action", "named actions"),
        shown.join(", ")
    )
}

fn counted_bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return counted(bytes as usize, "byte", "bytes");
    }
    let power = (bytes.ilog2() / 10).min(4);
    let value = bytes as f64 / f64::from(power * 10).exp2();
    format!("{value:.1} {}", UNITS[power as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [
            0.0,
            -1.0,
            225.0,
            0.5,
            -0.012_345_678,
            123_456.789,
            1e-9,
            2.5e20,
        ]
        .map(short);
        let expected = [
            "0",
            "-1",
            "225",
            "0.5",
            "-0.012346",
            "123457",
            "1.0000e-9",
            "2.5000e20",
        ];
        assert_eq!(shown, expected);
        let sizes = [1, 1023, 1024, 1_572_864, 1 << 50].map(counted_bytes);
        assert_eq!(
            sizes,
            ["1 byte", "1023 bytes", "1.0 KiB", "1.5 MiB", "1024.0 TiB"]
        );
    }
}
