//! Devices that models compute on.

pub use burn::tensor::Device;

use crate::error::ModelError;

/// Returns the device of this name: `cpu` always, `wgpu` and `cuda` if they were compiled in.
///
/// # Errors
/// An unknown name, or a device whose cargo feature is not enabled.
pub fn by_name(name: &str) -> Result<Device, ModelError> {
    match name {
        "cpu" => Ok(Device::flex()),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(0usize)),
        #[cfg(not(feature = "wgpu"))]
        "wgpu" => missing(name, "was not compiled in; rebuild with `--features wgpu`"),
        #[cfg(not(feature = "cuda"))]
        "cuda" => missing(name, "was not compiled in; rebuild with `--features cuda`"),
        _ => missing(name, "is unknown; choose `cpu`, `wgpu` or `cuda`"),
    }
}

fn missing(name: &str, problem: &'static str) -> Result<Device, ModelError> {
    Err(ModelError::Device {
        name: name.to_string(),
        problem,
    })
}
