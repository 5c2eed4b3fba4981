//! A whole stack of convolutions over frames, forward and backward, a few images at a time.
//!
//! Taken layer by layer over the whole batch, every activation and every gradient travels to memory
//! and back several times. Here a block of images goes through all layers while its numbers are in
//! the caches: forward, each activation is written once; backward, each is read once, and gradients
//! with respect to activations never leave the caches.
//!
//! The parameters are one slice, in the order of the layers: for each, gamma and beta of its
//! normalisation if it has one (`[in]` each), then the weight `[out, in, kernel_height,
//! kernel_width]`, then the bias `[out]`.

use std::ops::Range;

use crate::data_gradient::DataGradient;
use crate::forward::{Forward, Windows};
use crate::lanes::Isa;
use crate::norm::{Affine, accumulate, normalise_gradient, rectify_gradient};
use crate::padded::Source;
use crate::shape::{ConvShape, KernelError, check_length};
use crate::split::{over_jobs_with, ranges};
use crate::weight_gradient::WeightGradient;

/// The batch is processed in this many parts, whatever the number of threads, so that the order of
/// additions never changes.
const PARTS: usize = 8;

/// Numbers of a block of images, over all layers: they stay in the third-level cache.
const BLOCK: usize = 1 << 20;

/// What happens to the input of a convolution on the way in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// `max(x, 0)`.
    Relu,
    /// Layer normalisation over the channels of each pixel, then ReLU.
    NormRelu {
        /// Added to the variance.
        epsilon: f32,
    },
}

/// One convolution of a [`Trunk`], with zero padding on all sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// Channels of the output.
    pub channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Step between neighbouring outputs, along both axes.
    pub stride: usize,
    /// Zeros on every side.
    pub padding: usize,
    /// What happens to the input first; the first layer, which reads frames, must have `Nothing`.
    pub before: Before,
    /// Adds the output of this earlier layer to its own: a residual connection.
    pub add: Option<usize>,
}

/// A stack of convolutions, its sizes checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Trunk {
    image: [usize; 3],
    layers: Vec<(Layer, ConvShape)>,
}

/// What the backward pass needs of a forward pass: the output of every layer but the last.
#[derive(Clone, Debug, Default)]
pub struct Kept(Vec<Vec<f32>>);

impl Trunk {
    /// `image` is `[height, width, channels]`.
    ///
    /// # Errors
    /// [`KernelError`] names what does not fit together.
    pub fn new(image: [usize; 3], layers: &[Layer]) -> Result<Self, KernelError> {
        let mut checked: Vec<(Layer, ConvShape)> = Vec::with_capacity(layers.len());
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
            if index == 0 && layer.before != Before::Nothing {
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
        })
    }

    /// `[height, width, channels]` of a frame.
    #[must_use]
    pub fn image(&self) -> [usize; 3] {
        self.image
    }

    /// The layers.
    pub fn layers(&self) -> impl ExactSizeIterator<Item = &Layer> {
        self.layers.iter().map(|(layer, _)| layer)
    }

    /// `[height, width, channels]` of the output of an image.
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

    /// Convolves `frames`, u8 `[batch, height, width, channel]`, scaled to `[0, 1]`, into `out`,
    /// overwritten; `kept`, if there is one, is what [`backward`](Self::backward) will need.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn forward(
        &self,
        frames: &[u8],
        parameters: &[f32],
        kept: Option<&mut Kept>,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        self.forward_on(Isa::detect(), frames, parameters, kept, out)
    }

    pub(crate) fn forward_on(
        &self,
        isa: Isa,
        frames: &[u8],
        parameters: &[f32],
        kept: Option<&mut Kept>,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        let batch = self.check(frames, parameters)?;
        let out_len = self.last().out_image_len();
        check_length("the output of a trunk", batch * out_len, out.len())?;
        let block = self.block(batch);
        let slots = self.slots();
        let stages: Vec<(Windows, Forward)> = self
            .layers
            .iter()
            .zip(&slots)
            .map(|((_, shape), slot)| {
                let windows = Windows::new(shape, block);
                let [weight, bias] = [&slot.weight, &slot.bias].map(|r| &parameters[r.clone()]);
                let forward = Forward::new(isa, shape, &windows, weight, bias);
                (windows, forward)
            })
            .collect();

        let mut jobs: Vec<ForwardJob<'_>> = Vec::with_capacity(PARTS);
        let mut rest = out;
        for images in ranges(batch, PARTS) {
            let (out, tail) = rest.split_at_mut(images.len() * out_len);
            rest = tail;
            jobs.push(ForwardJob {
                images,
                kept: Vec::new(),
                out,
            });
        }
        let keeps = kept.is_some();
        if let Some(Kept(kept)) = kept {
            kept.resize(self.layers.len() - 1, Vec::new());
            for (values, (_, shape)) in kept.iter_mut().zip(&self.layers) {
                values.resize(batch * shape.out_image_len(), 0.0);
                let mut rest = &mut values[..];
                for job in &mut jobs {
                    let (own, tail) = rest.split_at_mut(job.images.len() * shape.out_image_len());
                    rest = tail;
                    job.kept.push(own);
                }
            }
        }
        let workspace = || {
            let scratches: Vec<Vec<f32>> = stages
                .iter()
                .map(|(windows, _)| windows.scratch())
                .collect();
            let buffers: Vec<Vec<f32>> = if keeps {
                Vec::new()
            } else {
                self.inner()
                    .map(|shape| vec![0.0; block * shape.out_image_len()])
                    .collect()
            };
            (scratches, buffers)
        };
        over_jobs_with(jobs, workspace, |(scratches, buffers), mut job| {
            for images in blocks(job.images.len(), block) {
                let mut outputs: Vec<&mut [f32]> = if keeps {
                    let inner = job.kept.iter_mut().zip(self.inner());
                    inner
                        .map(|(values, shape)| of_images(values, shape, &images))
                        .collect()
                } else {
                    let inner = buffers.iter_mut().zip(self.inner());
                    inner
                        .map(|(values, shape)| of_images(values, shape, &(0..images.len())))
                        .collect()
                };
                outputs.push(of_images(job.out, self.last(), &images));
                let first = job.images.start + images.start;
                let frames = &frames[first * self.frame_len()..][..images.len() * self.frame_len()];
                for (index, (windows, forward)) in stages.iter().enumerate() {
                    let (earlier, own) = outputs.split_at_mut(index);
                    let Some(own) = own.first_mut() else { continue };
                    let source = match earlier.last() {
                        None => Source::Frames(frames),
                        Some(values) => self.source(index, &slots, parameters, values),
                    };
                    forward.run(isa, windows, source, own, &mut scratches[index]);
                    if let Some(add) = self.layers[index].0.add {
                        accumulate(isa, own, earlier[add]);
                    }
                }
            }
        });
        Ok(())
    }

    /// Gradient with respect to the parameters, overwritten, from the `gradient` with respect to the
    /// output; `frames`, `parameters` and `kept` are those of the forward pass.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn backward(
        &self,
        frames: &[u8],
        parameters: &[f32],
        kept: &Kept,
        gradient: &[f32],
        parameter_gradient: &mut [f32],
    ) -> Result<(), KernelError> {
        let isa = Isa::detect();
        self.backward_on(isa, frames, parameters, kept, gradient, parameter_gradient)
    }

    #[expect(clippy::too_many_arguments)]
    pub(crate) fn backward_on(
        &self,
        isa: Isa,
        frames: &[u8],
        parameters: &[f32],
        kept: &Kept,
        gradient: &[f32],
        parameter_gradient: &mut [f32],
    ) -> Result<(), KernelError> {
        let batch = self.check(frames, parameters)?;
        let out_len = batch * self.last().out_image_len();
        check_length("the output gradient of a trunk", out_len, gradient.len())?;
        let len = self.parameter_len();
        check_length(
            "the parameter gradient of a trunk",
            len,
            parameter_gradient.len(),
        )?;
        check_length(
            "the activations of a trunk",
            self.layers.len() - 1,
            kept.0.len(),
        )?;
        for (values, shape) in kept.0.iter().zip(self.inner()) {
            let len = batch * shape.out_image_len();
            check_length("an activation of a trunk", len, values.len())?;
        }
        let block = self.block(batch);
        let slots = self.slots();
        let mut sums_len = 0;
        let stages: Vec<Stage> = self
            .layers
            .iter()
            .zip(&slots)
            .enumerate()
            .map(|(index, ((_, shape), slot))| {
                let windows = Windows::new(shape, block);
                let weight = WeightGradient::new(isa, shape, &windows);
                let norm = sums_len..sums_len + slot.gamma.len() + slot.beta.len();
                let sums = norm.end..norm.end + weight.sums_len();
                sums_len = sums.end;
                let data = (index > 0).then(|| {
                    DataGradient::new(isa, shape, &parameters[slot.weight.clone()], block)
                });
                Stage {
                    windows,
                    weight,
                    data,
                    norm,
                    sums,
                }
            })
            .collect();

        let mut sums = vec![0.0; PARTS * sums_len];
        let jobs: Vec<(Range<usize>, &mut [f32])> = ranges(batch, PARTS)
            .zip(sums.chunks_exact_mut(sums_len))
            .collect();
        let workspace = || Work::new(self, &stages, block);
        over_jobs_with(jobs, workspace, |work, (part, sums)| {
            for images in blocks(part.len(), block) {
                let images = part.start + images.start..part.start + images.end;
                let frames =
                    &frames[images.start * self.frame_len()..images.end * self.frame_len()];
                work.begin(self.last(), gradient, &images);
                for (index, stage) in stages.iter().enumerate().rev() {
                    let inner = index.checked_sub(1).map(|before| {
                        let len = self.layers[before].1.out_image_len();
                        &kept.0[before][images.start * len..images.end * len]
                    });
                    let source = match inner {
                        None => Source::Frames(frames),
                        Some(values) => self.source(index, &slots, parameters, values),
                    };
                    self.stage_back(isa, index, stage, source, images.len(), sums, work);
                }
            }
        });

        let (total, rest) = sums.split_at_mut(sums_len);
        for part in rest.chunks_exact(sums_len) {
            accumulate(isa, total, part);
        }
        for (stage, slot) in stages.iter().zip(&slots) {
            parameter_gradient[slot.gamma.start..slot.beta.end]
                .copy_from_slice(&total[stage.norm.clone()]);
            let (weight, bias) = parameter_gradient[slot.weight.start..slot.bias.end]
                .split_at_mut(slot.weight.len());
            stage
                .weight
                .finish(&total[stage.sums.clone()], weight, bias);
        }
        Ok(())
    }

    /// One layer of one block, backwards: adds to `sums`, and hands gradients on in `work`.
    #[expect(clippy::too_many_arguments)]
    fn stage_back(
        &self,
        isa: Isa,
        index: usize,
        stage: &Stage,
        source: Source<'_>,
        images: usize,
        sums: &mut [f32],
        work: &mut Work,
    ) {
        let (layer, shape) = &self.layers[index];
        let gradient = std::mem::take(&mut work.gradients[index]);
        let arriving = &gradient[..images * shape.out_image_len()];
        let [window_scratch, data_scratch] = &mut work.scratches[index];
        stage.weight.add(
            isa,
            &stage.windows,
            source,
            arriving,
            &mut sums[stage.sums.clone()],
            window_scratch,
        );
        if let Some(data) = &stage.data {
            let len = images * shape.image_len();
            let fresh = &mut work.fresh[..len];
            data.run(isa, arriving, fresh, data_scratch);
            match source {
                Source::Frames(_) | Source::Values(_) => {}
                Source::Relu(values) => rectify_gradient(isa, values, fresh),
                Source::NormRelu(values, affine) => {
                    normalise_gradient(isa, values, affine, fresh, &mut sums[stage.norm.clone()]);
                }
            }
            work.fresh_to(isa, index - 1, len);
        }
        if let Some(add) = layer.add {
            work.add_to(isa, add, arriving);
        }
        work.gradients[index] = gradient;
    }

    fn source<'a>(
        &self,
        index: usize,
        slots: &[Slot],
        parameters: &'a [f32],
        values: &'a [f32],
    ) -> Source<'a> {
        match self.layers[index].0.before {
            Before::Nothing => Source::Values(values),
            Before::Relu => Source::Relu(values),
            Before::NormRelu { epsilon } => Source::NormRelu(
                values,
                Affine {
                    gamma: &parameters[slots[index].gamma.clone()],
                    beta: &parameters[slots[index].beta.clone()],
                    epsilon,
                },
            ),
        }
    }

    /// The number of images.
    fn check(&self, frames: &[u8], parameters: &[f32]) -> Result<usize, KernelError> {
        let batch = frames.len() / self.frame_len();
        check_length(
            "the frames of a trunk",
            batch * self.frame_len(),
            frames.len(),
        )?;
        check_length(
            "the parameters of a trunk",
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
        let numbers: usize = self
            .layers
            .iter()
            .map(|(_, shape)| shape.out_image_len())
            .sum();
        (BLOCK / numbers.max(1)).clamp(2, 16).min(batch.max(1))
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
                let normalised = match layer.before {
                    Before::NormRelu { .. } => shape.in_channels,
                    Before::Nothing | Before::Relu => 0,
                };
                Slot {
                    gamma: next(normalised),
                    beta: next(normalised),
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

    /// All layers but the last.
    fn inner(&self) -> impl Iterator<Item = &ConvShape> {
        let inner = &self.layers[..self.layers.len() - 1];
        inner.iter().map(|(_, shape)| shape)
    }
}

/// Where the parameters of a layer are.
struct Slot {
    gamma: Range<usize>,
    beta: Range<usize>,
    weight: Range<usize>,
    bias: Range<usize>,
}

struct ForwardJob<'a> {
    images: Range<usize>,
    kept: Vec<&'a mut [f32]>,
    out: &'a mut [f32],
}

/// A layer on the way back, and where its sums are.
struct Stage {
    windows: Windows,
    weight: WeightGradient,
    data: Option<DataGradient>,
    norm: Range<usize>,
    sums: Range<usize>,
}

/// Gradients of one block of images with respect to the output of each layer.
struct Work {
    gradients: Vec<Vec<f32>>,
    /// Whether anything has arrived there yet.
    arrived: Vec<bool>,
    fresh: Vec<f32>,
    scratches: Vec<[Vec<f32>; 2]>,
}

impl Work {
    fn new(trunk: &Trunk, stages: &[Stage], block: usize) -> Self {
        let lens = trunk
            .layers
            .iter()
            .map(|(_, shape)| block * shape.out_image_len());
        let longest = lens.max().unwrap_or(0);
        Self {
            gradients: stages.iter().map(|_| vec![0.0; longest]).collect(),
            arrived: vec![false; stages.len()],
            fresh: vec![0.0; longest],
            scratches: stages
                .iter()
                .map(|stage| {
                    let data = stage.data.as_ref().map(DataGradient::scratch);
                    [stage.windows.scratch(), data.unwrap_or_default()]
                })
                .collect(),
        }
    }

    /// The gradient with respect to the last output, of some images.
    fn begin(&mut self, last: &ConvShape, gradient: &[f32], images: &Range<usize>) {
        self.arrived.fill(false);
        let len = last.out_image_len();
        let gradient = &gradient[images.start * len..images.end * len];
        if let Some(own) = self.gradients.last_mut() {
            own[..gradient.len()].copy_from_slice(gradient);
        }
    }

    fn add_to(&mut self, isa: Isa, index: usize, values: &[f32]) {
        let own = &mut self.gradients[index][..values.len()];
        if self.arrived[index] {
            accumulate(isa, own, values);
        } else {
            own.copy_from_slice(values);
            self.arrived[index] = true;
        }
    }

    /// Adds the first `len` numbers of `fresh`.
    fn fresh_to(&mut self, isa: Isa, index: usize, len: usize) {
        if self.arrived[index] {
            accumulate(isa, &mut self.gradients[index][..len], &self.fresh[..len]);
        } else {
            // Swapped rather than copied: all are as long as the longest.
            std::mem::swap(&mut self.gradients[index], &mut self.fresh);
            self.arrived[index] = true;
        }
    }
}

/// `0..images` in consecutive blocks.
fn blocks(images: usize, block: usize) -> impl Iterator<Item = Range<usize>> {
    (0..images)
        .step_by(block)
        .map(move |first| first..(first + block).min(images))
}

fn of_images<'a>(values: &'a mut [f32], shape: &ConvShape, images: &Range<usize>) -> &'a mut [f32] {
    let len = shape.out_image_len();
    &mut values[images.start * len..images.end * len]
}
