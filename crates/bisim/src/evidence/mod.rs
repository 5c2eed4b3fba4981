//! Evidence of recorded data: which observations it shows to be distinct, and what it leaves open.
//!
//! A recording is a list of episodes. A row is an observation, the action taken there, and the
//! value of `p` there. Two notions must not be confused:
//!
//! - [`Distinguished`]: *some action word that was recorded from both leads to recorded values of
//!   `p` that differ* (Yu et al. 2025, arXiv 2509.12249, its empirical bisimulation). This is what
//!   an encoder must keep apart. It is **not transitive** where recordings differ in what they
//!   tried, so it is an oracle over pairs and never a partition.
//! - [`SeparatedByCoverage`]: a transition that was never recorded counts as an outcome of its own.
//!   This is a partition, but it may separate two observations merely because something was tried
//!   at one of them only.
//!
//! `p` may be unknown in a row ([`UNKNOWN`]), and it may belong to the observation or to the step
//! ([`ValueOf`]).
//!
//! Both are built on a [`Recording`], which also finds the [`Contradiction`]s of determinism in the
//! data.
//!
//! ```
//! use tellapart_bisim::evidence::{Comparison, Distinguished, Episodes, Recording};
//!
//! // Two episodes of three rows; all observations are different. Both begin with actions 0, 1.
//! let mut recording = Recording::new(2)?;
//! recording.append(&Episodes {
//!     observations: &[0, 1, 2, 3, 4, 5],
//!     actions: &[0, 1, 0, 0, 1, 0],
//!     values: &[7, 7, 7, 7, 7, 8],
//!     ends: &[false, false, true, false, false, true],
//!     ..Episodes::default()
//! })?;
//! let oracle = Distinguished::new(recording);
//!
//! let Comparison::Distinguished(witness) = oracle.compare(0, 3) else {
//!     panic!("0, 1 leads to 7 and 8")
//! };
//! assert_eq!(oracle.recording().word(witness.path_of_a()).len(), 2);
//! assert_eq!(witness.rows(), [2, 5]);
//!
//! // At row 1 only action 1 was recorded, at row 3 only action 0. The data leaves the pair open,
//! // until action 0 is recorded at row 1, or action 1 at row 3.
//! let Comparison::NotDistinguished(agreement) = oracle.compare(1, 3) else {
//!     panic!("not comparable")
//! };
//! assert_eq!((agreement.depth, agreement.missing), (0, 2));
//! for missing in oracle.missing(1, 3, 10)? {
//!     println!("recorded from {}: {:?}", missing.recorded_from, missing.word);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! More episodes can be appended at any time ([`Distinguished::append`]), without a rebuild.

mod comparison;
mod contradiction;
mod coverage;
mod determinism;
mod distinguished;
mod episodes;
mod extension;
mod path;
mod recording;
mod recurring;
mod rows;
mod search;

pub use comparison::{Agreement, Comparison, Missing, Undecided, Witness};
pub use contradiction::{Contradiction, ContradictionKind};
pub use coverage::{CoverageError, SeparatedByCoverage, Transitions};
pub use determinism::Determinism;
pub use distinguished::{Distinguished, PAIRS_PER_COMPARISON};
pub use episodes::{Episodes, EvidenceError, Tolerance, UNKNOWN, ValueOf};
pub use path::Path;
pub use recording::Recording;
