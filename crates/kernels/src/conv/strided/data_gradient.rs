//! Gradient of a strided convolution with respect to its input: a convolution of stride 1, of the
//! output gradient, whose outputs are cells.
//!
//! Two neighboring cells see three output gradients `a`, `b`, `c`, the second taps first:
//! `v a + u b` and `v b + u c`.

use super::cells::{Cells, Images, Written};
use super::filter::Filter;
use super::lines::{each_tap, lines_back, taps_first_back};
use super::products::Products;
use super::reading::Reading;
use super::{StridedWinograd, accumulate_scaled, cheapest_back};
use crate::shape::ConvShape;
use crate::simd::{Isa, WIDEST};

impl StridedWinograd {
    /// Prepares the input gradient of the convolution with `weight`, for up to `images` images in
    /// one call; it reads output gradients.
    pub(crate) fn data_gradient(
        isa: Isa,
        shape: &ConvShape,
        weight: &[f32],
        images: usize,
    ) -> Self {
        let (stride, channels) = (shape.stride, shape.in_channels);
        let (filter, offset) = (cheapest_back(shape), offset(shape));
        let last = filter.positions() - 1;
        let mut lines = shape
            .kernel
            .map(|kernel| lines_back(filter, stride, kernel, offset));
        if !channels.is_multiple_of(WIDEST) {
            // Otherwise some vectors would hold columns with and without a position. So every
            // column is kept at every position, some with no taps.
            let missing = stride - lines[1][last].len();
            lines[1][0].resize_with(stride, Default::default);
            lines[1][last].splice(0..0, vec![Default::default(); missing]);
        }
        let [rows, columns] = &lines;
        let written = Written {
            filter,
            images: Images::into(shape, shape.padding - offset),
            rows: stride,
            run: stride * channels,
            first: [rows[0].len(), columns[0].len() * channels],
            last: [
                stride - rows[last].len(),
                (stride - columns[last].len()) * channels,
            ],
        };
        let gradients = Images {
            // The first cell sees an output gradient before the first one, unless it begins later.
            before: usize::from(offset == 0),
            ..Images::out_of(shape)
        };
        let reading = Reading::new(
            gradients,
            tiles_back(filter, shape),
            Cells::pixels(filter, shape.out_channels),
            written.lens(),
            images,
        );
        let matrix_len = channels * shape.out_channels;
        let weight = taps_first_back(shape, weight);
        let add_matrix = |position: usize, matrix: &mut [f32]| {
            let columns = reading.outputs.lens[position];
            each_tap(&lines, shape.kernel, position, |at, tap, factor| {
                let taps = &weight[tap * matrix_len..][..matrix_len];
                let rows = matrix.chunks_exact_mut(columns);
                for (row, taps) in rows.zip(taps.chunks_exact(channels)) {
                    accumulate_scaled(isa, &mut row[at * channels..][..channels], factor, taps);
                }
            });
        };
        Self {
            products: Products::new(isa, &reading, add_matrix, None),
            reading,
            written,
        }
    }
}

/// Returns where cells begin, in rows after the first one that the first output sees. They begin
/// with the image if all rows with two taps then see the same two outputs.
fn offset(shape: &ConvShape) -> usize {
    let second = shape.kernel.map(|kernel| kernel - shape.stride);
    if second.into_iter().all(|second| shape.padding >= second) {
        shape.padding
    } else {
        0
    }
}

/// Tiles along both axes: every pixel of the image lies in one, whether or not the kernel reaches
/// it.
pub(super) fn tiles_back(filter: Filter, shape: &ConvShape) -> [usize; 2] {
    let before = shape.padding - offset(shape);
    let step = filter.outputs() * shape.stride;
    [shape.height, shape.width].map(|size| (size + before).div_ceil(step))
}
