//! The oracle: is a pair told apart by the data, by which word, or how far could it be compared?

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use super::episodes::{Episodes, EvidenceError};
use super::path::Path;
use super::recording::Recording;

/// How many pairs of states [`Distinguished::compare`] looks at before it gives up.
pub const PAIRS_PER_COMPARISON: usize = 1 << 16;

/// Which pairs of rows are distinguished by the data: *some action word recorded from both leads to
/// recorded values of `p` that differ*.
///
/// Not transitive, and therefore no partition: `a` and `b` may be comparable where `b` and `c` are not.
#[derive(Clone, Debug)]
pub struct Distinguished {
    recording: Recording,
}

/// What the data says about a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are one state: the same observation (without a contradiction), or the same row.
    Same,
    /// A word recorded from both leads to values of `p` that differ.
    Distinguished(Witness),
    /// No word does that: all words recorded from both lead to equal values of `p`. This does not say
    /// that the two are bisimilar.
    NotDistinguished(Agreement),
    /// The search was given up; they may be distinguished or not.
    Undecided(Undecided),
}

/// A shortest word that tells two rows apart, and how it was recorded from each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    paths: [Path; 2],
}

/// How far two rows that are not distinguished could be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Every pair of states that a word recorded from both leads to is reached by one of at most so many
    /// actions. Where observations do not recur, this is the length of the longest word recorded from
    /// both.
    pub depth: usize,
    /// Pairs of states that were looked at.
    pub pairs: usize,
    /// Words that would say more: recorded from one of the two, but not from the other, and without a
    /// shorter such beginning; each pair of states counts once. [`Distinguished::missing`] lists them.
    /// Zero means: wherever a common word leads, the same actions were recorded on both sides.
    pub missing: usize,
}

/// A search that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "undecided after {pairs} pairs of states: words of fewer than {depth} actions do not tell them apart"
)]
pub struct Undecided {
    /// Pairs of states that were looked at.
    pub pairs: usize,
    /// No shorter word recorded from both leads to values of `p` that differ.
    pub depth: usize,
}

/// A word that was recorded from one row of a pair only: recorded from the other, it would let the pair
/// be compared further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The actions.
    pub word: Vec<u32>,
    /// The row of the pair that it was recorded from.
    pub recorded_from: usize,
    /// The recorded row that it leads to.
    pub leads_to: usize,
}

impl Witness {
    /// The way from the first row of the pair.
    #[must_use]
    pub fn path_of_a(&self) -> &Path {
        &self.paths[0]
    }

    /// The way from the second row of the pair, under the same actions.
    #[must_use]
    pub fn path_of_b(&self) -> &Path {
        &self.paths[1]
    }

    /// The rows it leads to, whose values of `p` differ.
    #[must_use]
    pub fn rows(&self) -> [usize; 2] {
        [self.paths[0].end(), self.paths[1].end()]
    }

    /// Number of actions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths[0].len()
    }

    /// Whether the values differ at once.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Distinguished {
    /// The oracle of a recording.
    #[must_use]
    pub fn new(recording: Recording) -> Self {
        Self { recording }
    }

    /// The recording it speaks of.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Adds whole episodes.
    ///
    /// # Errors
    /// As [`Recording::append`].
    pub fn append(&mut self, episodes: &Episodes<'_>) -> Result<(), EvidenceError> {
        self.recording.append(episodes)
    }

    /// A shortest word of actions after which the recorded values of `p` differ; `None` if the data
    /// does not distinguish the two rows.
    ///
    /// # Errors
    /// [`Undecided`] after [`PAIRS_PER_COMPARISON`] pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn witness(&self, a: usize, b: usize) -> Result<Option<Vec<u32>>, Undecided> {
        match self.compare(a, b) {
            Comparison::Distinguished(witness) => {
                Ok(Some(self.recording.word(witness.path_of_a())))
            }
            Comparison::Same | Comparison::NotDistinguished(_) => Ok(None),
            Comparison::Undecided(undecided) => Err(undecided),
        }
    }

    /// What the data says about two rows, after at most [`PAIRS_PER_COMPARISON`] pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    #[must_use]
    pub fn compare(&self, a: usize, b: usize) -> Comparison {
        self.compare_within(a, b, PAIRS_PER_COMPARISON)
    }

    /// As [`Distinguished::compare`], after at most so many pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    #[must_use]
    pub fn compare_within(&self, a: usize, b: usize, pairs: usize) -> Comparison {
        Search::new(&self.recording, a, b).run(pairs, |_, _, _| {})
    }

    /// The first words (at most `limit`, shortest first) that were recorded from one of the two rows but
    /// not from the other; see [`Agreement::missing`]. Empty if the rows are distinguished, or the same.
    ///
    /// # Errors
    /// [`Undecided`] after [`PAIRS_PER_COMPARISON`] pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn missing(&self, a: usize, b: usize, limit: usize) -> Result<Vec<Missing>, Undecided> {
        let mut search = Search::new(&self.recording, a, b);
        let mut found = Vec::new();
        let end = search.run(PAIRS_PER_COMPARISON, |pair, side, row| {
            if found.len() < limit {
                found.push((pair, side, row));
            }
        });
        match end {
            Comparison::Undecided(undecided) => Err(undecided),
            Comparison::Same | Comparison::Distinguished(_) => Ok(Vec::new()),
            Comparison::NotDistinguished(_) => {
                let missing = |(pair, side, row): (usize, usize, u32)| {
                    let mut word = self.recording.word(&search.path(pair, side));
                    word.extend(self.recording.action(row));
                    Missing {
                        word,
                        recorded_from: [a, b][side],
                        leads_to: row as usize + 1,
                    }
                };
                Ok(found.into_iter().map(missing).collect())
            }
        }
    }
}

/// Search through pairs of states, shortest words first.
struct Search<'a> {
    recording: &'a Recording,
    pairs: Vec<Pair>,
    /// Pairs that were reached, without regard to order, with the shortest length so far.
    depths: HashMap<[u32; 2], usize>,
    queue: BinaryHeap<Reverse<(usize, usize)>>,
}

/// A pair of states and how it was reached.
struct Pair {
    states: [u32; 2],
    depth: usize,
    /// The pair before, and the rows from which to take `steps` actions.
    before: usize,
    from: [u32; 2],
    steps: u32,
}

impl<'a> Search<'a> {
    fn new(recording: &'a Recording, a: usize, b: usize) -> Self {
        let rows = [a as u32, b as u32];
        assert!(
            a.max(b) < recording.rows(),
            "rows {a} and {b} are compared, of {}",
            recording.rows()
        );
        let states = rows.map(|row| recording.state(row));
        let first = Pair {
            states,
            depth: 0,
            before: 0,
            from: rows,
            steps: 0,
        };
        Self {
            recording,
            pairs: vec![first],
            depths: HashMap::new(),
            queue: BinaryHeap::from([Reverse((0, 0))]),
        }
    }

    /// `missing(pair, side, row)`: at `row`, of the state on `side`, an action was taken that was not
    /// recorded on the other side.
    fn run(&mut self, budget: usize, mut missing: impl FnMut(usize, usize, u32)) -> Comparison {
        let [a, b] = self.pairs[0].states;
        if a == b {
            return Comparison::Same;
        }
        let mut agreement = Agreement {
            depth: 0,
            pairs: 0,
            missing: 0,
        };
        while let Some(Reverse((depth, pair))) = self.queue.pop() {
            let states = self.pairs[pair].states;
            if self
                .depths
                .get(&sorted(states))
                .is_some_and(|&shorter| shorter < depth)
            {
                continue;
            }
            if agreement.pairs == budget {
                return Comparison::Undecided(Undecided {
                    pairs: agreement.pairs,
                    depth,
                });
            }
            agreement.pairs += 1;
            agreement.depth = agreement.depth.max(depth);
            let [a, b] = states;
            if self
                .recording
                .differ(self.recording.value(a), self.recording.value(b))
            {
                let paths = [0, 1].map(|side| self.path(pair, side));
                return Comparison::Distinguished(Witness { paths });
            }
            let steps = self.follow(pair);
            if steps > 0 {
                agreement.depth = agreement.depth.max(depth + steps as usize - 1);
                continue;
            }
            let (mut left, mut right) = (
                self.recording.steps(a).peekable(),
                self.recording.steps(b).peekable(),
            );
            loop {
                let order = match (left.peek(), right.peek()) {
                    (None, None) => break,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some((a, _)), Some((b, _))) => a.cmp(b),
                };
                let on_left = if order.is_le() { left.next() } else { None };
                let on_right = if order.is_ge() { right.next() } else { None };
                match (on_left, on_right) {
                    (Some((_, a)), Some((_, b))) => self.reach(pair, [a, b], 1),
                    (one, other) => {
                        let side = usize::from(one.is_none());
                        if let Some((_, row)) = one.or(other) {
                            agreement.missing += 1;
                            missing(pair, side, row);
                        }
                    }
                }
            }
        }
        Comparison::NotDistinguished(agreement)
    }

    /// Where both sides can only go on in one way, goes on as far as both agree; by how many actions?
    fn follow(&mut self, pair: usize) -> u32 {
        let recording = self.recording;
        let [a, b] = self.pairs[pair]
            .states
            .map(|state| recording.only_way(state));
        let (Some(a), Some(b)) = (a, b) else {
            return 0;
        };
        let steps = recording.agreement(a, b);
        if steps > 0 {
            self.reach(pair, [a, b], steps);
        }
        steps
    }

    /// From `from`, `steps` actions lead on to a pair.
    fn reach(&mut self, before: usize, from: [u32; 2], steps: u32) {
        let states = from.map(|row| self.recording.state(row + steps));
        let depth = self.pairs[before].depth + steps as usize;
        if self.depths.is_empty() {
            self.depths.insert(sorted(self.pairs[0].states), 0);
        }
        let is_new = |old: &usize| *old > depth;
        if states[0] == states[1] || !self.depths.get(&sorted(states)).is_none_or(is_new) {
            return;
        }
        self.depths.insert(sorted(states), depth);
        self.queue.push(Reverse((depth, self.pairs.len())));
        self.pairs.push(Pair {
            states,
            depth,
            before,
            from,
            steps,
        });
    }

    fn path(&self, mut pair: usize, side: usize) -> Path {
        let end = self.pairs[pair].states[side];
        let mut stretches = Vec::new();
        while pair != 0 {
            let Pair {
                before,
                from,
                steps,
                ..
            } = self.pairs[pair];
            stretches.push(from[side]..from[side] + steps);
            pair = before;
        }
        stretches.reverse();
        Path::new(stretches, end)
    }
}

fn sorted([a, b]: [u32; 2]) -> [u32; 2] {
    [a.min(b), a.max(b)]
}
