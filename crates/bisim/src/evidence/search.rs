//! Search through pairs of states, for a shortest word after which `p` differs.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use super::comparison::{Agreement, Comparison, Undecided, Witness};
use super::distinguished::Distinguished;
use super::path::Path;

/// Search through pairs of states, shortest words first.
pub(super) struct PairSearch<'a> {
    oracle: &'a Distinguished,
    pairs: Vec<StatePair>,
    /// Unordered pairs that were reached, with the shortest length so far. Filled from the third
    /// pair on: where observations do not recur, there are only two.
    depths: HashMap<[u32; 2], usize>,
    /// Depth and index of the pairs to examine; `next` alone as long as there is only one.
    queue: BinaryHeap<Reverse<(usize, usize)>>,
    next: Option<(usize, usize)>,
}

/// A pair of states and how it was reached.
struct StatePair {
    states: [u32; 2],
    depth: usize,
    /// Index of the pair before, and the rows from which to take `steps` actions.
    before: usize,
    from: [u32; 2],
    steps: u32,
}

impl<'a> PairSearch<'a> {
    pub(super) fn new(oracle: &'a Distinguished, a: usize, b: usize) -> Self {
        let recording = &oracle.recording;
        let rows = [a as u32, b as u32];
        assert!(
            a.max(b) < recording.rows(),
            "rows {a} and {b} are compared, of {}",
            recording.rows()
        );
        let states = rows.map(|row| recording.state(row));
        let first = StatePair {
            states,
            depth: 0,
            before: 0,
            from: rows,
            steps: 0,
        };
        Self {
            oracle,
            pairs: vec![first],
            depths: HashMap::new(),
            queue: BinaryHeap::new(),
            next: Some((0, 0)),
        }
    }

    /// Runs the search over at most `budget` pairs. Calls `missing(pair, side, row)` for each
    /// action taken at `row`, of the state on `side`, that was not recorded on the other side.
    pub(super) fn run(
        &mut self,
        budget: usize,
        mut missing: impl FnMut(usize, usize, u32),
    ) -> Comparison {
        let [a, b] = self.pairs[0].states;
        if a == b {
            return Comparison::Same;
        }
        let recording = &self.oracle.recording;
        let mut agreement = Agreement {
            depth: 0,
            pairs: 0,
            missing: 0,
        };
        while let Some((depth, pair)) = self.next_pair() {
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
            let values = states.map(|state| recording.value_of_state(state));
            if recording.differ(values[0], values[1]) {
                let rows = states.map(|state| recording.value_row(state));
                return Comparison::Distinguished(self.witness(pair, rows));
            }
            let steps = self.follow(pair);
            if steps > 0 {
                agreement.depth = agreement.depth.max(depth + steps as usize);
                continue;
            }
            let (mut left, mut right) =
                (recording.steps(a).peekable(), recording.steps(b).peekable());
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
                    (Some((_, a)), Some((_, b))) => {
                        if recording.outputs_differ(a, b) {
                            let last = self.step(pair, [a, b], 1);
                            self.pairs.push(last);
                            let pair = self.pairs.len() - 1;
                            return Comparison::Distinguished(self.witness(pair, [a, b]));
                        }
                        // Where both now are one state, nothing is left to compare after it.
                        agreement.depth = agreement.depth.max(depth + 1);
                        self.reach(pair, [a, b], 1);
                    }
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

    /// Follows the rows as far as both agree, if both sides can only continue in one way. Returns
    /// the number of actions.
    fn follow(&mut self, pair: usize) -> u32 {
        let recording = &self.oracle.recording;
        let [a, b] = self.pairs[pair]
            .states
            .map(|state| recording.only_way(state));
        let (Some(a), Some(b)) = (a, b) else {
            return 0;
        };
        let steps = self.oracle.agreement(a, b);
        if steps > 0 {
            self.reach(pair, [a, b], steps);
        }
        steps
    }

    /// Adds the pair that `steps` actions lead to from the rows `from`.
    fn reach(&mut self, before: usize, from: [u32; 2], steps: u32) {
        let step = self.step(before, from, steps);
        let StatePair { states, depth, .. } = step;
        if states[0] == states[1] || !self.is_nearer(states, depth) {
            return;
        }
        let entry = (depth, self.pairs.len());
        if self.next.is_none() && self.queue.is_empty() {
            self.next = Some(entry);
        } else {
            self.queue.extend(self.next.take().map(Reverse));
            self.queue.push(Reverse(entry));
        }
        self.pairs.push(step);
    }

    /// Returns the pair that `steps` actions lead to from the rows `from`.
    fn step(&self, before: usize, from: [u32; 2], steps: u32) -> StatePair {
        StatePair {
            states: from.map(|row| self.oracle.recording.state(row + steps)),
            depth: self.pairs[before].depth + steps as usize,
            before,
            from,
            steps,
        }
    }

    fn witness(&self, pair: usize, rows: [u32; 2]) -> Witness {
        Witness {
            paths: [0, 1].map(|side| self.path(pair, side)),
            rows,
        }
    }

    /// Whether a pair was not reached yet, or only by more actions; if so, remembers it.
    fn is_nearer(&mut self, states: [u32; 2], depth: usize) -> bool {
        if self.pairs.len() == 1 {
            return sorted(states) != sorted(self.pairs[0].states);
        }
        if self.depths.is_empty() {
            let known = self
                .pairs
                .iter()
                .map(|pair| (sorted(pair.states), pair.depth));
            self.depths.extend(known);
        }
        let shortest = self.depths.entry(sorted(states)).or_insert(usize::MAX);
        let is_nearer = depth < *shortest;
        *shortest = depth.min(*shortest);
        is_nearer
    }

    fn next_pair(&mut self) -> Option<(usize, usize)> {
        let queued = |queue: &mut BinaryHeap<_>| queue.pop().map(|Reverse(entry)| entry);
        self.next.take().or_else(|| queued(&mut self.queue))
    }

    pub(super) fn path(&self, mut pair: usize, side: usize) -> Path {
        let end = self.pairs[pair].states[side];
        let mut stretches = Vec::new();
        while pair != 0 {
            let StatePair {
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
