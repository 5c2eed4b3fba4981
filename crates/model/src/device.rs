//! Devices that models compute on.

pub use burn::tensor::Device;

use crate::error::ModelError;

/// Returns the device of this name: `cpu` always, `wgpu` if it was compiled in.
///
/// # Errors
/// An unknown name, or a device whose cargo feature is not enabled.
pub fn by_name(name: &str) -> Result<Device, ModelError> {
    match name {
        "cpu" => Ok(Device::flex()),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(not(feature = "wgpu"))]
        "wgpu" => missing(name, "was not compiled in; rebuild with `--features wgpu`"),
        _ => missing(name, "is unknown; choose `cpu` or `wgpu`"),
    }
}

fn missing(name: &str, problem: &'static str) -> Result<Device, ModelError> {
    Err(ModelError::Device {
        name: name.to_string(),
        problem,
    })
}
