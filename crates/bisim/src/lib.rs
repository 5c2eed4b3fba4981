//! The largest bisimulation of a finite deterministic system, its quotient, and shortest witnesses.
//!
//! Two states of a [`MooreMachine`] are *bisimilar* iff every word of actions leads from both to
//! equal outputs. Bisimilarity is the coarsest equivalence that refines the output and is stable
//! under every action (see Yu et al. 2025, arXiv 2509.12249, for its meaning for representations).
//!
//! - [`largest_bisimulation`] computes it in `O(m log n)` for `n` states and `m = n * actions`
//!   transitions. It is exact: hashes only propose groups, and comparison decides what is stable.
//! - [`separated_by_coverage`] does so for partial systems, where a missing transition is an
//!   outcome of its own. [`evidence`] asks what recorded data distinguishes, which is another
//!   question.
//! - [`SplittingTree`] also returns, for any pair, a shortest distinguishing word and its length;
//!   [`witness`] does so for a single pair.
//! - [`quotient`] merges the classes. [`verify`] checks a partition without trusting this crate's
//!   refinement, [`verify_coarsest`] also that no classes are left to merge.
//! - Long work has a second form that a [`Progress`] can stop: [`largest_bisimulation_with`],
//!   [`witness_with`], [`verify_coarsest_with`], and others.
//! - [`PairwiseFixedPoint`] is the definition, computed pair by pair: slow and obvious, for tests.
//!
//! ```
//! use tellapart_bisim::{largest_bisimulation, quotient, witness};
//! use tellapart_system::{StateId, generate};
//!
//! // Nine counts, each in 100 variants that do not matter to the reward.
//! let machine = generate::with_nuisances(&generate::counter(9)?, 100, 7)?;
//! let classes = largest_bisimulation(&machine);
//! assert_eq!((machine.states(), classes.blocks()), (900, 9));
//! assert_eq!(quotient(&machine, &classes)?.states(), 9);
//!
//! // Counts 0 and 8 look alike now. Four steps up distinguish them: only count 0 is then rewarded.
//! let word = witness(&machine, StateId::new(0), StateId::new(899)).ok_or("bisimilar")?;
//! assert_eq!(word.len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Do not use it on non-deterministic or probabilistic systems. On recorded data with missing
//! transitions, "not distinguished" is no equivalence: see [`evidence`].

mod coverage;
mod engine;
pub mod evidence;
mod inverse;
mod pairwise;
mod partition;
mod quotient;
mod refinement;
mod rows;
mod splitting_tree;
mod stop;
mod verify;

pub use coverage::{separated_by_coverage, separated_by_coverage_with};
pub use pairwise::{PairwiseFixedPoint, TooManyStates, pairwise_fixed_point};
pub use partition::Partition;
pub use quotient::{quotient, quotient_with};
pub use splitting_tree::{SplittingTree, witness, witness_with};
pub use verify::{Violation, verify, verify_coarsest, verify_coarsest_with, verify_with};

use stop::{Never, always};
use tellapart_progress::{Progress, Stopped};
use tellapart_system::MooreMachine;

/// Computes the largest bisimulation of `machine`, as the partition of its states into classes.
///
/// Rounds over all states that still share a block, with ids of one, two or four bytes, come first,
/// while they split much. Then comes Hopcroft (smaller-half) refinement of the rest (Hopcroft 1971,
/// "An n log n algorithm for minimizing states in a finite automaton"). Its flat arrays are those
/// of Valmari & Lehtinen 2008, "Efficient minimization of DFAs with partial transition functions".
/// Exact and deterministic; uses the current rayon pool, and gives the same result on any number of
/// threads. Classes are numbered by first occurrence.
///
/// Cost: `O(m log n)` time for `m = states * actions`, whatever the input: each round is paid for
/// by the halvings of blocks that it brings. Memory, apart from the machine: a few integers for
/// each state. Hopcroft refinement adds the inverse transitions of the states that still share a
/// block when it begins. The benchmark `bisim` prints the peak.
#[must_use]
pub fn largest_bisimulation(machine: &MooreMachine) -> Partition {
    let outputs = machine.output_table();
    always(engine::coarsest_stable(
        machine,
        outputs,
        machine.outputs(),
        &Never,
    ))
}

/// Computes the partition of [`largest_bisimulation`], unless `progress` says to stop.
///
/// Asks it every few milliseconds, from several threads. No fraction is reported: how many rounds
/// are left is not known before the last one. The result is the same, whether or not anyone may
/// stop.
///
/// # Errors
/// [`Stopped`], soon after `progress` says so.
pub fn largest_bisimulation_with(
    machine: &MooreMachine,
    progress: &dyn Progress,
) -> Result<Partition, Stopped> {
    let outputs = machine.output_table();
    engine::coarsest_stable(machine, outputs, machine.outputs(), &progress)
}
