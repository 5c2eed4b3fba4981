//! Copies of images, a few at a time, in a scratch with zeros around them.

use crate::ablation::{Part, has};
use crate::conv::stored::Stored;
use crate::gemm::element::{Element, ElementBuffer};
use crate::memory::buffer::Buffer;
use crate::nn::elementwise::{rectify, scale_bytes};
use crate::nn::norm::{Affine, normalize};
use crate::simd::Isa;
use crate::simd::bf16::unpair;

/// Input of a convolution, channels-last: stored values, or values that are computed while reading.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// Bytes, scaled by 1/255.
    Frames(&'a [u8]),
    /// Stored values, read unchanged.
    Stored(Stored<'a>),
    /// Values clipped at zero from below.
    Relu(&'a [f32]),
    /// Values normalized over the channels of each pixel, then clipped at zero from below.
    NormRelu(&'a [f32], Affine<'a>),
}

impl<'a> Source<'a> {
    pub(crate) fn values(values: &'a [f32]) -> Self {
        Source::Stored(Stored::Values(values))
    }

    /// Returns a contiguous part, as a range of values.
    pub(crate) fn part(self, range: std::ops::Range<usize>) -> Source<'a> {
        match self {
            Source::Frames(bytes) => Source::Frames(&bytes[range]),
            Source::Stored(numbers) => Source::Stored(numbers.part(range)),
            Source::Relu(values) => Source::Relu(&values[range]),
            Source::NormRelu(values, affine) => {
                Source::NormRelu(&values[range.clone()], affine.part(range))
            }
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Source::Frames(bytes) => bytes.len(),
            Source::Stored(numbers) => numbers.len(),
            Source::Relu(values) | Source::NormRelu(values, _) => values.len(),
        }
    }

    /// Returns this source, or, if normalization is not fused, what it has written to `buffer`.
    pub(crate) fn prepared<'b>(self, isa: Isa, buffer: &'b mut Buffer) -> Source<'b>
    where
        'a: 'b,
    {
        match self {
            Source::NormRelu(..) if !has(Part::FusedPrologue) => {
                let values = buffer.sized(self.len());
                self.write(isa, values);
                Source::values(values)
            }
            fused => fused,
        }
    }

    /// Writes whole pixels to `out`.
    pub(crate) fn write(self, isa: Isa, out: &mut [f32]) {
        match self {
            Source::Frames(bytes) => scale_bytes(isa, bytes, out),
            Source::Stored(Stored::Values(values)) => out.copy_from_slice(values),
            Source::Stored(Stored::Pairs(pairs)) => unpair(pairs, out),
            Source::Relu(values) => rectify(isa, values, out),
            Source::NormRelu(values, affine) => normalize(isa, values, affine, out),
        }
    }
}

/// Layout of images in a padded scratch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Padded {
    /// Sizes of an image: rows, columns, channels.
    pub(crate) image: [usize; 3],
    /// Zeros before the first row and before the first column.
    pub(crate) before: [usize; 2],
    /// Rows and columns of the scratch; less than the padded image where nothing reads the rest.
    pub(crate) size: [usize; 2],
    /// Elements of a pixel.
    pub(crate) elements: usize,
    pub(crate) grouping: ElementGrouping,
}

/// Values that share an element, where it holds several.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ElementGrouping {
    /// Neighboring channels of a pixel: for sums over channels.
    Channels,
    /// The same channel of two pixels that are this many values apart: for sums over pixels.
    Pixels(usize),
}

/// Scratch that images are copied to.
#[derive(Debug, Default)]
pub(crate) struct Scratch<I> {
    elements: ElementBuffer<I>,
    buffer: Vec<f32>,
    /// Output gradients of the pixels of some images, padded by zeros.
    pub(crate) gradient: ElementBuffer<I>,
}

impl<I: Element> Scratch<I> {
    pub(crate) fn images(&self, padded: &Padded, count: usize) -> &[I] {
        &self.elements[..count * padded.len()]
    }
}

impl Padded {
    /// Elements of one image in the scratch.
    pub(crate) fn len(&self) -> usize {
        self.size[0] * self.row_len()
    }

    pub(crate) fn row_len(&self) -> usize {
        self.size[1] * self.elements
    }

    /// Makes a scratch for `images` images.
    pub(crate) fn scratch<I: Element>(&self, images: usize) -> Scratch<I> {
        Scratch {
            elements: ElementBuffer::zeros(images * self.len()),
            buffer: Vec::new(),
            gradient: ElementBuffer::default(),
        }
    }

    /// Images to copy at a time, in equal blocks. What is read over and over then stays in a
    /// second-level cache of 256 KiB, and there are enough pixels to fill the tiles.
    pub(crate) fn images_at_once(&self, images: usize) -> usize {
        const ELEMENTS: usize = 32 << 10;
        let most = (ELEMENTS / self.len().max(1)).max(1);
        images.div_ceil(images.div_ceil(most).max(1)).max(1)
    }

    /// Copies whole images into `scratch`, whose border must already be zero.
    pub(crate) fn copy<I: Element>(&self, isa: Isa, images: Source<'_>, scratch: &mut Scratch<I>) {
        let [rows, columns, channels] = self.image;
        let image_len = rows * columns * channels;
        let rows = rows.min(self.size[0].saturating_sub(self.before[0]));
        let used = columns.min(self.size[1].saturating_sub(self.before[1]));
        if used == 0 {
            return;
        }
        let left = self.before[1] * self.elements;
        let Scratch {
            elements, buffer, ..
        } = scratch;
        for image in 0..images.len() / image_len {
            let to = &mut elements[image * self.len()..(image + 1) * self.len()];
            let to = to.chunks_exact_mut(self.row_len()).skip(self.before[0]);
            for (row, to) in to.take(rows).enumerate() {
                let from = image * image_len + row * columns * channels;
                let from = images.part(from..from + used * channels);
                match self.grouping {
                    ElementGrouping::Channels => {
                        let to = &mut to[left..left + used * self.elements];
                        I::channels(isa, from, channels, buffer, to);
                    }
                    ElementGrouping::Pixels(step) => {
                        I::neighbors(isa, from, left, step, buffer, to)
                    }
                }
            }
        }
    }

    /// Returns the offset of a scratch pixel, in elements.
    pub(crate) fn at(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.len() + row * self.row_len() + column * self.elements
    }
}
