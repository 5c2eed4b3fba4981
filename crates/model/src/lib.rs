//! P-JEPA models on [Burn](https://burn.dev): encoder, predictor (latent dynamics), auxiliary head,
//! and a decoder trained on detached latents.
//!
//! Images are channels-last inside the model, `[batch, height, width, channels]` in `[0, 1]`, like
//! stored frames. Convolutions then need no transposes. Latents are `[batch, latent]`.

pub mod adam;
pub mod bounded;
mod config;
pub mod conv_stack;
pub mod decoder;
pub mod device;
pub mod encoder;
mod error;
mod extension;
pub mod head;
pub mod init;
pub mod layers;
pub mod objective;
pub mod observation;
pub mod parameters;
pub mod pjepa;
pub mod predictor;

/// Tensor of Burn, which objectives compute with.
pub use burn::tensor::Tensor;
pub use config::{IoSpec, ModelConfig};
pub use error::ModelError;
pub use observation::{ObservationBatch, ObservationSpec};
pub use pjepa::Pjepa;
pub use tellapart_kernels::Precision;
