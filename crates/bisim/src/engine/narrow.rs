//! Rounds while there are few blocks: ids of one byte, and a table for every combination of ids.
//!
//! A pass refines by a few places of the rows at a time: the *code* of a state is the number whose
//! digits, to the base of the number of blocks, are its own block and those of its successors at these
//! places. Codes are below 2^16 and are counted in a table, so nothing is hashed; the codes that occur
//! become the blocks of the next pass. A byte a state lies in the cache where four would not: at 10^7
//! states a pass gathers at a few nanoseconds a successor.

use rayon::prelude::*;

use super::purse::{Purse, halvings_left};
use crate::rows::{BlockNumber, Rows};

/// The most blocks that a byte can number.
pub(crate) const MOST_BLOCKS: usize = 1 << 8;

/// States that are worked on at once; also what the tables of counts are worth.
const CHUNK: usize = 1 << 18;

/// Columns without a split after which whole rows are compared instead, if the rows are longer.
const QUIET_COLUMNS: usize = 16;

/// A refined partition, and why no further pass was made.
pub(crate) enum Narrow {
    /// No further pass splits anything.
    Stable { ids: Vec<u8>, blocks: usize },
    /// Further passes may split, but do not pay.
    Unprofitable(Vec<u8>),
    /// The blocks are too many for codes, or rows too long for going through them place by place.
    Bytes(Vec<u8>),
    /// The same, with more blocks than bytes can number.
    Words(Vec<u16>),
}

/// Refines `initial`, which has at most [`MOST_BLOCKS`] blocks, numbered without gaps.
pub(crate) fn refine(
    rows: &impl Rows,
    initial: &[impl BlockNumber],
    mut blocks: usize,
    purse: &mut Purse,
) -> Narrow {
    let states = rows.states();
    let width = rows.width();
    // Small systems must not pay for large tables.
    let most_codes = (4 * states).clamp(MOST_BLOCKS, 1 << 16);
    let mut ids: Vec<u8> = initial.iter().map(|id| id.number() as u8).collect();
    let mut codes = vec![0; states];
    let mut left = halvings_left(sizes(&ids).into_iter());
    let (mut column, mut quiet) = (0, 0);
    while quiet < width {
        if purse.is_empty() {
            return Narrow::Unprofitable(ids);
        }
        if blocks * blocks > most_codes || quiet >= QUIET_COLUMNS {
            return Narrow::Bytes(ids);
        }
        let end = width.min(column + columns(blocks));
        let space = blocks.pow((end - column + 1) as u32);
        let counts = encode(rows, &ids, blocks, column..end, space, &mut codes);
        let now_left = halvings_left(counts.iter().copied());
        purse.round((states * (end - column + 1)) as u64, left - now_left);
        left = now_left;
        let (ids_of_codes, now) = rank(&counts);
        if now == blocks {
            quiet += end - column;
        } else if now <= MOST_BLOCKS {
            let pairs = ids.par_chunks_mut(CHUNK).zip(codes.par_chunks(CHUNK));
            pairs.for_each(|(ids, codes)| {
                for (id, &code) in ids.iter_mut().zip(codes) {
                    *id = ids_of_codes[usize::from(code)] as u8;
                }
            });
            quiet = 0;
        } else {
            codes.par_chunks_mut(CHUNK).for_each(|codes| {
                for code in codes {
                    *code = ids_of_codes[usize::from(*code)];
                }
            });
            return Narrow::Words(codes);
        }
        blocks = now;
        column = if end == width { 0 } else { end };
    }
    Narrow::Stable { ids, blocks }
}

/// How many places are taken at once: as many as surely leave ids of one byte, but at least one.
fn columns(blocks: usize) -> usize {
    let digits = (1..).take_while(|&digits| blocks.pow(digits) <= MOST_BLOCKS);
    digits.count().saturating_sub(1).max(1)
}

fn sizes(ids: &[u8]) -> [u32; MOST_BLOCKS] {
    let mut sizes = [0; MOST_BLOCKS];
    for &id in ids {
        sizes[usize::from(id)] += 1;
    }
    sizes
}

/// Writes the code of every state; how often each one below `space` occurs.
fn encode(
    rows: &impl Rows,
    ids: &[u8],
    blocks: usize,
    columns: std::ops::Range<usize>,
    space: usize,
    codes: &mut [u16],
) -> Vec<u32> {
    let chunks = codes.par_chunks_mut(CHUNK).enumerate();
    let counts = chunks.map(|(chunk, codes)| {
        let mut counts = vec![0_u32; space];
        for (state, code) in (chunk * CHUNK..).zip(codes) {
            let row = rows.row(state);
            // Rows of one block have one length: where one ends, so do all others.
            let row = &row[columns.start.min(row.len())..columns.end.min(row.len())];
            let mut number = usize::from(ids[state]);
            for target in row {
                number = number * blocks + usize::from(ids[target.index()]);
            }
            for _ in row.len()..columns.len() {
                number *= blocks;
            }
            counts[number] += 1;
            *code = number as u16;
        }
        counts
    });
    counts
        .reduce_with(|mut counts, more| {
            for (count, more) in counts.iter_mut().zip(more) {
                *count += more;
            }
            counts
        })
        .unwrap_or_default()
}

/// Numbers the codes that occur, in ascending order.
fn rank(counts: &[u32]) -> (Vec<u16>, usize) {
    let mut blocks = 0;
    let ids = counts.iter().map(|&count| {
        let id = blocks as u16;
        blocks += usize::from(count > 0);
        id
    });
    let ids = ids.collect();
    (ids, blocks)
}
