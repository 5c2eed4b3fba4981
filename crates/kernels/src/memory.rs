//! Memory: aligned buffers in large pages that are kept between steps, and scratch space.

pub(crate) mod buffer;
pub(crate) mod workspace;
