//! Measures how long the oracle of recorded data takes to build and to answer.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tellapart_bisim::evidence::{Comparison, Distinguished, Episodes, Recording};
use tellapart_system::{ActionId, StateId, generate};
use tellapart_train::memory;

use crate::arguments::Arguments;
use crate::peak;

const ACTIONS: u64 = 4;

/// Measures the oracle over recordings whose observations are all different: its construction, and
/// its answers about random pairs of rows. A plain scan of the same pairs is timed too and must
/// give the same answers. Then measures its construction over walks through a tenth as many states,
/// whose observations recur. Options: `--steps` (rows), `--queries`, `--repeats` (of the queries).
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let rows = arguments.take("steps", 10_000_000)?;
    let queries = arguments.take("queries", 1_000_000)?;
    let repeats = arguments.take("repeats", 5)?;
    arguments.finish()?;

    println!(
        "{rows} recorded steps, {ACTIONS} actions, one thread; CPU time; {queries} queries, median of \
         {repeats} repeats [slowest, fastest]; peak memory over that of the columns"
    );
    println!(
        "episodes of  actions        build    memory   M queries/s            depth  plain scan"
    );
    for length in [1000, rows] {
        for stream in [Stream::Random, Stream::Periodic, Stream::Constant] {
            measure(rows, length, stream, queries, repeats)?;
        }
    }
    let states = (rows / 10).max(1);
    println!("random walks through {states} states, episodes of 1000:");
    for _ in 0..repeats {
        let built = built(&walk(rows, states)?)?;
        println!(
            "{:>11}  {:<9}  {:>7.2} s  {:>4} MiB",
            1000,
            "Random",
            built.seconds.as_secs_f64(),
            built.memory_mib
        );
    }
    Ok(())
}

/// Kind of sequence of actions and values of `p`.
#[derive(Clone, Copy, Debug)]
enum Stream {
    /// Random actions, with a reward in one of a thousand rows.
    Random,
    /// 100 000 random rows repeated again and again, so that long words agree.
    Periodic,
    /// One action and no reward except in the last row, so that all words agree.
    Constant,
}

struct Columns {
    observations: Vec<u32>,
    actions: Vec<u32>,
    values: Vec<u32>,
    ends: Vec<bool>,
}

fn measure(
    rows: usize,
    length: usize,
    stream: Stream,
    queries: usize,
    repeats: usize,
) -> Result<(), String> {
    let columns = columns(rows, length, stream);
    let Built {
        oracle,
        seconds,
        memory_mib,
    } = built(&columns)?;

    let pairs: Vec<[usize; 2]> = (0..queries as u64)
        .map(|query| [2 * query, 2 * query + 1].map(|draw| mix(!draw) as usize % rows))
        .collect();
    let mut rates: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = cpu_time();
            for &[a, b] in &pairs {
                black_box(oracle.compare(a, b));
            }
            queries as f64 / cpu_time().saturating_sub(start).as_secs_f64() / 1e6
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let (scan, depth) = scan(&columns, &oracle, &pairs)?;
    println!(
        "{length:>11}  {:<9}  {:>7.2} s  {memory_mib:>4} MiB  {:>5.2} [{:.2}, {:.2}]  {depth:>11.1}  {scan:.3}",
        format!("{stream:?}"),
        seconds.as_secs_f64(),
        rates[rates.len() / 2],
        rates[0],
        rates[rates.len() - 1],
    );
    Ok(())
}

struct Built {
    oracle: Distinguished,
    seconds: Duration,
    memory_mib: u64,
}

fn built(columns: &Columns) -> Result<Built, String> {
    let before = peak::reset();
    let start = cpu_time();
    let mut recording = Recording::new(ACTIONS as usize).map_err(|error| error.to_string())?;
    let appended = recording.append(&Episodes {
        observations: &columns.observations,
        actions: &columns.actions,
        values: &columns.values,
        ends: &columns.ends,
        ..Episodes::default()
    });
    appended.map_err(|error| error.to_string())?;
    let oracle = Distinguished::new(recording);
    Ok(Built {
        oracle,
        seconds: cpu_time().saturating_sub(start),
        memory_mib: memory::peak_mib().unwrap_or(0).saturating_sub(before),
    })
}

/// Records random walks through a random system, each state with its own observation. One output of
/// a thousand is rewarded.
fn walk(rows: usize, states: usize) -> Result<Columns, String> {
    let system = generate::random(1, states, ACTIONS as usize, 1000);
    let system = system.map_err(|error| error.to_string())?;
    let mut columns = columns(rows, 1000, Stream::Random);
    let mut number = vec![u32::MAX; states];
    let (mut state, mut seen) = (StateId::new(0), 0);
    for row in 0..rows {
        let number = &mut number[state.index()];
        if *number == u32::MAX {
            *number = seen;
            seen += 1;
        }
        columns.observations[row] = *number;
        columns.values[row] = u32::from(system.output(state).get() == 0);
        state = if columns.ends[row] {
            StateId::from_index(mix(row as u64) as usize % states)
        } else {
            system.successor(state, ActionId::new(columns.actions[row]))
        };
    }
    Ok(columns)
}

fn columns(rows: usize, length: usize, stream: Stream) -> Columns {
    let draw = |row: usize| match stream {
        Stream::Random => mix(row as u64),
        Stream::Periodic => mix(row as u64 % 100_000),
        Stream::Constant => 1,
    };
    Columns {
        observations: (0..rows as u32).collect(),
        actions: (0..rows).map(|row| (draw(row) % ACTIONS) as u32).collect(),
        values: (0..rows)
            .map(|row| {
                u32::from(
                    (draw(row) >> 32).is_multiple_of(1000) && draw(row) != 1 || row + 1 == rows,
                )
            })
            .collect(),
        ends: (0..rows)
            .map(|row| (row + 1).is_multiple_of(length))
            .collect(),
    }
}

/// Compares as many of the pairs as a second allows, row by row. Returns the rate in millions of
/// pairs a second and the mean number of actions after which a comparison ends.
fn scan(
    columns: &Columns,
    oracle: &Distinguished,
    pairs: &[[usize; 2]],
) -> Result<(f64, f64), String> {
    let Columns {
        actions,
        values,
        ends,
        ..
    } = columns;
    let start = Instant::now();
    let mut found = Vec::new();
    for &[a, b] in pairs.iter().filter(|[a, b]| a != b) {
        let mut step = 0;
        let differ = loop {
            let (a, b) = (a + step, b + step);
            if values[a] != values[b] {
                break true;
            }
            if ends[a] || ends[b] || actions[a] != actions[b] {
                break false;
            }
            step += 1;
        };
        found.push(([a, b], differ, step));
        if start.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
    let rate = found.len() as f64 / start.elapsed().as_secs_f64() / 1e6;
    for &([a, b], differ, step) in &found {
        let same = match oracle.compare(a, b) {
            Comparison::Distinguished(witness) => differ && witness.len() == step,
            Comparison::NotDistinguished(agreement) => !differ && agreement.depth == step,
            _ => false,
        };
        if !same {
            return Err(format!(
                "rows {a} and {b}: the oracle and the scan do not agree"
            ));
        }
    }
    let steps: usize = found.iter().map(|(_, _, step)| step).sum();
    Ok((rate, steps as f64 / found.len() as f64))
}

/// SplitMix64 as a random-access generator.
fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Returns the CPU time of this thread, or wall time where the system does not report it.
fn cpu_time() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedule.and_then(|text| text.split_whitespace().next()?.parse().ok());
    match nanoseconds {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default(),
    }
}
