//! Backward pass through all layers.

use std::ops::Range;

use super::algorithm::{InputGradientAlgorithm, WeightGradientAlgorithm};
use super::{ConvStack, PARTS, SavedActivations, blocks};
use crate::conv::padded::{Scratch, Source};
use crate::conv::stored::Stored;
use crate::gemm::element::Element;
use crate::gemm::microkernel::Accumulator;
use crate::memory::buffer::Buffer;
use crate::memory::workspace::Workspace;
use crate::nn::elementwise::accumulate;
use crate::nn::norm::normalize_gradient;
use crate::parallel::{made_of_each, over_jobs_with, ranges};
use crate::shape::{ConvShape, KernelError, check_length};
use crate::simd::Isa;
use crate::simd::precision::Pair;
use crate::simd::precision::Precision;

impl ConvStack {
    /// Computes the gradient with respect to the parameters, from the `gradient` with respect to
    /// the output, and overwrites `parameter_gradient`. `frames`, `parameters` and `saved` are
    /// those of the forward pass.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn backward(
        &self,
        frames: &[u8],
        parameters: &[f32],
        saved: &SavedActivations,
        gradient: &[f32],
        parameter_gradient: &mut [f32],
    ) -> Result<(), KernelError> {
        let backward = match self.precision {
            Precision::F32 => Self::backward_in::<f32>,
            Precision::Bf16 => Self::backward_in::<Pair>,
        };
        backward(
            self,
            frames,
            parameters,
            saved,
            gradient,
            parameter_gradient,
        )
    }

    fn backward_in<I: Element>(
        &self,
        frames: &[u8],
        parameters: &[f32],
        saved: &SavedActivations,
        gradient: &[f32],
        parameter_gradient: &mut [f32],
    ) -> Result<(), KernelError> {
        let isa = self.isa;
        let batch = self.check(frames, parameters)?;
        let out_len = batch * self.last().out_image_len();
        check_length(
            "the output gradient of a convolution stack",
            out_len,
            gradient.len(),
        )?;
        let len = self.parameter_len();
        check_length(
            "the parameter gradient of a convolution stack",
            len,
            parameter_gradient.len(),
        )?;
        let lens = self.saved_lens(batch);
        check_length(
            "the activations of a convolution stack",
            lens.len(),
            saved.lens().len(),
        )?;
        for (lens, found) in lens.zip(saved.lens()) {
            check_length("an activation of a convolution stack", lens[0], found[0])?;
            check_length(
                "means and deviations of a convolution stack",
                lens[1],
                found[1],
            )?;
        }
        let block = self.block(batch);
        let slots = self.slots();
        let mut stages: Vec<BackwardStage<I>> = made_of_each(&self.layers, |index, (_, shape)| {
            let weight = &parameters[slots[index].weight.clone()];
            BackwardStage {
                weight: WeightGradientAlgorithm::new(isa, shape, block),
                data: (index > 0).then(|| InputGradientAlgorithm::new(isa, shape, weight, block)),
                norm: 0..0,
                sums: 0..0,
            }
        });
        let mut sums_len = 0;
        for (stage, slot) in stages.iter_mut().zip(&slots) {
            stage.norm = sums_len..sums_len + slot.gamma.len() + slot.beta.len();
            stage.sums = stage.norm.end..stage.norm.end + stage.weight.sums_len();
            sums_len = stage.sums.end;
        }

        let mut partial = Buffer::of_len(PARTS * len);
        let jobs: Vec<(Range<usize>, &mut [f32])> = ranges(batch, PARTS)
            .zip(partial.chunks_exact_mut(len))
            .collect();
        let workspace = || Work::new(&stages, sums_len);
        over_jobs_with(jobs, workspace, |work, (part, partial)| {
            if part.is_empty() {
                return partial.fill(0.0);
            }
            for stage in &stages {
                work.sums[stage.norm.clone()].fill(0.0);
            }
            for images in blocks(part.len(), block) {
                work.is_first = images.start == 0;
                let images = part.start + images.start..part.start + images.end;
                let frames =
                    &frames[images.start * self.frame_len()..images.end * self.frame_len()];
                work.begin(self.last(), gradient, &images);
                for (index, stage) in stages.iter().enumerate().rev() {
                    let source = match index.checked_sub(1) {
                        None => Source::Frames(frames),
                        Some(before) => {
                            let part = saved.layer(before).map(|all| {
                                let len = all.len() / batch;
                                &all[images.start * len..images.end * len]
                            });
                            self.source(index, &slots, parameters, part)
                        }
                    };
                    self.stage_back(index, stage, source, images.len(), work);
                }
            }
            // By part, while the caches hold the sums, which are several times as many as the
            // parameters.
            for (stage, slot) in stages.iter().zip(&slots) {
                partial[slot.gamma.start..slot.beta.end]
                    .copy_from_slice(&work.sums[stage.norm.clone()]);
                let (weight, bias) =
                    partial[slot.weight.start..slot.bias.end].split_at_mut(slot.weight.len());
                let sums = &work.sums[stage.sums.clone()];
                stage.weight.finish(isa, sums, weight, bias);
            }
        });

        // Parts are added up in order, so that the number of threads changes no bit.
        let (total, rest) = partial.split_at(len);
        parameter_gradient.copy_from_slice(total);
        for part in rest.chunks_exact(len) {
            accumulate(isa, parameter_gradient, part);
        }
        for (stage, slot) in stages.iter().zip(&slots) {
            stage
                .weight
                .arrange(&mut parameter_gradient[slot.weight.clone()]);
        }
        Ok(())
    }

    /// Takes one layer of one block backward: adds to its sums, and hands gradients on, in `work`.
    fn stage_back<I: Element>(
        &self,
        index: usize,
        stage: &BackwardStage<I>,
        source: Source<'_>,
        images: usize,
        work: &mut Work<I>,
    ) {
        let isa = self.isa;
        let (layer, shape) = &self.layers[index];
        // A gradient has arrived: the layer after this one, or the loss, read its output.
        let Some(arrived) = work.gradients[index].take() else {
            return work.sums[stage.sums.clone()].fill(0.0);
        };
        let layout = self.layout(index);
        let len = layout.words(images * shape.out_image_len());
        let arriving = layout.read(&arrived[..len]);
        let (to_weight, to_input) = &mut work.scratches[index];
        stage.weight.add(
            isa,
            source.prepared(isa, &mut Buffer::default()),
            arriving,
            Accumulator {
                values: &mut work.sums[stage.sums.clone()],
                is_first: work.is_first,
            },
            to_weight,
            &mut work.workspace,
        );
        if let Some(data) = &stage.data {
            let layout = self.layout(index - 1);
            let len = layout.words(images * shape.image_len());
            let mut buffer = work.buffers.pop().unwrap_or_default();
            let fresh = buffer.sized(len);
            let seen = match source {
                Source::Relu(values) => Some(Stored::Values(values)),
                Source::Stored(stored) if layout.rectified => Some(stored),
                _ => None,
            };
            let out = layout.gradient(fresh, seen);
            data.run(isa, arriving, out, to_input, &mut work.workspace);
            if let Source::NormRelu(values, affine) = source {
                normalize_gradient(
                    isa,
                    values,
                    affine,
                    fresh,
                    &mut work.sums[stage.norm.clone()],
                );
            }
            work.hand_to(isa, index - 1, buffer, len);
        }
        match layer.add {
            Some(add) => work.hand_to(isa, add, arrived, len),
            None => work.buffers.push(arrived),
        }
    }
}

/// Layer on the way back, and the ranges of its sums.
struct BackwardStage<I> {
    weight: WeightGradientAlgorithm<I>,
    data: Option<InputGradientAlgorithm<I>>,
    norm: Range<usize>,
    sums: Range<usize>,
}

/// Gradients of one block of images.
struct Work<I> {
    /// Gradients with respect to the parameters, of all blocks of a part.
    sums: Buffer,
    /// Whether the block is the first of its part.
    is_first: bool,
    /// Gradients with respect to the output of each layer, where any has arrived: few at a time.
    gradients: Vec<Option<Buffer>>,
    /// Free buffers of any length. The one used last, which the caches hold, is taken first.
    buffers: Vec<Buffer>,
    scratches: Vec<(Scratch<I>, Scratch<I>)>,
    workspace: Workspace,
}

impl<I: Element> Work<I> {
    fn new(stages: &[BackwardStage<I>], sums_len: usize) -> Self {
        Self {
            sums: Buffer::of_len(sums_len),
            is_first: true,
            gradients: stages.iter().map(|_| None).collect(),
            buffers: Vec::new(),
            scratches: stages
                .iter()
                .map(|stage| {
                    let data = stage.data.as_ref().map(InputGradientAlgorithm::scratch);
                    (stage.weight.scratch(), data.unwrap_or_default())
                })
                .collect(),
            workspace: Workspace::default(),
        }
    }

    /// Sets the gradient with respect to the last output, of some images.
    fn begin(&mut self, last: &ConvShape, gradient: &[f32], images: &Range<usize>) {
        let len = last.out_image_len();
        let gradient = &gradient[images.start * len..images.end * len];
        let mut buffer = self.buffers.pop().unwrap_or_default();
        buffer.sized(gradient.len()).copy_from_slice(gradient);
        if let Some(own) = self.gradients.last_mut() {
            *own = Some(buffer);
        }
    }

    /// Adds the first `len` words of a buffer to the gradient of a layer.
    fn hand_to(&mut self, isa: Isa, index: usize, buffer: Buffer, len: usize) {
        match &mut self.gradients[index] {
            Some(own) => {
                accumulate(isa, &mut own[..len], &buffer[..len]);
                self.buffers.push(buffer);
            }
            none => *none = Some(buffer),
        }
    }
}
