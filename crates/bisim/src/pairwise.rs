//! The definition of bisimilarity, computed pair by pair.

use tellapart_system::{MooreMachine, StateId};

use crate::Partition;

/// Set of distinguished pairs R* and, for each, the sweep in which it was found.
///
/// Made by [`pairwise_fixed_point`]. It exists to be obviously right, and to check faster
/// algorithms.
pub struct PairwiseFixedPoint {
    states: usize,
    /// Length of a shortest distinguishing word, `depth[a * states + b]`; [`NEVER`] for bisimilar
    /// pairs.
    depth: Vec<u32>,
}

const NEVER: u32 = u32::MAX;

/// Error: the table of pairs would not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{states} states are too many to compare pair by pair (at most {}); use largest_bisimulation",
    PairwiseFixedPoint::MAX_STATES
)]
pub struct TooManyStates {
    /// Number of states found.
    pub states: usize,
}

/// Constructs R* as the paper states it. Start with the pairs of different output; in each sweep
/// add every pair that some action leads to a pair already there; stop when nothing is added.
///
/// A pair is added in sweep `k` iff its shortest distinguishing word has `k` letters. Cost:
/// `O(n^2 A)` a sweep for `n` states and `A` actions, up to `n` sweeps; `4 n^2` bytes.
///
/// # Errors
/// If there are more than [`PairwiseFixedPoint::MAX_STATES`] states.
pub fn pairwise_fixed_point(machine: &MooreMachine) -> Result<PairwiseFixedPoint, TooManyStates> {
    let states = machine.states();
    if states > PairwiseFixedPoint::MAX_STATES {
        return Err(TooManyStates { states });
    }
    let ids: Vec<StateId> = machine.state_ids().collect();
    let mut depth = vec![NEVER; states * states];
    for &a in &ids {
        for &b in &ids {
            if machine.output(a) != machine.output(b) {
                depth[a.index() * states + b.index()] = 0;
            }
        }
    }
    for sweep in 1.. {
        let mut found = false;
        for &a in &ids {
            for &b in &ids {
                let pair = a.index() * states + b.index();
                let successors = machine.successors(a).iter().zip(machine.successors(b));
                let mut depths = successors.map(|(a, b)| depth[a.index() * states + b.index()]);
                // Pairs found in this sweep do not count yet: a sweep is a letter.
                if depth[pair] == NEVER && depths.any(|depth| depth < sweep) {
                    depth[pair] = sweep;
                    found = true;
                }
            }
        }
        if !found {
            break;
        }
    }
    Ok(PairwiseFixedPoint { states, depth })
}

impl PairwiseFixedPoint {
    /// Largest number of states: 400 MB of pairs.
    pub const MAX_STATES: usize = 10_000;

    /// Returns the length of a shortest distinguishing word; `None` if the states are bisimilar.
    ///
    /// # Panics
    /// If a state is out of range.
    #[must_use]
    pub fn depth(&self, a: StateId, b: StateId) -> Option<usize> {
        assert!(b.index() < self.states, "state {b} is out of range");
        let depth = self.depth[a.index() * self.states + b.index()];
        (depth != NEVER).then_some(depth as usize)
    }

    /// Returns the complement of R*: the largest bisimulation.
    #[must_use]
    pub fn partition(&self) -> Partition {
        let smallest_equal = |row: &[u32]| row.iter().position(|&depth| depth == NEVER);
        let labels: Vec<u32> = self
            .depth
            .chunks_exact(self.states)
            .map(|row| smallest_equal(row).unwrap_or_default() as u32)
            .collect();
        Partition::from_labels(&labels)
    }
}
