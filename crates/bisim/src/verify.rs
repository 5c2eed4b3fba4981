//! Checks of a partition that do not trust what computed it.

mod distinct;

use tellapart_progress::{Progress, Stopped};
use tellapart_system::{ActionId, BlockId, MooreMachine, StateId, SystemError};

use crate::stop::BETWEEN_CHECKS;
use crate::{Partition, quotient_with};

/// Reason why a partition is not the largest bisimulation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The partition has another number of states than the machine.
    #[error("the partition has {partition} states, the machine {machine}")]
    States {
        /// Number of states of the partition.
        partition: usize,
        /// Number of states of the machine.
        machine: usize,
    },
    /// Two states of one block have different outputs.
    #[error("states {a} and {b} are both in block {block}, but their outputs differ")]
    Output {
        /// Block of both states.
        block: BlockId,
        /// First state of the block.
        a: StateId,
        /// State that differs from it.
        b: StateId,
    },
    /// Two states of one block lead to different blocks.
    #[error(
        "states {a} and {b} are both in block {block}, but action {action} leads them to different blocks"
    )]
    Unstable {
        /// Block of both states.
        block: BlockId,
        /// First state of the block.
        a: StateId,
        /// State that differs from it.
        b: StateId,
        /// Action that leads to different blocks.
        action: ActionId,
    },
    /// Two blocks hold bisimilar states: the partition is a bisimulation, but not the largest.
    #[error("blocks {first} and {second} hold bisimilar states and can be merged")]
    Mergeable {
        /// One of the blocks.
        first: BlockId,
        /// The other block.
        second: BlockId,
    },
    /// The check was stopped before it had found an answer.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The quotient is not a valid system.
    #[error(transparent)]
    Quotient(#[from] SystemError),
}

/// Checks in one pass that `partition` is a bisimulation of `machine`. It refines the output and is
/// stable under every action, hence merges no two states that some word distinguishes.
///
/// [`verify_coarsest`] checks that it is also the largest.
///
/// # Errors
/// The first [`Violation`], by state and action.
pub fn verify(machine: &MooreMachine, partition: &Partition) -> Result<(), Violation> {
    verify_with(machine, partition, &())
}

/// Checks that `partition` is a bisimulation, as [`verify`] does, unless `progress` says to stop.
///
/// # Errors
/// The first [`Violation`], by state and action; [`Violation::Stopped`], soon after `progress` says
/// so.
pub fn verify_with(
    machine: &MooreMachine,
    partition: &Partition,
    progress: &dyn Progress,
) -> Result<(), Violation> {
    if partition.states() != machine.states() {
        let (partition, machine) = (partition.states(), machine.states());
        return Err(Violation::States { partition, machine });
    }
    for b in machine.state_ids() {
        if b.index().is_multiple_of(BETWEEN_CHECKS) {
            progress.check()?;
        }
        let block = partition.block_of(b);
        let a = partition.representatives()[block.index()];
        if machine.output(a) != machine.output(b) {
            return Err(Violation::Output { block, a, b });
        }
        let block_after = |target: &StateId| partition.block_of(*target);
        let (after_a, after_b) = (machine.successors(a).iter(), machine.successors(b).iter());
        let mut agree = after_a.map(block_after).zip(after_b.map(block_after));
        if let Some(action) = agree.position(|(a, b)| a != b) {
            return Err(Violation::Unstable {
                block,
                a,
                b,
                action: ActionId::from_index(action),
            });
        }
    }
    Ok(())
}

/// Checks that `partition` is the largest bisimulation: [`verify`], and no two blocks can be
/// merged.
///
/// The second part refines the quotient until every block is alone, which certifies that none can
/// be merged. Its methods share nothing with [`crate::largest_bisimulation`]. First come hashes of
/// behavior, which differ only where behavior does, so a collision can only delay the answer. Then,
/// where only long words distinguish states, whole rows are compared. Cost for `k` blocks and `A`
/// actions: a few passes over `k A` values if words of a few actions distinguish all;
/// `O(k A log k)` comparisons otherwise.
///
/// # Errors
/// The first [`Violation`] found.
pub fn verify_coarsest(machine: &MooreMachine, partition: &Partition) -> Result<(), Violation> {
    verify_coarsest_with(machine, partition, &())
}

/// Checks that `partition` is the largest bisimulation, as [`verify_coarsest`] does, unless
/// `progress` says to stop.
///
/// # Errors
/// The first [`Violation`] found; [`Violation::Stopped`], soon after `progress` says so.
pub fn verify_coarsest_with(
    machine: &MooreMachine,
    partition: &Partition,
    progress: &dyn Progress,
) -> Result<(), Violation> {
    let quotient = quotient_with(machine, partition, progress)?;
    match distinct::bisimilar_pair(&quotient, progress)? {
        None => Ok(()),
        Some(pair) => {
            let [first, second] = pair.map(|state| BlockId::new(state.get()));
            Err(Violation::Mergeable { first, second })
        }
    }
}
