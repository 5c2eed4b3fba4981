//! Tests of explicit models of PRISM, Storm and MRMC in several files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, helpers included"
)]

mod beside;
mod files;
mod forms;
mod random;
mod rewards;
