//! A stack of convolutions over frames, forward and backward, a few images at a time.
//!
//! Taken layer by layer over the whole batch, every activation and every gradient would travel to
//! memory and back several times. Here a block of images goes through all layers while its values
//! are in the caches. Forward, each activation is written once; backward, each is read once.
//! Gradients with respect to activations never leave the caches.
//!
//! The parameters are one slice, in the order of the layers. For each layer it holds gamma and beta
//! of its normalization if it has one (`[in]` each), then the weight
//! `[out, in, kernel_height, kernel_width]`, then the bias `[out]`.

use std::ops::Range;

use crate::ablation::{Part, has};
use crate::conv::padded::Source;
use crate::nn::norm::Affine;
use crate::shape::{ConvShape, KernelError, check_length};
use crate::simd::Isa;
use crate::simd::precision::Pair;
use crate::simd::precision::Precision;

mod algorithm;
mod backward;
mod forward;
mod layout;
mod saved;

use layout::Layout;
pub use saved::SavedActivations;

/// Parts in which the batch is processed, whatever the number of threads: the order of additions
/// never changes.
const PARTS: usize = 8;

/// Values of a block of images, over all layers, 1.5 MiB. Large layers stay near the second-level
/// cache, and small ones still have enough pixels to fill the register tiles.
const BLOCK: usize = 3 << 17;

/// Operation on a convolution's input, applied while reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prologue {
    /// No operation.
    Nothing,
    /// `max(x, 0)`.
    Relu,
    /// Layer normalization over the channels of each pixel, then ReLU.
    NormRelu {
        /// Added to the variance.
        epsilon: f32,
    },
}

/// One convolution of a [`ConvStack`], with zero padding on all sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvLayer {
    /// Number of channels of the output.
    pub channels: usize,
    /// Numbers of rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Step between neighboring outputs along both axes, in pixels.
    pub stride: usize,
    /// Padding on every side, in pixels.
    pub padding: usize,
    /// Operation on the input; the first layer, which reads frames, must have
    /// [`Prologue::Nothing`].
    pub prologue: Prologue,
    /// Index of an earlier layer whose output is added to that of this one: a residual connection.
    pub add: Option<usize>,
}

/// Stack of convolutions, with checked sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvStack {
    image: [usize; 3],
    layers: Vec<(ConvLayer, ConvShape)>,
    precision: Precision,
    isa: Isa,
    /// Whether outputs are stored unclipped and unrounded.
    #[cfg(test)]
    plain: bool,
}

impl ConvStack {
    /// Checks a stack. `image` is `[height, width, channels]`; the products of the convolutions
    /// have `precision`.
    ///
    /// # Errors
    /// [`KernelError`] names what does not fit together.
    pub fn new(
        image: [usize; 3],
        layers: &[ConvLayer],
        precision: Precision,
    ) -> Result<Self, KernelError> {
        let mut checked: Vec<(ConvLayer, ConvShape)> = Vec::with_capacity(layers.len());
        let [mut height, mut width, mut channels] = image;
        for (index, layer) in layers.iter().enumerate() {
            let weight = [layer.channels, channels, layer.kernel[0], layer.kernel[1]];
            let shape = ConvShape::new(
                [1, height, width, channels],
                weight,
                layer.stride,
                layer.padding,
            )?;
            [_, height, width, channels] = shape.output();
            let fits = |add: usize| {
                checked
                    .get(add)
                    .is_some_and(|(_, earlier)| earlier.output() == shape.output())
            };
            if let Some(add) = layer.add.filter(|&add| !fits(add)) {
                return Err(KernelError::Residual { layer: index, add });
            }
            if index == 0 && layer.prologue != Prologue::Nothing {
                return Err(KernelError::FramesAsTheyAre);
            }
            checked.push((*layer, shape));
        }
        if checked.is_empty() {
            return Err(KernelError::Zero {
                name: "the number of layers",
            });
        }
        Ok(Self {
            image,
            layers: checked,
            precision,
            isa: Isa::detect(),
            #[cfg(test)]
            plain: false,
        })
    }

    /// Returns this stack on another instruction set, with products of another precision.
    #[cfg(test)]
    pub(crate) fn on(&self, isa: Isa, precision: Precision) -> Self {
        Self {
            isa,
            precision,
            ..self.clone()
        }
    }

    /// Returns this stack with outputs stored unclipped and unrounded.
    #[cfg(test)]
    pub(crate) fn storing_plainly(&self) -> Self {
        Self {
            plain: true,
            ..self.clone()
        }
    }

    /// Returns `[height, width, channels]` of a frame.
    #[must_use]
    pub fn image(&self) -> [usize; 3] {
        self.image
    }

    /// Returns the layers in order.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &ConvLayer> {
        self.layers.iter().map(|(layer, _)| layer)
    }

    /// Returns `[height, width, channels]` of the output of an image.
    #[must_use]
    pub fn output(&self) -> [usize; 3] {
        let [_, height, width, channels] = self.last().output();
        [height, width, channels]
    }

    /// Length of the parameters.
    #[must_use]
    pub fn parameter_len(&self) -> usize {
        self.slots().last().map_or(0, |slot| slot.bias.end)
    }

    /// Returns the layout of a layer's output in memory.
    fn layout(&self, index: usize) -> Layout {
        #[cfg(test)]
        if self.plain {
            return Layout::default();
        }
        let (layer, shape) = &self.layers[index];
        let mut adds = self.layers.iter().map(|(layer, _)| layer.add);
        if layer.add.is_some() || adds.any(|add| add == Some(index)) {
            return Layout::default();
        }
        let Some((next, next_shape)) = self.layers.get(index + 1) else {
            return Layout::default();
        };
        let normalized = self.normalized(index + 1).is_some();
        Layout {
            rectified: next.prologue == Prologue::Relu,
            paired: self.precision == Precision::Bf16
                && !normalized
                && layer.channels.is_multiple_of(2)
                && [shape, next_shape]
                    .into_iter()
                    .all(algorithm::are_direct::<Pair>),
        }
    }

    /// Returns what layer `index` reads, from the saved values and moments before it.
    fn source<'a>(
        &self,
        index: usize,
        slots: &[Slot],
        parameters: &'a [f32],
        [values, moments]: [&'a [f32]; 2],
    ) -> Source<'a> {
        let layout = self.layout(index - 1);
        match self.layers[index].0.prologue {
            Prologue::Relu if !layout.rectified => Source::Relu(values),
            Prologue::Nothing | Prologue::Relu => Source::Stored(layout.read(values)),
            Prologue::NormRelu { .. } => {
                let [gamma, beta] = [&slots[index].gamma, &slots[index].beta];
                let [gamma, beta] = [gamma, beta].map(|range| &parameters[range.clone()]);
                Source::NormRelu(values, Affine::new(gamma, beta, moments))
            }
        }
    }

    /// Returns the epsilon of the normalization if layer `index` normalizes its input.
    fn normalized(&self, index: usize) -> Option<f32> {
        match self.layers.get(index)?.0.prologue {
            Prologue::NormRelu { epsilon } => Some(epsilon),
            Prologue::Nothing | Prologue::Relu => None,
        }
    }

    /// Words saved of each layer but the last, and moments: two for every normalized pixel.
    fn saved_lens(&self, images: usize) -> impl ExactSizeIterator<Item = [usize; 2]> {
        let inner = self.layers[..self.layers.len() - 1].iter().enumerate();
        inner.map(move |(index, (_, shape))| {
            let pixels = self
                .normalized(index + 1)
                .map_or(0, |_| shape.out_height() * shape.out_width());
            let words = self.layout(index).words(shape.out_image_len());
            [images * words, images * 2 * pixels]
        })
    }

    /// Checks the lengths, and returns the number of images.
    fn check(&self, frames: &[u8], parameters: &[f32]) -> Result<usize, KernelError> {
        let batch = frames.len() / self.frame_len();
        check_length(
            "the frames of a convolution stack",
            batch * self.frame_len(),
            frames.len(),
        )?;
        check_length(
            "the parameters of a convolution stack",
            self.parameter_len(),
            parameters.len(),
        )?;
        for (_, shape) in &self.layers {
            shape.with_batch(batch)?;
        }
        Ok(batch)
    }

    /// Images of a block: as many as the caches hold, but enough to fill the tiles of small layers.
    fn block(&self, batch: usize) -> usize {
        if !has(Part::ImageBlocks) {
            return batch.div_ceil(PARTS).max(1);
        }
        let numbers: usize = self
            .layers
            .iter()
            .map(|(_, shape)| shape.out_image_len())
            .sum();
        (BLOCK / numbers.max(1)).clamp(2, 8).min(batch.max(1))
    }

    fn slots(&self) -> Vec<Slot> {
        let mut at = 0;
        let mut next = |len: usize| {
            at += len;
            at - len..at
        };
        self.layers
            .iter()
            .map(|(layer, shape)| {
                let normalized = match layer.prologue {
                    Prologue::NormRelu { .. } => shape.in_channels,
                    Prologue::Nothing | Prologue::Relu => 0,
                };
                Slot {
                    gamma: next(normalized),
                    beta: next(normalized),
                    weight: next(shape.weight_len()),
                    bias: next(shape.out_channels),
                }
            })
            .collect()
    }

    fn frame_len(&self) -> usize {
        self.image.iter().product()
    }

    fn last(&self) -> &ConvShape {
        &self.layers[self.layers.len() - 1].1
    }
}

/// Ranges of the parameters of a layer.
struct Slot {
    gamma: Range<usize>,
    beta: Range<usize>,
    weight: Range<usize>,
    bias: Range<usize>,
}

/// Cuts `0..images` into consecutive blocks.
fn blocks(images: usize, block: usize) -> impl Iterator<Item = Range<usize>> {
    (0..images)
        .step_by(block)
        .map(move |first| first..(first + block).min(images))
}

fn of_images<'a>(values: &'a mut [f32], shape: &ConvShape, images: &Range<usize>) -> &'a mut [f32] {
    let len = shape.out_image_len();
    &mut values[images.start * len..images.end * len]
}
