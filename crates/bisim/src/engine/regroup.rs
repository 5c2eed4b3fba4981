//! Grouping of states by (block, hash), in pieces that fit into the cache.

use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::hashed_rounds::{Blocks, ODD};
use crate::stop::Stop;

/// A state that leaves its block, with all others of that block and hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mover {
    pub(super) block: u32,
    pub(super) hash: u32,
    pub(super) state: u32,
}

impl Mover {
    fn key(self) -> u64 {
        u64::from(self.block) << 32 | u64::from(self.hash)
    }

    /// Returns the key, mixed so that its upper bits are as good as any.
    fn mixed(self) -> u64 {
        let key = self.key();
        (key ^ key >> 29).wrapping_mul(ODD)
    }
}

/// Distribution of movers over bins: equal keys have equal bins.
#[derive(Clone, Copy)]
pub(super) struct Bins {
    bits: u32,
}

/// Movers of a chunk, bin by bin, in order within each.
pub(super) struct Sorted {
    movers: Vec<Mover>,
    /// Bin `i` is `movers[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
}

impl Sorted {
    pub(super) fn is_empty(&self) -> bool {
        self.movers.is_empty()
    }

    fn bin(&self, bin: usize) -> &[Mover] {
        &self.movers[self.starts[bin] as usize..self.starts[bin + 1] as usize]
    }
}

impl Bins {
    /// Chooses the number of bins such that a bin of `count` movers, evenly distributed, fits into
    /// the cache of a core.
    pub(super) fn for_movers(count: usize) -> Self {
        const IN_CACHE: usize = 1 << 13;
        const MOST: u32 = 11;
        let bits = (count / IN_CACHE).checked_ilog2().map_or(0, |log| log + 1);
        Self {
            bits: bits.min(MOST),
        }
    }

    fn count(self) -> usize {
        1 << self.bits
    }

    fn of(self, mover: Mover) -> usize {
        // In two steps, because a shift by 64 would overflow.
        (mover.mixed() >> 1 >> (63 - self.bits)) as usize
    }

    /// Sorts movers by bin (counting sort).
    pub(super) fn sort(self, movers: Vec<Mover>) -> Sorted {
        let mut starts = vec![0; self.count() + 1];
        if self.bits == 0 || movers.is_empty() {
            let count = movers.len() as u32;
            starts[1..].fill(count);
            return Sorted { movers, starts };
        }
        for &mover in &movers {
            starts[self.of(mover) + 1] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut sorted = vec![movers[0]; movers.len()];
        let mut next = starts.clone();
        for &mover in &movers {
            let at = &mut next[self.of(mover)];
            sorted[*at as usize] = mover;
            *at += 1;
        }
        Sorted {
            movers: sorted,
            starts,
        }
    }
}

/// A group of movers with equal keys.
struct Group {
    first: Mover,
    size: u32,
}

/// Makes a block of each group; its first mover becomes its label.
///
/// With `all`, every state moves and is still labeled as a block of its own, so that single ones
/// need not be touched.
pub(super) fn regroup<S: Stop>(
    blocks: &Blocks,
    bins: Bins,
    chunks: Vec<Sorted>,
    all: bool,
    stop: &S,
) -> Result<(), S::Error> {
    (0..bins.count()).into_par_iter().try_for_each_init(
        || (Vec::new(), Vec::new()),
        |(slots, groups), bin| {
            stop.check()?;
            find_groups(blocks, bins, &chunks, bin, all, slots, groups);
            for Group { first, size } in groups.drain(..) {
                if !all {
                    blocks.size[first.block as usize].fetch_sub(size, Relaxed);
                }
                if !all || size > 1 {
                    blocks.size[first.state as usize].store(size, Relaxed);
                }
            }
            Ok(())
        },
    )
}

/// Labels the movers of a bin, with an open-addressing table that compares whole keys.
fn find_groups(
    blocks: &Blocks,
    bins: Bins,
    chunks: &[Sorted],
    bin: usize,
    all: bool,
    slots: &mut Vec<u32>,
    groups: &mut Vec<Group>,
) {
    const EMPTY: u32 = u32::MAX;
    let count: usize = chunks.iter().map(|chunk| chunk.bin(bin).len()).sum();
    let bits = (2 * count).next_power_of_two().ilog2();
    slots.clear();
    slots.resize(1 << bits, EMPTY);
    for &mover in chunks.iter().flat_map(|chunk| chunk.bin(bin)) {
        let mut slot = (mover.mixed() << bins.bits >> 1 >> (63 - bits)) as usize;
        loop {
            let group = slots[slot];
            if group == EMPTY {
                slots[slot] = groups.len() as u32;
                groups.push(Group {
                    first: mover,
                    size: 1,
                });
                if !all {
                    blocks.label[mover.state as usize].store(mover.state, Relaxed);
                }
                break;
            }
            let group = &mut groups[group as usize];
            if group.first.key() == mover.key() {
                group.size += 1;
                blocks.label[mover.state as usize].store(group.first.state, Relaxed);
                break;
            }
            slot = (slot + 1) & ((1 << bits) - 1);
        }
    }
}
