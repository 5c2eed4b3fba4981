//! What is no recording, or damaged: named, never read.

use std::fs;

use tellapart_data::Trajectories;

use crate::*;

#[test]
fn foreign_files_filters_and_choices_are_named() {
    let message = error("foreign.hdf5", None);
    for part in [
        "foreign.hdf5",
        "`stations/`, `temperature`",
        "episode_0",
        "ep_len",
        "terminals",
    ] {
        assert!(message.contains(part), "{part:?} in {message}");
    }
    let message = error("blosc.hdf5", None);
    assert!(
        message.contains("`observations`") && message.contains("Blosc"),
        "{message}"
    );
    assert!(message.contains("h5repack"), "{message}");
    let message = error("../files", None);
    assert!(message.contains("data/main_data.hdf5"), "{message}");
    let message = error("../data/gymnasium_like.npz", Some("image"));
    assert!(
        message.contains("gymnasium_like.npz") && message.contains("HDF5"),
        "{message}"
    );
    assert_eq!(read("../data/gymnasium_like.npz", None).rows(), 6);
    let message = Trajectories::read_hdf5(file("make.py"), None)
        .unwrap_err()
        .to_string();
    assert!(message.contains("not an HDF5 file"), "{message}");
    let message = error("missing.hdf5", None);
    assert!(message.contains("no such file"), "{message}");
}

#[test]
fn wrong_datasets_are_named_with_their_rows() {
    for (name, parts) in [
        (
            "minari_goes_on.hdf5",
            [
                "`episode_0/terminations`, row 1: true",
                "false before the last",
            ],
        ),
        (
            "minari_ragged.hdf5",
            ["`episode_0/actions`: 2 rows", "3 are expected, one fewer"],
        ),
        (
            "minari_complex.hdf5",
            [
                "`episode_0/observations`: it holds structures of several fields",
                ".astype",
            ],
        ),
        (
            "bfloat.hdf5",
            [
                "`observations`: it holds floats of 2 bytes that are not float16",
                ".astype",
            ],
        ),
        (
            "minari_bfloat.hdf5",
            ["floats of 2 bytes that are not float16", ".astype"],
        ),
        (
            "huge.hdf5",
            [
                "`observations`: 4398046511104 bytes",
                "more than the file can hold",
            ],
        ),
        (
            "packed.hdf5",
            [
                "`observations`: 67108864 bytes",
                "more than the file can hold",
            ],
        ),
        (
            "no_values_d4rl.hdf5",
            ["`observations`: it holds rows without values", "expected"],
        ),
        (
            "no_values_minari.hdf5",
            [
                "`episode_0/observations`: it holds rows without",
                "expected",
            ],
        ),
        (
            "no_values_swm.h5",
            ["`observation`: it holds rows without values", "expected"],
        ),
        (
            "no_rows.hdf5",
            [
                "`observations`: no memory holds its shape",
                "[0, 8589934592, 8589934592]",
            ],
        ),
    ] {
        let message = error(name, None);
        for part in parts {
            assert!(message.contains(part), "{part:?} in {message}");
        }
    }
}

/// Every shorter file, and every file with some bytes of another value, is read or refused: no
/// panic, and no more memory than the file can fill.
#[test]
fn damaged_files_are_refused_in_words() {
    for name in [
        "d4rl.hdf5",
        "swm.h5",
        "minari_images.hdf5",
        "minari_box/data/main_data.hdf5",
    ] {
        let bytes = fs::read(file(name)).unwrap();
        let mut refused = 0;
        for part in 0..40 {
            let length = bytes.len() * part / 40;
            let read = Trajectories::read_hdf5_bytes("cut", &bytes[..length], None);
            if let Err(error) = read {
                refused += 1;
                assert!(error.to_string().starts_with("cut: "), "{error}");
            }
        }
        assert!(refused > 30, "{name}: only {refused} of 40 are refused");
        // A fixed sequence of places and values, by a multiplier that visits them all over.
        let mut state = 1_u64;
        for _ in 0..150 {
            let mut damaged = bytes.clone();
            for _ in 0..3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let at = (state >> 20) as usize % damaged.len();
                damaged[at] = (state >> 56) as u8;
            }
            let _ = Trajectories::read_hdf5_bytes("damaged", &damaged, None);
        }
    }
}
