//! Fuzzes the reader of Aldebaran files: any bytes are a system or an error, and a system has a
//! sound largest bisimulation.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_system::read::aut_from;

fuzz_target!(|bytes: &[u8]| {
    // A short header may legitimately claim many states, so the table is bounded, not the claim.
    if let Ok(machine) = aut_from(Cursor::new(bytes), Path::new("fuzz.aut"), 1 << 16) {
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
