//! Fuzzes the reader of `.npz` archives: any bytes give arrays or errors.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(mut archive) = tellapart_fuzz::archive(bytes, &["a", "b", "c", "d"]) else {
        return;
    };
    let _ = archive.fingerprint();
    for name in archive.names().to_vec() {
        let described = archive.describe(&name);
        if let Ok(array) = archive.read(&name) {
            let described = described.expect("what can be read can be described");
            assert_eq!(described, (array.dtype(), array.shape));
        }
        let described = archive.describe_strings(&name);
        if let Ok(strings) = archive.read_strings(&name, 1 << 16) {
            let described = described.expect("what can be read can be described");
            assert_eq!(described, strings.len());
        }
    }
});
