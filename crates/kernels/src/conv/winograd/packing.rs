//! Packing of transformed values into words of memory, where products are of pairs.

use crate::gemm::element::Element;
use crate::simd::Lanes;
use crate::simd::precision::Pair;

/// Content of a word.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packing {
    /// One value.
    Numbers,
    /// Two neighboring channels: for sums over channels.
    Channels,
    /// The same channel of two tiles, the second of them zero if there is none: for sums over
    /// tiles.
    Tiles,
}

impl Packing {
    /// Returns the packing for products summed over channels.
    pub(crate) fn over_channels<I: Element>() -> Self {
        if I::VALUES == 1 {
            Self::Numbers
        } else {
            Self::Channels
        }
    }

    /// Returns the packing for products summed over tiles.
    pub(crate) fn over_tiles<I: Element>() -> Self {
        if I::VALUES == 1 {
            Self::Numbers
        } else {
            Self::Tiles
        }
    }

    /// Words that hold the channels of a row.
    pub(crate) fn words(self, channels: usize) -> usize {
        match self {
            Self::Numbers | Self::Tiles => channels,
            Self::Channels => channels / 2,
        }
    }

    /// Rows that hold `tiles` tiles.
    pub(crate) fn rows(self, tiles: usize) -> usize {
        match self {
            Self::Numbers | Self::Channels => tiles,
            Self::Tiles => tiles.div_ceil(2),
        }
    }
}

/// [`Packing`] known at compile time.
pub(super) trait Packed {
    /// Channels in a word.
    const CHANNELS: usize;
    /// Tiles in a row.
    const TILES: usize;

    /// Stores the values of a row from `channel` on: those of its first tile and, if it has two, of
    /// its second one.
    ///
    /// # Safety
    /// `to`, the row, is writable for these channels; the processor has the instruction set of `S`.
    unsafe fn store<S: Lanes>(to: *mut f32, channel: usize, values: [S::Vector; 2]);
}

pub(super) struct Numbers;
pub(super) struct Channels;
pub(super) struct Tiles;

impl Packed for Numbers {
    const CHANNELS: usize = 1;
    const TILES: usize = 1;

    #[inline(always)]
    unsafe fn store<S: Lanes>(to: *mut f32, channel: usize, values: [S::Vector; 2]) {
        // SAFETY: as the caller promises.
        unsafe { S::store(to.add(channel), values[0]) }
    }
}

impl Packed for Channels {
    const CHANNELS: usize = 2;
    const TILES: usize = 1;

    #[inline(always)]
    unsafe fn store<S: Lanes>(to: *mut f32, channel: usize, values: [S::Vector; 2]) {
        // SAFETY: as the caller promises; channels are even, and a pair is as large as a word.
        unsafe { S::store_pairs(to.cast::<Pair>().add(channel / 2), values[0]) }
    }
}

impl Packed for Tiles {
    const CHANNELS: usize = 1;
    const TILES: usize = 2;

    #[inline(always)]
    unsafe fn store<S: Lanes>(to: *mut f32, channel: usize, values: [S::Vector; 2]) {
        // SAFETY: as the caller promises; a pair is as large as a word.
        unsafe { S::store_joined(to.cast::<Pair>().add(channel), values[0], values[1]) }
    }
}
