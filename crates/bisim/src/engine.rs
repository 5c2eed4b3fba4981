//! The coarsest stable refinement of a partition: rounds while they pay, then the smaller half.
//!
//! Three methods, each exact, each going on where the one before left off:
//!
//! * [`narrow`]: rounds with ids of one byte and tables of codes, up to 256 blocks;
//! * [`wide`]: rounds that compare every state with the first of its block, and hash those that differ;
//! * [`tail`]: smaller-half refinement of the states that still share a block.
//!
//! Rounds go over memory in order and gather what they need without waiting for it, but look at
//! everything that is not alone yet; the smaller half looks only at what changes, but jumps about.
//! [`purse`] decides when to change, by what a round achieved.

mod movers;
mod narrow;
mod purse;
mod tail;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]
mod tests;
mod wide;

use crate::Partition;
use crate::rows::{BlockNumber, Rows};
use narrow::Narrow;
use purse::Purse;

/// Refines the partition by `initial`, ids below `blocks` without gaps, until states of one block lead,
/// place by place, to states of one block.
///
/// States of one initial block must have rows of one length.
pub(crate) fn coarsest_stable<Id: BlockNumber>(
    rows: &impl Rows,
    initial: &[Id],
    blocks: usize,
) -> Partition {
    refine(rows, initial, blocks, Methods::new(rows))
}

/// What is tried before the smaller half.
struct Methods {
    narrow: bool,
    hash_mask: u32,
    purse: Purse,
}

impl Methods {
    fn new(rows: &impl Rows) -> Self {
        Self {
            narrow: true,
            hash_mask: u32::MAX,
            purse: Purse::new(rows.states(), rows.transitions()),
        }
    }
}

fn refine<Id: BlockNumber>(
    rows: &impl Rows,
    initial: &[Id],
    blocks: usize,
    methods: Methods,
) -> Partition {
    if blocks == 1 || blocks == rows.states() {
        return Partition::from_dense_labels(initial, blocks);
    }
    let Methods {
        narrow,
        hash_mask,
        mut purse,
    } = methods;
    let rounds = if !narrow || blocks > narrow::MOST_BLOCKS {
        wide::refine(rows, initial, hash_mask, &mut purse)
    } else {
        match narrow::refine(rows, initial, blocks, &mut purse) {
            Narrow::Stable { ids, blocks } => return Partition::from_dense_labels(&ids, blocks),
            Narrow::Unprofitable(ids) => wide::Wide::labelled(&ids),
            Narrow::Bytes(ids) => wide::refine(rows, ids, hash_mask, &mut purse),
            Narrow::Words(ids) => wide::refine(rows, ids, hash_mask, &mut purse),
        }
    };
    let mut labels = rounds.labels;
    if !rounds.stable {
        tail::refine(rows, &mut labels);
    }
    Partition::from_first_states(labels)
}
