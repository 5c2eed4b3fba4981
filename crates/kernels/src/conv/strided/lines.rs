//! Taps of the kernel that make the weights of each position.

use super::filter::Filter;
use crate::shape::ConvShape;

/// Weight of a row (or column) of the cells at one position: rows (or columns) of the kernel, each
/// with its factor, to be summed.
type Weights = Vec<(usize, f32)>;

/// Rows (or columns) of the cells at each position along one axis.
pub(super) type Lines = Vec<Vec<Weights>>;

/// Returns the lines of the convolution. A row of a cell meets its tap, and the tap one stride
/// further, if there is one. The last position has only rows with a second tap.
pub(super) fn lines_forward(filter: Filter, stride: usize, kernel: usize) -> Lines {
    let rows = (0..stride).map(|row| [Some(row), Some(row + stride).filter(|&tap| tap < kernel)]);
    positions(filter, rows.collect())
}

/// Returns the lines of the gradient with respect to the input. Cells begin `offset` rows after
/// what an output sees: 0, or at least as far as the second taps reach.
///
/// The rows of a cell have one tap or two. The first position has only leading rows of a cell, the
/// last position only trailing ones.
pub(super) fn lines_back(filter: Filter, stride: usize, kernel: usize, offset: usize) -> Lines {
    let rows = (0..stride).map(|row| {
        let first = (offset + row) % stride;
        if offset > 0 && offset + row < stride {
            [Some(first), None]
        } else {
            [
                Some(first + stride).filter(|&tap| tap < kernel),
                Some(first),
            ]
        }
    });
    positions(filter, rows.collect())
}

fn positions(filter: Filter, rows: Vec<[Option<usize>; 2]>) -> Lines {
    let at_position = |factors: &[f32; 2]| {
        let line = |taps: &[Option<usize>; 2]| {
            let taps = taps.iter().zip(factors);
            taps.filter(|(_, factor)| **factor != 0.0)
                .filter_map(|(&tap, &factor)| Some((tap?, factor)))
                .collect()
        };
        rows.iter()
            .map(line)
            .filter(|line: &Weights| !line.is_empty())
            .collect()
    };
    filter.taps().iter().map(at_position).collect()
}

/// Calls `visit(at, tap, factor)` for all taps, `[kernel_height, kernel_width]`, that make the
/// weights of a position. `at` counts the position's rows and columns of cells.
pub(super) fn each_tap(
    [rows, columns]: &[Lines; 2],
    kernel: [usize; 2],
    position: usize,
    mut visit: impl FnMut(usize, usize, f32),
) {
    let (rows, columns) = (
        &rows[position / columns.len()],
        &columns[position % columns.len()],
    );
    for (row, row_taps) in rows.iter().enumerate() {
        for (column, column_taps) in columns.iter().enumerate() {
            for (row_tap, row_factor) in row_taps {
                for (column_tap, column_factor) in column_taps {
                    let at = row * columns.len() + column;
                    let tap = row_tap * kernel[1] + column_tap;
                    visit(at, tap, row_factor * column_factor);
                }
            }
        }
    }
}

/// Returns a weight `[out, in, taps]` as `[taps][in][out]`, where sums over taps are sums of whole
/// rows.
pub(super) fn taps_first(shape: &ConvShape, weight: &[f32]) -> Vec<f32> {
    let mut to = vec![0.0; weight.len()];
    each_weight(shape, |at, tap_at| to[tap_at] = weight[at]);
    to
}

/// Inverts [`taps_first`].
pub(super) fn taps_last(shape: &ConvShape, from: &[f32], weight: &mut [f32]) {
    each_weight(shape, |at, tap_at| weight[at] = from[tap_at]);
}

/// Calls `visit(index in [out, in, taps], index in [taps][in][out])`, a few outputs at a time, so
/// that memory is met in order on either side.
fn each_weight(shape: &ConvShape, mut visit: impl FnMut(usize, usize)) {
    const TOGETHER: usize = 16;
    let taps = shape.kernel[0] * shape.kernel[1];
    let [outputs, inputs] = [shape.out_channels, shape.in_channels];
    for first in (0..outputs).step_by(TOGETHER) {
        for input in 0..inputs {
            for tap in 0..taps {
                for output in first..outputs.min(first + TOGETHER) {
                    let at = (output * inputs + input) * taps + tap;
                    visit(at, (tap * inputs + input) * outputs + output);
                }
            }
        }
    }
}

/// Returns a weight `[out, in, taps]` as `[taps][out][in]`.
pub(super) fn taps_first_back(shape: &ConvShape, weight: &[f32]) -> Vec<f32> {
    let taps = shape.kernel[0] * shape.kernel[1];
    let mut to = vec![0.0; weight.len()];
    for (tap, to) in to.chunks_exact_mut(weight.len() / taps).enumerate() {
        let from = weight[tap..].iter().step_by(taps);
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
    }
    to
}
