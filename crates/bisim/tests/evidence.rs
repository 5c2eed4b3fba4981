//! What recorded data shows, against the definitions, on thousands of small recordings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, helpers included; seeds are printed"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_bisim::evidence::{
    Comparison, ContradictionKind, Distinguished, Episodes, Path, Recording, SeparatedByCoverage,
    Tolerance, Undecided,
};
use tellapart_system::ActionId;

/// A recording in plain columns.
#[derive(Clone, Debug, Default)]
struct Columns {
    actions: usize,
    observations: Vec<u32>,
    action: Vec<u32>,
    values: Vec<u32>,
    ends: Vec<bool>,
    /// One number for each value id, and the distance from which on they differ.
    numbers: Vec<f32>,
    tolerance: Option<f64>,
}

impl Columns {
    fn rows(&self) -> usize {
        self.values.len()
    }

    /// All episodes at once, or each alone.
    fn oracle(&self, one_by_one: bool) -> Distinguished {
        let recording = match self.tolerance {
            None => Recording::new(self.actions),
            Some(distance) => {
                let tolerance = Tolerance::new(1, distance).unwrap();
                Recording::with_tolerance(self.actions, tolerance)
            }
        };
        let mut oracle = Distinguished::new(recording.unwrap());
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

    fn last(&self, row: usize) -> bool {
        self.ends[row] || row + 1 == self.rows()
    }

    fn differ(&self, a: u32, b: u32) -> bool {
        let number = |id: u32| f64::from(self.numbers[id as usize]);
        match self.tolerance {
            None => a != b,
            Some(distance) => (number(a) - number(b)).abs() > distance,
        }
    }
}

/// The definitions, as slow and obvious as can be.
struct Definition<'a> {
    columns: &'a Columns,
    unmerged: BTreeSet<u32>,
    /// Where each action recorded at a state leads.
    steps: HashMap<usize, BTreeMap<u32, usize>>,
}

impl<'a> Definition<'a> {
    fn new(columns: &'a Columns) -> Self {
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

    fn unmerge_more(&mut self) -> bool {
        let columns = self.columns;
        let before = self.unmerged.len();
        for a in 0..columns.rows() {
            let is_first = !columns.observations[..a].contains(&columns.observations[a]);
            for b in a + 1..columns.rows() {
                if columns.observations[a] != columns.observations[b] {
                    continue;
                }
                let contradicts = is_first && columns.differ(columns.values[a], columns.values[b])
                    || !columns.last(a)
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

    /// The first row of the state of a row.
    fn state(&self, row: usize) -> usize {
        let observation = self.columns.observations[row];
        if self.unmerged.contains(&observation) {
            return row;
        }
        let of = |other: &u32| *other == observation;
        self.columns.observations.iter().position(of).unwrap()
    }

    fn after(&self, state: usize) -> BTreeMap<u32, usize> {
        self.steps.get(&state).cloned().unwrap_or_default()
    }

    /// The length of a shortest distinguishing word of every pair of states: sweep after sweep, as in
    /// the definition of the largest bisimulation, over recorded transitions only.
    fn depths(&self) -> HashMap<[usize; 2], usize> {
        let states: BTreeSet<usize> = (0..self.columns.rows())
            .map(|row| self.state(row))
            .collect();
        let mut depths = HashMap::new();
        for sweep in 0.. {
            let mut found = Vec::new();
            for &a in &states {
                for &b in &states {
                    let values = [a, b].map(|state| self.columns.values[state]);
                    let (after_a, after_b) = (self.after(a), self.after(b));
                    let apart = |(action, to): (&u32, &usize)| {
                        after_b
                            .get(action)
                            .is_some_and(|other| depths.contains_key(&[*to, *other]))
                    };
                    let is_new = match sweep {
                        0 => self.columns.differ(values[0], values[1]),
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

    /// All pairs of different states that common words lead to, with the length of a shortest one; and
    /// how many recorded actions have no counterpart there.
    fn reachable(&self, a: usize, b: usize) -> (BTreeMap<[usize; 2], usize>, usize) {
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
                        Some(&to_b)
                            if to_a != to_b && !lengths.contains_key(&sorted(to_a, to_b)) =>
                        {
                            lengths.insert(sorted(to_a, to_b), length);
                            next.push(sorted(to_a, to_b));
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
    fn follow(&self, row: usize, word: &[u32]) -> Option<usize> {
        let step = |state: usize, action: &u32| self.after(state).get(action).copied();
        word.iter().try_fold(self.state(row), step)
    }

    fn check_path(&self, from: usize, path: &Path, word: &[u32]) {
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

/// Everything there is to say about one recording.
fn check(columns: &Columns) {
    let definition = Definition::new(columns);
    let depths = definition.depths();
    let oracle = columns.oracle(false);
    check_recording(&definition, oracle.recording());
    let appended = columns.oracle(true);
    check_recording(&definition, appended.recording());
    for a in 0..columns.rows() {
        for b in 0..columns.rows() {
            let comparison = oracle.compare(a, b);
            check_pair(&definition, &depths, &oracle, [a, b], &comparison);
            check_pair(
                &definition,
                &depths,
                &appended,
                [a, b],
                &appended.compare(a, b),
            );
            if let Comparison::Undecided(Undecided { pairs: 1, depth }) =
                oracle.compare_within(a, b, 1)
            {
                let shortest = depths.get(&[definition.state(a), definition.state(b)]);
                assert!(shortest.is_none_or(|&shortest| shortest >= depth));
            } else {
                assert_eq!(oracle.compare_within(a, b, 1), comparison, "{a} {b}");
            }
        }
    }
}

fn check_pair(
    definition: &Definition<'_>,
    depths: &HashMap<[usize; 2], usize>,
    oracle: &Distinguished,
    [a, b]: [usize; 2],
    comparison: &Comparison,
) {
    let columns = definition.columns;
    let states = [a, b].map(|row| definition.state(row));
    match comparison {
        Comparison::Same => assert_eq!(states[0], states[1]),
        Comparison::Undecided(undecided) => panic!("{undecided}"),
        Comparison::Distinguished(witness) => {
            let word = oracle.recording().word(witness.path_of_a());
            assert_eq!(Some(&word.len()), depths.get(&states), "{a} {b}");
            assert_eq!(oracle.witness(a, b), Ok(Some(word.clone())));
            let ends = [a, b].map(|row| definition.follow(row, &word).unwrap());
            assert!(columns.differ(columns.values[ends[0]], columns.values[ends[1]]));
            let rows = witness.rows();
            assert!(columns.differ(columns.values[rows[0]], columns.values[rows[1]]));
            definition.check_path(a, witness.path_of_a(), &word);
            definition.check_path(b, witness.path_of_b(), &word);
            assert_eq!(oracle.missing(a, b, 9), Ok(Vec::new()));
        }
        Comparison::NotDistinguished(agreement) => {
            assert_ne!(states[0], states[1]);
            assert_eq!(depths.get(&states), None, "{a} {b}");
            assert_eq!(oracle.witness(a, b), Ok(None));
            let (lengths, missing) = definition.reachable(states[0], states[1]);
            let longest = *lengths.values().max().unwrap();
            assert!(
                agreement.depth >= longest && agreement.pairs <= lengths.len(),
                "{a} {b}"
            );
            let all = oracle.missing(a, b, usize::MAX).unwrap();
            assert_eq!(
                (agreement.missing, all.len()),
                (missing, missing),
                "{a} {b}"
            );
            assert!(all.is_sorted_by_key(|missing| missing.word.len()));
            for missing in all {
                assert!([a, b].contains(&missing.recorded_from));
                let other = a + b - missing.recorded_from;
                let end = definition.follow(missing.recorded_from, &missing.word);
                assert_eq!(end, Some(definition.state(missing.leads_to)));
                assert_eq!(definition.follow(other, &missing.word), None);
                let shorter = &missing.word[..missing.word.len() - 1];
                assert!(definition.follow(other, shorter).is_some());
            }
        }
    }
}

fn check_recording(definition: &Definition<'_>, recording: &Recording) {
    let columns = definition.columns;
    let rows = columns.rows();
    assert_eq!(recording.rows(), rows);
    assert_eq!(
        recording.episodes(),
        (0..rows).filter(|&row| columns.last(row)).count()
    );
    for observation in 0..recording.observations() as u32 {
        let unmerged = definition.unmerged.contains(&observation);
        assert_eq!(
            recording.is_unmerged(observation),
            unmerged,
            "{observation}"
        );
        let of = |&row: &usize| columns.observations[row] == observation;
        assert_eq!(
            recording.rows_of(observation),
            (0..rows).filter(of).collect::<Vec<_>>()
        );
    }
    let steps: BTreeSet<_> = (0..rows)
        .filter(|&row| !columns.last(row))
        .map(|row| (columns.observations[row], columns.action[row]))
        .collect();
    assert_eq!(recording.recorded_steps(), steps.len());

    // Every contradiction is one, each is reported once, and none is left out.
    let mut expected = BTreeSet::new();
    for a in 0..rows {
        let first = columns
            .observations
            .iter()
            .position(|&o| o == columns.observations[a])
            .unwrap();
        if columns.differ(columns.values[first], columns.values[a]) {
            expected.insert((columns.observations[a], None));
        }
        for b in (0..a).filter(|&b| columns.observations[a] == columns.observations[b]) {
            let same =
                !columns.last(a) && !columns.last(b) && columns.action[a] == columns.action[b];
            if same && columns.observations[a + 1] != columns.observations[b + 1] {
                expected.insert((columns.observations[a], Some(columns.action[a])));
            }
        }
    }
    let mut found = BTreeSet::new();
    for contradiction in recording.contradictions() {
        let [a, b] = contradiction.rows;
        assert!(
            a < b
                && [a, b]
                    .iter()
                    .all(|&row| columns.observations[row] == contradiction.observation)
        );
        let action = match contradiction.kind {
            ContradictionKind::Value => {
                assert!(columns.differ(columns.values[a], columns.values[b]));
                None
            }
            ContradictionKind::Successor { action } => {
                assert_eq!([columns.action[a], columns.action[b]], [action; 2]);
                assert_ne!(columns.observations[a + 1], columns.observations[b + 1]);
                Some(action)
            }
        };
        assert!(
            found.insert((contradiction.observation, action)),
            "reported twice"
        );
    }
    assert_eq!(found, expected);

    check_coverage(definition, recording);
}

/// The partition by coverage, against refinement until nothing changes.
fn check_coverage(definition: &Definition<'_>, recording: &Recording) {
    let columns = definition.columns;
    let coverage = SeparatedByCoverage::new(recording).unwrap();
    let states: BTreeSet<usize> = (0..columns.rows())
        .map(|row| definition.state(row))
        .collect();
    // Labels of states, finer from sweep to sweep.
    let mut labels: HashMap<usize, usize> = states
        .iter()
        .map(|&state| (state, columns.values[state] as usize))
        .collect();
    for _ in 0..states.len() {
        let mut numbers = HashMap::new();
        let finer = states.iter().map(|&state| {
            let after: Vec<_> = definition
                .after(state)
                .iter()
                .map(|(&action, to)| (action, labels[to]))
                .collect();
            let fresh = numbers.len();
            (
                state,
                *numbers.entry((labels[&state], after)).or_insert(fresh),
            )
        });
        labels = finer.collect();
    }
    assert_eq!(coverage.classes().states(), states.len());
    for a in 0..columns.rows() {
        for b in 0..columns.rows() {
            let labels = [a, b].map(|row| labels[&definition.state(row)]);
            assert_eq!(coverage.separates(a, b), labels[0] != labels[1], "{a} {b}");
        }
    }
    let transitions = coverage.transitions();
    let recorded: BTreeSet<_> = transitions.recorded.iter().copied().collect();
    assert_eq!(recorded.len(), transitions.recorded.len());
    let mut expected = BTreeSet::new();
    for row in (0..columns.rows()).filter(|&row| !columns.last(row)) {
        let states = [row, row + 1].map(|row| transitions.state_of[row]);
        expected.insert((states[0], ActionId::new(columns.action[row]), states[1]));
    }
    assert_eq!(recorded, expected);
}

/// How a random recording is made.
#[derive(Clone, Copy, Debug)]
enum World {
    /// Every row shows an observation of its own.
    AllDifferent,
    /// A deterministic machine with so many states.
    Deterministic(u32),
    /// The same with rows that go anywhere or show any value now and then.
    Faulty(u32),
    /// A deterministic machine whose values come with noise, most of it within the tolerance: 0 and 1 are
    /// equal, 1 and 2 are, 0 and 2 are not.
    Noisy(u32),
}

fn random(seed: u64, world: World) -> Columns {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let actions = random.random_range(1..4);
    let values = random.random_range(1..4);
    let rows = random.random_range(1..24);
    let longest = random.random_range(1..rows + 1);
    let states = match world {
        World::AllDifferent => 1,
        World::Deterministic(states) | World::Faulty(states) | World::Noisy(states) => states,
    };
    let next: Vec<u32> = (0..states * actions)
        .map(|_| random.random_range(0..states))
        .collect();
    let value: Vec<u32> = (0..states)
        .map(|_| random.random_range(0..values))
        .collect();
    let mut columns = Columns {
        actions: actions as usize,
        ..Columns::default()
    };
    if random.random_range(0..3) == 0 {
        columns.numbers = vec![0.0, 0.4, 1.0];
        columns.tolerance = Some(random.random_range(0..3) as f64 / 4.0);
    }
    if matches!(world, World::Noisy(_)) {
        columns.numbers = vec![0.0, 0.4, 1.0];
        columns.tolerance = Some(0.7);
    }
    let mut numbers = HashMap::new();
    let (mut state, mut length) = (random.random_range(0..states), 0);
    for row in 0..rows {
        let wild = matches!(world, World::Faulty(_)) && random.random_range(0..8) == 0;
        let all_different = matches!(world, World::AllDifferent);
        let name = if all_different { row as u32 } else { state };
        let fresh = numbers.len() as u32;
        columns
            .observations
            .push(*numbers.entry(name).or_insert(fresh));
        let shown = match world {
            World::Noisy(_) => [0, 1, 1, 1, 1, 1, 1, 2][random.random_range(0..8)],
            World::AllDifferent => random.random_range(0..values),
            _ if wild => random.random_range(0..values),
            _ => value[state as usize],
        };
        columns.values.push(shown);
        let action = random.random_range(0..actions);
        columns.action.push(action);
        length += 1;
        let ends = length >= longest || random.random_range(0..6) == 0;
        columns.ends.push(ends && row + 1 < rows || random.random());
        let ends = columns.ends[row];
        state = next[(state * actions + action) as usize];
        if ends || wild {
            state = random.random_range(0..states);
        }
        if ends {
            length = 0;
        }
    }
    columns
}

#[test]
fn the_oracle_agrees_with_the_definition() {
    for seed in 0..6000 {
        let world = match seed % 8 {
            0 | 1 => World::AllDifferent,
            2 => World::Deterministic(2),
            3 => World::Deterministic(5),
            4 => World::Deterministic(12),
            5 => World::Faulty(4),
            6 => World::Noisy(7),
            _ => World::Faulty(9),
        };
        println!("seed {seed}, {world:?}");
        check(&random(seed, world));
    }
}

#[test]
fn bad_episodes_are_refused_and_change_nothing() {
    let good = Episodes {
        observations: &[0, 1],
        actions: &[1, 9],
        values: &[0, 1],
        ends: &[false, true],
        vectors: &[],
    };
    let mut recording = Recording::new(2).unwrap();
    recording.append(&good).unwrap();
    for (episodes, part) in [
        (
            Episodes {
                actions: &[1],
                ..good
            },
            "`actions` has 1 rows",
        ),
        (
            Episodes {
                values: &[],
                ..good
            },
            "`values` has 0 rows",
        ),
        (
            Episodes {
                ends: &[true; 3],
                ..good
            },
            "`ends` has 3 rows",
        ),
        (
            Episodes {
                observations: &[2, 4],
                ..good
            },
            "row 3 (counted over all that was appended): observation is 4",
        ),
        (
            Episodes {
                actions: &[2, 0],
                ..good
            },
            "row 2 (counted over all that was appended): action is 2",
        ),
        (
            Episodes {
                vectors: &[1.0],
                ..good
            },
            "`vectors` holds 1 numbers",
        ),
    ] {
        let error = recording.append(&episodes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!((recording.rows(), recording.observations()), (2, 2));
    }
    assert!(
        Recording::new(0)
            .unwrap_err()
            .to_string()
            .contains("at least one action")
    );
    for (width, distance) in [(0, 1.0), (1, -1.0), (1, f64::NAN), (1, f64::INFINITY)] {
        Tolerance::new(width, distance).unwrap_err();
    }
    let tolerance = Tolerance::new(2, 0.5).unwrap();
    let mut recording = Recording::with_tolerance(2, tolerance).unwrap();
    for (vectors, part) in [
        (&[0.0; 3][..], "2 for each new value"),
        (&[0.0; 2], "value is 1"),
        (&[0.0, 0.0, f32::NAN, 0.0], "value 1 holds NaN"),
    ] {
        let error = recording
            .append(&Episodes { vectors, ..good })
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    recording
        .append(&Episodes {
            vectors: &[0.0; 4],
            ..good
        })
        .unwrap();
}
