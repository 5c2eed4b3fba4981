//! Collects transitions, given in any order, in a table.

use std::io::{Read, Seek};
use std::path::Path;

use tellapart_files::FileError;

use super::lines::Lines;
use crate::meaning::Sets;
use crate::outputs::DistinctRows;
use crate::{ActionId, OutputId, StateId, SystemError};

/// Largest table of successors (states x actions) that is built from text: 4 GiB.
pub const MAX_TABLE_ENTRIES: u64 = 1 << 30;

/// Number of states that a header may claim even if no transition mentions them.
const UNMENTIONED_STATES: u64 = 1 << 20;

/// Number of transitions kept aside before the table is allocated; by then most actions are known.
const EARLY: usize = 4096;

const MISSING: StateId = StateId::new(u32::MAX);

/// A partial table of successors that grows as new actions appear.
///
/// Memory: the table, at most twice as wide as it must be, and the old one while it grows.
#[derive(Default)]
pub(super) struct TransitionTable {
    states: usize,
    max_entries: u64,
    /// Transitions kept aside, as (from, action, to).
    early: Vec<[u32; 3]>,
    /// Number of columns of the table; 0 before it is allocated.
    width: usize,
    next: Vec<StateId>,
}

/// Reason why a transition could not be added.
pub(super) enum Refused {
    /// The state has another successor under the action.
    Conflict { state: u32, action: u32 },
    /// The table would be too large.
    TooLarge(SystemError),
}

/// A table in which every action leads somewhere.
pub(super) struct Completed {
    pub(super) next: Vec<StateId>,
    /// Set of enabled actions of each state, as an index into `sets`.
    pub(super) enabled: Vec<OutputId>,
    pub(super) sets: Sets<ActionId>,
}

impl TransitionTable {
    pub(super) fn new(states: u32, max_entries: u64) -> Self {
        Self {
            states: states as usize,
            max_entries,
            early: Vec::new(),
            width: 0,
            next: Vec::new(),
        }
    }

    /// Adds a transition; state and target must exist.
    #[inline]
    pub(super) fn add(&mut self, from: u32, action: u32, to: u32) -> Result<(), Refused> {
        if action as usize >= self.width {
            return self.add_new(from, action, to);
        }
        let entry = &mut self.next[from as usize * self.width + action as usize];
        let old = std::mem::replace(entry, StateId::new(to));
        if old != MISSING && old.get() != to {
            return Err(Refused::Conflict {
                state: from,
                action,
            });
        }
        Ok(())
    }

    /// Adds a transition before the table is allocated, or with an action beyond it.
    #[cold]
    fn add_new(&mut self, from: u32, action: u32, to: u32) -> Result<(), Refused> {
        if self.width == 0 && self.early.len() < EARLY {
            self.early.push([from, action, to]);
            return Ok(());
        }
        let known = self.early.iter().map(|&[_, action, _]| action).max();
        let needed = known.map_or(0, |known| known as usize + 1);
        let needed = needed.max(action as usize + 1);
        // Doubling keeps the cost of copying wide tables linear.
        let widest = (self.max_entries / self.states as u64) as usize;
        self.widen(needed.max((2 * self.width).min(widest)))?;
        self.add(from, action, to)
    }

    /// Makes the table `width` columns wide, and adds the transitions kept aside.
    fn widen(&mut self, width: usize) -> Result<(), Refused> {
        let (states, actions) = (self.states as u64, width as u64);
        if states.saturating_mul(actions) > self.max_entries {
            return Err(Refused::TooLarge(SystemError::TableTooLarge {
                states,
                actions,
                limit: self.max_entries,
            }));
        }
        let mut wider = vec![MISSING; self.states * width];
        if self.width > 0 {
            let rows = self.next.chunks_exact(self.width);
            for (row, old) in wider.chunks_exact_mut(width).zip(rows) {
                row[..old.len()].copy_from_slice(old);
            }
        }
        (self.next, self.width) = (wider, width);
        for [from, action, to] in std::mem::take(&mut self.early) {
            self.add(from, action, to)?;
        }
        Ok(())
    }

    /// Returns the whole table with its columns in this order; missing transitions become
    /// self-loops.
    pub(super) fn complete(mut self, order: &[usize]) -> Result<Completed, Refused> {
        let actions = order.len();
        if self.width == 0 {
            self.widen(actions)?;
        }
        let is_in_order = order.is_sorted() && self.width == actions;
        if !is_in_order {
            // Compacting in place is safe, since rows only ever move to the front.
            let mut row = vec![MISSING; actions];
            for state in 0..self.states {
                let old = &self.next[state * self.width..][..self.width];
                for (entry, &column) in row.iter_mut().zip(order) {
                    *entry = old[column];
                }
                self.next[state * actions..][..actions].copy_from_slice(&row);
            }
            self.next.truncate(self.states * actions);
            self.next.shrink_to_fit();
        }
        let mut next = self.next;
        let words = actions.div_ceil(64);
        let mut distinct = DistinctRows::new(words);
        let mut set = vec![0_u64; words];
        let mut enabled = Vec::with_capacity(self.states);
        for (state, successors) in next.chunks_exact_mut(actions).enumerate() {
            set.fill(0);
            for (action, target) in successors.iter_mut().enumerate() {
                if *target == MISSING {
                    *target = StateId::from_index(state);
                } else {
                    set[action / 64] |= 1 << (action % 64);
                }
            }
            enabled.push(distinct.id(&set));
        }
        Ok(Completed {
            next,
            enabled,
            sets: sets(&distinct.into_rows(), words),
        })
    }
}

/// Makes the error for two transitions of `state` under one action, reading the file again to find
/// the lines.
///
/// `target_of` returns the target of a line that is such a transition.
pub(super) fn contradiction(
    mut reader: impl Read + Seek,
    path: &Path,
    longest_line: usize,
    (state, label): (u32, String),
    mut target_of: impl FnMut(&[u8]) -> Option<u32>,
) -> SystemError {
    if let Err(source) = reader.rewind() {
        return FileError::from_io(path, source).into();
    }
    let mut lines = Lines::new(reader, path, longest_line);
    let mut first = None;
    loop {
        let target = match lines.next() {
            Ok(Some(line)) => target_of(line),
            // Happens only if the file has changed meanwhile.
            Ok(None) => return lines.fail_at_end("the file changes while it is read"),
            Err(error) => return error,
        };
        match (first, target) {
            (_, None) => {}
            (None, Some(target)) => first = Some((target, lines.number())),
            (Some((first_target, _)), Some(target)) if first_target == target => {}
            (Some((first_target, first_line)), Some(second_target)) => {
                return SystemError::Nondeterministic {
                    path: path.to_path_buf(),
                    state,
                    label,
                    first_target,
                    second_target,
                    first_line,
                    line: lines.number(),
                };
            }
        }
    }
}

/// Returns the largest number of states that the header of a file with `transitions` transitions
/// may claim.
pub(super) fn most_states(transitions: u64) -> u64 {
    (2 * transitions + 1).max(UNMENTIONED_STATES)
}

/// Converts bit sets to sorted lists.
fn sets(rows: &[u64], words: usize) -> Sets<ActionId> {
    let mut sets = Sets::new();
    for row in rows.chunks_exact(words) {
        sets.push(row.iter().enumerate().flat_map(|(word, &bits)| {
            let present = (0..64).filter(move |bit| bits >> bit & 1 == 1);
            present.map(move |bit| ActionId::from_index(word * 64 + bit))
        }));
    }
    sets
}
