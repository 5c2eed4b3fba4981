//! Winograd convolution, and its gradient with respect to the input, which is a convolution, too.

use super::POSITIONS;
use super::packing::Packing;
use super::tiling::Tiling;
use super::transform::{Image, Planes, transform_back, transform_taps};
use crate::conv::padded::Source;
use crate::gemm::element::{Element, ElementBuffer};
use crate::gemm::epilogue::{Epilogue, Out};
use crate::gemm::microkernel::{ImplicitGemm, implicit_gemm};
use crate::gemm::panels::padded_start;
use crate::gemm::pixels::Pixels;
use crate::memory::workspace::{Workspace, apart};
use crate::shape::ConvShape;
use crate::simd::Isa;

/// Transformed weights of a convolution, and the layout of its tiles.
pub(crate) struct Winograd<I> {
    tiling: Tiling,
    rows: Pixels,
    packing: Packing,
    /// Elements of a tile at a position.
    depth: usize,
    image: Image,
    image_len: usize,
    panels: Panels<I>,
    zeros: Vec<f32>,
    bias: Vec<f32>,
}

/// Index of the position that contributes +1 to all four outputs of a tile: a bias can be added
/// there, and its gradient read there.
pub(super) const IN_ALL: usize = 5;

impl<I: Element> Winograd<I> {
    /// Transforms `weight`, `[out, in, 3, 3]`, with `bias`, `[out]`, for up to `images` images in
    /// one call.
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

    /// Prepares the input gradient of the convolution with `weight`; it reads output gradients.
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
        let packing = Packing::over_channels::<I>();
        let [from, to] = [packing.words(inputs), outputs].map(|row_len| tiling.planes(row_len));
        Self {
            rows: tiling.rows(from, to),
            tiling,
            packing,
            depth: from.row_len,
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

    /// Cross-correlates `input` with the weights and overwrites `out`.
    pub(crate) fn run(
        &self,
        isa: Isa,
        input: Source<'_>,
        epilogue: Epilogue<'_, f32>,
        out: &mut [f32],
        workspace: &mut Workspace,
    ) {
        let planes = self.tiling.planes(self.image.channels);
        self.tiling.each_block(
            isa,
            input,
            self.packing,
            planes,
            workspace,
            |images, tiles, from, products| {
                self.multiply(isa, tiles.len(), from, planes, products);
                let first = images.start * self.image_len;
                let (epilogue, out) = (epilogue.from(first), &mut out[first..]);
                transform_back(isa, self.image, planes, products, tiles, epilogue, out);
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
            let product = ImplicitGemm {
                input: I::of_words(input),
                pixels: self.rows.first(tiles),
                runs: &[0],
                run_len: self.depth,
                panels: self.panels.of(position),
                start,
                columns: self.image.channels,
            };
            implicit_gemm(isa, &product, Out::plain(output));
        }
    }
}

/// Transformed weights, packed for each position as
/// [`pack_panels`](crate::gemm::panels::pack_panels) does.
struct Panels<I> {
    len: usize,
    apart: usize,
    elements: ElementBuffer<I>,
}

impl<I: Element> Panels<I> {
    fn new(
        isa: Isa,
        [inputs, outputs]: [usize; 2],
        tap: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let (width, depth) = (isa.columns(), inputs.div_ceil(I::VALUES));
        let len = outputs.next_multiple_of(width) * depth;
        let apart = apart(len);
        let mut elements = ElementBuffer::zeros(POSITIONS * apart);
        let transformed = |input: usize, output: usize| {
            transform_taps(std::array::from_fn(|row| {
                std::array::from_fn(|column| tap(input, output, row, column))
            }))
        };
        for first in (0..outputs).step_by(width) {
            for element in 0..depth {
                for output in first..outputs.min(first + width) {
                    let at = first * depth + element * width + output - first;
                    let inputs = element * I::VALUES..inputs.min((element + 1) * I::VALUES);
                    let mut weights = [[[0.0; 4]; 4]; 2];
                    for (to, input) in weights.iter_mut().zip(inputs.clone()) {
                        *to = transformed(input, output);
                    }
                    for position in 0..POSITIONS {
                        elements[position * apart + at] = I::of_each(inputs.len(), |number| {
                            weights[number].as_flattened()[position]
                        });
                    }
                }
            }
        }
        Self {
            len,
            apart,
            elements,
        }
    }

    fn of(&self, position: usize) -> &[I] {
        &self.elements[position * self.apart..][..self.len]
    }
}
