//! The quotient of a system: one state for each class.

use tellapart_progress::Progress;
use tellapart_system::{MooreMachine, StateId};

use crate::{Partition, Violation, verify_with};

/// Returns the machine whose states are the blocks of `partition`. Block `i` becomes state `i`,
/// with the output and successors that its states agree on. Names of actions and values of outputs
/// are kept.
///
/// Cost: one pass over the machine, to check that the states of a block do agree.
///
/// # Errors
/// [`Violation`] if the partition is not one of this machine's states, or merges states that differ
/// in their output or lead to different blocks. A partition by [`crate::largest_bisimulation`] of
/// the same machine is always fine.
pub fn quotient(machine: &MooreMachine, partition: &Partition) -> Result<MooreMachine, Violation> {
    quotient_with(machine, partition, &())
}

/// Returns the machine of [`quotient`], unless `progress` says to stop.
///
/// # Errors
/// Those of [`quotient`], and [`Violation::Stopped`], soon after `progress` says so.
pub fn quotient_with(
    machine: &MooreMachine,
    partition: &Partition,
    progress: &dyn Progress,
) -> Result<MooreMachine, Violation> {
    verify_with(machine, partition, progress)?;
    let block_state = |state: StateId| StateId::new(partition.block_of(state).get());
    let representatives = partition.representatives();
    let next = representatives
        .iter()
        .flat_map(|&state| machine.successors(state))
        .map(|&target| block_state(target))
        .collect();
    let output = representatives
        .iter()
        .map(|&state| machine.output(state))
        .collect();
    Ok(machine.with_states(next, output, block_state(machine.initial()))?)
}
