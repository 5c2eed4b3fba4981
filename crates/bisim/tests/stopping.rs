//! Work that a caller stops in the middle, after any number of questions.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::sync::atomic::{AtomicUsize, Ordering};

use tellapart_bisim::evidence::{
    CoverageError, Distinguished, Episodes, EvidenceError, Recording, SeparatedByCoverage,
};
use tellapart_bisim::{
    SplittingTree, Violation, largest_bisimulation, largest_bisimulation_with, quotient,
    quotient_with, separated_by_coverage, separated_by_coverage_with, verify_coarsest_with,
    witness, witness_with,
};
use tellapart_progress::{Progress, Stopped};
use tellapart_system::{MooreMachine, StateId, generate};

/// Says to stop from the question with this number on.
struct After {
    limit: usize,
    asked: AtomicUsize,
}

impl After {
    fn new(limit: usize) -> Self {
        let asked = AtomicUsize::new(0);
        Self { limit, asked }
    }
}

impl Progress for After {
    fn stopped(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.limit
    }
}

/// Returns the result of work that nobody stops, and checks that it ends early wherever it is
/// stopped. `least` questions are expected.
fn check<T, E: Into<Option<Stopped>>>(
    name: &str,
    least: usize,
    work: impl Fn(&dyn Progress) -> Result<T, E>,
) -> T {
    let all = After::new(usize::MAX);
    let Ok(result) = work(&all) else {
        unreachable!("{name} was stopped by nobody");
    };
    let asked = all.asked.into_inner();
    assert!(asked >= least, "{name}: {asked} questions");
    for limit in [0, 1, 2, asked / 3, asked / 2, asked - 1] {
        let error = work(&After::new(limit)).err().and_then(Into::into);
        let expected = (limit < asked).then_some(Stopped);
        assert_eq!(error, expected, "{name}, stopped after {limit} of {asked}");
    }
    result
}

fn of_violation(violation: Violation) -> Option<Stopped> {
    match violation {
        Violation::Stopped(stopped) => Some(stopped),
        _ => None,
    }
}

/// Makes systems in which each of the methods has much to do.
fn systems() -> Vec<(&'static str, MooreMachine)> {
    let counter = generate::counter(150_000).unwrap();
    let random = generate::random(1, 300_000, 2, 2).unwrap();
    let copies = generate::with_nuisances(&generate::random(2, 60_000, 2, 2).unwrap(), 4, 3);
    vec![
        ("hashed rounds", random),
        (
            "dense passes",
            generate::with_nuisances(&generate::counter(9).unwrap(), 60_000, 1).unwrap(),
        ),
        ("copies", copies.unwrap()),
        (
            "Hopcroft refinement",
            generate::shuffled(&counter, 1).unwrap(),
        ),
    ]
}

#[test]
fn refinement_ends_early_and_is_otherwise_the_same() {
    for (name, machine) in systems() {
        let work = |progress: &dyn Progress| largest_bisimulation_with(&machine, progress);
        let classes = check(name, 4, work);
        assert_eq!(classes, largest_bisimulation(&machine), "{name}");
        let tree = |progress: &dyn Progress| {
            Ok::<_, Stopped>(SplittingTree::with_progress(&machine, progress)?.partition())
        };
        assert_eq!(check(name, 4, tree), classes, "{name}");
    }
}

#[test]
fn verification_ends_early() {
    for (name, machine) in systems() {
        let classes = largest_bisimulation(&machine);
        check(name, 3, |progress| {
            verify_coarsest_with(&machine, &classes, progress).map_err(of_violation)
        });
        let smaller = check(name, 3, |progress| {
            quotient_with(&machine, &classes, progress).map_err(of_violation)
        });
        assert_eq!(smaller, quotient(&machine, &classes).unwrap(), "{name}");
    }
}

#[test]
fn the_search_for_a_witness_ends_early() {
    let machine = generate::chain(200_000).unwrap();
    let [a, b] = [0, 1].map(StateId::new);
    let word = check("chain", 4, |progress| {
        witness_with(&machine, a, b, progress)
    });
    assert_eq!(word, witness(&machine, a, b));
}

#[test]
fn partial_systems_and_recordings_end_early() {
    let machine = generate::random(1, 200_000, 2, 2).unwrap();
    let partial = generate::thinned(&machine, 0.7, 1).unwrap();
    let classes = check("partial", 3, |progress| {
        separated_by_coverage_with(&partial, progress)
    });
    assert_eq!(classes, separated_by_coverage(&partial));

    let rows = 300_000_u32;
    let mixed = |row: u32| row.wrapping_mul(0x9e37_79b1) >> 16;
    let observations: Vec<u32> = (0..rows).map(|row| row.min(mixed(row))).collect();
    let observations = tellapart_bisim::Partition::from_labels(&observations);
    let observations: Vec<u32> = observations.as_slice().iter().map(|id| id.get()).collect();
    let actions: Vec<u32> = (0..rows).map(|row| mixed(row) % 2).collect();
    let episodes = Episodes {
        observations: &observations,
        actions: &actions,
        values: &actions,
        ends: &vec![false; rows as usize],
        ..Episodes::default()
    };
    let recording = check("recording", 3, |progress| {
        let recording = Recording::new(2).unwrap();
        recording
            .appended(&episodes, progress)
            .map_err(|error| match error {
                EvidenceError::Stopped(stopped) => Some(stopped),
                _ => None,
            })
    });
    let oracle = check("oracle", 2, |progress| {
        Distinguished::with_progress(recording.clone(), progress)
    });
    let mut slow = Recording::new(2).unwrap();
    slow.append(&episodes).unwrap();
    assert_eq!(recording.contradictions(), slow.contradictions());
    let slow = Distinguished::new(slow);
    for row in 0..100 {
        assert_eq!(
            oracle.compare(row, 2917 * row + 1),
            slow.compare(row, 2917 * row + 1)
        );
    }
    let coverage = check("coverage", 3, |progress| {
        SeparatedByCoverage::with_progress(&recording, progress).map_err(|error| match error {
            CoverageError::Stopped(stopped) => Some(stopped),
            _ => None,
        })
    });
    assert_eq!(coverage, SeparatedByCoverage::new(&recording).unwrap());
}
