//! Training of a decoder on the latents of a finished model, which shows what they still contain.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use tellapart_data::Frames;
use tellapart_model::adam::Adam;
use tellapart_model::decoder::Decoder;
use tellapart_model::init::Init;
use tellapart_model::pjepa::images;
use tellapart_progress::Progress;

use crate::config::{OptimizerConfig, ValidConfig};
use crate::error::TrainError;
use crate::evaluation::HeldOut;
use crate::evaluator::Evaluator;
use crate::experience::behavior;
use crate::optimizer::moved;
use crate::schedule;
use crate::seeds::{Purpose, derived_seed, generator};

/// Number of batches that set the standardization of latents and the mean image.
const CALIBRATION_BATCHES: usize = 16;
/// Norm to which the gradients of the decoder are clipped.
const CLIP: f32 = 1.0;

/// Decoder with the standardization of its input.
#[derive(Debug)]
pub struct TrainedDecoder {
    decoder: Decoder,
    mean: Tensor<2>,
    deviation: Tensor<2>,
    mean_image: Tensor<4>,
}

/// Errors of recovered held-out images: mean squared errors per value in `[0, 1]`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DecodingErrors {
    /// Error of the decoder.
    pub decoder: f64,
    /// Error of the mean training image, which does not depend on the latent.
    pub mean_image: f64,
}

/// Trains a decoder from the latents of `model` to fresh observations of the environment. The model
/// is not changed. `None` if the configuration asks for no decoder or observations are recorded.
///
/// # Errors
/// Those of the environment.
pub fn train_decoder(
    evaluator: &Evaluator<'_>,
    config: &ValidConfig,
    progress: &dyn Progress,
) -> Result<Option<TrainedDecoder>, TrainError> {
    if config.decoder.updates == 0 || !config.is_live() {
        return Ok(None);
    }
    let plain = evaluator.device();
    let device = plain.clone().autodiff();
    let batch = config.decoder.batch;
    let seed = derived_seed(config.seed, Purpose::Decoder);
    let repeat = config.world().world().repeat_steps();
    let mut rollout = behavior(config.world(), seed, batch, repeat);
    let mut next = || -> Result<(Tensor<2>, Tensor<4>), TrainError> {
        let row = rollout.next_row()?;
        let shape = row.world.observation_shape();
        let values = row.frames.to_vec();
        let latents = evaluator.embed(&Frames::U8 {
            shape: shape.to_vec(),
            values,
        });
        let width = latents.len() / batch;
        let latents = Tensor::from_data(TensorData::new(latents, [batch, width]), plain);
        Ok((latents, images(row.frames, shape, plain)))
    };

    let (mut latents, mut frames) = (Vec::new(), Vec::new());
    for _ in 0..CALIBRATION_BATCHES {
        let (latent, image) = next()?;
        latents.push(latent);
        frames.push(image.mean_dim(0));
    }
    let latents = Tensor::cat(latents, 0);
    let mean = latents.clone().mean_dim(0);
    // A collapsed coordinate keeps its size instead of being blown up to unit size.
    let deviation = (latents - mean.clone())
        .square()
        .mean_dim(0)
        .sqrt()
        .clamp_min(1e-6);
    let mean_image = Tensor::cat(frames, 0).mean_dim(0);
    let [_, height, width, channels] = mean_image.dims();

    let mut rng = generator(config.seed, Purpose::Decoder);
    let mut init = Init::new(&mut rng, &device, 4_000);
    let mut decoder = Decoder::new(&mut init, config.model.latent, [height, width, channels]);
    let mut optimizer = Adam::optimizer(0.9, 0.999, 1e-8);
    let plan = OptimizerConfig {
        updates: config.decoder.updates,
        warmup: 20,
        ..OptimizerConfig::default()
    };
    for update in 0..config.decoder.updates {
        if progress.stopped() {
            break;
        }
        let (latent, image) = next()?;
        let latent = (latent - mean.clone()) / deviation.clone();
        let target = (image - mean_image.clone()).autodiff();
        let loss = (decoder.forward(latent.autodiff()) - target)
            .square()
            .mean();
        let mut gradients = loss.backward();
        let rate = config.decoder.learning_rate * schedule::rate(&plan, update);
        (decoder, _) = moved(&mut optimizer, decoder, &mut gradients, rate, CLIP);
    }
    Ok(Some(TrainedDecoder {
        decoder: decoder.valid(),
        mean,
        deviation,
        mean_image,
    }))
}

impl TrainedDecoder {
    /// Decodes latents `[rows, width]` to u8 images, channels-last.
    pub fn decode(&self, latents: &[f32], device: &Device) -> Vec<u8> {
        self.images(latents, device)
            .into_data()
            .iter::<f32>()
            .map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8)
            .collect()
    }

    /// Computes the errors on held-out observations with these latents.
    pub fn errors(&self, held_out: &HeldOut, latents: &[f32], device: &Device) -> DecodingErrors {
        let width = latents.len() / held_out.rows().max(1);
        let Frames::U8 { values: pixels, .. } = &held_out.observations else {
            return DecodingErrors::default();
        };
        let shape = held_out.image_shape();
        let bytes: usize = shape.iter().product();
        let (mut decoder, mut mean_image) = (0.0f64, 0.0f64);
        const CHUNK: usize = 256;
        for (frames, latents) in pixels
            .chunks(CHUNK * bytes)
            .zip(latents.chunks(CHUNK * width))
        {
            let truth = images(frames, shape, device);
            let squares = |guess: Tensor<4>| {
                f64::from((guess - truth.clone()).square().sum().into_scalar::<f32>())
            };
            decoder += squares(self.images(latents, device));
            mean_image += squares(self.mean_image.clone());
        }
        let pixels = pixels.len().max(1) as f64;
        DecodingErrors {
            decoder: decoder / pixels,
            mean_image: mean_image / pixels,
        }
    }

    fn images(&self, latents: &[f32], device: &Device) -> Tensor<4> {
        let width = self.mean.dims()[1];
        let latents = TensorData::new(latents.to_vec(), [latents.len() / width, width]);
        let latents = Tensor::<2>::from_data(latents, device);
        let latents = (latents - self.mean.clone()) / self.deviation.clone();
        self.decoder.forward(latents) + self.mean_image.clone()
    }
}
