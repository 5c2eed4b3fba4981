//! In which rows actions, ends and rewards stand.

use tellapart_audit::RecordedOptions;
use tellapart_audit::recorded::{Alignment, EndsRead, PRead};
use tellapart_data::{Actions, BelongsTo, Trajectories};

use crate::*;

#[test]
fn the_alignment_of_actions_and_rewards_is_counted() {
    let chain = Chain::COSTLY;
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

/// In the last rows of episodes, rewards of steps mean nothing, so nothing there is an error.
#[test]
fn the_alignment_reads_no_more_than_the_audit() {
    let chain = Chain::COSTLY;
    let (recording, cells) = chain.record(3, 60);
    let recording = with_last_rewards(recording, f32::INFINITY);
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
