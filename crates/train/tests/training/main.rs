//! Whole, tiny runs.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod common;
mod folders;
mod networks;
mod objectives;
mod recordings;
mod runs;
mod worlds;
