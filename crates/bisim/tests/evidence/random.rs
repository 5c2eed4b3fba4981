//! Random recordings of several kinds.

use std::collections::HashMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use tellapart_bisim::evidence::{UNKNOWN, ValueOf};

use crate::definition::Columns;

/// Kind of a random recording.
#[derive(Clone, Copy, Debug)]
pub(crate) enum World {
    /// Every row shows an observation of its own.
    AllDifferent,
    /// A deterministic machine with the given number of states.
    Deterministic(u32),
    /// A deterministic machine with rows that now and then go anywhere or show any value.
    Faulty(u32),
    /// A deterministic machine whose values come with noise, most of it within the tolerance. 0 and
    /// 1 are equal, 1 and 2 are, 0 and 2 are not.
    Noisy(u32),
}

pub(crate) fn random(seed: u64, world: World) -> Columns {
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
    if random.random() {
        columns.value_of = ValueOf::Step;
    }
    let unknown = if random.random_range(0..3) == 0 { 3 } else { 0 };
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
        let action = random.random_range(0..actions);
        columns.action.push(action);
        let is_unknown = random.random_range(0..10) < unknown;
        columns.values.push(match columns.value_of {
            _ if is_unknown => UNKNOWN,
            ValueOf::Observation => shown,
            // A value that depends on the action as well, but for noise.
            ValueOf::Step if columns.tolerance.is_some() => shown,
            ValueOf::Step => (shown + action * (state % 2)) % values.max(2),
        });
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
