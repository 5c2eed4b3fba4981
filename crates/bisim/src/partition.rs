//! A partition of the states into classes.

use std::collections::HashMap;

use tellapart_system::{BlockId, StateId};

use crate::rows::BlockNumber;

/// A partition of states `0..n` into blocks, numbered by first occurrence: state 0 is in block 0,
/// the first state outside it is in block 1, and so on. Hence equal partitions compare equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    block_of: Vec<BlockId>,
    sizes: Vec<u32>,
    representatives: Vec<StateId>,
}

impl Partition {
    /// Makes the partition whose blocks are the states with equal labels; labels may be any
    /// integers.
    ///
    /// Cost: one pass.
    ///
    /// # Panics
    /// With more than `u32::MAX` states.
    #[must_use]
    pub fn from_labels(labels: &[u32]) -> Self {
        let mut numbers = HashMap::new();
        Self::number(labels, |label, fresh| {
            *numbers.entry(label).or_insert(fresh)
        })
    }

    /// Makes the partition whose blocks are the states with equal labels in `0..bound`. Uses a
    /// table instead of the map of [`Partition::from_labels`].
    pub(crate) fn from_dense_labels<Label: BlockNumber>(labels: &[Label], bound: usize) -> Self {
        const NONE: u32 = u32::MAX;
        let mut numbers = vec![NONE; bound];
        Self::number(labels, |label, fresh| {
            let number = &mut numbers[label as usize];
            if *number == NONE {
                *number = fresh;
            }
            *number
        })
    }

    /// Makes the partition in which the label of a state is the first state of its block.
    pub(crate) fn from_first_states(labels: Vec<u32>) -> Self {
        let firsts = || (0..).zip(&labels).filter(|&(state, &label)| state == label);
        let representatives: Vec<StateId> =
            firsts().map(|(state, _)| StateId::new(state)).collect();
        let mut sizes = Vec::with_capacity(representatives.len());
        // In place: the first state of a block comes before all others, and has its number by then.
        let mut block_of = labels;
        for state in 0..block_of.len() {
            let label = block_of[state] as usize;
            if label == state {
                block_of[state] = sizes.len() as u32;
                sizes.push(1);
            } else {
                let block = block_of[label];
                block_of[state] = block;
                sizes[block as usize] += 1;
            }
        }
        Self {
            block_of: block_of.into_iter().map(BlockId::new).collect(),
            sizes,
            representatives,
        }
    }

    /// Makes a partition by a numbering. `number_of(label, fresh)` returns the block of a label,
    /// which is `fresh` for a new label.
    fn number<Label: BlockNumber>(
        labels: &[Label],
        mut number_of: impl FnMut(u32, u32) -> u32,
    ) -> Self {
        let (mut sizes, mut representatives) = (Vec::new(), Vec::new());
        let mut block_of = Vec::with_capacity(labels.len());
        for (state, &label) in labels.iter().enumerate() {
            let number = number_of(label.number(), sizes.len() as u32);
            if number as usize == sizes.len() {
                sizes.push(0);
                representatives.push(StateId::from_index(state));
            }
            sizes[number as usize] += 1;
            block_of.push(BlockId::new(number));
        }
        Self {
            block_of,
            sizes,
            representatives,
        }
    }

    /// Returns the block of a state.
    ///
    /// # Panics
    /// If `state` is out of range.
    #[inline]
    #[must_use]
    pub fn block_of(&self, state: StateId) -> BlockId {
        self.block_of[state.index()]
    }

    /// Number of blocks.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.sizes.len()
    }

    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.block_of.len()
    }

    /// Returns the block of every state, in the order of states.
    #[must_use]
    pub fn as_slice(&self) -> &[BlockId] {
        &self.block_of
    }

    /// Number of states in every block, in the order of blocks; none is zero.
    #[must_use]
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// Returns the smallest state of every block, in the order of blocks; ascending.
    #[must_use]
    pub fn representatives(&self) -> &[StateId] {
        &self.representatives
    }

    /// Returns the states of every block, in the order of blocks, each list ascending. Cost: one
    /// pass.
    #[must_use]
    pub fn members(&self) -> Vec<Vec<StateId>> {
        let mut members: Vec<Vec<StateId>> = self
            .sizes
            .iter()
            .map(|&size| Vec::with_capacity(size as usize))
            .collect();
        for (state, block) in self.block_of.iter().enumerate() {
            members[block.index()].push(StateId::from_index(state));
        }
        members
    }
}
