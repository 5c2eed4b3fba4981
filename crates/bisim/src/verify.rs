//! Checking a partition without trusting what computed it.

mod distinct;

use tellapart_system::{ActionId, BlockId, MooreMachine, StateId, SystemError};

use crate::{Partition, quotient};

/// Why a partition is not the largest bisimulation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The partition is one of other states.
    #[error("the partition has {partition} states, the machine {machine}")]
    States {
        /// States of the partition.
        partition: usize,
        /// States of the machine.
        machine: usize,
    },
    /// Two states of one block differ at once.
    #[error("states {a} and {b} are both in block {block}, but their outputs differ")]
    Output {
        /// The block.
        block: BlockId,
        /// Its first state.
        a: StateId,
        /// The state that differs.
        b: StateId,
    },
    /// Two states of one block lead to different blocks.
    #[error(
        "states {a} and {b} are both in block {block}, but action {action} leads them to different blocks"
    )]
    Unstable {
        /// The block.
        block: BlockId,
        /// Its first state.
        a: StateId,
        /// The state that differs.
        b: StateId,
        /// The action.
        action: ActionId,
    },
    /// Two blocks hold bisimilar states: the partition is a bisimulation, but not the largest.
    #[error("blocks {first} and {second} hold bisimilar states and can be merged")]
    Mergeable {
        /// A block.
        first: BlockId,
        /// Another one.
        second: BlockId,
    },
    /// The quotient is no valid system.
    #[error(transparent)]
    Quotient(#[from] SystemError),
}

/// Checks in one pass that `partition` is a bisimulation of `machine`: it refines the output and is
/// stable under every action, hence merges no two states that some word distinguishes.
///
/// That it is also the largest is checked by [`verify_coarsest`].
///
/// # Errors
/// The first [`Violation`], by state and action.
pub fn verify(machine: &MooreMachine, partition: &Partition) -> Result<(), Violation> {
    if partition.states() != machine.states() {
        let (partition, machine) = (partition.states(), machine.states());
        return Err(Violation::States { partition, machine });
    }
    for b in machine.state_ids() {
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

/// Checks that `partition` is the largest bisimulation: [`verify`], and no two blocks can be merged.
///
/// The certificate of the second part is a refinement of the quotient that ends with every block alone, by
/// methods that share nothing with [`crate::largest_bisimulation`]: hashes of behavior, which differ only
/// where behavior does (so that a collision can hide nothing, only delay), then, where states are told
/// apart by long words only, comparison of whole rows. Cost for `k` blocks and `A` actions: a few passes
/// over `k A` numbers if words of a few actions tell all apart; `O(k A log k)` comparisons otherwise.
///
/// # Errors
/// The first [`Violation`] found.
pub fn verify_coarsest(machine: &MooreMachine, partition: &Partition) -> Result<(), Violation> {
    let quotient = quotient(machine, partition)?;
    match distinct::bisimilar_pair(&quotient) {
        None => Ok(()),
        Some(pair) => {
            let [first, second] = pair.map(|state| BlockId::new(state.get()));
            Err(Violation::Mergeable { first, second })
        }
    }
}
