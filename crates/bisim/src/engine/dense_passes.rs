//! Rounds while there are few blocks: narrow ids, and a table of all combinations of ids.
//!
//! A pass refines by a few places of the rows at a time. The *code* of a state is an integer in the
//! base of the number of blocks. Its digits are the state's own block and those of its successors
//! at these places. Codes are counted in a table, so nothing is hashed, and the codes that occur
//! become the blocks of the next pass. A byte or two a state stay in the cache where four would
//! not.

use std::ops::Range;

use rayon::prelude::*;

use super::round_budget::{RoundBudget, halvings_left};
use crate::rows::{BlockNumber, Rows};
use crate::stop::Stop;

/// Largest number of entries in the table of codes: 4 MB.
const MOST_CODES: usize = 1 << 20;

/// Number of states that are processed at once.
const CHUNK: usize = 1 << 18;

/// Number of states whose successors are gathered before their codes are counted.
///
/// A gather waits for memory, an increment waits for the gather; apart, many gathers are under way
/// at once. At 10^7 states and one successor: 6 ns a state instead of 12, no worse than with
/// prefetch instructions.
const BATCH: usize = 1 << 8;

/// Number of places without a split after which whole rows are compared instead, if the rows are
/// longer.
const QUIET_PLACES: usize = 16;

/// Ids that passes work with.
pub(crate) trait NarrowId: BlockNumber + Default {
    /// Number of blocks that can be numbered.
    const MOST_BLOCKS: usize;
    /// Makes the id of a number, which must be below [`NarrowId::MOST_BLOCKS`].
    fn from_number(number: u32) -> Self;
}

impl NarrowId for u8 {
    const MOST_BLOCKS: usize = 1 << 8;
    #[inline]
    fn from_number(number: u32) -> Self {
        number as Self
    }
}

impl NarrowId for u16 {
    const MOST_BLOCKS: usize = 1 << 16;
    #[inline]
    fn from_number(number: u32) -> Self {
        number as Self
    }
}

/// A partition by narrow ids, numbered without gaps.
pub(crate) struct Ids<Id> {
    pub(crate) of: Vec<Id>,
    pub(crate) blocks: usize,
}

/// Reason why no further pass was made.
pub(crate) enum PassesEnd {
    /// No further pass splits anything.
    Stable,
    /// Further passes may split, but do not pay.
    Unprofitable,
    /// There are too many codes, or rows are too long to be processed place by place.
    Unwieldy,
    /// There are too many blocks for narrow ids: wider ids, and the number of blocks.
    Outgrown(Vec<u32>, usize),
}

/// Narrows ids, which must be below [`NarrowId::MOST_BLOCKS`].
pub(crate) fn narrowed<Id: NarrowId>(ids: &[impl BlockNumber], blocks: usize) -> Ids<Id> {
    let mut of = vec![Id::default(); ids.len()];
    let pairs = of.par_chunks_mut(CHUNK).zip(ids.par_chunks(CHUNK));
    pairs.for_each(|(narrow, ids)| {
        for (narrow, id) in narrow.iter_mut().zip(ids) {
            *narrow = Id::from_number(id.number());
        }
    });
    Ids { of, blocks }
}

/// Refines in passes as long as that is possible and pays.
pub(crate) fn refine<Id: NarrowId, S: Stop>(
    rows: &impl Rows,
    ids: &mut Ids<Id>,
    budget: &mut RoundBudget,
    stop: &S,
) -> Result<PassesEnd, S::Error> {
    let states = rows.states();
    let width = rows.width();
    // Small systems must not pay for large tables.
    let most_codes = (4 * states).min(MOST_CODES);
    let mut codes = vec![0; states];
    let mut left = halvings_left(sizes(ids).into_iter());
    let (mut place, mut quiet) = (0, 0);
    // Stable once every place in turn has split nothing.
    while quiet < width {
        if budget.is_empty() {
            return Ok(PassesEnd::Unprofitable);
        }
        if ids.blocks * ids.blocks > most_codes || quiet >= QUIET_PLACES {
            return Ok(PassesEnd::Unwieldy);
        }
        let end = width.min(place + places::<Id>(ids.blocks));
        let counts = encode(rows, ids, place..end, &mut codes, stop)?;
        let now_left = halvings_left(counts.iter().copied());
        budget.round((states * (end - place + 1)) as u64, left - now_left);
        left = now_left;
        let (id_of_code, now) = rank(counts);
        if now == ids.blocks {
            quiet += end - place;
        } else if now <= Id::MOST_BLOCKS {
            let pairs = ids.of.par_chunks_mut(CHUNK).zip(codes.par_chunks(CHUNK));
            pairs.for_each(|(ids, codes)| {
                for (id, &code) in ids.iter_mut().zip(codes) {
                    *id = Id::from_number(id_of_code[code as usize]);
                }
            });
            ids.blocks = now;
            quiet = 0;
        } else {
            codes.par_chunks_mut(CHUNK).for_each(|codes| {
                for code in codes {
                    *code = id_of_code[*code as usize];
                }
            });
            return Ok(PassesEnd::Outgrown(codes, now));
        }
        place = if end == width { 0 } else { end };
    }
    Ok(PassesEnd::Stable)
}

/// Returns the number of places taken at once: as many as surely keep ids narrow, but at least one.
fn places<Id: NarrowId>(blocks: usize) -> usize {
    let fit = (2..).take_while(|&digits| blocks.pow(digits) <= Id::MOST_BLOCKS);
    fit.count().max(1)
}

fn sizes<Id: NarrowId>(ids: &Ids<Id>) -> Vec<u32> {
    let mut sizes = vec![0; ids.blocks];
    for id in &ids.of {
        sizes[id.number() as usize] += 1;
    }
    sizes
}

/// Writes the code of every state; returns how often each one occurs.
fn encode<Id: NarrowId, S: Stop>(
    rows: &impl Rows,
    ids: &Ids<Id>,
    places: Range<usize>,
    codes: &mut [u32],
    stop: &S,
) -> Result<Vec<u32>, S::Error> {
    let Ids { of: ids, blocks } = ids;
    let space = blocks.pow(places.len() as u32 + 1);
    let blocks = *blocks as u32;
    // A chunk must be worth its table.
    let chunk_size = CHUNK.max(space);
    let chunks = codes.par_chunks_mut(chunk_size).enumerate();
    let counts = chunks.map(|(chunk, codes)| {
        stop.check()?;
        let mut counts = vec![0_u32; space];
        let starts = (chunk * chunk_size..).step_by(BATCH);
        for (start, batch) in starts.zip(codes.chunks_mut(BATCH)) {
            let states = start..start + batch.len();
            for (code, id) in batch.iter_mut().zip(&ids[states.clone()]) {
                *code = id.number();
            }
            for place in places.clone() {
                let targets = rows.targets(states.clone(), place);
                for (code, target) in batch.iter_mut().zip(targets) {
                    // Rows of one block have one length: where one ends, so do all others.
                    let digit = target.map_or(0, |target| ids[target.index()].number());
                    *code = *code * blocks + digit;
                }
            }
            for &code in &*batch {
                counts[code as usize] += 1;
            }
        }
        Ok(counts)
    });
    let add = |mut counts: Vec<u32>, more: Vec<u32>| {
        for (count, more) in counts.iter_mut().zip(more) {
            *count += more;
        }
        Ok(counts)
    };
    counts
        .try_reduce_with(add)
        .unwrap_or_else(|| Ok(Vec::new()))
}

/// Numbers the codes that occur, in ascending order; returns the numbers and their count.
fn rank(mut counts: Vec<u32>) -> (Vec<u32>, usize) {
    let mut blocks = 0;
    for count in &mut counts {
        let occurs = *count > 0;
        *count = blocks;
        blocks += u32::from(occurs);
    }
    (counts, blocks as usize)
}
