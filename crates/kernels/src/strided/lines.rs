//! Which taps of a kernel the weights of each position are made of.

use crate::shape::ConvShape;

/// A row (or column) of the cells at one of three positions, and the rows (or columns) of the kernel whose
/// sum is its weight.
#[derive(Clone, Copy, Default)]
pub(super) struct Line {
    taps: [usize; 2],
    count: usize,
}

/// The lines at each of the three positions along one axis.
pub(super) type Lines = [Vec<Line>; 3];

impl Line {
    fn taps(&self) -> &[usize] {
        &self.taps[..self.count]
    }
}

/// Of the convolution: the taps of the first cell; both that are a stride apart; those of the second.
pub(super) fn lines(stride: usize, kernel: usize) -> Lines {
    let line = |taps: [usize; 2], count| Line { taps, count };
    let second = kernel - stride;
    [
        (0..stride).map(|at| line([at, 0], 1)).collect(),
        (0..stride)
            .map(|at| line([at, at + stride], if at < second { 2 } else { 1 }))
            .collect(),
        (0..second).map(|at| line([at + stride, 0], 1)).collect(),
    ]
}

/// Of the gradient with respect to the input, where a cell begins `offset` rows after what an output sees:
/// 0, or at least as far as the second taps reach. The rows of a cell have one tap or two; what the first of
/// two neighbouring output gradients is multiplied by, both, and the second. Rows without a tap are left out:
/// they are the last ones of the first, and the first ones of the second.
pub(super) fn lines_back(stride: usize, kernel: usize, offset: usize) -> Lines {
    let line = |taps: [Option<usize>; 2]| {
        let taps: Vec<usize> = taps
            .into_iter()
            .flatten()
            .filter(|&tap| tap < kernel)
            .collect();
        Line {
            taps: [taps.first(), taps.get(1)].map(|tap| tap.copied().unwrap_or(0)),
            count: taps.len(),
        }
    };
    let rows = (0..stride).map(|row| {
        let first = (offset + row) % stride;
        if offset > 0 && offset + row < stride {
            [Some(first), None]
        } else {
            [Some(first + stride), Some(first)]
        }
    });
    let each = |of: fn([Option<usize>; 2]) -> [Option<usize>; 2]| {
        let lines = rows.clone().map(|taps| line(of(taps)));
        lines.filter(|line| line.count > 0).collect()
    };
    [
        each(|[first, _]| [first, None]),
        each(|taps| taps),
        each(|[_, second]| [None, second]),
    ]
}

/// Calls `visit(at, tap)` for all taps, `[kernel_height, kernel_width]`, that the weights of a position are
/// the sum of; `at` counts its rows and columns of cells.
pub(super) fn each_tap(
    [rows, columns]: &[Lines; 2],
    kernel: [usize; 2],
    position: usize,
    mut visit: impl FnMut(usize, usize),
) {
    let (rows, columns) = (&rows[position / 3], &columns[position % 3]);
    for (row, row_taps) in rows.iter().enumerate() {
        for (column, column_taps) in columns.iter().enumerate() {
            for row_tap in row_taps.taps() {
                for column_tap in column_taps.taps() {
                    let at = row * columns.len() + column;
                    visit(at, row_tap * kernel[1] + column_tap);
                }
            }
        }
    }
}

/// `[out, in, taps]` as `[taps][in][out]`, where sums over taps are sums of whole rows.
pub(super) fn taps_first(shape: &ConvShape, weight: &[f32]) -> Vec<f32> {
    let taps = shape.kernel[0] * shape.kernel[1];
    let matrix = shape.in_channels * shape.out_channels;
    let mut to = vec![0.0; weight.len()];
    for (kernel, from) in weight.chunks_exact(taps).enumerate() {
        let (output, input) = (kernel / shape.in_channels, kernel % shape.in_channels);
        let at = input * shape.out_channels + output;
        for (tap, &weight) in from.iter().enumerate() {
            to[tap * matrix + at] = weight;
        }
    }
    to
}

/// The inverse of [`taps_first`].
pub(super) fn taps_last(shape: &ConvShape, from: &[f32], weight: &mut [f32]) {
    let taps = shape.kernel[0] * shape.kernel[1];
    let matrix = shape.in_channels * shape.out_channels;
    for (kernel, to) in weight.chunks_exact_mut(taps).enumerate() {
        let (output, input) = (kernel / shape.in_channels, kernel % shape.in_channels);
        let at = input * shape.out_channels + output;
        for (tap, weight) in to.iter_mut().enumerate() {
            *weight = from[tap * matrix + at];
        }
    }
}
