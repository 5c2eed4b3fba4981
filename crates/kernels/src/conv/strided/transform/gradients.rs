//! Transform of output gradients to each position.

use super::pointers;
use crate::conv::strided::cells::{CellPlanes, Images};
use crate::conv::strided::filter::CellTransform;
use crate::simd::Lanes;

/// Transforms output gradients into `planes`; gradients of outputs beyond the edges are zero.
///
/// # Safety
/// The processor has the instruction set of `S`.
#[inline(always)]
pub(super) unsafe fn gradients<S: Lanes, F: CellTransform<M, N>, const M: usize, const N: usize>(
    images: Images,
    from: &[f32],
    places: &[[usize; 3]],
    planes: &CellPlanes,
    to: &mut [f32],
) {
    let Images {
        rows,
        columns,
        channels,
        ..
    } = images;
    let width = planes.lens[0];
    assert!(width >= channels && channels >= S::WIDTH);
    assert!(planes.lens.iter().all(|&len| len == width));
    planes.check(places.len(), to.len());
    let to = pointers::<N, _>(planes, to.as_mut_ptr());
    for (tile, &[image, row, column]) in places.iter().enumerate() {
        let (row, column) = (M * row, M * column);
        assert!(row < rows && column < columns && (image + 1) * images.len() <= from.len());
        let first = (image * rows + row) * columns + column;
        for at in (0..channels).step_by(S::WIDTH) {
            let at = at.min(channels - S::WIDTH);
            // SAFETY: the pixels are of the image, and the planes have the tile, as asserted.
            unsafe {
                let mut sums = [[S::zero(); N]; M];
                for (below, to) in sums.iter_mut().enumerate() {
                    let mut line = [S::zero(); M];
                    for (right, to) in line.iter_mut().enumerate() {
                        if row + below < rows && column + right < columns {
                            let pixel = first + below * columns + right;
                            *to = S::load(from.as_ptr().add(pixel * channels + at));
                        }
                    }
                    *to = F::gradients::<S>(line);
                }
                for column in 0..N {
                    let mut line = [S::zero(); M];
                    for (to, sums) in line.iter_mut().zip(&sums) {
                        *to = sums[column];
                    }
                    let line = F::gradients::<S>(line);
                    for (to, values) in to.iter().zip(line) {
                        S::store(to[column].add(tile * width + at), values);
                    }
                }
            }
        }
    }
}
