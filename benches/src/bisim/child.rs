//! Child process of the `bisim` benchmark: makes a system, or computes its bisimulation.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use cpu_time::ProcessTime;
use tellapart_bisim::{SplittingTree, largest_bisimulation, verify, verify_coarsest};
use tellapart_system::{read, write};

use super::formats;
use super::row::{Make, ROWS};

/// Hidden name of this mode of the program.
pub(crate) const NAME: &str = "bisim-child";

/// Runs `make ROW STATES FORMAT FILE` or `compute METHOD FILE`.
pub(crate) fn run(words: &[String]) -> Result<(), String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["make", row, states, format, file] => {
            let row = row.parse::<usize>().ok();
            let row = row.and_then(|row| ROWS.get(row.checked_sub(1)?));
            let row = row.ok_or("there is no such row")?;
            let states = states.parse().map_err(|_| "not a number of states")?;
            make(row.make, states, format, Path::new(file)).map_err(|error| error.to_string())
        }
        ["compute", method, file] => compute(method, Path::new(file)),
        _ => Err("this mode is for the benchmark `bisim` alone".to_owned()),
    }
}

fn make(
    make: Make,
    states: usize,
    format: &str,
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let machine = make(states)?;
    match format {
        "openfst" => formats::openfst(&machine, file)?,
        "markov-chain" => formats::markov_chain(&machine, file)?,
        _ => write::any(&machine, file)?,
    }
    println!(
        "{} states, {} actions, {} outputs",
        machine.states(),
        machine.actions(),
        machine.outputs()
    );
    Ok(())
}

/// Computes the bisimulation and prints the phases as `Measured::from_phases` expects them.
fn compute(method: &str, file: &Path) -> Result<(), String> {
    let start = ProcessTime::now();
    let machine = read::any(file).map_err(|error| error.to_string())?;
    let read = start.elapsed();
    // Starts the threads of the pool, which starts lazily, before anything is timed.
    rayon::join(|| (), || ());
    let before = thread_times();
    let clock = Instant::now();
    let start = ProcessTime::now();
    let classes = match method {
        "smaller-half" => SplittingTree::new(&machine).partition(),
        _ => largest_bisimulation(&machine),
    };
    let computed = start.elapsed();
    let wall = clock.elapsed();
    println!("classes {}", classes.blocks());
    println!("opened {:.6}", read.as_secs_f64());
    println!("computed {:.6}", computed.as_secs_f64());
    println!("wall {:.6}", wall.as_secs_f64());
    if let Some((before, after)) = before.zip(thread_times()) {
        println!("path {:.6}", longest_path(&before, &after));
    }
    if method == "verified" {
        let start = ProcessTime::now();
        verify(&machine, &classes).map_err(|error| error.to_string())?;
        println!("verify {:.6}", start.elapsed().as_secs_f64());
        let start = ProcessTime::now();
        verify_coarsest(&machine, &classes).map_err(|error| error.to_string())?;
        println!("verify_coarsest {:.6}", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Returns the CPU seconds of every thread by its id, where the system reports them.
fn thread_times() -> Option<BTreeMap<u32, f64>> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let times = tasks.flatten().filter_map(|task| {
        let schedule = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        let nanoseconds: f64 = schedule.split_whitespace().next()?.parse().ok()?;
        let number = task.file_name().to_str()?.parse().ok()?;
        Some((number, nanoseconds / 1e9))
    });
    Some(times.collect())
}

/// Returns the CPU seconds of the main thread, which does the serial work, plus those of the
/// busiest other thread. It is the wall time to expect if no other program competed for the cores.
fn longest_path(before: &BTreeMap<u32, f64>, after: &BTreeMap<u32, f64>) -> f64 {
    let spent = |(number, time): (&u32, &f64)| time - before.get(number).unwrap_or(&0.0);
    let own = std::process::id();
    let main = after.get_key_value(&own).map_or(0.0, spent);
    let others = after
        .iter()
        .filter(|&(&number, _)| number != own)
        .map(spent);
    main + others.fold(0.0, f64::max)
}
