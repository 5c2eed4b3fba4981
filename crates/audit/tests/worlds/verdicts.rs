//! Verdicts by the kind of world: noisy recordings prove nothing, and steps are compared as steps.

use tellapart_audit::RecordedOptions;
use tellapart_audit::recorded::{SaidBy, Verdict, WorldKind, WorldOption};
use tellapart_data::{BelongsTo, Trajectories};

use crate::*;

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
    let chain = Chain::PLAIN;
    let (recording, cells) = chain.record(5, 100);
    let found = audited(&recording, &cells, &RecordedOptions::default());
    assert_eq!(
        (found.verdict, found.world.kind),
        (Verdict::Healthy, WorldKind::Deterministic),
        "{}",
        found.reason
    );
    let merged = merged(&cells);
    let found = audited(&recording, &merged, &RecordedOptions::default());
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.reason);
}

/// A cost of one action: read as a value of the observation, a perfect code would be unhealthy.
#[test]
fn rewards_that_depend_on_the_action_are_sound_as_those_of_steps() {
    let chain = Chain::COSTLY;
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
    let merged = merged(&cells);
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
fn what_was_not_recorded_is_undecided() {
    let chain = Chain::PLAIN;
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

/// Episodes begin alike, and then chance decides. That beginnings recur says nothing about the
/// rest.
#[test]
fn recurring_beginnings_do_not_make_a_world_deterministic() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let (mut observations, mut rewards, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for episode in 0..200 {
        for step in 0..10 {
            let fresh = (episode * 10 + step) as f32 + 1.0;
            observations.push(if step == 0 { 0.0 } else { fresh });
            rewards.push(if step < 4 {
                0.0
            } else {
                f32::from(random.random_bool(0.5))
            });
            ends.push(step == 9);
        }
    }
    let rows = ends.len();
    let parts = TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![1],
            values: observations,
        },
        rewards: Some(Values::F32(rewards)),
        actions: Actions::Discrete {
            count: 16,
            ids: (0..rows).map(|_| random.random_range(0..16)).collect(),
        },
        terminals: vec![false; rows],
        timeouts: ends,
        ..TrajectoryParts::default()
    };
    let recording = Trajectories::new(parts).unwrap();
    let classes: Vec<usize> = (0..rows).map(|row| row % CELLS).collect();
    let found = audited(&recording, &classes, &RecordedOptions::default());
    assert_eq!(
        found.world.kind,
        WorldKind::CannotBeTold,
        "{}",
        found.reason
    );
    assert_eq!(found.verdict, Verdict::Undecided, "{}", found.reason);
    assert!(found.world.compared >= 150 && found.world.expected_by_chance == 0.0);
}

/// Ends flagged with the last step: what that step earned is not read, and that is said.
#[test]
fn values_in_rows_where_episodes_end_are_counted() {
    let (recording, cells) = Chain::COSTLY.record(4, 60);
    let recording = with_last_rewards(recording, 1.0);
    let options = RecordedOptions {
        value_of: BelongsTo::Step,
        ..RecordedOptions::default()
    };
    let found = audited(&recording, &cells, &options);
    let is_named =
        |note: &String| note.contains("values other than 0 in 60 rows in which an episode ends");
    assert!(found.warnings.iter().any(is_named), "{:?}", found.warnings);
}
