//! Fuzzes the reader of PRISM's files. Any bytes (transitions, labels and rewards, separated by
//! zeros) are a system or an error, and a system has a sound largest bisimulation.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_system::read::prism_from;

fuzz_target!(|bytes: &[u8]| {
    let mut files = bytes.splitn(3, |&byte| byte == 0).map(Cursor::new);
    let mut next = |path| files.next().map(|file| (file, Path::new(path)));
    let Some(transitions) = next("fuzz.tra") else { return };
    let (labels, rewards) = (next("fuzz.lab"), next("fuzz.srew"));
    // A short header may legitimately claim many states, so the table is bounded, not the claim.
    if let Ok(machine) = prism_from(transitions, labels, rewards, 1 << 16) {
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
