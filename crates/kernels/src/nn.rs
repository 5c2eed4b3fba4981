//! Layers and operations other than convolutions: dense, normalization, orthogonal, MaxMin, Adam.

pub(crate) mod adam;
pub(crate) mod dense;
pub(crate) mod elementwise;
pub(crate) mod maxmin;
pub(crate) mod norm;
pub(crate) mod orthogonal;
pub(crate) mod padded_rows;
pub(crate) mod weighted_rows;
