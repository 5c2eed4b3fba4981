//! Partition of a partial system in which missing transitions separate states, too.

use std::collections::HashMap;

use tellapart_progress::{Progress, Stopped};
use tellapart_system::{ActionId, OutputId, PartialMachine};

use crate::stop::{Never, Stop, always};
use crate::{Partition, engine};

/// Computes the coarsest partition that is finer than the output and the set of enabled actions,
/// and stable under every action where it is enabled. A missing transition counts as a symbol of
/// its own.
///
/// Equivalently, it is the largest bisimulation of the machine completed by one more state. That
/// state has an output of its own, all missing transitions lead to it, and it is never left.
///
/// This is *not* what recorded data shows: two states that were never tried with the same actions
/// are apart here, although nothing recorded distinguishes them. It is the right notion where a
/// missing transition means "cannot happen" (disabled actions of a protocol, `.aut` files).
///
/// A. Valmari, P. Lehtinen, "Efficient minimization of DFAs with partial transition functions",
/// STACS 2008. Computed by the engine of [`crate::largest_bisimulation`], in which a missing
/// transition costs nothing. Cost: `O((n + m) log n)` for `n` states and `m` existing transitions.
#[must_use]
pub fn separated_by_coverage(machine: &PartialMachine) -> Partition {
    always(within(machine, &Never))
}

/// Computes the partition of [`separated_by_coverage`], unless `progress` says to stop.
///
/// # Errors
/// [`Stopped`], soon after `progress` says so.
pub fn separated_by_coverage_with(
    machine: &PartialMachine,
    progress: &dyn Progress,
) -> Result<Partition, Stopped> {
    within(machine, &progress)
}

fn within<S: Stop>(machine: &PartialMachine, stop: &S) -> Result<Partition, S::Error> {
    let (initial, kinds) = kinds(machine);
    engine::coarsest_stable(machine, &initial, kinds, stop)
}

/// Numbers the pairs of output and enabled actions; returns the number of each state, and their
/// count.
pub(crate) fn kinds(machine: &PartialMachine) -> (Vec<u32>, usize) {
    let mut kinds: HashMap<(OutputId, &[ActionId]), u32> = HashMap::new();
    let kind = |state| {
        let fresh = kinds.len() as u32;
        *kinds
            .entry((machine.output(state), machine.enabled(state)))
            .or_insert(fresh)
    };
    (machine.state_ids().map(kind).collect(), kinds.len())
}
