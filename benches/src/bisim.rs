//! How long does the largest bisimulation take?

use std::time::Duration;

use cpu_time::ProcessTime;
use tellapart_bisim::{SplittingTree, largest_bisimulation};
use tellapart_system::{MooreMachine, SystemError, generate};
use tellapart_train::memory;

use crate::arguments::Arguments;
use crate::peak;

/// Name, and how it is made of the number of states.
const SYSTEMS: [(&str, Make); 6] = [
    ("random, 2 actions", |n| generate::random(1, n, 2, 2)),
    ("random, 4 actions", |n| generate::random(1, n, 4, 2)),
    ("counter, ids in order", generate::counter),
    ("counter, ids shuffled", |n| {
        generate::shuffled(&generate::counter(n)?, 1)
    }),
    ("9 counts with nuisances", |n| {
        generate::with_nuisances(&generate::counter(9)?, n / 9, 7)
    }),
    ("all states alike", |n| generate::random(1, n, 2, 1)),
];

type Make = fn(usize) -> Result<MooreMachine, SystemError>;

/// The largest bisimulation of generated systems, beside the smaller half alone, which also finds all
/// shortest witnesses; the two must agree. `--states`, `--repeats`.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let states = arguments.take("states", 1_000_000)?;
    let repeats = arguments.take("repeats", 5)?;
    arguments.finish()?;

    println!(
        "{states} states, {} threads; CPU time, median of {repeats} [fastest, slowest]; peak memory of the \
         process, the system included",
        std::env::var("RAYON_NUM_THREADS").unwrap_or("all".to_owned())
    );
    println!(
        "system                      classes  largest bisimulation    peak  smaller half alone"
    );
    for (name, make) in SYSTEMS {
        let machine = make(states).map_err(|error| error.to_string())?;
        peak::reset();
        let classes = largest_bisimulation(&machine);
        let peak = memory::peak_mib().unwrap_or(0);
        let ours = times(repeats, || drop(largest_bisimulation(&machine)));
        let tree = times(repeats, || drop(SplittingTree::new(&machine)));
        if SplittingTree::new(&machine).partition() != classes {
            return Err(format!("{name}: the two methods disagree"));
        }
        println!(
            "{name:24} {:>10}  {}  {peak:4} MiB  {}",
            classes.blocks(),
            shown(&ours),
            shown(&tree)
        );
    }
    Ok(())
}

/// CPU times of the process, ascending.
fn times(repeats: usize, mut job: impl FnMut()) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..repeats)
        .map(|_| {
            let start = ProcessTime::now();
            job();
            start.elapsed()
        })
        .collect();
    times.sort();
    times
}

fn shown(times: &[Duration]) -> String {
    let at = |index: usize| times.get(index).map_or(0.0, Duration::as_secs_f64);
    let last = times.len().saturating_sub(1);
    format!("{:.3} [{:.3}, {:.3}] s", at(last / 2), at(0), at(last))
}
