//! Nuisances that worlds share: the tint of an episode, and noise on every byte.

use rand::{Rng, RngExt};

/// Floor colors that an episode draws from.
pub(crate) const FLOORS: [[u8; 3]; 8] = [
    [200, 200, 200],
    [150, 180, 210],
    [205, 170, 130],
    [170, 205, 150],
    [210, 150, 190],
    [205, 205, 130],
    [160, 145, 210],
    [130, 200, 190],
];
/// Changes every byte by up to `noise` in either direction.
pub(crate) fn disturb(noise: u8, rng: &mut impl Rng, frame: &mut [u8]) {
    if noise == 0 {
        return;
    }
    let noise = noise as i8;
    for byte in frame {
        *byte = byte.saturating_add_signed(rng.random_range(-noise..=noise));
    }
}
