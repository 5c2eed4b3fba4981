//! Shortest distinguishing words for all pairs of states.

use tellapart_progress::{Progress, Stopped};
use tellapart_system::{ActionId, BlockId, MooreMachine, StateId};

use crate::Partition;
use crate::refinement::Refinement;
use crate::stop::{Never, Stop, always};

/// The largest bisimulation of a machine together with the reason for every split. It finds a
/// shortest distinguishing word, and its length, for any pair of states.
///
/// Cost: that of [`crate::largest_bisimulation`] to build, and up to 24 bytes a state to keep. A
/// query walks up `O(log n)` splits for each letter of its answer. Words are shortest; among the
/// shortest ones the choice depends only on the machine.
pub struct SplittingTree<'m> {
    machine: &'m MooreMachine,
    history: Refinement,
}

/// Reason why two states are in different blocks.
enum Split {
    /// Their outputs differ.
    Output,
    /// Successors under `action` are distinguished by `round - 1` further letters.
    Action { action: ActionId, round: usize },
}

impl<'m> SplittingTree<'m> {
    /// Refines `machine` to its largest bisimulation.
    #[must_use]
    pub fn new(machine: &'m MooreMachine) -> Self {
        always(Self::within(machine, &Never))
    }

    /// Refines `machine` to its largest bisimulation, unless `progress` says to stop.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn with_progress(
        machine: &'m MooreMachine,
        progress: &dyn Progress,
    ) -> Result<Self, Stopped> {
        Self::within(machine, &progress)
    }

    fn within<S: Stop>(machine: &'m MooreMachine, stop: &S) -> Result<Self, S::Error> {
        let history = Refinement::to_fixed_point(machine, stop)?;
        Ok(Self { machine, history })
    }

    /// Returns the largest bisimulation. Cost: one pass.
    #[must_use]
    pub fn partition(&self) -> Partition {
        let bound = self.history.roots as usize + self.history.births.len();
        Partition::from_dense_labels(&self.history.block_of, bound)
    }

    /// Returns the length of a shortest distinguishing word; `None` if the states are bisimilar.
    ///
    /// # Panics
    /// If a state is out of range.
    #[must_use]
    pub fn depth(&self, a: StateId, b: StateId) -> Option<usize> {
        Some(match split(&self.history, a, b)? {
            Split::Output => 0,
            Split::Action { round, .. } => round,
        })
    }

    /// Returns a shortest word after which the outputs differ, empty if they differ at once. `None`
    /// if the states are bisimilar. Cost: `O(log n)` for each letter.
    ///
    /// # Panics
    /// If a state is out of range.
    #[must_use]
    pub fn witness(&self, a: StateId, b: StateId) -> Option<Vec<ActionId>> {
        word(self.machine, &self.history, a, b)
    }

    /// Iterates over a shortest witness for every pair of classes `first < second` of
    /// [`SplittingTree::partition`]: (0, 1), (0, 2), (1, 2), (0, 3), ... Lazy; there are
    /// `k (k - 1) / 2` pairs of `k` classes.
    pub fn class_witnesses(&self) -> impl Iterator<Item = (BlockId, BlockId, Vec<ActionId>)> {
        let representatives = self.partition().representatives().to_vec();
        let pairs = (0..representatives.len())
            .flat_map(move |second| (0..second).map(move |first| (first, second)));
        pairs.filter_map(move |(first, second)| {
            let word = self.witness(representatives[first], representatives[second])?;
            Some((
                BlockId::from_index(first),
                BlockId::from_index(second),
                word,
            ))
        })
    }
}

/// Returns a shortest word of actions after which the outputs of `a` and `b` differ, empty if they
/// differ at once. `None` if the states are bisimilar.
///
/// Refines only until the two are apart: `O(m log n)` at worst, for `m = states * actions`. It
/// never takes more than one pass over the inverse transitions for each letter of the answer. For
/// many pairs of one machine, build a [`SplittingTree`] once.
///
/// # Panics
/// If a state is out of range ([`MooreMachine::state`] checks).
#[must_use]
pub fn witness(machine: &MooreMachine, a: StateId, b: StateId) -> Option<Vec<ActionId>> {
    always(witness_within(machine, a, b, &Never))
}

/// Returns a shortest word that distinguishes two states, as [`witness`] does, unless `progress`
/// says to stop.
///
/// # Errors
/// [`Stopped`], soon after `progress` says so.
///
/// # Panics
/// If a state is out of range ([`MooreMachine::state`] checks).
pub fn witness_with(
    machine: &MooreMachine,
    a: StateId,
    b: StateId,
    progress: &dyn Progress,
) -> Result<Option<Vec<ActionId>>, Stopped> {
    witness_within(machine, a, b, &progress)
}

fn witness_within<S: Stop>(
    machine: &MooreMachine,
    a: StateId,
    b: StateId,
    stop: &S,
) -> Result<Option<Vec<ActionId>>, S::Error> {
    if machine.output(a) != machine.output(b) {
        return Ok(Some(Vec::new()));
    }
    if a == b {
        return Ok(None);
    }
    let apart =
        |refinement: &Refinement| refinement.block_of[a.index()] != refinement.block_of[b.index()];
    let history = Refinement::until(machine, apart, stop)?;
    Ok(word(machine, &history, a, b))
}

/// Reads a word off the history: each step leads to a pair that was split one round earlier.
fn word(
    machine: &MooreMachine,
    history: &Refinement,
    mut a: StateId,
    mut b: StateId,
) -> Option<Vec<ActionId>> {
    let mut word = Vec::new();
    while let Split::Action { action, .. } = split(history, a, b)? {
        word.push(action);
        (a, b) = (machine.successor(a, action), machine.successor(b, action));
    }
    Some(word)
}

/// Returns the split that separated two states; `None` if none did.
///
/// Blocks are numbered by birth. Repeatedly going from the later-born of the two to its parent
/// undoes the splits in reverse order, as far as they concern the two states. The step that makes
/// them equal undoes the split that separated them.
fn split(history: &Refinement, a: StateId, b: StateId) -> Option<Split> {
    let (mut older, mut younger) = (history.block_of[a.index()], history.block_of[b.index()]);
    while older != younger {
        if older > younger {
            std::mem::swap(&mut older, &mut younger);
        }
        if younger < history.roots {
            return Some(Split::Output);
        }
        let birth = history.births[(younger - history.roots) as usize];
        if birth.parent == older {
            let round = history
                .round_starts
                .partition_point(|&start| start <= younger);
            return Some(Split::Action {
                action: birth.action,
                round,
            });
        }
        younger = birth.parent;
    }
    None
}
