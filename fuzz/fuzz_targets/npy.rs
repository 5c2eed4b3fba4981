//! Fuzzes the reader of `.npy` files: any bytes are an array or an error, and an array survives
//! being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tellapart_files::{decode_npy, encode_npy};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = decode_npy(bytes) {
        let written = encode_npy(&array).expect("what was read can be written");
        let again = decode_npy(&written).expect("what was written can be read");
        // Compared as bytes, since NaN differs from itself.
        assert_eq!(encode_npy(&again).expect("as before"), written);
    }
});
