//! Independent check whether all states of a system are distinguished.
//!
//! Both methods separate only states that are not bisimilar, each for a reason that needs no trust
//! in the other. So when no two states are left together, that is a proof.
//!
//! First come *hashes of behavior*: a round mixes the hash of a state with those of its successors.
//! States that behave alike have equal hashes after any number of rounds, and different hashes show
//! different behavior. A collision can only leave too much together, which is for the second
//! method: rows of labels, sorted and compared whole.

use std::cmp::Ordering;

use rayon::prelude::*;
use tellapart_progress::{Progress, Stopped};
use tellapart_system::{MooreMachine, StateId};

use crate::stop::BETWEEN_CHECKS;

/// Number of rounds of hashing between two counts of distinct hashes; a count costs more than a
/// round.
const ROUNDS: usize = 4;

/// Returns the first two states that are bisimilar, if there are any.
pub(super) fn bisimilar_pair(
    machine: &MooreMachine,
    progress: &dyn Progress,
) -> Result<Option<[StateId; 2]>, Stopped> {
    match by_hash(machine, progress)? {
        None => Ok(None),
        Some(labels) => Dirty::new(machine, labels, progress)?.refined(),
    }
}

/// Labels states by hash of behavior, with equal labels for equal hashes; `None` if no two are
/// equal. Stops when the number of labels no longer doubles.
fn by_hash(machine: &MooreMachine, progress: &dyn Progress) -> Result<Option<Vec<u32>>, Stopped> {
    let outputs = machine.output_table().par_iter();
    let mut hashes: Vec<u64> = outputs.map(|output| mix(0, output.get().into())).collect();
    let mut distinct = machine.outputs();
    loop {
        for _ in 0..ROUNDS {
            let mut hashed = vec![0; hashes.len()];
            let chunks = hashed.par_chunks_mut(BETWEEN_CHECKS).enumerate();
            chunks.try_for_each(|(chunk, hashed)| {
                progress.check()?;
                let start = chunk * BETWEEN_CHECKS;
                let rows =
                    machine.next_table()[start * machine.actions()..].chunks(machine.actions());
                for ((hashed, &own), row) in hashed.iter_mut().zip(&hashes[start..]).zip(rows) {
                    let after = row.iter().map(|target| hashes[target.index()]);
                    *hashed = after.fold(own, mix);
                }
                Ok(())
            })?;
            hashes = hashed;
        }
        let mut sorted: Vec<(u64, u32)> = hashes.iter().copied().zip(0..).collect();
        sorted.par_sort_unstable();
        progress.check()?;
        let mut labels = vec![0; sorted.len()];
        let mut runs = 1;
        for pair in sorted.windows(2) {
            runs += u32::from(pair[0].0 != pair[1].0);
            labels[pair[1].1 as usize] = runs - 1;
        }
        if runs as usize == labels.len() {
            return Ok(None);
        }
        if (runs as usize) < 2 * distinct {
            return Ok(Some(labels));
        }
        distinct = runs as usize;
    }
}

fn mix(hash: u64, number: u64) -> u64 {
    let mixed = (hash.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// Refinement by *dirty* states: those with a successor that was relabeled since their row of
/// labels was last examined. The states of a label that are not dirty have one row in common, which
/// is kept. The largest part of a label keeps it, so that no state is relabeled more than `log2 n`
/// times.
struct Dirty<'a> {
    machine: &'a MooreMachine,
    progress: &'a dyn Progress,
    /// Values read since the last check whether to stop.
    read: usize,
    label: Vec<u32>,
    groups: Vec<HashGroup>,
    is_dirty: Vec<bool>,
    /// Labels with dirty states.
    queue: Vec<u32>,
    /// Sources of a state: `sources[bounds[state]..bounds[state + 1]]`.
    bounds: Vec<usize>,
    sources: Vec<u32>,
}

/// The states of a label.
#[derive(Default)]
struct HashGroup {
    /// All states of the label, and maybe some that have left.
    members: Vec<u32>,
    size: usize,
    dirty: Vec<u32>,
    /// Labels that the states that are not dirty lead to.
    row: Vec<u32>,
}

impl<'a> Dirty<'a> {
    fn new(
        machine: &'a MooreMachine,
        label: Vec<u32>,
        progress: &'a dyn Progress,
    ) -> Result<Self, Stopped> {
        let states = machine.states();
        // Counts are stored two places on: filling then turns each start into the start of the
        // next.
        let mut bounds = vec![0; states + 2];
        for targets in machine.next_table().chunks(BETWEEN_CHECKS) {
            progress.check()?;
            for target in targets {
                bounds[target.index() + 2] += 1;
            }
        }
        for state in 0..states {
            bounds[state + 2] += bounds[state + 1];
        }
        let mut sources = vec![0; machine.next_table().len()];
        for (entry, target) in machine.next_table().iter().enumerate() {
            if entry.is_multiple_of(BETWEEN_CHECKS) {
                progress.check()?;
            }
            let place = &mut bounds[target.index() + 1];
            sources[*place] = (entry / machine.actions()) as u32;
            *place += 1;
        }
        let count = label.iter().max().map_or(0, |&last| last as usize + 1);
        let mut groups: Vec<HashGroup> = (0..count).map(|_| HashGroup::default()).collect();
        for (state, &label) in (0..).zip(&label) {
            let group = &mut groups[label as usize];
            group.members.push(state);
            group.size += 1;
        }
        // A state alone in its label stays alone, whatever its successors do.
        let mut is_dirty = vec![false; states];
        let mut queue = Vec::new();
        for (label, group) in (0..).zip(&mut groups) {
            if group.size > 1 {
                group.dirty.clone_from(&group.members);
                group
                    .dirty
                    .iter()
                    .for_each(|&state| is_dirty[state as usize] = true);
                queue.push(label);
            }
        }
        Ok(Self {
            machine,
            progress,
            read: 0,
            label,
            groups,
            is_dirty,
            queue,
            bounds,
            sources,
        })
    }

    /// Refines until no state is dirty; returns the first two states that are still together.
    fn refined(mut self) -> Result<Option<[StateId; 2]>, Stopped> {
        while let Some(label) = self.queue.pop() {
            self.split(label)?;
        }
        let mut first = vec![None; self.groups.len()];
        Ok((0..).zip(&self.label).find_map(|(state, &label)| {
            let state = StateId::new(state);
            let before = first[label as usize].replace(state)?;
            Some([before, state])
        }))
    }

    /// Checks whether to stop once enough values were read.
    fn check_after(&mut self, read: usize) -> Result<(), Stopped> {
        self.read += read;
        if self.read >= BETWEEN_CHECKS {
            self.read = 0;
            self.progress.check()?;
        }
        Ok(())
    }

    /// Returns the labels that a state leads to.
    fn row(&self, state: u32) -> impl Iterator<Item = u32> + '_ {
        let row = self.machine.successors(StateId::new(state)).iter();
        row.map(|target| self.label[target.index()])
    }

    /// Splits off the dirty states of a label, and whatever agrees with none of them, by their
    /// rows.
    fn split(&mut self, label: u32) -> Result<(), Stopped> {
        let mut dirty = std::mem::take(&mut self.groups[label as usize].dirty);
        self.check_after(dirty.len())?;
        let by_row = |&a: &u32, &b: &u32| self.row(a).cmp(self.row(b)).then(a.cmp(&b));
        sort(&mut dirty, &by_row, self.progress)?;
        let parts = dirty.chunk_by(|&a, &b| self.row(a).eq(self.row(b)));
        let mut parts: Vec<Vec<u32>> = parts.map(<[u32]>::to_vec).collect();

        let group = &self.groups[label as usize];
        let (size, clean) = (group.size, group.size - dirty.len());
        // Those that still agree with the clean ones stay with them.
        let agrees = |part: &Vec<u32>| self.row(part[0]).eq(group.row.iter().copied());
        let agreeing = parts.iter().position(|part| clean > 0 && agrees(part));
        let agreeing = agreeing.map_or(Vec::new(), |place| parts.swap_remove(place));
        for state in agreeing {
            self.is_dirty[state as usize] = false;
        }
        let staying = size - parts.iter().map(Vec::len).sum::<usize>();
        let largest = (0..parts.len()).max_by_key(|&part| parts[part].len());
        if let Some(largest) = largest.filter(|&part| parts[part].len() > staying) {
            let kept = parts.swap_remove(largest);
            let kept_row = self.row(kept[0]).collect();
            let group = &mut self.groups[label as usize];
            let mut others = std::mem::replace(&mut group.members, kept);
            // Amortized: those that stay are fewer than those kept, and those that left before are
            // dropped now.
            others.retain(|&state| {
                self.label[state as usize] == label && !self.is_dirty[state as usize]
            });
            group.size = group.members.len();
            group.row = kept_row;
            parts.extend((staying > 0).then_some(others));
        } else {
            self.groups[label as usize].size = staying;
        }
        for state in dirty {
            self.is_dirty[state as usize] = false;
        }
        self.relabel(parts)
    }

    /// Gives each part a label of its own, and marks whatever leads there as dirty.
    fn relabel(&mut self, parts: Vec<Vec<u32>>) -> Result<(), Stopped> {
        // Rows first: they are equal within a part only as long as no label has changed.
        let rows: Vec<Vec<u32>> = parts
            .iter()
            .map(|part| self.row(part[0]).collect())
            .collect();
        let first = self.groups.len();
        for (members, row) in parts.into_iter().zip(rows) {
            for &state in &members {
                self.label[state as usize] = self.groups.len() as u32;
            }
            self.groups.push(HashGroup {
                size: members.len(),
                members,
                dirty: Vec::new(),
                row,
            });
        }
        for fresh in first..self.groups.len() {
            for place in 0..self.groups[fresh].size {
                self.touch(self.groups[fresh].members[place])?;
            }
        }
        Ok(())
    }

    /// Marks the sources of a relabeled state as dirty.
    fn touch(&mut self, state: u32) -> Result<(), Stopped> {
        let range = self.bounds[state as usize]..self.bounds[state as usize + 1];
        self.check_after(range.len())?;
        for &source in &self.sources[range] {
            let label = self.label[source as usize];
            let group = &mut self.groups[label as usize];
            // A state alone in its label stays alone, whatever its successors do.
            if group.size > 1 && !std::mem::replace(&mut self.is_dirty[source as usize], true) {
                if group.dirty.is_empty() {
                    self.queue.push(label);
                }
                group.dirty.push(source);
            }
        }
        Ok(())
    }
}

/// Sorts states by an order in which no two are equal. A long list is sorted in halves, because a
/// single sort of millions of rows could not be stopped.
fn sort(
    states: &mut [u32],
    order: &impl Fn(&u32, &u32) -> Ordering,
    progress: &dyn Progress,
) -> Result<(), Stopped> {
    if states.len() <= BETWEEN_CHECKS {
        states.sort_unstable_by(order);
        return Ok(());
    }
    let (left, right) = states.split_at_mut(states.len() / 2);
    sort(left, order, progress)?;
    sort(right, order, progress)?;
    let (left, right) = (left.to_vec(), right.to_vec());
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    for (place, slot) in states.iter_mut().enumerate() {
        if place.is_multiple_of(BETWEEN_CHECKS) {
            progress.check()?;
        }
        let is_left = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) => order(a, b).is_lt(),
            (next, _) => next.is_some(),
        };
        let next = if is_left { left.next() } else { right.next() };
        *slot = next.copied().unwrap_or(*slot);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tellapart_system::generate;

    use super::*;
    use crate::largest_bisimulation;

    /// Uses the second method alone: from labels by output, it finds the first bisimilar pair.
    #[test]
    fn without_hashes() {
        for seed in 0..4000 {
            let part = |from: u64, bound: u64| 1 + (seed / from % bound) as usize;
            let base = generate::random(seed, part(1, 11), part(11, 3), part(33, 3)).unwrap();
            let mut machine = generate::with_nuisances(&base, part(99, 3), seed).unwrap();
            if seed % 2 == 0 {
                machine = generate::shuffled(&machine, seed).unwrap();
            }
            check(&machine, &format!("seed {seed}"));
        }
        for size in 1..40 {
            check(&generate::counter(size).unwrap(), "counter");
            check(&generate::chain(size).unwrap(), "chain");
            check(&generate::tree(size, 2, 2).unwrap(), "tree");
        }
        check(&generate::fibonacci_cycle(12).unwrap(), "Fibonacci");
        check(&generate::de_bruijn_cycle(8).unwrap(), "de Bruijn");
    }

    /// Covers lists that are sorted in parts.
    #[test]
    fn long_lists_are_sorted() {
        let mut states: Vec<u32> = (0..200_001)
            .map(|n: u32| n.wrapping_mul(0x9e37_79b1))
            .collect();
        let mut expected = states.clone();
        expected.sort_unstable();
        sort(&mut states, &u32::cmp, &()).unwrap();
        assert_eq!(states, expected);
    }

    fn check(machine: &MooreMachine, name: &str) {
        let classes = largest_bisimulation(machine);
        let mut first = vec![None; classes.blocks()];
        let expected = machine.state_ids().find_map(|state| {
            let before = first[classes.block_of(state).index()].replace(state)?;
            Some([before, state])
        });
        let outputs = machine.output_table().iter();
        let labels = outputs.map(|output| output.get()).collect();
        let found = Dirty::new(machine, labels, &()).and_then(Dirty::refined);
        assert_eq!(found, Ok(expected), "{name}: {machine:?}");
        let found = bisimilar_pair(machine, &());
        assert_eq!(found, Ok(expected), "{name}: {machine:?}");
    }
}
