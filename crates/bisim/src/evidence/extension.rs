//! Longest common extensions: for how many rows two places of a recording continue alike.

use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::stop::{BETWEEN_CHECKS, Stop};

/// Largest number of units in a stretch that is not parsed: comparing them one by one is as fast.
const SHORT: usize = 16;

/// Longest common extensions of a growing sequence of episodes: exact, and fast even if extensions
/// are long.
///
/// Locally consistent parsing (Sahinalp & Vishkin 1996; Mehlhorn, Sundar & Uhrig 1997, "Maintaining
/// dynamic sequences under equality tests in polylogarithmic time"). Every episode is cut into
/// chunks at places that depend on the symbols nearby only: around a run of equal symbols, and
/// before a symbol whose hash is smaller than those of its neighbors. Chunks with equal content get
/// equal names. The sequence of names is cut again, floor upon floor, until few are left. Equal
/// stretches are therefore cut alike except at their margins. A comparison climbs to ever longer
/// chunks, and comes down again in the one that differs.
///
/// Exact: names come from a table in which contents are compared; hashes decide only where chunks
/// end.
///
/// Cost: a floor has about 0.4 times the units of the floor below (never more than 2/3, plus one an
/// episode). So all floors together are linear to build, and to append to. A query examines a few
/// units on each of `O(log n)` floors. It examines more only where a long stretch of different
/// symbols without a local minimum of their hashes occurs twice. Memory: 10 to 25 bytes a row of
/// long episodes; none for episodes of at most 16 rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Extension {
    /// Floors from the bottom: chunks of rows, chunks of those chunks, ...
    floors: Vec<Floor>,
    hasher: DefaultHashBuilder,
}

/// Chunks of the units below: of rows on the lowest floor, elsewhere of chunks.
#[derive(Clone, Debug, Default)]
struct Floor {
    chunks: Vec<Chunk>,
    /// Units of the floor below that begin a chunk.
    starts: Starts,
    /// Part of the hash, and the first chunk, of each content.
    contents: HashTable<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// First chunk of the floor with equal content.
    name: u32,
    /// Units of the chunk on the floor below: `start..end`.
    start: u32,
    end: u32,
    /// Row at which the chunk begins.
    row: u32,
}

impl Extension {
    /// Adds an episode; `symbols` are those of all rows up to its end.
    pub(super) fn append<S: Stop>(
        &mut self,
        symbols: &[u64],
        episode: Range<usize>,
        stop: &S,
    ) -> Result<(), S::Error> {
        let mut units = episode.start as u32..episode.end as u32;
        for floor in 0.. {
            if units.len() <= SHORT {
                break;
            }
            if floor == self.floors.len() {
                self.floors.push(Floor::default());
            }
            let (below, floor) = self.floors.split_at_mut(floor);
            let floor = &mut floor[0];
            let first = floor.chunks.len() as u32;
            match below.last() {
                None => {
                    let symbol = |row| (symbols[row as usize], row);
                    floor.parse(units, &self.hasher, symbol, stop)?;
                }
                Some(Floor { chunks, .. }) => {
                    let symbol = |unit| {
                        let chunk: Chunk = chunks[unit as usize];
                        (u64::from(chunk.name), chunk.row)
                    };
                    floor.parse(units, &self.hasher, symbol, stop)?;
                }
            }
            units = first..floor.chunks.len() as u32;
        }
        Ok(())
    }

    /// Returns how many symbols are equal from rows `a` and `b` on, at most `limit`. The limit must
    /// not lead beyond the last row of either episode.
    pub(super) fn common(&self, symbols: &[u64], a: u32, b: u32, limit: u32) -> u32 {
        // Most pairs differ soon.
        let soon = limit.min(SHORT as u32);
        let differ = |step: &u32| symbols[(a + step) as usize] != symbols[(b + step) as usize];
        if let Some(step) = (0..soon).find(differ) {
            return step;
        }
        let mut place = Place {
            floor: 0,
            units: [a + soon, b + soon],
        };
        // Climb as long as names are equal.
        loop {
            if self.row(place) >= a + limit {
                return limit;
            }
            if let Some(above) = self.above(place) {
                place = above;
            } else if self.name(symbols, place, 0) == self.name(symbols, place, 1) {
                place = self.advance(symbols, place);
            } else {
                break;
            }
        }
        // Descend to the first symbol that differs.
        while let Some(below) = place.floor.checked_sub(1) {
            let start = |unit: u32| self.floors[below].chunks[unit as usize].start;
            place = Place {
                floor: below,
                units: place.units.map(start),
            };
            while self.name(symbols, place, 0) == self.name(symbols, place, 1) {
                place = self.advance(symbols, place);
                if self.row(place) >= a + limit {
                    return limit;
                }
            }
        }
        place.units[0] - a
    }

    /// Returns the number of chunks on all floors.
    #[cfg(test)]
    pub(super) fn chunks(&self) -> usize {
        self.floors.iter().map(|floor| floor.chunks.len()).sum()
    }

    /// Returns the row at which the first unit begins; the maximum beyond the last unit.
    fn row(
        &self,
        Place {
            floor,
            units: [unit, _],
        }: Place,
    ) -> u32 {
        match floor.checked_sub(1) {
            None => unit,
            Some(floor) => self.floors[floor]
                .chunks
                .get(unit as usize)
                .map_or(u32::MAX, |chunk| chunk.row),
        }
    }

    fn name(&self, symbols: &[u64], place: Place, side: usize) -> u64 {
        self.name_of(symbols, place.floor, place.units[side])
    }

    fn name_of(&self, symbols: &[u64], floor: usize, unit: u32) -> u64 {
        match floor.checked_sub(1) {
            None => symbols[unit as usize],
            Some(floor) => u64::from(self.floors[floor].chunks[unit as usize].name),
        }
    }

    /// Returns the place one floor higher, if a chunk begins there on both sides.
    fn above(
        &self,
        Place {
            floor,
            units: [a, b],
        }: Place,
    ) -> Option<Place> {
        let starts = &self.floors.get(floor)?.starts;
        let units = [starts.number(a)?, starts.number(b)?];
        Some(Place {
            floor: floor + 1,
            units,
        })
    }

    /// Advances past two equal units; in runs of equal ones, past as many as both sides have left.
    fn advance(&self, symbols: &[u64], place: Place) -> Place {
        let left = place
            .units
            .map(|unit| self.left_of_run(symbols, place.floor, unit));
        let units = place.units.map(|unit| unit + left[0].min(left[1]));
        Place {
            floor: place.floor,
            units,
        }
    }

    /// Returns how many equal units follow, this one included, if it is in a run; otherwise 1.
    fn left_of_run(&self, symbols: &[u64], floor: usize, unit: u32) -> u32 {
        let chunk = self.floors.get(floor).and_then(|above| {
            let chunk = above.starts.up_to(unit).checked_sub(1)?;
            above.chunks.get(chunk as usize)
        });
        match chunk {
            // Chunks that are not runs have no equal neighbors.
            Some(chunk) if unit + 1 < chunk.end => {
                let next = self.name_of(symbols, floor, unit + 1);
                if next == self.name_of(symbols, floor, unit) {
                    chunk.end - unit
                } else {
                    1
                }
            }
            _ => 1,
        }
    }
}

/// Two units of one floor. Floor 0 is that of the rows, floor `k` that of `floors[k - 1]`.
#[derive(Clone, Copy)]
struct Place {
    floor: usize,
    units: [u32; 2],
}

impl Floor {
    /// Cuts units of the floor below into chunks. `symbol_and_row` returns the symbol and the first
    /// row of a unit.
    fn parse<S: Stop>(
        &mut self,
        units: Range<u32>,
        hasher: &DefaultHashBuilder,
        symbol_and_row: impl Fn(u32) -> (u64, u32),
        stop: &S,
    ) -> Result<(), S::Error> {
        let symbol = |unit: u32| symbol_and_row(unit).0;
        let mut start = units.start;
        let mut since_check = 0;
        let mut state = hasher.build_hasher();
        // The two symbols before, each with its rank in the order.
        let (mut before_last, mut last) = (None, None);
        let mut this = (symbol(start), order(symbol(start)));
        for unit in units.clone() {
            let next = (unit + 1 < units.end)
                .then(|| symbol(unit + 1))
                .map(|next| (next, order(next)));
            let begins = last.is_some_and(|last: (u64, u64)| {
                let run_begins = next.is_some_and(|next| next.0 == this.0);
                let run_ended = before_last == Some(last);
                let is_minimum = this.1 < last.1 && next.is_some_and(|next| this.1 < next.1);
                last.0 != this.0 && (run_begins || run_ended || is_minimum)
            });
            if begins {
                since_check += (unit - start) as usize;
                if since_check >= BETWEEN_CHECKS {
                    since_check = 0;
                    stop.check()?;
                }
                let hash = std::mem::replace(&mut state, hasher.build_hasher()).finish();
                self.push(start..unit, hash, &symbol_and_row);
                start = unit;
            }
            state.write_u64(this.0);
            (before_last, last) = (last, Some(this));
            this = next.unwrap_or(this);
        }
        self.push(start..units.end, state.finish(), &symbol_and_row);
        Ok(())
    }

    fn push(&mut self, units: Range<u32>, hash: u64, symbol_and_row: impl Fn(u32) -> (u64, u32)) {
        let fresh = self.chunks.len() as u32;
        let hash = (hash >> 32) as u32;
        let is_equal = |&(other_hash, other): &(u32, u32)| {
            let other = self.chunks[other as usize];
            let others = (other.start..other.end).map(|unit| symbol_and_row(unit).0);
            hash == other_hash
                && units.len() == (other.start..other.end).len()
                && units.clone().map(|unit| symbol_and_row(unit).0).eq(others)
        };
        let name = match self.contents.find(spread(hash), is_equal) {
            Some(&(_, name)) => name,
            None => {
                self.contents
                    .insert_unique(spread(hash), (hash, fresh), |&(hash, _)| spread(hash));
                fresh
            }
        };
        self.starts.push(units.start);
        let row = symbol_and_row(units.start).1;
        self.chunks.push(Chunk {
            name,
            start: units.start,
            end: units.end,
            row,
        });
    }
}

/// Ranks symbols regardless of their numbering, by a bijection (the finalizer of SplitMix64).
fn order(symbol: u64) -> u64 {
    let mixed = symbol.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Spreads a hash for the table, which needs upper and lower bits that both vary.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// An ascending sequence of integers, as bits that can be counted.
#[derive(Clone, Debug, Default)]
struct Starts {
    /// Words of 64 bits, each with the number of bits set before it.
    words: Vec<(u64, u32)>,
    count: u32,
}

impl Starts {
    fn push(&mut self, number: u32) {
        let word = number as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, (0, self.count));
        }
        self.words[word].0 |= 1 << (number % 64);
        self.count += 1;
    }

    /// Returns how many members are smaller, if `number` is a member.
    fn number(&self, number: u32) -> Option<u32> {
        let (bits, before) = *self.words.get(number as usize / 64)?;
        let bit = 1 << (number % 64);
        (bits & bit != 0).then(|| before + (bits & (bit - 1)).count_ones())
    }

    /// Returns how many members are at most `number`.
    fn up_to(&self, number: u32) -> u32 {
        match self.words.get(number as usize / 64) {
            Some((bits, before)) => before + (bits << (63 - number % 64)).count_ones(),
            None => self.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::stop::{Never, always};

    /// Makes sequences of many characters: random, repetitive, periodic, nested, monotone.
    fn episode(random: &mut ChaCha8Rng, others: &[u64]) -> Vec<u64> {
        let longest = [4, 40, 700][random.random_range(0..3)];
        let length = random.random_range(1..longest);
        let letters = [1, 2, 3, 50][random.random_range(0..4)];
        match random.random_range(0..6) {
            0 => vec![random.random_range(0..letters); length],
            1 => {
                let period = random.random_range(1..9);
                let word: Vec<u64> = (0..period)
                    .map(|_| random.random_range(0..letters))
                    .collect();
                word.iter().copied().cycle().take(length).collect()
            }
            2 if !others.is_empty() => {
                // A copy of earlier symbols, sometimes with a fault.
                let start = random.random_range(0..others.len());
                let mut copy = others[start..]
                    .iter()
                    .copied()
                    .take(length)
                    .collect::<Vec<_>>();
                if random.random() {
                    let place = random.random_range(0..copy.len());
                    copy[place] = random.random_range(0..letters);
                }
                copy
            }
            3 => {
                // The Thue-Morse word has squares of every length, and no cubes.
                (0..length)
                    .map(|place| u64::from(place.count_ones() % 2))
                    .collect()
            }
            4 => {
                let mut symbols: Vec<u64> = (0..length as u64).collect();
                symbols.sort_by_key(|&symbol| order(symbol));
                symbols
            }
            _ => (0..length)
                .map(|_| random.random_range(0..letters))
                .collect(),
        }
    }

    #[test]
    fn common_extensions_are_those_of_a_scan() {
        for seed in 0..400 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut symbols, mut ends, mut extension) =
                (Vec::new(), Vec::new(), Extension::default());
            for _ in 0..random.random_range(1..30) {
                let start = symbols.len();
                symbols.extend(episode(&mut random, &symbols));
                ends.resize(symbols.len(), symbols.len() - 1);
                always(extension.append(&symbols, start..symbols.len(), &Never));
            }
            for _ in 0..400 {
                let a = random.random_range(0..symbols.len());
                let near = (a + random.random_range(0..9)).min(symbols.len() - 1);
                let b = if random.random() {
                    near
                } else {
                    random.random_range(0..symbols.len())
                };
                let most = (ends[a] - a).min(ends[b] - b);
                let limit = if random.random() {
                    most
                } else {
                    random.random_range(0..most + 1)
                };
                let alike = |step: &usize| symbols[a + step] == symbols[b + step];
                let expected = (0..limit).take_while(alike).count();
                let found = extension.common(&symbols, a as u32, b as u32, limit as u32);
                assert_eq!(
                    found as usize, expected,
                    "seed {seed}: rows {a} and {b}, limit {limit}"
                );
            }
        }
    }

    #[test]
    fn equal_hashes_do_not_make_equal_names() {
        let symbols = [1, 2, 1, 3, 1, 2, 1];
        let mut floor = Floor::default();
        for chunk in [0..2, 2..4, 4..6, 6..7] {
            floor.push(chunk, 0, |unit| (symbols[unit as usize], unit));
        }
        let names: Vec<u32> = floor.chunks.iter().map(|chunk| chunk.name).collect();
        assert_eq!(names, [0, 1, 0, 3]);
    }

    #[test]
    fn floors_shrink_and_runs_cost_nothing() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let length = 50_000;
        for letters in [1, 2, 3, 1000] {
            let symbols: Vec<u64> = (0..length)
                .map(|_| random.random_range(0..letters))
                .collect();
            let mut extension = Extension::default();
            always(extension.append(&symbols, 0..symbols.len(), &Never));
            let chunks: usize = extension
                .floors
                .iter()
                .map(|floor| floor.chunks.len())
                .sum();
            assert!(
                chunks < if letters == 1 { 2 } else { length },
                "{letters}: {chunks}"
            );
        }
    }
}
