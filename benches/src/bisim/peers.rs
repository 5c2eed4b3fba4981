//! Other programs that compute the same partition.
//!
//! `benches/peers/README.md` says how to install them and which input each gets.

use std::path::{Path, PathBuf};

use super::formats;
use super::process::{Measured, Program, Reading, Run};

pub(super) struct Peer {
    pub(super) name: &'static str,
    /// Advice for installing it, printed where it is not found.
    hint: &'static str,
    find: fn() -> Option<Program>,
    /// Name of the input file.
    pub(super) input: &'static str,
    pub(super) format: &'static str,
    /// Whether systems with this number of actions can be expressed.
    pub(super) takes: fn(usize) -> bool,
    /// Prepares the input, outside the measurement, and returns the file to measure on.
    pub(super) prepare: fn(&Program, PathBuf) -> Result<PathBuf, String>,
    pub(super) measure: fn(&Program, &Path) -> Result<Measured, String>,
}

static PEERS: [Peer; 5] = [
    Peer {
        name: "merc",
        hint: "build benches/peers/merc, or set MERC_BISIM to its program",
        find: || find("MERC_BISIM", "merc-bisim"),
        input: "system.aut",
        format: "aut",
        takes: |_| true,
        prepare: |_, input| Ok(input),
        measure: |program, input| Measured::from_phases(&program.run(&[], input)?),
    },
    Peer {
        name: "Storm",
        hint: "pip install stormpy, or set STORM_PYTHON to a Python that has it",
        find: storm,
        input: "system.tra",
        format: "markov-chain",
        takes: |actions| formats::weights(actions).is_some(),
        prepare: |_, input| Ok(input),
        measure: |program, input| Measured::from_phases(&program.run(&[], input)?),
    },
    Peer {
        name: "OpenFst",
        hint: "install Debian's libfst-tools, or set FSTMINIMIZE to its fstminimize",
        find: || find("FSTMINIMIZE", "fstminimize"),
        input: "system.fst.txt",
        format: "openfst",
        takes: |_| true,
        prepare: compile_openfst,
        measure: openfst,
    },
    Peer {
        name: "Boa",
        hint: "in no package registry; set BOA to its program",
        find: || find("BOA", "boa"),
        input: "system.boa.txt",
        format: "boa",
        takes: |_| true,
        prepare: |_, input| Ok(input),
        measure: boa,
    },
    Peer {
        name: "mCRL2",
        hint: "in no package registry; set LTSCONVERT to its ltsconvert",
        find: || find("LTSCONVERT", "ltsconvert"),
        input: "system.aut",
        format: "aut",
        takes: |_| true,
        prepare: |_, input| Ok(input),
        measure: mcrl2,
    },
];

/// Returns the peers that are installed, and prints how to install the others.
pub(super) fn look() -> Vec<(&'static Peer, Program)> {
    PEERS
        .iter()
        .filter_map(|peer| {
            let program = (peer.find)();
            if program.is_none() {
                println!("not found: {}: {}", peer.name, peer.hint);
            }
            Some((peer, program?))
        })
        .collect()
}

/// Returns the program that the environment variable names, or else the program `name` on PATH.
fn find(variable: &str, name: &str) -> Option<Program> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(Program::new(path));
    }
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())?;
    Some(Program::new(found))
}

/// Returns a Python that has stormpy, with the script `peers/storm.py`.
fn storm() -> Option<Program> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/storm.py");
    let python = find("STORM_PYTHON", "python3")?.with(script);
    python.run(&["--check"], Path::new("")).ok()?;
    Some(python)
}

/// Compiles OpenFst's text form, so that the measured program reads a binary file.
fn compile_openfst(program: &Program, input: PathBuf) -> Result<PathBuf, String> {
    let compiled = input.with_extension("fst");
    let compile = program.sibling("fstcompile").with("--acceptor=true");
    compile.run(&[&input.to_string_lossy()], &compiled)?;
    Ok(compiled)
}

fn openfst(program: &Program, input: &Path) -> Result<Measured, String> {
    let minimized = input.with_extension("minimized");
    let run = program.run(&[&input.to_string_lossy()], &minimized)?;
    let told = program.sibling("fstinfo").run(&[], &minimized)?;
    // The state that leads to all others is a class of its own.
    let classes = told.count("# of states")?.saturating_sub(1);
    Ok(whole(&run, classes))
}

/// Runs Boa, which prints the wall time of its phases.
fn boa(program: &Program, input: &Path) -> Result<Measured, String> {
    let run = program.run(&["nlogn"], input)?;
    let read = run.output.split_once("Parsing done").map(|(_, rest)| rest);
    let read = read.and_then(|rest| rest.split_once(" in ")?.1.split_whitespace().next());
    let read: Option<f64> = read.and_then(|seconds| seconds.parse().ok());
    let read = read.ok_or("Boa did not say how long it read")?;
    let mut measured = whole(&run, run.count("Number of partitions:")?);
    measured.computed = (measured.computed - read).max(0.0);
    measured.reading = Reading::Apart(read);
    Ok(measured)
}

fn mcrl2(program: &Program, input: &Path) -> Result<Measured, String> {
    let reduced = input.with_extension("reduced.aut");
    let words = [
        "--equivalence=bisim",
        "--no-reach",
        &input.to_string_lossy(),
    ];
    let run = program.run(&words, &reduced)?;
    // The header of the file is `des (initial, transitions, states)`.
    let text = std::fs::read_to_string(&reduced).map_err(|error| error.to_string())?;
    let header = text.lines().next().unwrap_or_default();
    let states = header.rsplit(',').next().unwrap_or_default();
    let states = states.trim_matches(|letter: char| !letter.is_ascii_digit());
    let classes = states
        .parse()
        .map_err(|_| format!("no header of .aut: {header}"))?;
    Ok(whole(&run, classes))
}

fn whole(run: &Run, classes: usize) -> Measured {
    Measured {
        classes,
        computed: run.cpu_seconds,
        reading: Reading::Included,
        wall: run.wall_seconds,
        path: run.cpu_seconds,
        peak_mib: run.peak_mib,
    }
}
