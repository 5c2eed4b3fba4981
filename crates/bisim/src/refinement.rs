//! Hopcroft (smaller-half) partition refinement, in rounds.
//!
//! The invariant of Hopcroft's algorithm: once the partition is stable under a set of states and
//! the set is split, it is enough to split further by all parts but one. The part left out keeps
//! the old block number, and is at least as large as the part split off. So each state is visited
//! `log2 n` times at most.
//!
//! Splitters are processed in rounds, each with its members frozen when the round begins. The
//! partition after round `r` is then exactly the one by words of at most `r` actions (Moore 1956).
//! So the round of a split is the length of a shortest word between the two parts. See Smetsers,
//! Moerman & Jansen 2016, "Minimal separating sequences for all pairs of states". The bound stays
//! `O(m log n)`: freezing makes a splitter at most as large as it was when it was split off.

use tellapart_system::{ActionId, MooreMachine};

use crate::inverse::Inverse;
use crate::rows::Rows;
use crate::stop::{BETWEEN_CHECKS, Stop};

/// A contiguous range of [`Refinement::elements`].
#[derive(Clone, Copy)]
struct StateBlock {
    begin: u32,
    end: u32,
    /// Number of elements, gathered at the front, that lead into the splitter under the current
    /// action.
    marked: u32,
}

/// Origin of a block.
#[derive(Clone, Copy)]
pub(crate) struct Birth {
    /// Block that it was split off from.
    pub(crate) parent: u32,
    /// Action under which successors are in different blocks of the round before.
    pub(crate) action: ActionId,
}

/// A partition that is being refined, and the history of its splits.
///
/// Blocks are numbered by birth: first one for every output, then each part split off. A block is
/// at most half as large as its parent was, so chains of parents have at most `log2 n` links.
pub(crate) struct Refinement {
    /// The states, block by block; splitting permutes within a block only.
    elements: Vec<u32>,
    /// Position of each state in `elements`.
    position: Vec<u32>,
    pub(crate) block_of: Vec<u32>,
    blocks: Vec<StateBlock>,
    /// Number of the first blocks, one per output, which have no birth.
    pub(crate) roots: u32,
    /// Birth of block `roots + i`.
    pub(crate) births: Vec<Birth>,
    /// Number of the first block born in each round, from round 1 on; ascending.
    pub(crate) round_starts: Vec<u32>,
    /// Whether births and rounds are kept. Witnesses are made of them; they take 8 bytes a block.
    keeps_history: bool,
}

impl Refinement {
    /// Refines the whole machine, by output, until the fixed point.
    pub(crate) fn to_fixed_point<S: Stop>(
        machine: &MooreMachine,
        stop: &S,
    ) -> Result<Self, S::Error> {
        Self::until(machine, |_| false, stop)
    }

    /// Refines the whole machine until the fixed point, or until `done` holds at the end of a
    /// round.
    pub(crate) fn until<S: Stop>(
        machine: &MooreMachine,
        done: impl Fn(&Self) -> bool,
        stop: &S,
    ) -> Result<Self, S::Error> {
        stop.check()?;
        let outputs = machine.output_table().iter().map(|output| output.get());
        let mut refinement = Self::new(outputs.collect(), machine.outputs());
        if !refinement.is_discrete() && !done(&refinement) {
            let targets = |source: u32| machine.row(source as usize).iter().map(|to| to.get());
            let inverse = Inverse::new(machine.states(), targets, stop)?;
            refinement.run(&inverse, done, stop)?;
        }
        Ok(refinement)
    }

    /// Makes the partition to begin with, by counting sort; blocks are numbered without gaps.
    pub(crate) fn new(block_of: Vec<u32>, blocks: usize) -> Self {
        let states = block_of.len();
        let mut blocks = vec![
            StateBlock {
                begin: 0,
                end: 0,
                marked: 0
            };
            blocks
        ];
        for &block in &block_of {
            blocks[block as usize].end += 1;
        }
        let mut total = 0;
        for block in &mut blocks {
            let size = block.end;
            (block.begin, block.end) = (total, total);
            total += size;
        }
        let mut elements = vec![0; states];
        let mut position = vec![0; states];
        for (state, &block) in block_of.iter().enumerate() {
            let end = &mut blocks[block as usize].end;
            elements[*end as usize] = state as u32;
            position[state] = *end;
            *end += 1;
        }
        Self {
            elements,
            position,
            block_of,
            roots: blocks.len() as u32,
            blocks,
            births: Vec::new(),
            round_starts: Vec::new(),
            keeps_history: true,
        }
    }

    /// Returns the partition, no longer keeping births and rounds.
    pub(crate) fn without_history(mut self) -> Self {
        self.keeps_history = false;
        self
    }

    /// Returns the states of every block.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &[u32]> {
        let range = |block: &StateBlock| block.begin as usize..block.end as usize;
        self.blocks
            .iter()
            .map(move |block| &self.elements[range(block)])
    }

    /// Refines until the fixed point, or until `done` holds at the end of a round. Under every
    /// place, the states of a block must agree on whether there is a transition.
    pub(crate) fn run<S: Stop>(
        &mut self,
        inverse: &Inverse,
        done: impl Fn(&Self) -> bool,
        stop: &S,
    ) -> Result<(), S::Error> {
        // Every function is stable under the set of all states, so one part can be left out: the
        // largest.
        let size = |block: &StateBlock| block.end - block.begin;
        let largest = self.blocks.iter().map(size).max().unwrap_or_default();
        let left_out = self.blocks.iter().position(|block| size(block) == largest);
        let mut splitters: Vec<(u32, u32)> = self
            .blocks
            .iter()
            .enumerate()
            .filter(|&(index, _)| Some(index) != left_out)
            .map(|(_, block)| (block.begin, block.end))
            .collect();
        // Sources that lead into the splitter, by place, and the places where there are any.
        let mut sources = vec![Vec::new(); inverse.width()];
        let (mut places, mut touched) = (Vec::new(), Vec::new());
        // Members of splitters since the last check.
        let mut members = 0;
        while !splitters.is_empty() {
            let round_start = self.blocks.len();
            if self.keeps_history {
                self.round_starts.push(round_start as u32);
            }
            for &(begin, end) in &splitters {
                members += end - begin;
                if members >= BETWEEN_CHECKS as u32 {
                    members = 0;
                    stop.check()?;
                }
                for &member in &self.elements[begin as usize..end as usize] {
                    for incoming in inverse.incoming(member) {
                        let sources = &mut sources[incoming.place as usize];
                        if sources.is_empty() {
                            places.push(incoming.place);
                        }
                        sources.push(incoming.source);
                    }
                }
                places.sort_unstable();
                for place in places.drain(..) {
                    let sources = &mut sources[place as usize];
                    if sources.len() > BETWEEN_CHECKS {
                        stop.check()?;
                    }
                    for source in sources.drain(..) {
                        self.mark(source, &mut touched);
                    }
                    for block in touched.drain(..) {
                        self.split(block, place);
                    }
                }
                if self.is_discrete() {
                    return Ok(());
                }
            }
            if done(self) {
                return Ok(());
            }
            splitters.clear();
            splitters.extend(
                self.blocks[round_start..]
                    .iter()
                    .map(|block| (block.begin, block.end)),
            );
        }
        Ok(())
    }

    fn is_discrete(&self) -> bool {
        self.blocks.len() == self.elements.len()
    }

    /// Moves `state` to the marked front of its block. A state has one successor under an action,
    /// so it is never marked twice for one splitter.
    #[inline]
    fn mark(&mut self, state: u32, touched: &mut Vec<u32>) {
        let number = self.block_of[state as usize];
        let block = &mut self.blocks[number as usize];
        if block.end - block.begin == 1 {
            return;
        }
        if block.marked == 0 {
            touched.push(number);
        }
        let to = block.begin + block.marked;
        block.marked += 1;
        let from = self.position[state as usize];
        let displaced = self.elements[to as usize];
        self.elements[from as usize] = displaced;
        self.position[displaced as usize] = from;
        self.elements[to as usize] = state;
        self.position[state as usize] = to;
    }

    /// Splits marked from unmarked states; the smaller part becomes a new block.
    fn split(&mut self, number: u32, place: u32) {
        let block = &mut self.blocks[number as usize];
        let StateBlock { begin, end, marked } = *block;
        block.marked = 0;
        let middle = begin + marked;
        if middle == end {
            return;
        }
        let born = if middle - begin <= end - middle {
            block.begin = middle;
            StateBlock {
                begin,
                end: middle,
                marked: 0,
            }
        } else {
            block.end = middle;
            StateBlock {
                begin: middle,
                end,
                marked: 0,
            }
        };
        let new = self.blocks.len() as u32;
        for &state in &self.elements[born.begin as usize..born.end as usize] {
            self.block_of[state as usize] = new;
        }
        self.blocks.push(born);
        if self.keeps_history {
            self.births.push(Birth {
                parent: number,
                action: ActionId::new(place),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tellapart_system::generate;

    use super::*;
    use crate::stop::{Never, always};

    /// The bounds on the running time and on queries both rest on always splitting off the smaller
    /// half.
    #[test]
    fn ancestors_double() {
        let counter = generate::counter(1 << 12).unwrap();
        let machines = [
            generate::shuffled(&counter, 1).unwrap(),
            counter,
            generate::chain(1 << 12).unwrap(),
            generate::de_bruijn_cycle(12).unwrap(),
            generate::random(1, 1 << 12, 3, 2).unwrap(),
        ];
        for machine in machines {
            let history = always(Refinement::to_fixed_point(&machine, &Never));
            let mut ancestors = vec![0; history.roots as usize];
            for birth in &history.births {
                ancestors.push(ancestors[birth.parent as usize] + 1);
            }
            assert!(ancestors.into_iter().max() <= Some(12));
        }
    }
}
