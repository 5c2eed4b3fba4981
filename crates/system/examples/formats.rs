//! Measures how fast systems are read and written: `cargo run --release -p tellapart-system
//! --example formats [STATES [ACTIONS [FOLDER]]]`.
//!
//! Prints, for each format, the median CPU time of the thread over five rounds, with the fastest
//! and the slowest. Formats take turns. The baseline reads the same file into memory and does
//! nothing with it.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::path::{Path, PathBuf};

use tellapart_system::{Format, MooreMachine, generate, read, write};

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let states = words.next().map_or(Ok(1_000_000), |word| word.parse())?;
    let actions = words.next().map_or(Ok(2), |word| word.parse())?;
    let folder = PathBuf::from(words.next().unwrap_or_else(|| ".".to_owned()));
    let folder = tempfile::tempdir_in(folder)?;
    let machine = generate::random(1, states, actions, 2)?;
    let names = (0..actions).map(|action| format!("a{action}")).collect();
    let machine = machine.with_action_names(names)?;

    let names = ["s.aut", "s.tra", "s.boa.txt", "s.npz", "s.tsys"];
    let paths = names.map(|name| folder.path().join(name));
    let mut times = vec![[Vec::new(), Vec::new(), Vec::new()]; names.len()];
    for _ in 0..ROUNDS {
        for (path, [writing, reading, plain]) in paths.iter().zip(&mut times) {
            writing.push(timed(|| write::any(&machine, path))?);
            reading.push(timed(|| {
                read::any(path).map(|found| check(&found, &machine))
            })?);
            plain.push(timed(|| bytes_of(path))?);
        }
    }
    println!(
        "{states} states, {actions} actions; CPU milliseconds, median (fastest-slowest) of {ROUNDS}"
    );
    println!("format        MB        written            read    MB/s    bytes only");
    for (path, [writing, reading, plain]) in paths.iter().zip(&mut times) {
        let files = Format::of(path)
            .and_then(|format| format.files(path).ok())
            .unwrap_or_default();
        let sizes = files.iter().filter_map(|file| std::fs::metadata(file).ok());
        let megabytes = sizes.map(|file| file.len() as f64).sum::<f64>() / 1e6;
        let speed = megabytes / median(reading) * 1e3;
        println!(
            "{:9} {megabytes:6.1}  {}  {}  {speed:6.0}  {}",
            name(path),
            shown(writing),
            shown(reading),
            shown(plain),
        );
    }
    Ok(())
}

/// Reads all files of a system into memory, without parsing them.
fn bytes_of(path: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let files = Format::of(path)
        .and_then(|format| format.files(path).ok())
        .unwrap_or_default();
    let files = files.iter().filter(|file| file.exists());
    files.map(std::fs::read).collect()
}

fn check(found: &MooreMachine, expected: &MooreMachine) {
    assert_eq!(found.states(), expected.states());
}

/// Returns the milliseconds of CPU time that `work` takes on this thread.
fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<f64, E> {
    let start = cpu_milliseconds();
    let result = work()?;
    let time = cpu_milliseconds() - start;
    drop(result);
    Ok(time)
}

fn cpu_milliseconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn shown(times: &mut [f64]) -> String {
    let middle = median(times);
    format!(
        "{middle:6.0} ({:.0}-{:.0})",
        times[0],
        times[times.len() - 1]
    )
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
