//! The definitions for recordings, as slow and obvious as possible.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tellapart_bisim::evidence::{
    Distinguished, Episodes, Path, Recording, Tolerance, UNKNOWN, ValueOf,
};

/// A recording in plain columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) actions: usize,
    pub(crate) observations: Vec<u32>,
    pub(crate) action: Vec<u32>,
    pub(crate) values: Vec<u32>,
    pub(crate) ends: Vec<bool>,
    /// One number for each value id.
    pub(crate) numbers: Vec<f64>,
    pub(crate) tolerance: Option<f64>,
    pub(crate) value_of: ValueOf,
}

impl Columns {
    pub(crate) fn rows(&self) -> usize {
        self.values.len()
    }

    /// Builds the oracle from all episodes at once, or from each alone.
    pub(crate) fn oracle(&self, one_by_one: bool) -> Distinguished {
        let recording = match self.tolerance {
            None => Recording::new(self.actions),
            Some(distance) => {
                let tolerance = Tolerance::new(1, distance).unwrap();
                Recording::with_tolerance(self.actions, tolerance)
            }
        };
        let mut oracle = Distinguished::new(recording.unwrap().with_values_of(self.value_of));
        let mut start = 0;
        for row in 0..self.rows() {
            if row + 1 == self.rows() || one_by_one && self.ends[row] {
                let rows = start..row + 1;
                let vectors = if start == 0 { &self.numbers[..] } else { &[] };
                oracle
                    .append(&Episodes {
                        observations: &self.observations[rows.clone()],
                        actions: &self.action[rows.clone()],
                        values: &self.values[rows.clone()],
                        ends: &self.ends[rows],
                        vectors,
                    })
                    .unwrap();
                start = row + 1;
            }
        }
        oracle
    }

    pub(crate) fn last(&self, row: usize) -> bool {
        self.ends[row] || row + 1 == self.rows()
    }

    /// Rows whose values belong to the same as that of `row`: to its observation, or to its
    /// observation and action. None where its value means nothing.
    pub(crate) fn alike(&self, row: usize) -> Vec<usize> {
        let is_alike = |&other: &usize| {
            self.observations[other] == self.observations[row]
                && (self.value_of == ValueOf::Observation
                    || !self.last(row)
                        && !self.last(other)
                        && self.action[other] == self.action[row])
        };
        (0..self.rows()).filter(is_alike).collect()
    }

    /// Returns the first row among these whose value is known.
    pub(crate) fn first_known(&self, rows: &[usize]) -> Option<usize> {
        let known = |&&row: &&usize| self.values[row] != UNKNOWN;
        rows.iter().find(known).copied()
    }

    pub(crate) fn differ(&self, a: u32, b: u32) -> bool {
        let number = |id: u32| self.numbers[id as usize];
        if a == UNKNOWN || b == UNKNOWN {
            return false;
        }
        match self.tolerance {
            None => a != b,
            Some(distance) => (number(a) - number(b)).abs() > distance,
        }
    }
}

/// Reference implementation of the definitions, as slow and obvious as possible.
pub(crate) struct Definition<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) unmerged: BTreeSet<u32>,
    /// State that each action recorded at a state leads to.
    pub(crate) steps: HashMap<usize, BTreeMap<u32, usize>>,
}

impl<'a> Definition<'a> {
    pub(crate) fn new(columns: &'a Columns) -> Self {
        let mut definition = Self {
            columns,
            unmerged: BTreeSet::new(),
            steps: HashMap::new(),
        };
        while definition.unmerge_more() {}
        for row in (0..columns.rows()).filter(|&row| !columns.last(row)) {
            let (from, to) = (definition.state(row), definition.state(row + 1));
            let steps = definition.steps.entry(from).or_default();
            let old = steps.insert(columns.action[row], to);
            assert!(
                old.is_none_or(|old| old == to),
                "what is merged is deterministic"
            );
        }
        definition
    }

    pub(crate) fn unmerge_more(&mut self) -> bool {
        let columns = self.columns;
        let before = self.unmerged.len();
        for a in 0..columns.rows() {
            let known = columns.first_known(&columns.alike(a));
            if known.is_some_and(|known| columns.differ(columns.values[known], columns.values[a])) {
                self.unmerged.insert(columns.observations[a]);
            }
            for b in a + 1..columns.rows() {
                if columns.observations[a] != columns.observations[b] {
                    continue;
                }
                let contradicts = !columns.last(a)
                    && !columns.last(b)
                    && columns.action[a] == columns.action[b]
                    && self.state(a + 1) != self.state(b + 1);
                if contradicts {
                    self.unmerged.insert(columns.observations[a]);
                }
            }
        }
        self.unmerged.len() > before
    }

    /// Returns the first row of the state of a row.
    pub(crate) fn state(&self, row: usize) -> usize {
        let observation = self.columns.observations[row];
        if self.unmerged.contains(&observation) {
            return row;
        }
        let of = |other: &u32| *other == observation;
        self.columns.observations.iter().position(of).unwrap()
    }

    /// Returns the value of a state and, where values belong to steps, of an action recorded there.
    pub(crate) fn value(&self, state: usize, action: Option<u32>) -> u32 {
        let columns = self.columns;
        if action.is_some() != (columns.value_of == ValueOf::Step) {
            return UNKNOWN;
        }
        let belongs = |&row: &usize| {
            self.state(row) == state
                && action.is_none_or(|action| !columns.last(row) && columns.action[row] == action)
        };
        let rows: Vec<usize> = (0..columns.rows()).filter(belongs).collect();
        columns
            .first_known(&rows)
            .map_or(UNKNOWN, |row| columns.values[row])
    }

    pub(crate) fn after(&self, state: usize) -> BTreeMap<u32, usize> {
        self.steps.get(&state).cloned().unwrap_or_default()
    }

    /// Returns the length of a shortest distinguishing word for every pair of states. Computed
    /// sweep by sweep, as in the definition of the largest bisimulation, over recorded transitions
    /// only.
    pub(crate) fn depths(&self) -> HashMap<[usize; 2], usize> {
        let states: BTreeSet<usize> = (0..self.columns.rows())
            .map(|row| self.state(row))
            .collect();
        let mut depths = HashMap::new();
        for sweep in 0.. {
            let mut found = Vec::new();
            for &a in &states {
                for &b in &states {
                    let differ = |action: Option<u32>| {
                        let [a, b] = [a, b].map(|state| self.value(state, action));
                        self.columns.differ(a, b)
                    };
                    let (after_a, after_b) = (self.after(a), self.after(b));
                    let apart = |(action, to): (&u32, &usize)| {
                        after_b.get(action).is_some_and(|other| {
                            differ(Some(*action)) || depths.contains_key(&[*to, *other])
                        })
                    };
                    let is_new = match sweep {
                        0 => differ(None),
                        _ => after_a.iter().any(apart) && !depths.contains_key(&[a, b]),
                    };
                    if is_new {
                        found.push([a, b]);
                    }
                }
            }
            if found.is_empty() && sweep > 0 {
                break;
            }
            depths.extend(found.into_iter().map(|pair| (pair, sweep)));
        }
        depths
    }

    /// Returns all pairs of states that common words lead to, equal ones included, with the length
    /// of a shortest one. Also returns the number of recorded actions that have no counterpart at
    /// pairs of different states.
    pub(crate) fn reachable(&self, a: usize, b: usize) -> (BTreeMap<[usize; 2], usize>, usize) {
        let sorted = |a: usize, b: usize| [a.min(b), a.max(b)];
        let mut lengths = BTreeMap::from([(sorted(a, b), 0)]);
        let (mut layer, mut missing) = (vec![sorted(a, b)], 0);
        for length in 1.. {
            let mut next = Vec::new();
            for [a, b] in std::mem::take(&mut layer) {
                let (after_a, after_b) = (self.after(a), self.after(b));
                missing += after_b
                    .keys()
                    .filter(|action| !after_a.contains_key(action))
                    .count();
                for (action, &to_a) in &after_a {
                    match after_b.get(action) {
                        None => missing += 1,
                        Some(&to_b) if !lengths.contains_key(&sorted(to_a, to_b)) => {
                            lengths.insert(sorted(to_a, to_b), length);
                            if to_a != to_b {
                                next.push(sorted(to_a, to_b));
                            }
                        }
                        Some(_) => {}
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            layer = next;
        }
        (lengths, missing)
    }

    /// Follows a word from a row; `None` where it was not recorded.
    pub(crate) fn follow(&self, row: usize, word: &[u32]) -> Option<usize> {
        let step = |state: usize, action: &u32| self.after(state).get(action).copied();
        word.iter().try_fold(self.state(row), step)
    }

    pub(crate) fn check_path(&self, from: usize, path: &Path, word: &[u32]) {
        let columns = self.columns;
        assert_eq!(
            (path.len(), path.rows().count()),
            (word.len(), word.len() + 1)
        );
        let rows: Vec<usize> = path.rows().collect();
        assert_eq!(self.state(rows[0]), self.state(from));
        assert_eq!(rows.last(), Some(&path.end()));
        for (step, row) in path.steps().enumerate() {
            assert!(!columns.last(row) && columns.action[row] == word[step]);
            assert_eq!(self.state(row + 1), self.state(rows[step + 1]));
        }
    }
}
