//! Checks of a recording against the definitions.

use std::collections::{BTreeSet, HashMap};

use tellapart_bisim::evidence::{
    Comparison, ContradictionKind, Distinguished, Recording, SeparatedByCoverage, Undecided,
    ValueOf,
};
use tellapart_system::ActionId;

use crate::definition::{Columns, Definition};

/// What two rows contradict each other in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Broken {
    Value(Option<u32>),
    Successor(u32),
}

/// Checks every result for one recording.
pub(crate) fn check(columns: &Columns) {
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

pub(crate) fn check_pair(
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
            let shown = [a, b].map(|row| match columns.value_of {
                ValueOf::Observation => {
                    definition.value(definition.follow(row, &word).unwrap(), None)
                }
                ValueOf::Step => {
                    let (last, before) = word.split_last().unwrap();
                    definition.value(definition.follow(row, before).unwrap(), Some(*last))
                }
            });
            assert!(columns.differ(shown[0], shown[1]));
            let rows = witness.rows();
            assert_eq!(rows.map(|row| columns.values[row]), shown);
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
            let comparable = definition
                .after(states[0])
                .into_keys()
                .any(|action| definition.after(states[1]).contains_key(&action));
            assert_eq!(agreement.depth > 0, comparable, "{a} {b}");
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

pub(crate) fn check_recording(definition: &Definition<'_>, recording: &Recording) {
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

    // Every reported contradiction is one, is reported once, and none is missing.
    let mut expected = BTreeSet::new();
    for a in 0..rows {
        let known = columns.first_known(&columns.alike(a));
        if known.is_some_and(|known| columns.differ(columns.values[known], columns.values[a])) {
            let action = (columns.value_of == ValueOf::Step).then_some(columns.action[a]);
            expected.insert((columns.observations[a], Broken::Value(action)));
        }
        for b in (0..a).filter(|&b| columns.observations[a] == columns.observations[b]) {
            let same =
                !columns.last(a) && !columns.last(b) && columns.action[a] == columns.action[b];
            if same && columns.observations[a + 1] != columns.observations[b + 1] {
                let broken = Broken::Successor(columns.action[a]);
                expected.insert((columns.observations[a], broken));
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
        let broken = match contradiction.kind {
            ContradictionKind::Value => {
                assert!(columns.differ(columns.values[a], columns.values[b]));
                Broken::Value(None)
            }
            ContradictionKind::Output { action } => {
                assert_eq!([columns.action[a], columns.action[b]], [action; 2]);
                assert!(columns.differ(columns.values[a], columns.values[b]));
                Broken::Value(Some(action))
            }
            ContradictionKind::Successor { action } => {
                assert_eq!([columns.action[a], columns.action[b]], [action; 2]);
                assert_ne!(columns.observations[a + 1], columns.observations[b + 1]);
                Broken::Successor(action)
            }
        };
        assert!(
            found.insert((contradiction.observation, broken)),
            "reported twice"
        );
    }
    assert_eq!(found, expected);

    check_coverage(definition, recording);
}

/// Checks the partition by coverage against refinement until nothing changes.
pub(crate) fn check_coverage(definition: &Definition<'_>, recording: &Recording) {
    let columns = definition.columns;
    let coverage = SeparatedByCoverage::new(recording).unwrap();
    let states: BTreeSet<usize> = (0..columns.rows())
        .map(|row| definition.state(row))
        .collect();
    // Labels of states, finer from sweep to sweep. An unknown value is one of its own.
    let mut numbers = HashMap::new();
    let mut labels: HashMap<usize, usize> = states
        .iter()
        .map(|&state| {
            let after = definition.after(state);
            let outputs = after.keys().map(|&action| {
                let value = definition.value(state, Some(action));
                (action, value)
            });
            let shown = (definition.value(state, None), outputs.collect::<Vec<_>>());
            let fresh = numbers.len();
            (state, *numbers.entry(shown).or_insert(fresh))
        })
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
