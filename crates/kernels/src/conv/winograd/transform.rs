//! Transforms to and from the space where a convolution is 16 matrix products: sums and
//! differences, channel by channel, of tiles of 4x4 or 2x2 pixels.

use super::packing::{Channels, Numbers, Packed, Packing, Tiles};
use super::tiling::Tile;
use crate::gemm::element::Element;
use crate::gemm::epilogue::Epilogue;
use crate::simd::each_isa::on_each_isa;
use crate::simd::{Isa, Lanes};

/// Layout of the pixels of images, channels-last.
#[derive(Clone, Copy)]
pub(crate) struct Image {
    /// Values of a row of pixels.
    pub(crate) row_len: usize,
    pub(crate) channels: usize,
}

/// Layout of a block of transformed tiles: for each position a plane `[rows][row_len]`. A row holds
/// one tile or two, see [`Packing`].
#[derive(Clone, Copy)]
pub(crate) struct Planes {
    /// Words of a plane.
    pub(crate) len: usize,
    /// Words of a row, at least those of the channels.
    pub(crate) row_len: usize,
}

/// Transforms the 4x4 input pixels of `tiles`.
pub(crate) fn transform_inputs(
    isa: Isa,
    packing: Packing,
    image: Image,
    from: &[f32],
    tiles: &[Tile],
    planes: Planes,
    to: &mut [f32],
) {
    let transform = match packing {
        Packing::Numbers => inputs_as_numbers,
        Packing::Channels => inputs_by_channels,
        Packing::Tiles => inputs_by_tiles,
    };
    transform(isa, image, from, tiles, planes, to);
}

/// Transforms the gradients of the 2x2 outputs of `tiles`, for sums over tiles.
pub(crate) fn transform_gradients<I: Element>(
    isa: Isa,
    image: Image,
    from: &[f32],
    tiles: &[Tile],
    planes: Planes,
    to: &mut [f32],
) {
    let transform = if I::VALUES == 1 {
        gradients_as_numbers
    } else {
        gradients_by_tiles
    };
    transform(isa, image, from, tiles, planes, to);
}

on_each_isa!(
    inputs_as_numbers = transform of lanes [InputTransform, Numbers] (
        image: Image, from: &[f32], tiles: &[Tile], planes: Planes, to: &mut [f32]
    )
);
on_each_isa!(
    inputs_by_channels = transform of pairs [InputTransform, Channels] (
        image: Image, from: &[f32], tiles: &[Tile], planes: Planes, to: &mut [f32]
    )
);
on_each_isa!(
    inputs_by_tiles = transform of pairs [InputTransform, Tiles] (
        image: Image, from: &[f32], tiles: &[Tile], planes: Planes, to: &mut [f32]
    )
);
on_each_isa!(
    gradients_as_numbers = transform of lanes [Gradients, Numbers] (
        image: Image, from: &[f32], tiles: &[Tile], planes: Planes, to: &mut [f32]
    )
);
on_each_isa!(
    gradients_by_tiles = transform of pairs [Gradients, Tiles] (
        image: Image, from: &[f32], tiles: &[Tile], planes: Planes, to: &mut [f32]
    )
);
on_each_isa!(
    transform_back = outputs of lanes(
        image: Image, planes: Planes, from: &[f32], tiles: &[Tile], epilogue: Epilogue<'_, f32>, to: &mut [f32]
    )
);

/// Transform of tiles.
trait Transform {
    /// Transforms a vector of channels of one tile.
    ///
    /// # Safety
    /// `channel` begins a vector of channels; the processor has the instruction set of `S`.
    unsafe fn of<S: Lanes>(
        image: Image,
        from: &[f32],
        tile: &Tile,
        channel: usize,
    ) -> [[S::Vector; 4]; 4];
}

/// Transform `B' d B` of 4x4 pixels.
struct InputTransform;

/// Transform `A y A'` of 2x2 pixels; those beyond the edges are zero.
struct Gradients;

/// Transforms `tiles` into `planes`, vector by vector.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn transform<S: Lanes, T: Transform, P: Packed>(
    image: Image,
    from: &[f32],
    tiles: &[Tile],
    planes: Planes,
    to: &mut [f32],
) {
    assert!(planes.row_len * P::CHANNELS >= image.channels);
    assert!(image.channels.is_multiple_of(P::CHANNELS));
    for (index, row) in tiles.chunks(P::TILES).enumerate() {
        let to = planes.row_mut(to, index);
        for channel in image.vectors::<S>() {
            // SAFETY: the row has the channels, as was asserted.
            unsafe {
                let first = T::of::<S>(image, from, &row[0], channel);
                let second = row.get(1);
                let second = second.map(|tile| T::of::<S>(image, from, tile, channel));
                planes.store::<S, P>(to, channel, first, second);
            }
        }
    }
}

impl Transform for InputTransform {
    #[inline(always)]
    unsafe fn of<S: Lanes>(
        image: Image,
        from: &[f32],
        tile: &Tile,
        channel: usize,
    ) -> [[S::Vector; 4]; 4] {
        let from = &from[tile.input..][..image.span(tile.seen)];
        // Most tiles see no padding, and skip the test of each pixel.
        let inside = tile.seen == [4, 4];
        let pixels = |row: usize, column: usize| {
            // SAFETY: the slice just taken ends with the last pixel.
            unsafe {
                if inside {
                    let at = image.at(row, column) + channel;
                    return S::load(from.as_ptr().add(at));
                }
                let row = row.wrapping_sub(tile.before[0]);
                let column = column.wrapping_sub(tile.before[1]);
                if row < tile.seen[0] && column < tile.seen[1] {
                    let at = image.at(row, column) + channel;
                    return S::load(from.as_ptr().add(at));
                }
                S::zero()
            }
        };
        // SAFETY: as the caller promises.
        both_axes(pixels, |[a, b, c, d]: [S::Vector; 4]| unsafe {
            [
                S::subtract(a, c),
                S::add(b, c),
                S::subtract(c, b),
                S::subtract(b, d),
            ]
        })
    }
}

impl Transform for Gradients {
    #[inline(always)]
    unsafe fn of<S: Lanes>(
        image: Image,
        from: &[f32],
        tile: &Tile,
        channel: usize,
    ) -> [[S::Vector; 4]; 4] {
        let from = &from[tile.output..][..image.span(tile.size)];
        let pixels = |row, column| {
            // SAFETY: the slice just taken ends with the last pixel.
            unsafe {
                if row < tile.size[0] && column < tile.size[1] {
                    let at = image.at(row, column) + channel;
                    S::load(from.as_ptr().add(at))
                } else {
                    S::zero()
                }
            }
        };
        // SAFETY: as the caller promises.
        both_axes(pixels, |[a, b]: [S::Vector; 2]| unsafe {
            [
                a,
                S::add(a, b),
                S::subtract(a, b),
                S::subtract(S::zero(), b),
            ]
        })
    }
}

/// Transforms products back: `A' m A`, 2x2 pixels, of which those beyond the edges are dropped.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn outputs<S: Lanes>(
    image: Image,
    planes: Planes,
    from: &[f32],
    tiles: &[Tile],
    epilogue: Epilogue<'_, f32>,
    to: &mut [f32],
) {
    assert!(planes.row_len >= image.channels);
    let vectors = image.vectors::<S>();
    for (index, tile) in tiles.iter().enumerate() {
        let from = &from[index * planes.row_len..][..planes.span()];
        let to = &mut to[tile.output..][..image.span(tile.size)];
        let epilogue = epilogue.part(tile.output..tile.output + to.len());
        for channel in vectors.clone() {
            // SAFETY: the slices just taken end with the last position, and with the last pixel.
            unsafe {
                let products = |row, column| {
                    let at = (row * 4 + column) * planes.len + channel;
                    S::load(from.as_ptr().add(at))
                };
                let pixels: [[S::Vector; 2]; 2] =
                    both_axes(products, |[a, b, c, d]: [S::Vector; 4]| {
                        [S::add(S::add(a, b), c), S::subtract(S::subtract(b, c), d)]
                    });
                for (row, pixels) in pixels.into_iter().enumerate() {
                    for (column, pixel) in pixels.into_iter().enumerate() {
                        if row < tile.size[0] && column < tile.size[1] {
                            let at = image.at(row, column) + channel;
                            let pixel = epilogue.vector::<S>(at, pixel);
                            S::store(to.as_mut_ptr().add(at), pixel);
                        }
                    }
                }
            }
        }
    }
}

/// Transforms the taps of a kernel: `G g G'`.
pub(crate) fn transform_taps(taps: [[f32; 3]; 3]) -> [[f32; 4]; 4] {
    both_axes(
        |row, column| taps[row][column],
        |[a, b, c]| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c],
    )
}

/// Computes `G' u G`, the transpose of [`transform_taps`].
pub(crate) fn transform_taps_back(sums: [[f32; 4]; 4]) -> [[f32; 3]; 3] {
    both_axes(
        |row, column| sums[row][column],
        |[a, b, c, d]| [a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d],
    )
}

/// Transforms along the columns, then along the rows. Plain loops, because functions of the
/// library's iterators are not always inlined, and are then compiled for no instruction set.
#[inline(always)]
fn both_axes<T: Copy, const FROM: usize, const TO: usize>(
    at: impl Fn(usize, usize) -> T,
    along: impl Fn([T; FROM]) -> [T; TO],
) -> [[T; TO]; TO] {
    let first = at(0, 0);
    let mut columns = [[first; TO]; FROM];
    for (column, to) in columns.iter_mut().enumerate() {
        let mut line = [first; FROM];
        for (row, to) in line.iter_mut().enumerate() {
            *to = at(row, column);
        }
        *to = along(line);
    }
    let mut to = [[first; TO]; TO];
    for (row, to) in to.iter_mut().enumerate() {
        let mut line = [first; FROM];
        for (to, column) in line.iter_mut().zip(&columns) {
            *to = column[row];
        }
        *to = along(line);
    }
    to
}

impl Image {
    #[inline(always)]
    fn at(self, row: usize, column: usize) -> usize {
        row * self.row_len + column * self.channels
    }

    /// Values from the first to the last of some rows and columns of pixels.
    #[inline(always)]
    fn span(self, [rows, columns]: [usize; 2]) -> usize {
        self.at(rows - 1, columns)
    }

    /// Lists where vectors of channels begin. The last one ends with the last channel, and may
    /// compute some channels once more.
    #[inline(always)]
    fn vectors<S: Lanes>(self) -> impl Iterator<Item = usize> + Clone {
        assert!(self.channels >= S::WIDTH);
        let last = self.channels - S::WIDTH;
        let vectors = (0..self.channels).step_by(S::WIDTH);
        vectors.map(move |channel| channel.min(last))
    }
}

impl Planes {
    /// Words from the first to the last of a row, over all positions.
    #[inline(always)]
    fn span(self) -> usize {
        15 * self.len + self.row_len
    }

    #[inline(always)]
    fn row_mut(self, planes: &mut [f32], index: usize) -> *mut f32 {
        planes[index * self.row_len..][..self.span()].as_mut_ptr()
    }

    /// Stores a row of one or two tiles at all positions.
    ///
    /// # Safety
    /// All 16 positions are writable from the row `to` on, for the channels; the processor has the
    /// instruction set of `S`.
    #[inline(always)]
    unsafe fn store<S: Lanes, P: Packed>(
        self,
        to: *mut f32,
        channel: usize,
        first: [[S::Vector; 4]; 4],
        second: Option<[[S::Vector; 4]; 4]>,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let second = match second {
                Some(second) => second,
                None => [[S::zero(); 4]; 4],
            };
            for position in 0..16 {
                let values = [&first, &second].map(|tile| tile.as_flattened()[position]);
                P::store::<S>(to.add(position * self.len), channel, values);
            }
        }
    }
}
