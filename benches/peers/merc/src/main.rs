//! `merc-bisim FILE.aut` runs the strong bisimulation of merc
//! (<https://crates.io/crates/merc_reduction>) and prints the CPU time of reading and of reducing
//! separately.

use std::fs::File;

use cpu_time::ProcessTime;
use merc_lts::read_aut;
use merc_reduction::strong_bisim_sigref;
use merc_utilities::{MercError, Timing};

fn main() -> Result<(), MercError> {
    let path = std::env::args().nth(1).ok_or("usage: merc-bisim FILE.aut")?;
    let start = ProcessTime::now();
    let lts = read_aut(File::open(&path).map_err(|error| format!("{path}: {error}"))?)?;
    let read = start.elapsed();
    let start = ProcessTime::now();
    let (_, partition) = strong_bisim_sigref(lts, &Timing::new());
    let computed = start.elapsed();
    println!("classes {}", partition.num_of_blocks());
    println!("read {:.6}", read.as_secs_f64());
    println!("computed {:.6}", computed.as_secs_f64());
    Ok(())
}
