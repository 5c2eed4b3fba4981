//! Fuzzes the reader of `.npz` systems: any archive is a system or an error, and a system has a
//! sound largest bisimulation.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_system::read::npz_archive;

/// Names that the reader knows, and one that it does not.
const NAMES: [&str; 5] = ["next", "output", "prob", "count", "other"];

fuzz_target!(|bytes: &[u8]| {
    let Some(mut archive) = tellapart_fuzz::archive(bytes, &NAMES) else {
        return;
    };
    if let Ok(machine) = npz_archive(&mut archive) {
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
