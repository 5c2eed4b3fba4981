//! Verdicts by the kind of world: noisy recordings prove nothing, and steps are compared as steps.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic fails the test; seeds are printed"
)]

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{
    Alignment, Audit, EndsRead, PRead, RecordedAuditOptions, SaidBy, Verdict, WorldKind,
    WorldOption,
};
use tellapart_audit::{Embeddings, Recorded, RecordedAudit, RecordedOptions};
use tellapart_data::{Actions, BelongsTo, Frames, Trajectories, TrajectoryParts};
use tellapart_files::{Array, Values};

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

#[test]
fn a_perfect_encoder_of_a_noisy_world_is_never_unhealthy() {
    for (seed, slip) in [(0, 0.02), (1, 0.1), (2, 0.3)] {
        for is_noisy in [false, true] {
            println!("seed {seed}, slip {slip}, noise {is_noisy}");
            let chain = Chain {
                slip,
                is_noisy,
                cost: None,
            };
            let (recording, cells) = chain.record(seed, 100);
            let found = audited(&recording, &cells, &RecordedOptions::default());
            assert_eq!(found.verdict, Verdict::Undecided);
            let kind = match is_noisy {
                true => WorldKind::CannotBeTold,
                false => WorldKind::Stochastic,
            };
            assert_eq!(found.world.kind, kind, "{}", found.reason);
            // Nothing else has changed: declared deterministic, it is what it was.
            let declared = RecordedOptions {
                world: WorldOption::Declared(WorldKind::Deterministic),
                ..RecordedOptions::default()
            };
            let found = audited(&recording, &cells, &declared);
            if is_noisy {
                assert_eq!(found.verdict, Verdict::Unhealthy, "the premise");
            }
            assert_eq!(found.world.said_by, SaidBy::User);
        }
    }
}

#[test]
fn without_chance_merges_are_found_as_before() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: None,
    };
    let (recording, cells) = chain.record(5, 100);
    let found = audited(&recording, &cells, &RecordedOptions::default());
    assert_eq!(
        (found.verdict, found.world.kind),
        (Verdict::Healthy, WorldKind::Deterministic),
        "{}",
        found.reason
    );
    let merged: Vec<usize> = cells
        .iter()
        .map(|&cell| if cell == 8 { 0 } else { cell })
        .collect();
    let found = audited(&recording, &merged, &RecordedOptions::default());
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.reason);
}

/// A cost of one action: read as a value of the observation, a perfect code would be unhealthy.
#[test]
fn rewards_that_depend_on_the_action_are_sound_as_those_of_steps() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: Some(0.25),
    };
    let (recording, cells) = chain.record(7, 100);
    let of = |value_of| RecordedOptions {
        value_of,
        ..RecordedOptions::default()
    };
    let found = audited(&recording, &cells, &of(BelongsTo::Step));
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.reason);
    assert_eq!((found.p_unknown, found.contradictions.len()), (100, 0));
    assert_eq!(found.world.kind, WorldKind::Deterministic);
    // Cells 0 and 8 differ only in what follows after four steps.
    let merged: Vec<usize> = cells
        .iter()
        .map(|&cell| if cell == 8 { 0 } else { cell })
        .collect();
    let found = audited(&recording, &merged, &of(BelongsTo::Step));
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.reason);
    for pair in found.pairs.iter().filter(|pair| pair.witness.is_some()) {
        let witness = pair.witness.as_ref().unwrap();
        assert_eq!(pair.p_i.len(), witness.len() + 1);
        assert!(!witness.is_empty() && pair.p_i[0].is_empty(), "{pair:?}");
        assert_ne!(pair.p_i.last(), pair.p_j.last());
    }
    for wrong in [BelongsTo::Observation, BelongsTo::Arrival] {
        let found = audited(&recording, &cells, &of(wrong));
        assert_eq!(found.world.kind, WorldKind::Stochastic, "{wrong}");
        let note = found
            .warnings
            .iter()
            .any(|note| note.contains("--p-of step"));
        assert!(note, "{wrong}: {:?}", found.warnings);
    }
}

#[test]
fn the_alignment_of_actions_and_rewards_is_counted() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: Some(0.25),
    };
    let (recording, _) = chain.record(3, 60);
    let found = Alignment::of(&recording, Some("rewards"), None).unwrap();
    let consistent: Vec<PRead> = found
        .p
        .iter()
        .filter(|reading| reading.is_consistent())
        .map(|reading| reading.read)
        .collect();
    assert_eq!(consistent, [PRead::Step]);
    let aligned = found
        .actions
        .iter()
        .filter(|reading| reading.is_consistent());
    assert_eq!(aligned.count(), 1);

    let consistent = |recording: &Trajectories| {
        let found = Alignment::of(recording, None, None).unwrap();
        let readings = found.ends.into_iter();
        let consistent = readings.filter(|reading| reading.is_consistent());
        consistent.map(|reading| reading.read).collect::<Vec<_>>()
    };
    assert_eq!(consistent(&recording), [EndsRead::Row]);
    // Ends as `step` returns them, stored with the action that led there.
    let mut parts = recording.clone().into_parts();
    parts.timeouts.rotate_left(1);
    assert_eq!(
        consistent(&Trajectories::new(parts).unwrap()),
        [EndsRead::RowAfter]
    );

    // Actions one row late, as if each led to its row.
    let mut parts = recording.into_parts();
    let Actions::Discrete { ids, .. } = &mut parts.actions else {
        unreachable!("ids");
    };
    ids.rotate_right(1);
    let late = Trajectories::new(parts).unwrap();
    let found = Alignment::of(&late, None, None).unwrap();
    let consistent: Vec<_> = found
        .actions
        .iter()
        .filter(|reading| reading.is_consistent())
        .map(|reading| reading.read)
        .collect();
    assert_eq!(
        consistent,
        [tellapart_audit::recorded::ActionsRead::RowBefore]
    );
}

#[test]
fn what_was_not_recorded_is_undecided() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: None,
    };
    let (recording, cells) = chain.record(1, 20);
    let mut parts = recording.into_parts();
    parts.timeouts.fill(true);
    let single = Trajectories::new(parts).unwrap();
    let found = audited(&single, &cells, &RecordedOptions::default());
    assert_eq!(found.verdict, Verdict::Undecided);
    assert!(
        found.reason.contains("every episode has one row"),
        "{}",
        found.reason
    );
}

/// Map coordinates: different states, 0.1 apart near four million, are one number in float32.
#[test]
fn observations_are_compared_as_they_are_stored() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: None,
    };
    let (recording, cells) = chain.record(9, 100);
    let mut parts = recording.into_parts();
    let far = |&cell: &usize| 3_948_996.0 + 0.1 * cell as f64;
    parts.observations = Frames::Other {
        shape: vec![1],
        values: Values::F64(cells.iter().map(far).collect()),
    };
    let recording = Trajectories::new(parts).unwrap();
    let merged: Vec<usize> = cells
        .iter()
        .map(|&cell| if cell == 8 { 0 } else { cell })
        .collect();
    let found = audited(&recording, &merged, &RecordedOptions::default());
    assert_eq!(found.observations, CELLS);
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.reason);
    assert_eq!(found.counts.observation, 0);
}

/// Ids differ exactly as the states do; distances of a few of them were lost once.
#[test]
fn a_merge_is_found_whatever_the_size_and_type_of_p() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: None,
    };
    let (recording, cells) = chain.record(2, 100);
    let merged: Vec<usize> = cells
        .iter()
        .map(|&cell| if cell == 8 { 0 } else { cell })
        .collect();
    let time = 1_700_000_000_000_000_000;
    let each = |value: fn(i64) -> i64| cells.iter().map(|&cell| value(cell as i64)).collect();
    let scaled = |by: f64| cells.iter().map(|&cell| by * cell as f64).collect();
    let timed = cells.iter().flat_map(|&cell| [time, cell as i64]).collect();
    let values = [
        Values::I64(timed),
        Values::I64(each(|cell| if cell == 4 { 0 } else { (1 << 60) + cell })),
        Values::F64(scaled(1e-170)),
        Values::F64(scaled(1e200)),
        Values::F64(scaled(2e307)),
        Values::F64(scaled(5e-324)),
    ];
    for (at, values) in values.into_iter().enumerate() {
        let is_rounded = at < 2;
        let mut parts = recording.clone().into_parts();
        parts.aux = Some(Array {
            shape: vec![cells.len(), values.len() / cells.len()],
            values,
        });
        let recording = Trajectories::new(parts).unwrap();
        let options = RecordedOptions {
            value: "aux".to_owned(),
            ..RecordedOptions::default()
        };
        for (classes, verdict) in [(&cells, Verdict::Healthy), (&merged, Verdict::Unhealthy)] {
            let found = audited(&recording, classes, &options);
            assert_eq!(found.verdict, verdict, "{at}: {}", found.reason);
            assert!(found.p_unit > 0.0 && found.p_unit.is_finite(), "{at}");
            let says = found.warnings.iter().any(|note| note.contains("2^53"));
            assert_eq!(says, is_rounded, "{at}: {:?}", found.warnings);
        }
        if is_rounded {
            let options = RecordedOptions {
                tolerance: Some(0.5),
                ..options
            };
            let error = Recorded::new(&recording, &options, &()).unwrap_err();
            assert!(error.to_string().contains("2^53"), "{error}");
        }
    }
}

#[test]
fn the_data_is_asked_instead_of_the_recording() {
    let chain = Chain {
        slip: 0.3,
        is_noisy: false,
        cost: None,
    };
    let (recording, cells) = chain.record(4, 100);
    let mut parts = recording.into_parts();
    parts.world_is_deterministic = Some(true);
    let recording = Trajectories::new(parts).unwrap();
    for (world, kind, said_by) in [
        (
            WorldOption::Recording,
            WorldKind::Deterministic,
            SaidBy::Recording,
        ),
        (WorldOption::Data, WorldKind::Stochastic, SaidBy::Data),
        (
            WorldOption::Declared(WorldKind::Stochastic),
            WorldKind::Stochastic,
            SaidBy::User,
        ),
    ] {
        let options = RecordedOptions {
            world,
            ..RecordedOptions::default()
        };
        let found = audited(&recording, &cells, &options).world;
        assert_eq!((found.kind, found.said_by), (kind, said_by));
    }
}

/// In the last rows of episodes, rewards of steps mean nothing, so nothing there is an error.
#[test]
fn the_alignment_reads_no_more_than_the_audit() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: Some(0.25),
    };
    let (recording, cells) = chain.record(3, 60);
    let mut parts = recording.into_parts();
    let Some(Values::F32(rewards)) = &mut parts.rewards else {
        unreachable!("float32");
    };
    rewards
        .iter_mut()
        .filter(|reward| reward.is_nan())
        .for_each(|reward| *reward = f32::INFINITY);
    let recording = Trajectories::new(parts).unwrap();
    let found = Alignment::of(&recording, Some("rewards"), None).unwrap();
    let is_step =
        |reading: &&tellapart_audit::recorded::Reading<PRead>| reading.read == PRead::Step;
    assert!(found.p.iter().find(is_step).unwrap().is_consistent());
    // Read as of the arrival, the rewards contradict themselves; the note must not get lost.
    let options = RecordedOptions {
        value_of: BelongsTo::Arrival,
        ..RecordedOptions::default()
    };
    let warnings = audited(&recording, &cells, &options).warnings;
    assert!(
        warnings.iter().any(|note| note.contains("--p-of step")),
        "{warnings:?}"
    );
}

/// One-hot codes of observations are all equally far apart, so nothing is nearer than what agrees.
#[test]
fn equal_distances_mix_nothing() {
    let chain = Chain {
        slip: 0.0,
        is_noisy: false,
        cost: None,
    };
    let (recording, cells) = chain.record(6, 200);
    // Each cell is seen in one of three colors.
    let colored = |row: usize| cells[row] * 3 + row % 3;
    let mut parts = recording.into_parts();
    parts.observations = Frames::F32 {
        shape: vec![1],
        values: (0..cells.len()).map(|row| colored(row) as f32).collect(),
    };
    parts.world_is_deterministic = Some(true);
    let recording = Trajectories::new(parts).unwrap();
    let audit = |code: &dyn Fn(usize) -> usize| {
        let width = 3 * CELLS;
        let mut latents = vec![0.0; cells.len() * width];
        for row in 0..cells.len() {
            latents[row * width + code(row)] = 1.0;
        }
        audited_latents(&recording, &latents, &RecordedOptions::default())
    };
    let found = audit(&colored);
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.reason);
    assert_eq!(found.neighborhoods.mixed, Some(0.0));
    // Cells 8 and 1 in one color.
    let found = audit(&|row| if colored(row) == 24 { 3 } else { colored(row) });
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.reason);
    for pair in found.pairs.iter().filter(|pair| pair.kind.is_some()) {
        let of_pair = [pair.i, pair.j].map(colored);
        assert!(
            of_pair == [3, 24] || of_pair == [24, 3],
            "{of_pair:?}: {}",
            found.reason
        );
    }
}
