//! Forward pass through all layers.

use std::ops::Range;

use super::algorithm::ForwardAlgorithm;
use super::saved::Part;
use super::{ConvStack, PARTS, SavedActivations, blocks, of_images};
use crate::conv::padded::{Scratch, Source};
use crate::gemm::element::Element;
use crate::memory::buffer::Buffer;
use crate::memory::workspace::Workspace;
use crate::nn::elementwise::accumulate;
use crate::nn::norm::measure;
use crate::parallel::{made_of_each, over_jobs_with, ranges};
use crate::shape::{KernelError, check_length};
use crate::simd::precision::Pair;
use crate::simd::precision::Precision;

impl ConvStack {
    /// Convolves `frames`, u8 `[batch, height, width, channel]`, scaled to `[0, 1]`, and overwrites
    /// `out`. `saved`, if given, receives what [`backward`](Self::backward) will need.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn forward(
        &self,
        frames: &[u8],
        parameters: &[f32],
        saved: Option<&mut SavedActivations>,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        match self.precision {
            Precision::F32 => self.forward_in::<f32>(frames, parameters, saved, out),
            Precision::Bf16 => self.forward_in::<Pair>(frames, parameters, saved, out),
        }
    }

    fn forward_in<I: Element>(
        &self,
        frames: &[u8],
        parameters: &[f32],
        saved: Option<&mut SavedActivations>,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        let isa = self.isa;
        let batch = self.check(frames, parameters)?;
        let out_len = self.last().out_image_len();
        check_length(
            "the output of a convolution stack",
            batch * out_len,
            out.len(),
        )?;
        let block = self.block(batch);
        let slots = self.slots();
        let stages: Vec<ForwardAlgorithm<I>> = made_of_each(&self.layers, |index, (_, shape)| {
            let slot = &slots[index];
            let [weight, bias] = [&slot.weight, &slot.bias].map(|r| &parameters[r.clone()]);
            ForwardAlgorithm::new(isa, shape, weight, bias, block)
        });

        let mut jobs: Vec<ForwardJob<'_>> = Vec::with_capacity(PARTS);
        let mut rest = out;
        for images in ranges(batch, PARTS) {
            let (out, tail) = rest.split_at_mut(images.len() * out_len);
            rest = tail;
            jobs.push(ForwardJob {
                images,
                saved: Vec::new(),
                out,
            });
        }
        let keeps = saved.is_some();
        if let Some(saved) = saved {
            *saved = SavedActivations::of_lens(self.saved_lens(batch));
            for layer in saved.layers_mut() {
                let (mut rest, mut images) = (layer, batch);
                for job in &mut jobs {
                    let own;
                    [own, rest] = rest.split_at(job.images.len(), images);
                    images -= job.images.len();
                    job.saved.push(own);
                }
            }
        }
        let workspace = || {
            let scratches: Vec<Scratch<I>> = stages.iter().map(ForwardAlgorithm::scratch).collect();
            let buffers = if keeps {
                SavedActivations::default()
            } else {
                SavedActivations::of_lens(self.saved_lens(block))
            };
            (scratches, Workspace::default(), buffers)
        };
        over_jobs_with(
            jobs,
            workspace,
            |(scratches, filtering, buffers), mut job| {
                for images in blocks(job.images.len(), block) {
                    let of = job.images.len();
                    let mut outputs: Vec<Part<'_>> = if keeps {
                        let inner = job.saved.iter_mut();
                        inner.map(|part| part.images(&images, of)).collect()
                    } else {
                        let inner = buffers.layers_mut();
                        inner
                            .map(|part| {
                                let [first, _] = part.split_at(images.len(), block);
                                first
                            })
                            .collect()
                    };
                    outputs.push(Part {
                        values: of_images(job.out, self.last(), &images),
                        moments: &mut [],
                    });
                    let first = job.images.start + images.start;
                    let frames =
                        &frames[first * self.frame_len()..][..images.len() * self.frame_len()];
                    for (index, convolution) in stages.iter().enumerate() {
                        let (earlier, own) = outputs.split_at_mut(index);
                        let Some(own) = own.first_mut() else { continue };
                        let source = match earlier.last() {
                            None => Source::Frames(frames),
                            Some(part) => {
                                let saved = [&*part.values, &*part.moments];
                                self.source(index, &slots, parameters, saved)
                            }
                        };
                        let mut apart = Buffer::default();
                        let source = source.prepared(isa, &mut apart);
                        let scratch = &mut scratches[index];
                        let out = self.layout(index).output(own.values);
                        convolution.run(isa, source, out, scratch, filtering);
                        if let Some(add) = self.layers[index].0.add {
                            accumulate(isa, own.values, earlier[add].values);
                        }
                        // Measured while the caches hold the output.
                        if let Some(epsilon) = self.normalized(index + 1) {
                            measure(isa, own.values, epsilon, own.moments);
                        }
                    }
                }
            },
        );
        Ok(())
    }
}

struct ForwardJob<'a> {
    images: Range<usize>,
    saved: Vec<Part<'a>>,
    out: &'a mut [f32],
}
