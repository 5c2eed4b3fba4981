//! The coarsest stable refinement of a partition: rounds while they pay, then Hopcroft
//! (smaller-half) refinement.
//!
//! Three methods, each exact, each going on where the one before left off:
//!
//! - [`dense_passes`]: passes with ids of one or two bytes and tables of codes, while there are few
//!   blocks;
//! - [`hashed_rounds`]: rounds that compare every state with the first of its block, and hash those
//!   that differ;
//! - [`hopcroft`]: smaller-half refinement of the states that still share a block.
//!
//! Rounds read memory in order and overlap their gathers, but visit every state that still shares a
//! block. Hopcroft refinement visits only what changes, but jumps about in memory.
//!
//! [`round_budget`] decides when to change, by what a round achieved, and documents the
//! measurements behind it. Random systems of a million states take 0.05 s in rounds and 0.9 s by
//! Hopcroft refinement alone. A shuffled Fibonacci cycle, in which hardly anything splits in a
//! round, takes 0.4 s by Hopcroft refinement and half a minute in rounds.

mod dense_passes;
mod hashed_rounds;
mod hopcroft;
mod regroup;
mod round_budget;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]
mod tests;

use crate::Partition;
use crate::rows::{BlockNumber, Rows};
use crate::stop::Stop;
use dense_passes::{Ids, NarrowId, PassesEnd, narrowed};
use round_budget::RoundBudget;

/// Refines the partition by `initial` until states of one block lead, place by place, to states of
/// one block. `initial` are ids below `blocks` without gaps.
///
/// States of one initial block must have rows of one length.
pub(crate) fn coarsest_stable<Id: BlockNumber, S: Stop>(
    rows: &impl Rows,
    initial: &[Id],
    blocks: usize,
    stop: &S,
) -> Result<Partition, S::Error> {
    refine(rows, initial, blocks, Methods::new(rows), stop)
}

/// Methods to try before Hopcroft refinement.
struct Methods {
    dense: bool,
    hash_mask: u32,
    budget: RoundBudget,
}

impl Methods {
    fn new(rows: &impl Rows) -> Self {
        Self {
            dense: true,
            hash_mask: u32::MAX,
            budget: RoundBudget::new(rows.states(), rows.transitions()),
        }
    }
}

fn refine<Id: BlockNumber, S: Stop>(
    rows: &impl Rows,
    initial: &[Id],
    blocks: usize,
    methods: Methods,
    stop: &S,
) -> Result<Partition, S::Error> {
    stop.check()?;
    if blocks == 1 || blocks == rows.states() {
        return Ok(Partition::from_dense_labels(initial, blocks));
    }
    if methods.dense && blocks <= u8::MOST_BLOCKS {
        by_passes(rows, narrowed::<u8>(initial, blocks), methods, stop)
    } else if methods.dense && blocks <= u16::MOST_BLOCKS {
        by_passes(rows, narrowed::<u16>(initial, blocks), methods, stop)
    } else {
        by_rounds(rows, initial, methods, stop)
    }
}

fn by_passes<Id: NarrowId, S: Stop>(
    rows: &impl Rows,
    mut ids: Ids<Id>,
    mut methods: Methods,
    stop: &S,
) -> Result<Partition, S::Error> {
    match dense_passes::refine(rows, &mut ids, &mut methods.budget, stop)? {
        PassesEnd::Stable => Ok(Partition::from_dense_labels(&ids.of, ids.blocks)),
        PassesEnd::Unprofitable => {
            by_hopcroft(rows, hashed_rounds::labels(&ids.of, ids.blocks), stop)
        }
        PassesEnd::Unwieldy => by_rounds(rows, ids.of, methods, stop),
        PassesEnd::Outgrown(wider, blocks) => {
            drop(ids);
            if blocks <= u16::MOST_BLOCKS {
                by_passes(rows, narrowed::<u16>(&wider, blocks), methods, stop)
            } else {
                by_rounds(rows, wider, methods, stop)
            }
        }
    }
}

fn by_rounds<Id: BlockNumber, S: Stop>(
    rows: &impl Rows,
    ids: impl AsRef<[Id]> + Sync,
    mut methods: Methods,
    stop: &S,
) -> Result<Partition, S::Error> {
    let rounds = hashed_rounds::refine(rows, ids, methods.hash_mask, &mut methods.budget, stop)?;
    if rounds.stable {
        Ok(Partition::from_first_states(rounds.labels))
    } else {
        by_hopcroft(rows, rounds.labels, stop)
    }
}

fn by_hopcroft<S: Stop>(
    rows: &impl Rows,
    mut labels: Vec<u32>,
    stop: &S,
) -> Result<Partition, S::Error> {
    hopcroft::refine(rows, &mut labels, stop)?;
    stop.check()?;
    Ok(Partition::from_first_states(labels))
}
