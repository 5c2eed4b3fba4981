//! The program as a user meets it: what it prints where, and how it ends.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod action_names;
mod audit;
mod bad_input;
mod bisim;
mod collect;
mod convert;
mod docs;
mod evidence;
mod examples;
mod experiments;
mod explicit;
mod help;
mod inspect;
mod interrupted;
mod markdown;
mod run;
mod streams;
