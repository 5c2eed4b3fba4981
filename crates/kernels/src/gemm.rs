//! Matrix products: packed elements, the two register-blocked loops, and what follows them.

pub(crate) mod element;
pub(crate) mod epilogue;
pub(crate) mod microkernel;
pub(crate) mod panels;
pub(crate) mod pixels;
