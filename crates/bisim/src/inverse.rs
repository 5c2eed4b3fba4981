//! Transitions backwards.

use tellapart_system::MooreMachine;

/// The predecessors of every (target, action), as one flat table.
///
/// Grouped by target, then by action: refinement asks for all actions of a target in turn, so what it
/// reads next is already in the cache. Every transition has exactly one entry.
pub(crate) struct Inverse<O> {
    actions: usize,
    /// `sources[bounds[target * actions + action]..bounds[target * actions + action + 1]]`
    bounds: Vec<O>,
    sources: Vec<u32>,
}

/// A position in the table of transitions: 32 bits do for all but gigantic systems, at half the memory.
pub(crate) trait Offset: Copy {
    fn from_usize(offset: usize) -> Self;
    fn to_usize(self) -> usize;
}

impl Offset for u32 {
    fn from_usize(offset: usize) -> Self {
        offset as Self
    }
    fn to_usize(self) -> usize {
        self as usize
    }
}

impl Offset for usize {
    fn from_usize(offset: usize) -> Self {
        offset
    }
    fn to_usize(self) -> usize {
        self
    }
}

impl<O: Offset> Inverse<O> {
    /// Counting sort of the transitions by target and action. `O` must be able to count them.
    pub(crate) fn new(machine: &MooreMachine) -> Self {
        let actions = machine.actions();
        let next = machine.next_table();
        let mut bounds = vec![O::from_usize(0); next.len() + 1];
        for successors in next.chunks_exact(actions) {
            for (action, target) in successors.iter().enumerate() {
                let count = &mut bounds[target.index() * actions + action];
                *count = O::from_usize(count.to_usize() + 1);
            }
        }
        // Each bound becomes the END of its group; filling backwards then turns it into the start.
        let mut total = 0;
        for bound in &mut bounds {
            total += bound.to_usize();
            *bound = O::from_usize(total);
        }
        let mut sources = vec![0_u32; next.len()];
        for (source, successors) in next.chunks_exact(actions).enumerate().rev() {
            for (action, target) in successors.iter().enumerate() {
                let bound = &mut bounds[target.index() * actions + action];
                let at = bound.to_usize() - 1;
                *bound = O::from_usize(at);
                sources[at] = source as u32;
            }
        }
        Self {
            actions,
            bounds,
            sources,
        }
    }

    /// The states that `action` leads to `target`, ascending.
    #[inline]
    pub(crate) fn sources(&self, target: u32, action: usize) -> &[u32] {
        let group = target as usize * self.actions + action;
        &self.sources[self.bounds[group].to_usize()..self.bounds[group + 1].to_usize()]
    }
}
