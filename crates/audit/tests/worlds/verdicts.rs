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
