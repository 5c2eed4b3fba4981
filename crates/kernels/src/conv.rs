//! Convolutions over channels-last images, one folder for each algorithm, and stacks of them.

pub(crate) mod direct;
pub(crate) mod padded;
pub(crate) mod stack;
pub(crate) mod stored;
pub(crate) mod strided;
pub(crate) mod winograd;
