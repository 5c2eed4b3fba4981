//! Fuzzes the reader of `.npz` systems: any archive is a system or an error, and a system has a
//! sound largest bisimulation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_files::Archive;
use tellapart_system::read::npz_archive;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut archive) = Archive::from_bytes("fuzz.npz", bytes.to_vec()) else { return };
    if let Ok(machine) = npz_archive(&mut archive) {
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
