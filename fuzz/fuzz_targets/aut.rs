//! An Aldebaran file of any bytes is a system or an error; a system has a sound largest bisimulation.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_system::read::aut_from;

fuzz_target!(|bytes: &[u8]| {
    // A short header may rightly claim many states: bound the table, not the claim.
    if let Ok(machine) = aut_from(Cursor::new(bytes), Path::new("fuzz.aut"), 1 << 16) {
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
