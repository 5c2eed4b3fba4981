//! Fuzzes the reader of the binary format, also with a correct checksum. Any bytes are a system or
//! an error; a system is written as the same bytes, and has a sound largest bisimulation.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_files::FileBytes;
use tellapart_system::read::tsys_bytes;
use tellapart_system::write::tsys_to;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    // With a wrong checksum the reader would stop before it checks anything else.
    if let Some(end) = bytes.len().checked_sub(8) {
        let checksum = twox_hash::XxHash3_64::oneshot(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum.to_le_bytes());
    }
    if let Ok(machine) = tsys_bytes(FileBytes::copy(&bytes), Path::new("fuzz.tsys")) {
        let mut again = Vec::new();
        tsys_to(&machine, &mut again).expect("memory has room");
        assert_eq!(again, bytes);
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
