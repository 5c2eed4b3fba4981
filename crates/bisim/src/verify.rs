//! Checking a partition without trusting what computed it.

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
/// The second part refines the quotient by Moore's method, sorting whole signatures (a block's own label
/// and those of its successors): slower than, and independent of, [`crate::largest_bisimulation`]. Cost:
/// `O(k A log k)` a round for `k` blocks and `A` actions; as many rounds as the longest shortest witness
/// has letters, so a long chain of blocks makes it quadratic.
///
/// # Errors
/// The first [`Violation`] found.
pub fn verify_coarsest(machine: &MooreMachine, partition: &Partition) -> Result<(), Violation> {
    let quotient = quotient(machine, partition)?;
    let mut labels: Vec<u32> = quotient
        .output_table()
        .iter()
        .map(|output| output.get())
        .collect();
    let mut distinct = quotient.outputs();
    let mut order: Vec<StateId> = quotient.state_ids().collect();
    loop {
        let signature = |state: &StateId| {
            let after = quotient
                .successors(*state)
                .iter()
                .map(|target| labels[target.index()]);
            std::iter::once(labels[state.index()]).chain(after)
        };
        order.sort_unstable_by(|a, b| signature(a).cmp(signature(b)).then(a.cmp(b)));
        let mut refined = vec![0; labels.len()];
        let mut runs = 1;
        for pair in order.windows(2) {
            if signature(&pair[0]).ne(signature(&pair[1])) {
                runs += 1;
            }
            refined[pair[1].index()] = runs as u32 - 1;
        }
        labels = refined;
        if runs == labels.len() {
            return Ok(());
        }
        if runs == distinct {
            break;
        }
        distinct = runs;
    }
    let equal = order
        .windows(2)
        .find(|pair| labels[pair[0].index()] == labels[pair[1].index()]);
    let block = |at: usize| BlockId::new(equal.map_or(0, |pair| pair[at].get()));
    Err(Violation::Mergeable {
        first: block(0),
        second: block(1),
    })
}
