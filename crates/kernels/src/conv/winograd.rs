//! Convolutions of 3x3 kernels and stride 1 by Winograd's minimal filtering, F(2x2, 3x3), and its
//! gradients: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
//!
//! Along one axis, two outputs of a kernel of three taps take six products. They also equal
//! `A' ((G g) * (B' d))`, where `d` are the four inputs they see, `g` are the taps and `*`
//! multiplies element by element: four products. Along both axes, 2x2 outputs take 16 products
//! instead of 36. `B'`, `G` and `A'` add, subtract and halve (`transform`).
//!
//! Each of the 16 *positions* of a transformed tile is multiplied separately and summed over
//! channels. That is a plain matrix product: all tiles of a block, `[tiles][in]`, times the
//! transformed weights of that position, `[in][out]`. The gradients are the transposes of these
//! steps. For the weights they are 16 sums over tiles, of transformed inputs times transformed
//! output gradients. With respect to the input, the gradient is again a convolution of stride one,
//! with the kernel reversed.
//!
//! In f32 it rounds no worse than the direct algorithm (`reference/winograd`): the transforms
//! round, but fewer products are added up. In bf16, sums of four inputs are rounded to 8 bits. Over
//! zero-mean random values that is up to twice as coarse in the root mean square. A whole residual
//! encoder is still about as near to f32 as with every activation saved in bf16, as is usual (the
//! benchmark `precision`).

mod convolution;
mod packing;
mod tiling;
mod transform;
mod weight_gradient;

pub(crate) use convolution::Winograd;
pub(crate) use weight_gradient::WinogradWeightGradient;

use crate::ablation::{Part, has};
use crate::gemm::element::Element;
use crate::shape::ConvShape;
use crate::simd::WIDEST;

/// Positions of a transformed tile, 4x4.
const POSITIONS: usize = 16;

/// Whether a convolution is faster by Winograd: whether it spares enough products to pay for the
/// transforms.
///
/// Tiles at edges of odd size compute outputs that are dropped. Images of 7x7 outputs are still a
/// tenth faster, of 5x5 no longer, and single rows are slower.
pub(crate) fn pays<I: Element>(shape: &ConvShape) -> bool {
    let (rows, columns) = (shape.out_height(), shape.out_width());
    let products = POSITIONS * rows.div_ceil(2) * columns.div_ceil(2);
    has(Part::Winograd) && is_possible::<I>(shape) && 8 * products <= 5 * 9 * rows * columns
}

/// Whether Winograd can compute a convolution. Transforms take whole vectors of channels, and a
/// pair holds two channels; padding above 2 has no use.
pub(crate) fn is_possible<I: Element>(shape: &ConvShape) -> bool {
    let channels = [shape.in_channels, shape.out_channels];
    shape.kernel == [3, 3]
        && shape.stride == 1
        && shape.padding <= 2
        && channels
            .into_iter()
            .all(|channels| channels >= WIDEST && channels.is_multiple_of(I::VALUES))
}
