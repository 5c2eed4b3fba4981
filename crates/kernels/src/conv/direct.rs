//! Direct convolution as an implicit matrix product: forward, input gradient, weight gradient.

pub(crate) mod data_gradient;
pub(crate) mod forward;
pub(crate) mod weight_gradient;
