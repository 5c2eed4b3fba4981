//! Measures the largest bisimulation of generated systems, in tellapart and in other programs.

mod child;
mod formats;
mod peers;
mod process;
mod row;

pub(crate) use child::{NAME as CHILD, run as child};

use std::path::Path;

use crate::arguments::Arguments;
use peers::Peer;
use process::{Measured, Program, Reading};
use row::{ROWS, Row};

/// Measures generated systems with [`tellapart_bisim::largest_bisimulation`] on one thread and on
/// two, with Hopcroft (smaller-half) refinement alone, and with every peer that is installed. All
/// must find the same number of classes.
///
/// Every measurement runs in its own process, so that peak memory is counted separately. tellapart
/// maps `.tsys` files; peers read their own formats. Options: `--states`, `--repeats` (of
/// tellapart), `--peer-repeats`, `--large 1` (adds the rows of ten times as many states),
/// `--only N` (row N alone), `--peers 0` (no peers).
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let states = arguments.take("states", 1_000_000)?;
    let repeats = arguments.take("repeats", 3)?;
    let peer_repeats = arguments.take("peer-repeats", repeats)?;
    let large = arguments.switch("large", false)?;
    let only = arguments.take("only", 0)?;
    let with_peers = arguments.switch("peers", true)?;
    arguments.finish()?;

    let peers = if with_peers {
        peers::look()
    } else {
        Vec::new()
    };
    println!(
        "CPU time of the computation, median of {repeats} runs, {peer_repeats} of peers, [fastest, slowest]; peak memory of the process, the \
         system included; {} cores",
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    let bench = Bench {
        ours: Program::this(CHILD)?,
        states: states.to_string(),
        repeats,
        peer_repeats,
        peers,
    };
    for (number, row) in (1..).zip(ROWS) {
        if number == only || only == 0 && (large || !row.large) {
            let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
            bench.row(number, row, folder.path())?;
        }
    }
    Ok(())
}

struct Bench {
    ours: Program,
    states: String,
    repeats: usize,
    peer_repeats: usize,
    peers: Vec<(&'static Peer, Program)>,
}

impl Bench {
    fn row(&self, number: usize, row: &Row, folder: &Path) -> Result<(), String> {
        let make = |format: &str, path: &Path| {
            let words = ["make", &number.to_string(), &self.states, format];
            self.ours.run(&words, path)
        };
        let system = folder.join("system.tsys");
        let made = make("tsys", &system)?;
        println!("\n{number}. {}: {}", row.name, made.output.trim());

        let compute = |method: &str, threads: usize| {
            let ours = self.ours.on_threads(threads);
            repeated(self.repeats, || {
                Measured::from_phases(&ours.run(&["compute", method], &system)?)
            })
        };
        let one = compute("engine", 1)?;
        one.print("tellapart", one.classes);
        let two = compute("engine", 2)?;
        two.print("tellapart, 2 threads", one.classes);
        println!(
            "  {:22} {:8.3} s by the clock ({:.3} on one thread), {:.3} s on the longest path ({:.3})",
            "", two.wall, one.wall, two.path, one.path
        );
        let verified = self.ours.run(&["compute", "verified"], &system)?;
        println!(
            "  {:22} {:8.3} s for verify, {:.3} s for verify_coarsest with it; {} MiB",
            "checked",
            verified.number("verify ").unwrap_or(0.0),
            verified.number("verify_coarsest ").unwrap_or(0.0),
            verified.peak_mib
        );
        compute("smaller-half", 1)?.print("smaller half alone", one.classes);

        let actions = made.number("states, ").unwrap_or(0.0) as usize;
        for (peer, program) in &self.peers {
            if !(peer.takes)(actions) {
                println!("  {:22} cannot express it", peer.name);
                continue;
            }
            let input = folder.join(peer.input);
            make(peer.format, &input)?;
            let repeated = (peer.prepare)(program, input)
                .and_then(|input| repeated(self.peer_repeats, || (peer.measure)(program, &input)));
            match repeated {
                Ok(repeated) => {
                    repeated.print(peer.name, one.classes);
                    repeated.print_ratio(&one);
                }
                Err(problem) => println!("  {:22} {problem}", peer.name),
            }
        }
        Ok(())
    }
}

fn repeated(
    repeats: usize,
    mut run: impl FnMut() -> Result<Measured, String>,
) -> Result<Repeated, String> {
    let runs: Vec<Measured> = (0..repeats).map(|_| run()).collect::<Result<_, _>>()?;
    let first = runs.first().ok_or("nothing was measured")?;
    let mut computed: Vec<f64> = runs.iter().map(|run| run.computed).collect();
    computed.sort_by(f64::total_cmp);
    Ok(Repeated {
        classes: first.classes,
        reading: first.reading,
        path: runs.iter().map(|run| run.path).fold(first.path, f64::min),
        wall: runs.iter().map(|run| run.wall).fold(first.wall, f64::min),
        peak_mib: runs.iter().map(|run| run.peak_mib).max().unwrap_or(0),
        computed,
    })
}

/// Results of several runs of one measurement.
struct Repeated {
    classes: usize,
    /// CPU seconds of all runs, ascending.
    computed: Vec<f64>,
    /// Time of reading the input in the first run.
    reading: Reading,
    /// Wall seconds of the fastest run.
    wall: f64,
    path: f64,
    peak_mib: u64,
}

impl Repeated {
    /// CPU seconds: median, fastest and slowest run.
    fn spread(&self) -> [f64; 3] {
        let at = |index: usize| self.computed.get(index).copied().unwrap_or(0.0);
        let last = self.computed.len().saturating_sub(1);
        [at(last / 2), at(0), at(last)]
    }

    /// How many times as long as `base`: of the medians, then the least and most of two single
    /// runs.
    fn print_ratio(&self, base: &Self) {
        let [median, fastest, slowest] = self.spread();
        let [base_median, base_fastest, base_slowest] = base.spread();
        println!(
            "  {:22} {:8.2} [{:.2}, {:.2}] times as long",
            "",
            median / base_median,
            fastest / base_slowest,
            slowest / base_fastest
        );
    }

    fn print(&self, name: &str, expected: usize) {
        let [median, fastest, slowest] = self.spread();
        let reading = match self.reading {
            Reading::Nothing => String::new(),
            Reading::Apart(seconds) => format!("; reading {seconds:.2} s"),
            Reading::Included => "; reading included".to_owned(),
        };
        let classes = if self.classes == expected {
            format!("{expected} classes")
        } else {
            format!("{} classes, BUT {expected} EXPECTED", self.classes)
        };
        println!(
            "  {name:22} {median:8.3} [{fastest:.3}, {slowest:.3}] s {:6} MiB; {classes}{reading}",
            self.peak_mib
        );
    }
}
