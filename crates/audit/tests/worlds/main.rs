//! Audits of walks on a chain: with and without chance, noise, and costs of steps.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic fails the test; seeds are printed"
)]

mod alignment;
mod exactness;
mod verdicts;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{Audit, RecordedAuditOptions};
use tellapart_audit::{Embeddings, Recorded, RecordedAudit, RecordedOptions};
use tellapart_data::{Actions, Frames, Trajectories, TrajectoryParts};
use tellapart_files::Values;

const CELLS: usize = 9;

/// Walks on a chain of nine cells; cell 4 is rewarded.
struct Chain {
    /// Chance that an action does the opposite.
    slip: f64,
    /// Whether four numbers of noise are seen next to the cell.
    is_noisy: bool,
    /// Cost of moving right, if rewards are those of steps.
    cost: Option<f32>,
}

impl Chain {
    const PLAIN: Self = Self {
        slip: 0.0,
        is_noisy: false,
        cost: None,
    };
    /// Rewards depend on the action.
    const COSTLY: Self = Self {
        cost: Some(0.25),
        ..Self::PLAIN
    };

    fn record(&self, seed: u64, episodes: usize) -> (Trajectories, Vec<usize>) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut cells, mut actions, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..episodes {
            let mut cell = random.random_range(0..CELLS);
            for step in 0..16 {
                let action = random.random_range(0..2_u32);
                cells.push(cell);
                actions.push(action);
                ends.push(step == 15);
                let slips = random.random_bool(self.slip);
                cell = match (action == 1) != slips {
                    true => (cell + 1).min(CELLS - 1),
                    false => cell.saturating_sub(1),
                };
            }
        }
        let width = if self.is_noisy { 5 } else { 1 };
        let see = |&cell: &usize| {
            let noise = (1..width).map(|_| random.random_range(-1.0..1.0_f32));
            std::iter::once(cell as f32)
                .chain(noise)
                .collect::<Vec<_>>()
        };
        let observations = cells.iter().flat_map(see).collect();
        let reward = |cell: usize| f32::from(u8::from(cell == 4));
        let rewards = (0..cells.len()).map(|row| match self.cost {
            None => reward(cells[row]),
            // Of the step: what it led to, less what the action cost.
            Some(_) if ends[row] => f32::NAN,
            Some(cost) => reward(cells[row + 1]) - cost * actions[row] as f32,
        });
        let recording = Trajectories::new(TrajectoryParts {
            observations: Frames::F32 {
                shape: vec![width],
                values: observations,
            },
            rewards: Some(Values::F32(rewards.collect())),
            actions: Actions::Discrete {
                count: 2,
                ids: actions,
            },
            terminals: vec![false; cells.len()],
            timeouts: ends,
            ..TrajectoryParts::default()
        });
        (recording.unwrap(), cells)
    }
}

/// Audits latents that hold the class of each row, one-hot.
fn audited(
    recording: &Trajectories,
    classes: &[usize],
    options: &RecordedOptions,
) -> RecordedAudit {
    let mut latents = vec![0.0; classes.len() * CELLS];
    for (row, &class) in classes.iter().enumerate() {
        latents[row * CELLS + class] = 1.0;
    }
    audited_latents(recording, &latents, options)
}

fn audited_latents(
    recording: &Trajectories,
    latents: &[f32],
    options: &RecordedOptions,
) -> RecordedAudit {
    let (rows, width) = (recording.rows(), latents.len() / recording.rows());
    let embeddings = Embeddings::new(latents, rows, width).unwrap();
    let recorded = Recorded::new(recording, options, &()).unwrap();
    let audit = Audit::new(
        recording,
        &recorded,
        options,
        &embeddings,
        RecordedAuditOptions::default(),
    );
    audit.unwrap().run(&()).unwrap()
}

/// Cells with one planted merge. Cells 0 and 8 differ only in what follows after four steps.
fn merged(cells: &[usize]) -> Vec<usize> {
    let merged = cells.iter().map(|&cell| if cell == 8 { 0 } else { cell });
    merged.collect()
}

/// The recording with each cell seen in one of three colors, declared deterministic, and the number
/// that each row shows: `3 * cell + color`.
fn colored(recording: Trajectories, cells: &[usize]) -> (Trajectories, Vec<usize>) {
    let shown = cells
        .iter()
        .enumerate()
        .map(|(row, cell)| 3 * cell + row % 3);
    let shown: Vec<usize> = shown.collect();
    let mut parts = recording.into_parts();
    parts.observations = Frames::F32 {
        shape: vec![1],
        values: shown.iter().map(|&number| number as f32).collect(),
    };
    parts.world_is_deterministic = Some(true);
    (Trajectories::new(parts).unwrap(), shown)
}

/// The recording with this reward in the rows where episodes end, in which it belongs to no step.
fn with_last_rewards(recording: Trajectories, reward: f32) -> Trajectories {
    let mut parts = recording.into_parts();
    let Some(Values::F32(rewards)) = &mut parts.rewards else {
        unreachable!("float32");
    };
    let last = rewards.iter_mut().filter(|reward| reward.is_nan());
    last.for_each(|unknown| *unknown = reward);
    Trajectories::new(parts).unwrap()
}
