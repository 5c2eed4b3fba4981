//! P-JEPA models on [Burn](https://burn.dev): encoder, latent dynamics, auxiliary head, and a decoder
//! trained on detached latents.
//!
//! Images are channels-last inside the model, `[batch, height, width, channels]` in `[0, 1]`, as
//! frames are at rest: convolutions then need no transposes. Latents are `[batch, latent]`.

pub mod adam;
pub mod bounded;
pub mod decoder;
pub mod device;
pub mod dynamics;
pub mod encoder;
mod error;
mod extension;
pub mod head;
pub mod init;
pub mod layers;
pub mod parameters;
pub mod pjepa;
pub mod trunk;

pub use error::ModelError;
pub use pjepa::{Interface, ModelConfig, Pjepa};
pub use tellapart_kernels::Precision;
