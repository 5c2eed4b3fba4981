//! The convolution itself, and its gradient with respect to the input, which is one.

use super::POSITIONS;
use super::tiling::Tiling;
use super::transform::{Image, Planes, transform_back, transform_taps};
use crate::item::Items;
use crate::lanes::Isa;
use crate::padded::Source;
use crate::panels::padded_start;
use crate::shape::ConvShape;
use crate::stored::{Finish, Out};
use crate::tile::{Gathered, Pixel, gathered_product};
use crate::workspace::{Workspace, apart};

/// Transformed weights, and where tiles lie.
pub(crate) struct Minimal {
    tiling: Tiling,
    rows: Vec<Pixel>,
    in_channels: usize,
    image: Image,
    image_len: usize,
    panels: Panels,
    zeros: Vec<f32>,
    bias: Vec<f32>,
}

/// The position that all four outputs of a tile contain once, with a plus: what is added to it is
/// added to them, and what they add up to arrives there.
pub(super) const IN_ALL: usize = 5;

impl Minimal {
    /// For up to `images` images in one call; `weight` is `[out, in, 3, 3]`, `bias` `[out]`.
    pub(crate) fn new(
        isa: Isa,
        shape: &ConvShape,
        weight: &[f32],
        bias: &[f32],
        images: usize,
    ) -> Self {
        let taps = |input: usize, output: usize, row: usize, column: usize| {
            weight[((output * shape.in_channels + input) * 3 + row) * 3 + column]
        };
        Self::of_taps(isa, shape, taps, Some(bias), images)
    }

    /// The gradient of that convolution with respect to its input: reads gradients with respect to
    /// its output.
    pub(crate) fn data_gradient(
        isa: Isa,
        shape: &ConvShape,
        weight: &[f32],
        images: usize,
    ) -> Self {
        let back = ConvShape {
            height: shape.out_height(),
            width: shape.out_width(),
            in_channels: shape.out_channels,
            out_channels: shape.in_channels,
            padding: 2 - shape.padding,
            ..*shape
        };
        // The gradient is read forwards, so the taps go backwards.
        let taps = |input: usize, output: usize, row: usize, column: usize| {
            weight[((input * shape.in_channels + output) * 3 + 2 - row) * 3 + 2 - column]
        };
        Self::of_taps(isa, &back, taps, None, images)
    }

    fn of_taps(
        isa: Isa,
        shape: &ConvShape,
        tap: impl Fn(usize, usize, usize, usize) -> f32,
        bias: Option<&[f32]>,
        images: usize,
    ) -> Self {
        let (inputs, outputs) = (shape.in_channels, shape.out_channels);
        let tiling = Tiling::new(shape, images);
        let [from, to] = [inputs, outputs].map(|channels| tiling.planes(channels));
        Self {
            rows: tiling.rows(from, to),
            tiling,
            in_channels: inputs,
            image: Image {
                row_len: shape.out_width() * outputs,
                channels: outputs,
            },
            image_len: shape.out_image_len(),
            panels: Panels::new(isa, [inputs, outputs], tap),
            zeros: padded_start(isa, outputs, None),
            bias: padded_start(isa, outputs, bias),
        }
    }

    /// Cross-correlates `input` with the weights, into `out`, overwritten.
    pub(crate) fn run(
        &self,
        isa: Isa,
        input: Source<'_>,
        finish: Finish<'_, f32>,
        out: &mut [f32],
        workspace: &mut Workspace,
    ) {
        let planes = self.tiling.planes(self.image.channels);
        self.tiling.each_block(
            isa,
            input,
            planes,
            workspace,
            |images, tiles, from, products| {
                self.multiply(isa, tiles.len(), from, planes, products);
                let first = images.start * self.image_len;
                let (finish, out) = (finish.from(first), &mut out[first..]);
                transform_back(isa, self.image, planes, products, tiles, finish, out);
            },
        );
    }

    fn multiply(&self, isa: Isa, tiles: usize, from: &[f32], planes: Planes, to: &mut [f32]) {
        let inputs = from.chunks_exact(from.len() / POSITIONS);
        let outputs = to.chunks_exact_mut(planes.len);
        for (position, (input, output)) in inputs.zip(outputs).enumerate() {
            let start = if position == IN_ALL {
                &self.bias
            } else {
                &self.zeros
            };
            let product = Gathered {
                input,
                pixels: &self.rows[..tiles],
                runs: &[0],
                run_len: self.in_channels,
                panels: self.panels.of(position),
                start,
                columns: self.image.channels,
            };
            gathered_product(isa, &product, Out::plain(output));
        }
    }
}

/// Transformed weights, packed for each position as [`pack_panels`](crate::panels::pack_panels) does.
struct Panels {
    len: usize,
    apart: usize,
    numbers: Items<f32>,
}

impl Panels {
    fn new(
        isa: Isa,
        [inputs, outputs]: [usize; 2],
        tap: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let width = isa.columns();
        let len = outputs.next_multiple_of(width) * inputs;
        let apart = apart(len);
        let mut numbers = Items::zeros(POSITIONS * apart);
        for first in (0..outputs).step_by(width) {
            for input in 0..inputs {
                for output in first..outputs.min(first + width) {
                    let at = first * inputs + input * width + output - first;
                    let taps = std::array::from_fn(|row| {
                        std::array::from_fn(|column| tap(input, output, row, column))
                    });
                    for (position, &weight) in
                        transform_taps(taps).as_flattened().iter().enumerate()
                    {
                        numbers[position * apart + at] = weight;
                    }
                }
            }
        }
        Self {
            len,
            apart,
            numbers,
        }
    }

    fn of(&self, position: usize) -> &[f32] {
        &self.numbers[position * self.apart..][..self.len]
    }
}
