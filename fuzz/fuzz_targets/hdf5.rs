//! Fuzzes the reader of recordings in HDF5: any bytes are either rejected or rows whose rewards can
//! be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tellapart_data::Trajectories;

fuzz_target!(|bytes: &[u8]| {
    let Ok(recording) = Trajectories::read_hdf5_bytes("fuzz.hdf5", bytes, None) else {
        return;
    };
    let rows: usize = recording.episodes().map(|rows| rows.len()).sum();
    assert_eq!(rows, recording.rows());
    assert!(recording.ends(rows - 1));
    let _ = recording.auxiliary("rewards", recording.rewards_of());
    for name in recording.extra.keys() {
        let _ = recording.column(name);
    }
});
