//! Determinism against its definition: every two rows with one observation, word by word.

use tellapart_bisim::evidence::{Episodes, Recording, UNKNOWN, ValueOf};

use crate::definition::Columns;
use crate::random::{World, random};

/// Whether two rows with the same observation differ in p after some equal actions, and the number
/// of those. As the definition says, but only where no unknown value hides a difference.
fn differ_after(columns: &Columns, a: usize, b: usize) -> Option<usize> {
    for depth in 0.. {
        let [x, y] = [a + depth, b + depth];
        let value = |row: usize| columns.values[row];
        if columns.value_of == ValueOf::Observation && columns.differ(value(x), value(y)) {
            return Some(depth);
        }
        if columns.last(x) || columns.last(y) || columns.action[x] != columns.action[y] {
            return None;
        }
        if columns.value_of == ValueOf::Step && columns.differ(value(x), value(y)) {
            return Some(depth + 1);
        }
    }
    None
}

#[test]
fn differences_are_found_iff_there_are_any() {
    let mut found_both = [0, 0];
    for seed in 0..4000 {
        let world = match seed % 4 {
            0 => World::Deterministic(5),
            1 => World::Faulty(4),
            2 => World::Noisy(3),
            _ => World::Faulty(9),
        };
        let columns = random(seed, world);
        // A difference hidden by an unknown or nearly equal value between two others is not looked
        // for; where neither occurs, the two must agree.
        let is_plain = columns.tolerance.is_none() && !columns.values.contains(&UNKNOWN);
        let rows = columns.rows();
        let pairs = (0..rows).flat_map(|b| (0..b).map(move |a| (a, b)));
        let alike = pairs.filter(|&(a, b)| columns.observations[a] == columns.observations[b]);
        let slow: Vec<_> = alike
            .filter_map(|(a, b)| differ_after(&columns, a, b))
            .collect();
        let oracle = columns.oracle(false);
        let found = oracle.recording().determinism(&()).unwrap();
        if is_plain {
            assert_eq!(
                found.differing > 0,
                !slow.is_empty(),
                "seed {seed}, {world:?}"
            );
            found_both[usize::from(found.differing > 0)] += 1;
        }
        assert_eq!(found.example.is_some(), found.differing > 0, "seed {seed}");
        if let Some(([a, b], actions)) = found.example {
            assert_eq!(
                columns.observations[a], columns.observations[b],
                "seed {seed}"
            );
            assert_eq!(differ_after(&columns, a, b), Some(actions), "seed {seed}");
        }
        if matches!(world, World::Deterministic(_)) && columns.value_of == ValueOf::Observation {
            assert_eq!(found.differing, 0, "seed {seed}");
        }
    }
    assert!(
        found_both.iter().all(|&count| count > 100),
        "{found_both:?}"
    );
}

/// What recurs a lot must not use up what is spent on the rest.
#[test]
fn one_difference_is_found_beside_many_rows_that_agree() {
    let common = (0..20_000_u32).map(|row| [(row.wrapping_mul(2_654_435_761) >> 16) % 7, 0, 0, 0]);
    let common = common.map(|row| if row[0] > 2 { [0, 0, 0, 0] } else { row });
    // An observation that leads to different ones, in episodes of two rows; the last one has
    // another value.
    let rare = (0..60).flat_map(|episode| {
        let value = u32::from(episode == 59);
        [[3, 0, 0, 0], [4 + episode, 0, value, 1]]
    });
    let rows: Vec<[u32; 4]> = common.chain(rare).collect();
    let mut recording = Recording::new(1).unwrap();
    recording
        .append(&Episodes {
            observations: &rows.iter().map(|row| row[0]).collect::<Vec<_>>(),
            actions: &rows.iter().map(|row| row[1]).collect::<Vec<_>>(),
            values: &rows.iter().map(|row| row[2]).collect::<Vec<_>>(),
            ends: &rows.iter().map(|row| row[3] == 1).collect::<Vec<_>>(),
            vectors: &[],
        })
        .unwrap();
    let found = recording.determinism(&()).unwrap();
    assert_eq!((found.differing, found.cut_off), (1, Some(64)));
    assert_eq!(found.example, Some(([20_000, 20_118], 1)));
}
