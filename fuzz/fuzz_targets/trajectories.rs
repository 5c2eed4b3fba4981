//! Fuzzes the reader of recordings: any bytes are either rejected or sound enough for everything
//! that is done with a recording.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tellapart_data::{
    ActionRule, Actions, Auxiliary, BelongsTo, Columns, Trajectories, split_by_episode,
};

/// Names that the reader knows, and three that it does not.
const NAMES: [&str; 29] = [
    "observations",
    "actions",
    "terminals",
    "rewards",
    "aux",
    "timeouts",
    "action_count",
    "action_names",
    "state_ids",
    "splits",
    "world_is_deterministic",
    "obs",
    "observation",
    "action",
    "reward",
    "next.reward",
    "terminations",
    "terminated",
    "dones",
    "done",
    "next.done",
    "truncations",
    "truncated",
    "next.truncated",
    "extra",
    "images",
    "",
    "a/b",
    "\u{3c0}",
];

/// Most values of all batches and of all numbers of actions, which the length of the input does not
/// bound: discrete actions become one-hot.
const MOST: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let Some(mut archive) = tellapart_fuzz::archive(bytes, &NAMES) else {
        return;
    };
    let Ok(recording) = Trajectories::read_archive(&mut archive) else {
        return;
    };
    let rows = recording.rows();
    let (train, held_out) = split_by_episode(&recording, 0.5, 0).expect("0.5 is a fraction");
    let covered: usize = train
        .iter()
        .chain(&held_out)
        .map(ExactSizeIterator::len)
        .sum();
    assert_eq!(covered, rows);
    let _ = recording.observation_spec();
    let _ = recording.check_actions_in_f32();
    let distinct = recording.observations.distinct();
    assert_eq!(distinct.ids.len(), rows);
    check_actions(&recording);
    let fixed = ["rewards", "aux", "state_ids"];
    let extra = recording.extra.keys().map(String::as_str);
    for name in fixed.into_iter().chain(extra) {
        check_values(&recording, name);
    }
    let targets = Columns {
        width: 1,
        values: vec![0.0; rows],
    };
    if recording.actions.width() * rows <= MOST {
        let windows = [train, held_out].concat();
        let batch = recording.batch(&windows, &targets);
        let batch = batch.expect("the rows are there");
        assert_eq!(batch.rows, rows);
        assert_eq!(batch.continues.len(), rows);
        assert_eq!(batch.actions.len(), rows * batch.action_width);
        assert_eq!(batch.observations.len(), recording.observations.len());
        assert!(batch.transitions().all(|row| row + 1 < rows));
    }
});

fn check_actions(recording: &Trajectories) {
    let rules = match recording.actions {
        Actions::Discrete { .. } => vec![None],
        Actions::Vectors { .. } => {
            let edges = ActionRule::edges(&[-0.5, 0.7, 3.0]).expect("they ascend");
            let bins = ActionRule::bins(3).expect("three are not too many");
            let others = [ActionRule::distinct(), ActionRule::sign(), edges, bins];
            others.into_iter().map(Some).collect()
        }
    };
    for rule in rules {
        let Ok(finite) = recording.finite_actions(rule.as_ref()) else {
            continue;
        };
        assert_eq!(finite.ids.len(), recording.rows());
        assert!(finite.ids.iter().all(|&id| (id as usize) < finite.count));
        for action in 0..finite.count.min(64) as u32 {
            let _ = finite.name(action);
        }
    }
}

fn check_values(recording: &Trajectories, name: &str) {
    if let Ok(ids) = recording.value_ids(name) {
        assert_eq!(ids.len(), recording.rows());
    }
    let _ = recording.column(name);
    for of in BelongsTo::ALL {
        let Ok(found) = recording.auxiliary(name, of) else {
            continue;
        };
        assert_eq!(found.rows(), recording.rows());
        let (count, width) = (found.distinct(), found.width());
        for (row, &id) in found.ids().iter().enumerate() {
            assert!(id == Auxiliary::UNKNOWN || id < count);
            let known = if id == Auxiliary::UNKNOWN { 0 } else { width };
            assert_eq!(found.row(row).len(), known);
        }
        for a in 0..count.min(8) {
            for b in 0..a {
                let distance = found.distance(a, b);
                assert!(distance > 0.0 && distance.is_finite(), "{distance}");
            }
        }
        if let Ok(targets) = found.targets(name) {
            assert_eq!(targets.values.len(), width * recording.rows());
        }
    }
}
