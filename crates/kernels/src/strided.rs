//! Convolutions whose kernels are wider than their stride, but at most twice as wide, by minimal
//! filtering (S. Winograd, "Arithmetic Complexity of Computations", SIAM 1980) of *cells*.
//!
//! Cut the image into cells of stride x stride pixels. Along one axis an output sees two of them, of the
//! second one perhaps a part only; two neighbouring outputs see three. With the taps `u` of the first cell
//! and `v` of the second, the cells `a`, `b`, `c` make
//!
//! ```text
//! u a + v b = u (a - b) + (u + v) b        u b + v c = (u + v) b + v (c - b)
//! ```
//!
//! which are three products of cells instead of four, and of the last one only those that `v` has. Along
//! both axes, a kernel of width `k` and stride `s` takes `(s + k)^2` products for every `(2 k)^2`: 25 for 36
//! where it is 3/2, 9 for 16 where it is 4/2 or 8/4.
//!
//! Each of the nine *positions* is multiplied on its own: a plain matrix product of all tiles of a block,
//! `[tiles][rows, columns and channels of a cell]`, with the weights of that position. The gradients are
//! the transposes of these steps, see `data_gradient` and `weight_gradient`.
//!
//! Nothing is divided, and what is added up is at most four numbers, so it rounds about as the direct way
//! does (`twins/strided`).

mod cells;
mod convolution;
mod data_gradient;
mod lines;
mod transform;
mod weight_gradient;

pub(crate) use cells::Workspace;
pub(crate) use convolution::Strided;
pub(crate) use data_gradient::StridedDataGradient;
pub(crate) use weight_gradient::StridedWeightGradient;

use data_gradient::tiles_back;

use crate::item::Item;
use crate::lanes::WIDEST;
use crate::shape::ConvShape;

/// Positions of a transformed tile, 3x3: what two outputs along each axis have of their own, and, in the
/// middle, share.
const POSITIONS: usize = 9;

/// The position that all four outputs of a tile contain once, with a plus: what is added to it is added
/// to them, and what they add up to arrives there.
const IN_ALL: usize = 4;

/// Whether a convolution, and the gradient of its weight, are faster this way.
pub(crate) fn pays<I: Item>(shape: &ConvShape) -> bool {
    let tiles = [shape.out_height(), shape.out_width()].map(|size| size.div_ceil(2));
    I::NUMBERS == 1 && is_possible(shape) && spares_enough(shape, tiles)
}

/// Whether the gradient with respect to the input is faster this way.
pub(crate) fn pays_back<I: Item>(shape: &ConvShape) -> bool {
    I::NUMBERS == 1
        && is_possible(shape)
        && shape.in_channels >= WIDEST
        && spares_enough(shape, tiles_back(shape))
}

/// Whether products enough are spared to pay for the transforms, which are dear where cells are narrow.
fn spares_enough(shape: &ConvShape, tiles: [usize; 2]) -> bool {
    let [rows, columns] = shape.kernel.map(|kernel| shape.stride + kernel);
    let direct = shape.kernel[0] * shape.kernel[1] * shape.out_height() * shape.out_width();
    4 * rows * columns * tiles[0] * tiles[1] <= 3 * direct
        && rows * columns * shape.in_channels >= 16 * WIDEST
}

/// Whether a convolution can be done this way: transforms take whole vectors of outputs, and wider padding
/// is of no use to anyone.
pub(crate) fn is_possible(shape: &ConvShape) -> bool {
    let stride = shape.stride;
    let fits = |kernel: usize| kernel > stride && kernel <= 2 * stride;
    shape.kernel.into_iter().all(fits) && shape.padding < stride && shape.out_channels >= WIDEST
}
