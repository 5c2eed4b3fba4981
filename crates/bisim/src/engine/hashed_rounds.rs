//! Rounds while there are many blocks: every state against the first of its block.
//!
//! The *label* of a state is the first state of its block. In a round, states that agree with the
//! first of their block on the labels of all successors stay. The others move, in groups of equal
//! (label, hash of successors' labels), and each group is a new block. States that are alone in
//! their block are left out of all further rounds.
//!
//! That is exact, however bad the hash. States are separated only if their successors' labels
//! differ. A collision may leave two states together that should be separated. But successors'
//! labels, once different, stay different. So in the next round the later of the two fails the
//! comparison with the first of their common block, and moves. The last round finds, by comparing
//! nothing but labels, that every state agrees with the first of its block: the partition is
//! stable.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rayon::prelude::*;
use tellapart_system::StateId;

use super::regroup::{Bins, Mover, regroup};
use super::round_budget::{RoundBudget, halvings_left};
use crate::rows::{BlockNumber, Rows};
use crate::stop::Stop;

/// Number of states that are processed at once.
const CHUNK: usize = 1 << 16;

/// Number of states whose successors are gathered before anything branches on them: a mispredicted
/// branch discards the gathers behind it.
const BATCH: usize = 1 << 8;

/// Labels, and whether they are known to be stable.
pub(crate) struct Wide {
    pub(crate) labels: Vec<u32>,
    pub(crate) stable: bool,
}

/// Returns the labels of the partition by `ids`, which are below `blocks`.
pub(crate) fn labels<Id: BlockNumber>(ids: &[Id], blocks: usize) -> Vec<u32> {
    let mut first = vec![None; blocks];
    let numbers = ids.iter().map(|id| id.number() as usize);
    let label = |(state, id): (u32, usize)| *first[id].get_or_insert(state);
    (0..).zip(numbers).map(label).collect()
}

/// Labels and sizes of blocks. They are atomic because groups, which are processed in parallel,
/// write to wherever their members are. No state is in two groups, so the results do not depend on
/// any order.
pub(super) struct Blocks {
    pub(super) label: Vec<AtomicU32>,
    /// Number of states of the block, stored at its first state.
    pub(super) size: Vec<AtomicU32>,
}

impl Blocks {
    #[inline]
    fn label(&self, state: StateId) -> u32 {
        self.label[state.index()].load(Relaxed)
    }

    fn is_shared(&self, state: u32) -> bool {
        let first = self.label[state as usize].load(Relaxed) == state;
        !first || self.size[state as usize].load(Relaxed) > 1
    }

    /// Returns the halvings left, summed over the states of the blocks whose first states are among
    /// `states`.
    fn halvings_left(&self, states: &[u32]) -> u64 {
        let chunks = states.par_chunks(CHUNK).map(|states| {
            let first = |&&state: &&u32| self.label[state as usize].load(Relaxed) == state;
            let size = |&state: &u32| self.size[state as usize].load(Relaxed);
            halvings_left(states.iter().filter(first).map(size))
        });
        chunks.sum()
    }
}

/// Refines the partition by `numbers`. A `hash_mask` of all ones is best; any other is as exact.
pub(crate) fn refine<Id: BlockNumber, S: Stop>(
    rows: &impl Rows,
    numbers: impl AsRef<[Id]> + Sync,
    hash_mask: u32,
    budget: &mut RoundBudget,
    stop: &S,
) -> Result<Wide, S::Error> {
    let ids = numbers.as_ref();
    let states = rows.states() as u32;
    let one_each = |first: fn(u32) -> u32| -> Vec<AtomicU32> {
        (0..states)
            .map(|state| AtomicU32::new(first(state)))
            .collect()
    };
    let blocks = Blocks {
        label: one_each(|state| state),
        size: one_each(|_| 1),
    };
    // There are no labels yet, only ids: everything moves.
    let bins = Bins::for_movers(states as usize);
    let chunks = (0..states as usize).into_par_iter().step_by(CHUNK);
    let movers = chunks.map(|begin| {
        stop.check()?;
        let chunk = begin..(begin + CHUNK).min(states as usize);
        let mut movers = Vec::with_capacity(chunk.len());
        let mut after = Vec::new();
        for start in chunk.clone().step_by(BATCH) {
            let batch = start..(start + BATCH).min(chunk.end);
            let targets = rows.rows(batch.clone()).iter();
            after.clear();
            after.extend(targets.map(|target| ids[target.index()].number()));
            let mut after = &after[..];
            for state in batch {
                let (row, rest) = after.split_at(rows.row(state).len());
                after = rest;
                movers.push(Mover {
                    block: ids[state].number(),
                    hash: hash_mask & hash(row.iter().copied()),
                    state: state as u32,
                });
            }
        }
        Ok(bins.sort(movers))
    });
    let movers = movers.collect::<Result<_, _>>()?;
    regroup(&blocks, bins, movers, true, stop)?;
    drop(numbers);

    let mut active: Vec<u32> = (0..states)
        .into_par_iter()
        .with_min_len(CHUNK)
        .filter(|&state| blocks.is_shared(state))
        .collect();
    let mut left = blocks.halvings_left(&active);
    let stable = loop {
        if budget.is_empty() {
            break false;
        }
        let bins = Bins::for_movers(active.len());
        let movers = active.par_chunks(CHUNK).map(|states| {
            stop.check()?;
            Ok(bins.sort(disagreeing(rows, &blocks, hash_mask, states)))
        });
        let movers: Vec<_> = movers.collect::<Result<_, _>>()?;
        if movers.iter().all(|chunk| chunk.is_empty()) {
            break true;
        }
        regroup(&blocks, bins, movers, false, stop)?;
        let now_left = blocks.halvings_left(&active);
        let looked = active.len() * (1 + rows.transitions() / states as usize);
        budget.round(looked as u64, left - now_left);
        left = now_left;
        active = active
            .into_par_iter()
            .with_min_len(CHUNK)
            .filter(|&state| blocks.is_shared(state))
            .collect();
    };
    let labels = blocks
        .label
        .into_iter()
        .map(AtomicU32::into_inner)
        .collect();
    Ok(Wide { labels, stable })
}

/// Returns the states that do not agree with the first of their block.
fn disagreeing(rows: &impl Rows, blocks: &Blocks, hash_mask: u32, states: &[u32]) -> Vec<Mover> {
    let mut movers = Vec::new();
    let mut compared = [(false, 0); BATCH];
    for batch in states.chunks(BATCH) {
        for (&state, compared) in batch.iter().zip(&mut compared) {
            let row = rows.row(state as usize);
            let first = rows.row(blocks.label(StateId::new(state)) as usize);
            let mut differ = 0;
            let labels = row.iter().zip(first).map(|(&target, &of_first)| {
                let label = blocks.label(target);
                differ |= label ^ blocks.label(of_first);
                label
            });
            let hash = hash_mask & hash(labels);
            *compared = (differ != 0, hash);
        }
        for (&state, &(moves, hash)) in batch.iter().zip(&compared) {
            if moves {
                let block = blocks.label(StateId::new(state));
                movers.push(Mover { block, hash, state });
            }
        }
    }
    movers
}

/// Hashes a sequence of labels; the hash depends on all labels and their places.
fn hash(numbers: impl Iterator<Item = u32>) -> u32 {
    let mix = |hash: u64, number| (hash.rotate_left(29) ^ u64::from(number)).wrapping_mul(ODD);
    (numbers.fold(ODD, mix) >> 32) as u32
}

/// 2^64 over the golden ratio, multiples of which are spread evenly (Knuth, volume 3, section 6.4).
pub(super) const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
