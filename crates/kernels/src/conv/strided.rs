//! Convolutions whose kernels are wider than their stride, but at most twice as wide, by minimal
//! filtering (S. Winograd, "Arithmetic Complexity of Computations", SIAM 1980) of *cells*.
//!
//! Cut the image into cells of stride x stride pixels. Along one axis an output sees two cells,
//! perhaps only a part of the second one; two neighboring outputs see three. With the taps `u` of
//! the first cell and `v` of the second, the cells `a`, `b`, `c` make
//!
//! ```text
//! u a + v b = u (a - b) + (u + v) b        u b + v c = (u + v) b + v (c - b)
//! ```
//!
//! These are three products of cells instead of four, and the last one needs only the pixels that
//! `v` has. In the same way five products make four outputs of five cells (`filter`). Along both
//! axes, a kernel of width `k` and stride `s` takes `(m s + k - s)^2` products for `m x m` outputs
//! instead of `(m k)^2`. With `m = 4`, these are 81 for 144 where `k/s` is 3/2, and 25 for 64 where
//! it is 4/2 or 8/4.
//!
//! Each of the `(m + 1)^2` *positions* is multiplied separately. That is a plain matrix product:
//! all tiles of a block, `[tiles][rows, columns and channels of a cell]`, times the weights of that
//! position. The gradients are the transposes of these steps, see `data_gradient` and
//! `weight_gradient`.
//!
//! In the root mean square, over zero-mean random values, it rounds 1.4 times (`m = 2`) to 4 times
//! (`m = 4`) as coarsely as the direct algorithm: by up to 1.3e-6 of the result.

mod cells;
mod convolution;
mod data_gradient;
mod filter;
mod lines;
mod products;
mod reading;
mod tiling;
mod transform;
mod weight_gradient;

pub(crate) use convolution::StridedWinograd;
pub(crate) use weight_gradient::StridedWinogradWeightGradient;

use crate::ablation::{Part, has};
use crate::gemm::element::Element;
use crate::shape::ConvShape;
use crate::simd::WIDEST;
use crate::simd::each_isa::on_each_isa;
use data_gradient::tiles_back;
use filter::Filter;

/// Most values of all transformed weights. With more, their memory, and that of their gradients for
/// every thread, would be several times that of the weights and take most of the time.
const MOST_WEIGHTS: usize = 1 << 22;

/// Whether a convolution, and the gradient of its weight, are faster by strided Winograd.
pub(crate) fn pays<I: Element>(shape: &ConvShape) -> bool {
    has(Part::StridedWinograd) && I::VALUES == 1 && is_possible(shape) && {
        let filter = cheapest(shape);
        spares_enough(shape, filter, tiles(filter, shape))
    }
}

/// Whether the gradient with respect to the input is faster by strided Winograd.
pub(crate) fn pays_back<I: Element>(shape: &ConvShape) -> bool {
    // Pixels that no output sees would share tiles with others, and their rounding.
    let sides = [shape.out_height(), shape.out_width()];
    let seen = |axis: usize| (sides[axis] - 1) * shape.stride + shape.kernel[axis] - shape.padding;
    has(Part::StridedWinograd)
        && I::VALUES == 1
        && is_possible(shape)
        && shape.in_channels >= WIDEST
        && seen(0) >= shape.height
        && seen(1) >= shape.width
        && {
            let filter = cheapest_back(shape);
            spares_enough(shape, filter, tiles_back(filter, shape))
        }
}

/// Returns the filter that computes a convolution with the fewest products.
fn cheapest(shape: &ConvShape) -> Filter {
    cheapest_of(shape, |filter| tiles(filter, shape))
}

/// Returns the filter that computes the gradient with respect to the input with the fewest
/// products.
fn cheapest_back(shape: &ConvShape) -> Filter {
    cheapest_of(shape, |filter| tiles_back(filter, shape))
}

fn cheapest_of(shape: &ConvShape, tiles: impl Fn(Filter) -> [usize; 2]) -> Filter {
    let [two, four] = Filter::ALL.map(|filter| products_of(shape, filter, tiles(filter)));
    let [rows, columns] = tiles(Filter::Four);
    // Few large tiles do not fill the register tiles.
    if rows * columns >= 4
        && 10 * four <= 9 * two
        && weights_of(shape, Filter::Four) <= MOST_WEIGHTS
    {
        Filter::Four
    } else {
        Filter::Two
    }
}

fn tiles(filter: Filter, shape: &ConvShape) -> [usize; 2] {
    [shape.out_height(), shape.out_width()].map(|side| side.div_ceil(filter.outputs()))
}

/// Products of an image, for each pair of channels.
fn products_of(shape: &ConvShape, filter: Filter, [rows, columns]: [usize; 2]) -> usize {
    products_of_tile(shape, filter) * rows * columns
}

fn products_of_tile(shape: &ConvShape, filter: Filter) -> usize {
    let lines = |kernel: usize| filter.outputs() * shape.stride + kernel - shape.stride;
    lines(shape.kernel[0]) * lines(shape.kernel[1])
}

/// Values of the weights of all positions.
fn weights_of(shape: &ConvShape, filter: Filter) -> usize {
    let channels = shape.in_channels.saturating_mul(shape.out_channels);
    products_of_tile(shape, filter).saturating_mul(channels)
}

/// Whether enough products are spared to pay for the transforms, which are expensive where cells
/// are narrow.
fn spares_enough(shape: &ConvShape, filter: Filter, tiles: [usize; 2]) -> bool {
    let [rows, columns] = shape.kernel;
    let direct = rows * columns * shape.out_height() * shape.out_width();
    4 * products_of(shape, filter, tiles) <= 3 * direct
        && rows * columns * shape.in_channels >= 8 * WIDEST
        && weights_of(shape, filter) <= MOST_WEIGHTS
}

/// Whether strided Winograd can compute a convolution. Transforms take whole vectors of outputs.
/// Where cells of the gradient begin is known only for padding below the stride. (A kernel of 2 and
/// stride 1 is padded by 1 in the `cnn`.)
pub(crate) fn is_possible(shape: &ConvShape) -> bool {
    let stride = shape.stride;
    let fits = |kernel: usize| kernel > stride && kernel <= 2 * stride;
    shape.kernel.into_iter().all(fits) && shape.padding < stride && shape.out_channels >= WIDEST
}

on_each_isa!(accumulate_scaled = add_each_scaled(to: &mut [f32], by: f32, values: &[f32]));

#[inline(always)]
fn add_each_scaled(to: &mut [f32], by: f32, values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += by * value;
    }
}
