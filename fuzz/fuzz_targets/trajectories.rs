//! Fuzzes the reader of recordings: any bytes are either rejected or sound enough to make batches
//! of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tellapart_data::{Columns, Trajectories, split_by_episode};
use tellapart_files::Archive;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut archive) = Archive::from_bytes("fuzz.npz", bytes.to_vec()) else {
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
    for name in recording.extra.keys() {
        let _ = recording.column(name);
    }
    // Discrete actions become one-hot, which the length of the input does not bound.
    if recording.actions.width() * rows < 1 << 20 {
        let targets = Columns {
            width: 1,
            values: vec![0.0; rows],
        };
        let _ = recording.batch(&train, &targets);
    }
});
