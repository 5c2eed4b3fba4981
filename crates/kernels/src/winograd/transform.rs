//! To and from the space where a convolution is 16 matrix products: sums and differences, channel by
//! channel, of tiles of 4x4 or 2x2 pixels.

use super::tiling::Tile;
use crate::each_isa::on_each_isa;
use crate::lanes::Lanes;
use crate::stored::Finish;

/// How the pixels of images lie, channels-last.
#[derive(Clone, Copy)]
pub(crate) struct Image {
    /// Numbers of a row of pixels.
    pub(crate) row_len: usize,
    pub(crate) channels: usize,
}

/// How a block of transformed tiles lies: for each position a plane of `[tiles][row_len]`.
#[derive(Clone, Copy)]
pub(crate) struct Planes {
    /// Numbers of a plane.
    pub(crate) len: usize,
    /// Numbers of a tile in a plane, at least the channels.
    pub(crate) row_len: usize,
}

on_each_isa!(
    transform_inputs = inputs of lanes(
        image: Image, from: &[f32], tiles: &[Tile], planes: Planes, to: &mut [f32]
    )
);
on_each_isa!(
    transform_gradients = gradients of lanes(
        image: Image, from: &[f32], tiles: &[Tile], planes: Planes, to: &mut [f32]
    )
);
on_each_isa!(
    transform_back = outputs of lanes(
        image: Image, planes: Planes, from: &[f32], tiles: &[Tile], finish: Finish<'_, f32>, to: &mut [f32]
    )
);

/// `B' d B` of 4x4 pixels.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn inputs<S: Lanes>(
    image: Image,
    from: &[f32],
    tiles: &[Tile],
    planes: Planes,
    to: &mut [f32],
) {
    let vectors = image.vectors::<S>(planes);
    for (index, tile) in tiles.iter().enumerate() {
        let from = &from[tile.input..][..image.span(tile.seen)];
        let to = planes.tile_mut(to, index);
        // Most tiles see no padding, and are spared asking for each pixel.
        let inside = tile.seen == [4, 4];
        for channel in vectors.clone() {
            // SAFETY: the slices just taken end with the last pixel, and with the last position.
            unsafe {
                let pixels = |row: usize, column: usize| {
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
                };
                let tile = both_axes(pixels, |[a, b, c, d]: [S::Sums; 4]| {
                    [
                        S::subtract(a, c),
                        S::add(b, c),
                        S::subtract(c, b),
                        S::subtract(b, d),
                    ]
                });
                planes.store::<S>(&tile, to.add(channel));
            }
        }
    }
}

/// `A y A'` of 2x2 pixels; those beyond the edges are zero.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn gradients<S: Lanes>(
    image: Image,
    from: &[f32],
    tiles: &[Tile],
    planes: Planes,
    to: &mut [f32],
) {
    let vectors = image.vectors::<S>(planes);
    for (index, tile) in tiles.iter().enumerate() {
        let from = &from[tile.output..][..image.span(tile.size)];
        let to = planes.tile_mut(to, index);
        for channel in vectors.clone() {
            // SAFETY: the slices just taken end with the last pixel, and with the last position.
            unsafe {
                let pixels = |row, column| {
                    if row < tile.size[0] && column < tile.size[1] {
                        let at = image.at(row, column) + channel;
                        S::load(from.as_ptr().add(at))
                    } else {
                        S::zero()
                    }
                };
                let tile = both_axes(pixels, |[a, b]: [S::Sums; 2]| {
                    [
                        a,
                        S::add(a, b),
                        S::subtract(a, b),
                        S::subtract(S::zero(), b),
                    ]
                });
                planes.store::<S>(&tile, to.add(channel));
            }
        }
    }
}

/// `A' m A`: 2x2 pixels, of which those beyond the edges are dropped.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
unsafe fn outputs<S: Lanes>(
    image: Image,
    planes: Planes,
    from: &[f32],
    tiles: &[Tile],
    finish: Finish<'_, f32>,
    to: &mut [f32],
) {
    let vectors = image.vectors::<S>(planes);
    for (index, tile) in tiles.iter().enumerate() {
        let from = &from[index * planes.row_len..][..planes.span()];
        let to = &mut to[tile.output..][..image.span(tile.size)];
        let finish = finish.part(tile.output..tile.output + to.len());
        for channel in vectors.clone() {
            // SAFETY: the slices just taken end with the last position, and with the last pixel.
            unsafe {
                let products = |row, column| {
                    let at = (row * 4 + column) * planes.len + channel;
                    S::load(from.as_ptr().add(at))
                };
                let pixels: [[S::Sums; 2]; 2] =
                    both_axes(products, |[a, b, c, d]: [S::Sums; 4]| {
                        [S::add(S::add(a, b), c), S::subtract(S::subtract(b, c), d)]
                    });
                for (row, pixels) in pixels.into_iter().enumerate() {
                    for (column, pixel) in pixels.into_iter().enumerate() {
                        if row < tile.size[0] && column < tile.size[1] {
                            let at = image.at(row, column) + channel;
                            let pixel = finish.vector::<S>(at, pixel);
                            S::store(to.as_mut_ptr().add(at), pixel);
                        }
                    }
                }
            }
        }
    }
}

/// `G g G'` of the taps of a kernel.
pub(crate) fn transform_taps(taps: [[f32; 3]; 3]) -> [[f32; 4]; 4] {
    both_axes(
        |row, column| taps[row][column],
        |[a, b, c]| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c],
    )
}

/// `G' u G`, the transpose of [`transform_taps`].
pub(crate) fn transform_taps_back(sums: [[f32; 4]; 4]) -> [[f32; 3]; 3] {
    both_axes(
        |row, column| sums[row][column],
        |[a, b, c, d]| [a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d],
    )
}

/// Transforms along the columns, then along the rows. Plain loops: what the library's iterators call
/// is not always inlined, and then compiled for no instruction set.
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

    /// Numbers from the first to the last of so many rows and columns of pixels.
    #[inline(always)]
    fn span(self, [rows, columns]: [usize; 2]) -> usize {
        self.at(rows - 1, columns)
    }

    /// Where vectors of channels begin, if planes hold them. The last one ends with the last channel,
    /// and may compute some of them once more.
    #[inline(always)]
    fn vectors<S: Lanes>(self, planes: Planes) -> impl Iterator<Item = usize> + Clone {
        assert!(planes.row_len >= self.channels && self.channels >= S::WIDTH);
        let last = self.channels - S::WIDTH;
        let vectors = (0..self.channels).step_by(S::WIDTH);
        vectors.map(move |channel| channel.min(last))
    }
}

impl Planes {
    /// Numbers from the first to the last of a tile.
    #[inline(always)]
    fn span(self) -> usize {
        15 * self.len + self.row_len
    }

    #[inline(always)]
    fn tile_mut(self, planes: &mut [f32], index: usize) -> *mut f32 {
        planes[index * self.row_len..][..self.span()].as_mut_ptr()
    }

    /// # Safety
    /// All 16 positions are writable from `to` on; the processor has the instruction set of `S`.
    #[inline(always)]
    unsafe fn store<S: Lanes>(self, tile: &[[S::Sums; 4]; 4], to: *mut f32) {
        for (position, &vector) in tile.as_flattened().iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { S::store(to.add(position * self.len), vector) }
        }
    }
}
