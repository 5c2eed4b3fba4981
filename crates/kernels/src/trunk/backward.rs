//! Gradients back through all layers.

use std::ops::Range;

use super::ways::{ToInput, ToWeight};
use super::{Kept, PARTS, Trunk, blocks};
use crate::buffer::Buffer;
use crate::item::{Item, Precision};
use crate::lanes::{Isa, Pair};
use crate::norm::{accumulate, normalise_gradient};
use crate::padded::{Scratch, Source};
use crate::shape::{ConvShape, KernelError, check_length};
use crate::split::{made_of_each, over_jobs_with, ranges};
use crate::stored::Stored;
use crate::tile::Sums;
use crate::workspace::Workspace;

impl Trunk {
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
        let backward = match self.precision {
            Precision::F32 => Self::backward_in::<f32>,
            Precision::Bf16 => Self::backward_in::<Pair>,
        };
        backward(self, frames, parameters, kept, gradient, parameter_gradient)
    }

    fn backward_in<I: Item>(
        &self,
        frames: &[u8],
        parameters: &[f32],
        kept: &Kept,
        gradient: &[f32],
        parameter_gradient: &mut [f32],
    ) -> Result<(), KernelError> {
        let isa = self.isa;
        let batch = self.check(frames, parameters)?;
        let out_len = batch * self.last().out_image_len();
        check_length("the output gradient of a trunk", out_len, gradient.len())?;
        let len = self.parameter_len();
        check_length(
            "the parameter gradient of a trunk",
            len,
            parameter_gradient.len(),
        )?;
        let lens = self.kept_lens(batch);
        check_length("the activations of a trunk", lens.len(), kept.lens().len())?;
        for (lens, found) in lens.zip(kept.lens()) {
            check_length("an activation of a trunk", lens[0], found[0])?;
            check_length("means and deviations of a trunk", lens[1], found[1])?;
        }
        let block = self.block(batch);
        let slots = self.slots();
        let mut stages: Vec<Stage<I>> = made_of_each(&self.layers, |index, (_, shape)| {
            let weight = &parameters[slots[index].weight.clone()];
            Stage {
                weight: ToWeight::new(isa, shape, block),
                data: (index > 0).then(|| ToInput::new(isa, shape, weight, block)),
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
                            let part = kept.layer(before).map(|all| {
                                let len = all.len() / batch;
                                &all[images.start * len..images.end * len]
                            });
                            self.source(index, &slots, parameters, part)
                        }
                    };
                    self.stage_back(index, stage, source, images.len(), work);
                }
            }
            // By part, while the sums are in the caches: they are several times as many as the parameters.
            for (stage, slot) in stages.iter().zip(&slots) {
                partial[slot.gamma.start..slot.beta.end]
                    .copy_from_slice(&work.sums[stage.norm.clone()]);
                let (weight, bias) =
                    partial[slot.weight.start..slot.bias.end].split_at_mut(slot.weight.len());
                let sums = &work.sums[stage.sums.clone()];
                stage.weight.finish(isa, sums, weight, bias);
            }
        });

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

    /// One layer of one block, backwards: adds to its sums, and hands gradients on, in `work`.
    fn stage_back<I: Item>(
        &self,
        index: usize,
        stage: &Stage<I>,
        source: Source<'_>,
        images: usize,
        work: &mut Work<I>,
    ) {
        let isa = self.isa;
        let (layer, shape) = &self.layers[index];
        // There is one: the layer after it, or the loss, read its output.
        let Some(arrived) = work.gradients[index].take() else {
            return work.sums[stage.sums.clone()].fill(0.0);
        };
        let form = self.form(index);
        let len = form.words(images * shape.out_image_len());
        let arriving = form.read(&arrived[..len]);
        let (to_weight, to_input) = &mut work.scratches[index];
        stage.weight.add(
            isa,
            source,
            arriving,
            Sums {
                values: &mut work.sums[stage.sums.clone()],
                is_first: work.is_first,
            },
            to_weight,
            &mut work.workspace,
        );
        if let Some(data) = &stage.data {
            let form = self.form(index - 1);
            let len = form.words(images * shape.image_len());
            let mut buffer = work.buffers.pop().unwrap_or_default();
            let fresh = buffer.sized(len);
            let seen = match source {
                Source::Relu(values) => Some(Stored::Values(values)),
                Source::Stored(stored) if form.rectified => Some(stored),
                _ => None,
            };
            let out = form.gradient(fresh, seen);
            data.run(isa, arriving, out, to_input, &mut work.workspace);
            if let Source::NormRelu(values, affine) = source {
                normalise_gradient(
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

/// A layer on the way back, and where its sums are.
struct Stage<I> {
    weight: ToWeight<I>,
    data: Option<ToInput<I>>,
    norm: Range<usize>,
    sums: Range<usize>,
}

/// Gradients of one block of images.
struct Work<I> {
    /// With respect to the parameters, of all blocks of a part.
    sums: Buffer,
    /// Whether the block is the first of its part.
    is_first: bool,
    /// With respect to the output of each layer, where any has arrived: few at a time.
    gradients: Vec<Option<Buffer>>,
    /// Buffers for others, of any length; the one used last, which the caches hold, goes first.
    buffers: Vec<Buffer>,
    scratches: Vec<(Scratch<I>, Scratch<I>)>,
    workspace: Workspace,
}

impl<I: Item> Work<I> {
    fn new(stages: &[Stage<I>], sums_len: usize) -> Self {
        Self {
            sums: Buffer::of_len(sums_len),
            is_first: true,
            gradients: stages.iter().map(|_| None).collect(),
            buffers: Vec::new(),
            scratches: stages
                .iter()
                .map(|stage| {
                    let data = stage.data.as_ref().map(ToInput::scratch);
                    (stage.weight.scratch(), data.unwrap_or_default())
                })
                .collect(),
            workspace: Workspace::default(),
        }
    }

    /// The gradient with respect to the last output, of some images.
    fn begin(&mut self, last: &ConvShape, gradient: &[f32], images: &Range<usize>) {
        let len = last.out_image_len();
        let gradient = &gradient[images.start * len..images.end * len];
        let mut buffer = self.buffers.pop().unwrap_or_default();
        buffer.sized(gradient.len()).copy_from_slice(gradient);
        if let Some(own) = self.gradients.last_mut() {
            *own = Some(buffer);
        }
    }

    /// Adds the first `len` numbers of a buffer to the gradient of a layer.
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
