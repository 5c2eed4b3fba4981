//! P-JEPA models: encoder, predictor (latent dynamics) and auxiliary head (Yu et al. 2025, section
//! 3). [`objective`](crate::objective) holds the losses that train them together.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use crate::config::{IoSpec, ModelConfig};
use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::head::Head;
use crate::init::Init;
use crate::observation::ObservationBatch;
use crate::predictor::{ActionBatch, Predictor};

/// P-JEPA: encoder `E`, predictor `T` (latent dynamics) and auxiliary head `P`.
#[derive(Module, Debug)]
pub struct Pjepa {
    /// Encoder `E: observation -> latent`.
    pub encoder: Encoder,
    /// Predictor `T: (latent, action) -> next latent`.
    pub predictor: Predictor,
    /// Auxiliary head `P: latent -> p`, or `P: (latent, action) -> p` where p belongs to steps.
    pub head: Head,
}

impl Pjepa {
    /// Builds a freshly initialized model.
    ///
    /// # Errors
    /// A config that cannot be built: names the key, its value and the possible values.
    pub fn new(
        config: &ModelConfig,
        interface: &IoSpec,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.check()?;
        config.check_fits(interface)?;
        let encoder = Encoder::new(
            &mut Init::new(rng, device, 1_000),
            &config.encoder,
            interface.observation,
            config.latent,
            config.precision,
        );
        let predictor = Predictor::new(&mut Init::new(rng, device, 2_000), config, interface);
        let head = Head::new(&mut Init::new(rng, device, 3_000), config, interface);
        Ok(Self {
            encoder,
            predictor,
            head,
        })
    }

    /// Returns the declared Lipschitz constant of `z -> P(T^w(z))`. It holds for every word `w`,
    /// since a bounded predictor never stretches distances. `None` means finite, but not known.
    pub fn rollout_lipschitz(&self) -> Option<f32> {
        Some(self.predictor.lipschitz()? * self.head.lipschitz()?)
    }
}

/// Batch of consecutive observations as tensors.
#[derive(Debug, Clone)]
pub struct TensorBatch {
    /// Observations of all rows.
    pub observations: ObservationBatch,
    /// Action of each transition.
    pub actions: ActionBatch,
    /// p of each row, `[rows, width]`; anything where it is not known.
    pub targets: Tensor<2>,
    /// Action taken at each row, one-hot `[rows, actions]`, if p belongs to steps.
    pub taken: Option<Tensor<2>>,
    /// Rows whose p is known, `[known]`; `None` if it is known in every row.
    pub known: Option<Tensor<1, Int>>,
    /// Rows whose successor is the next row, `[transitions]`.
    pub sources: Tensor<1, Int>,
    /// Number of transitions. `T` sees only these rows.
    pub transitions: usize,
}

/// Noise added to the latents that enter `T` and `P`, `[rows, latent]` each.
#[derive(Debug, Clone)]
pub struct LatentNoise {
    /// Noise on the latents that enter `T`.
    pub dynamics: Tensor<2>,
    /// Noise on the latents that enter `P`.
    pub auxiliary: Tensor<2>,
}

/// Converts u8 pixels, channels-last, to `[rows, height, width, channels]` in `[0, 1]`.
pub fn images(frames: &[u8], shape: [usize; 3], device: &Device) -> Tensor<4> {
    let [height, width, channels] = shape;
    let rows = frames.len() / (height * width * channels).max(1);
    let values: Vec<f32> = frames
        .iter()
        .map(|&byte| f32::from(byte) * (1.0 / 255.0))
        .collect();
    Tensor::from_data(
        TensorData::new(values, [rows, height, width, channels]),
        device,
    )
}
