//! Fuzzes the reader of recordings in HDF5: any bytes are either rejected or rows whose rewards can
//! be read. An image alone is put into a file, so that mutations reach the decoder of images.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use tellapart_data::Trajectories;

/// A file of D4RL with two rows of [`IMAGE`] bytes each as observations, from [`IMAGES`] on.
const FILE: &[u8] = include_bytes!("jpeg.hdf5");
const IMAGES: usize = 2048;
const IMAGE: usize = 1024;

/// First bytes of every JPEG image.
const JPEG: [u8; 3] = [0xFF, 0xD8, 0xFF];

fuzz_target!(|bytes: &[u8]| {
    let bytes = match bytes.starts_with(&JPEG) {
        true => Cow::Owned(with_image(bytes)),
        false => Cow::Borrowed(bytes),
    };
    let Ok(recording) = Trajectories::read_hdf5_bytes("fuzz.hdf5", &bytes, None) else {
        return;
    };
    let rows: usize = recording.episodes().map(|rows| rows.len()).sum();
    assert_eq!(rows, recording.rows());
    assert!(recording.ends(rows - 1));
    let _ = recording.observation_spec();
    let _ = recording.auxiliary("rewards", recording.rewards_of());
    for name in recording.extra.keys() {
        let _ = recording.column(name);
    }
});

/// Returns the file with the image in both rows, cut off or filled up with zeros.
fn with_image(image: &[u8]) -> Vec<u8> {
    let mut file = FILE.to_vec();
    let rows = &mut file[IMAGES..IMAGES + 2 * IMAGE];
    rows.fill(0);
    for row in rows.chunks_exact_mut(IMAGE) {
        let length = image.len().min(IMAGE);
        row[..length].copy_from_slice(&image[..length]);
    }
    file
}
