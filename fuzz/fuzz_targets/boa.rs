//! Fuzzes the reader of Boa's text: any bytes are a system or an error, and a system has a sound
//! largest bisimulation.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_system::read::boa_from;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(machine) = boa_from(bytes, Path::new("fuzz.boa.txt"), 1 << 16) {
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
