//! A small world with recordings for tests to audit.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test uses some of it, as its own module"
)]

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{Audit, RecordedAudit, RecordedAuditOptions};
use tellapart_audit::{Embeddings, Recorded, RecordedOptions};
use tellapart_data::{Actions, Frames, Trajectories, TrajectoryParts};
use tellapart_files::Values;

/// Walks on a chain of `states`, rewarded at 0; all observations differ.
pub struct Walks {
    pub trajectories: Trajectories,
    pub states: Vec<usize>,
    pub actions: Vec<u32>,
    pub ends: Vec<bool>,
}

pub fn walks(random: &mut ChaCha8Rng, episodes: usize, length: usize, states: usize) -> Walks {
    let (mut visited, mut actions, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..episodes {
        let mut state = random.random_range(0..states);
        for step in 0..length {
            let action = random.random_range(0..2);
            visited.push(state);
            actions.push(action);
            ends.push(step + 1 == length);
            state = if action == 0 {
                state.saturating_sub(1)
            } else {
                (state + 1).min(states - 1)
            };
        }
    }
    Walks::new(visited, actions, ends)
}

impl Walks {
    /// Records walks from the states, row by row, and the actions taken there.
    pub fn new(states: Vec<usize>, actions: Vec<u32>, ends: Vec<bool>) -> Self {
        let trajectories = Trajectories::new(TrajectoryParts {
            observations: Frames::F32 {
                shape: vec![1],
                values: (0..states.len()).map(|row| row as f32).collect(),
            },
            actions: Actions::Discrete {
                count: 2,
                ids: actions.clone(),
            },
            rewards: Some(Values::F32(
                states
                    .iter()
                    .map(|&s| f32::from(u8::from(s == 0)))
                    .collect(),
            )),
            terminals: vec![false; states.len()],
            timeouts: ends.clone(),
            world_is_deterministic: Some(true),
            ..TrajectoryParts::default()
        });
        Self {
            trajectories: trajectories.unwrap(),
            states,
            actions,
            ends,
        }
    }

    /// Returns the shortest word recorded from both rows after which the reward differs.
    pub fn witness(&self, mut i: usize, mut j: usize) -> Option<Vec<u32>> {
        let mut word = Vec::new();
        loop {
            if (self.states[i] == 0) != (self.states[j] == 0) {
                return Some(word);
            }
            if self.ends[i] || self.ends[j] || self.actions[i] != self.actions[j] {
                return None;
            }
            word.push(self.actions[i]);
            (i, j) = (i + 1, j + 1);
        }
    }
}

pub fn distance(latents: &[f32], width: usize, i: usize, j: usize) -> f64 {
    let row = |row: usize| &latents[row * width..(row + 1) * width];
    let squares = row(i).iter().zip(row(j));
    squares
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// Audits latents of the rows.
pub fn audited(walks: &Walks, latents: &[f32], options: RecordedAuditOptions) -> RecordedAudit {
    let rows = walks.states.len();
    let embeddings = Embeddings::new(latents, rows, latents.len() / rows).unwrap();
    audited_embeddings(walks, &embeddings, options)
}

pub fn audited_embeddings(
    walks: &Walks,
    embeddings: &Embeddings<'_>,
    options: RecordedAuditOptions,
) -> RecordedAudit {
    let evidence = RecordedOptions::default();
    let recorded = Recorded::new(&walks.trajectories, &evidence, &()).unwrap();
    let trajectories = &walks.trajectories;
    let audit = Audit::new(trajectories, &recorded, &evidence, embeddings, options);
    audit.unwrap().run(&()).unwrap()
}
