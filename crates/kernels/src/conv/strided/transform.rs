//! Transforms to and from the positions of strided Winograd: weighted sums of cells, value by
//! value, along both axes.

mod gradients;
mod read;
mod written;

use super::cells::{CellPlanes, Cells, Images, Written};
use super::filter::{Filter, Four, Two};
use crate::gemm::epilogue::Epilogue;
use crate::simd::Isa;
use crate::simd::each_isa::on_each_isa;
use gradients::gradients;
use read::read;
use written::written;

/// Transforms tiles that begin at `starts` of images with zeros around them.
pub(super) fn transform_cells(
    isa: Isa,
    cells: Cells,
    row_len: usize,
    from: &[f32],
    starts: &[usize],
    planes: &CellPlanes,
    to: &mut [f32],
) {
    let transform = match cells.filter {
        Filter::Two => read_two,
        Filter::Four => read_four,
    };
    transform(isa, cells, row_len, from, starts, planes, to);
}

/// Transforms the gradient of outputs, in tiles at `places`, to each position.
pub(super) fn transform_gradients(
    isa: Isa,
    filter: Filter,
    images: Images,
    from: &[f32],
    places: &[[usize; 3]],
    planes: &CellPlanes,
    to: &mut [f32],
) {
    let transform = match filter {
        Filter::Two => gradients_two,
        Filter::Four => gradients_four,
    };
    transform(isa, images, from, places, planes, to);
}

/// Transforms products back to the cells of an image, in tiles at `places`. Values beyond its edges
/// are dropped.
pub(super) fn transform_back(
    isa: Isa,
    cells: Written,
    planes: &CellPlanes,
    from: &[f32],
    places: &[[usize; 3]],
    epilogue: Epilogue<'_, f32>,
    to: &mut [f32],
) {
    let transform = match cells.filter {
        Filter::Two => written_two,
        Filter::Four => written_four,
    };
    transform(isa, cells, planes, from, places, epilogue, to);
}

on_each_isa!(
    read_two = read of lanes [Two, 2, 3] (
        cells: Cells, row_len: usize, from: &[f32], starts: &[usize], planes: &CellPlanes, to: &mut [f32]
    )
);
on_each_isa!(
    read_four = read of lanes [Four, 4, 5] (
        cells: Cells, row_len: usize, from: &[f32], starts: &[usize], planes: &CellPlanes, to: &mut [f32]
    )
);
on_each_isa!(
    gradients_two = gradients of lanes [Two, 2, 3] (
        images: Images, from: &[f32], places: &[[usize; 3]], planes: &CellPlanes, to: &mut [f32]
    )
);
on_each_isa!(
    gradients_four = gradients of lanes [Four, 4, 5] (
        images: Images, from: &[f32], places: &[[usize; 3]], planes: &CellPlanes, to: &mut [f32]
    )
);
on_each_isa!(
    written_two = written of lanes [Two, 2, 3] (
        cells: Written, planes: &CellPlanes, from: &[f32], places: &[[usize; 3]],
        epilogue: Epilogue<'_, f32>, to: &mut [f32]
    )
);
on_each_isa!(
    written_four = written of lanes [Four, 4, 5] (
        cells: Written, planes: &CellPlanes, from: &[f32], places: &[[usize; 3]],
        epilogue: Epilogue<'_, f32>, to: &mut [f32]
    )
);

/// Returns where planes begin, by rows and columns of positions.
#[inline(always)]
fn pointers<const N: usize, T>(planes: &CellPlanes, to: *mut T) -> [[*mut T; N]; N] {
    let mut all = [[to; N]; N];
    for (to, start) in all.as_flattened_mut().iter_mut().zip(&planes.starts) {
        *to = to.wrapping_add(*start);
    }
    all
}
