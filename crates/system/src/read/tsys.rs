//! Reads the binary format `.tsys`, whose tables have the layout of memory.

use std::hash::Hasher as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use tellapart_files::FileBytes;
use twox_hash::xxhash3_64::Hasher as Xxh3;

use crate::machine::check_size;
use crate::meaning::{Labels, OutputMeaning, Sets, Vectors};
use crate::table::IdSlice;
use crate::tsys::{
    CHECKSUM_BYTES, HAS_ACTION_NAMES, HAS_ENABLED, HAS_LABELS, HAS_VALUES, HEADER_BYTES, Sections,
    TsysHeader,
};
use crate::{ActionId, MooreMachine, OutputId, StateId, SystemError};

mod checks;

use checks::{check_disabled, check_distinct};

/// Block size in bytes. The checksum and the range of a block are checked together, while it is in
/// the cache.
const CHUNK_BYTES: usize = 1 << 17;

/// Opens the binary format of tellapart (`.tsys`, written by [`crate::write::tsys`]).
///
/// The tables stay in the file, which is mapped where that is safe ([`FileBytes::open`]) and read
/// otherwise. Everything is checked once, at the speed of memory: the checksum must be right, and
/// every successor, output, action and label must exist. So no file, damaged or malicious, gives a
/// machine that breaks the rules of [`MooreMachine`]. A checksum is no proof of who wrote the file.
///
/// # Errors
/// [`SystemError::Binary`] with the problem: another version, a length or a checksum that differs
/// from the stated one, or content that is not a system. [`SystemError::In`] if the system in the
/// file is invalid.
pub fn tsys(path: impl AsRef<Path>) -> Result<MooreMachine, SystemError> {
    let path = path.as_ref();
    tsys_bytes(FileBytes::open(path)?, path)
}

/// Opens the format of [`tsys`] from the bytes of a file; `path` is used in errors only.
///
/// # Errors
/// The errors of [`tsys`].
pub fn tsys_bytes(bytes: FileBytes, path: &Path) -> Result<MooreMachine, SystemError> {
    let opened = Opened::new(Arc::new(bytes));
    opened.and_then(|file| file.machine()).map_err(|wrong| {
        let path = path.to_path_buf();
        match wrong {
            Wrong::Problem(problem) => SystemError::Binary { path, problem },
            Wrong::System(source) => SystemError::In {
                path,
                source: Box::new(source),
            },
        }
    })
}

enum Wrong {
    Problem(String),
    System(SystemError),
}

impl From<String> for Wrong {
    fn from(problem: String) -> Self {
        Self::Problem(problem)
    }
}

impl From<SystemError> for Wrong {
    fn from(source: SystemError) -> Self {
        Self::System(source)
    }
}

/// A file whose header agrees with its length; nothing else is checked yet.
struct Opened {
    bytes: Arc<FileBytes>,
    header: TsysHeader,
    sections: Sections,
}

impl Opened {
    fn new(bytes: Arc<FileBytes>) -> Result<Self, Wrong> {
        let length = bytes.len() as u64;
        let Some(first) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(format!(
                "is truncated: {length} bytes are less than the header of a .tsys file, which takes \
                 {HEADER_BYTES}; convert it again"
            )
            .into());
        };
        let header = TsysHeader::decode(first)?;
        if length != header.bytes {
            let (should, problem) = (
                header.bytes,
                if length < header.bytes {
                    "truncated"
                } else {
                    "too long"
                },
            );
            return Err(format!(
                "is {problem}: it has {length} bytes, its header says {should}; convert it again"
            )
            .into());
        }
        check_size(header.states, header.actions)?;
        let sections = header
            .sections()
            .filter(|sections| sections.end.checked_add(CHECKSUM_BYTES as u64) == Some(length));
        let Some(sections) = sections else {
            return Err("has sections that do not add up to its length"
                .to_owned()
                .into());
        };
        let is_zero = |gap: &Range<u64>| {
            let gap = bytes.get(gap.start as usize..gap.end as usize);
            gap.is_some_and(|gap| gap.iter().all(|&byte| byte == 0))
        };
        if !sections.padding.iter().all(is_zero) {
            return Err("has something between its sections, where zeros belong"
                .to_owned()
                .into());
        }
        Ok(Self {
            bytes,
            header,
            sections,
        })
    }

    fn machine(self) -> Result<MooreMachine, Wrong> {
        let TsysHeader {
            states,
            actions,
            outputs,
            initial,
            ..
        } = self.header;
        // The sizes fit `usize`: `check_size` bounds the first two, and the whole file is in
        // memory.
        let (states, actions) = (states as usize, actions as usize);
        if outputs == 0 || outputs > states as u64 {
            return Err(format!("claims {outputs} outputs for {states} states").into());
        }
        let outputs = outputs as usize;
        let next = self.table(self.sections.next, states * actions, swap_state)?;
        let output = self.table(self.sections.output, states, swap_output)?;
        self.check_tables(&next, &output, outputs)?;
        let meaning = self.meaning(outputs, &next, &output)?;
        let names = match self.has(HAS_ACTION_NAMES) {
            true => self.names(
                self.sections.action_names,
                actions,
                self.header.action_bytes,
            )?,
            false => Vec::new(),
        };
        let initial = u32::try_from(initial).unwrap_or(u32::MAX);
        let machine = MooreMachine::from_checked(actions as u32, outputs as u32, next, output)
            .with_meaning(meaning)
            .with_initial(StateId::new(initial))?;
        Ok(match names.is_empty() {
            true => machine,
            false => machine.with_action_names(names)?,
        })
    }

    /// Checks the checksum, and that all successors and outputs exist, in one pass over the file.
    fn check_tables(
        &self,
        next: &[StateId],
        output: &[OutputId],
        outputs: usize,
    ) -> Result<(), Wrong> {
        let (summed, checksum) = self.bytes.split_at(self.bytes.len() - CHECKSUM_BYTES);
        let mut hasher = Xxh3::new();
        let mut at = 0;
        let mut worst_next = StateId::new(0);
        let mut worst_output = OutputId::new(0);
        let mut largest = |bytes: Range<usize>| {
            worst_next = worst_next.max(largest_in(next, self.sections.next, &bytes));
            worst_output = worst_output.max(largest_in(output, self.sections.output, &bytes));
        };
        for chunk in summed.chunks(CHUNK_BYTES) {
            hasher.write(chunk);
            largest(at..at + chunk.len());
            at += chunk.len();
        }
        if hasher.finish().to_le_bytes() != checksum {
            return Err(
                "is damaged: its checksum is not that of its content; convert it again"
                    .to_owned()
                    .into(),
            );
        }
        let states = output.len();
        if worst_next.index() >= states {
            let entry = next.iter().position(|target| target.index() >= states);
            let entry = entry.unwrap_or_default();
            let actions = next.len() / states;
            return Err(SystemError::TargetOutOfRange {
                state: entry / actions,
                action: entry % actions,
                target: i128::from(next[entry].get()),
                states,
            }
            .into());
        }
        if worst_output.index() >= outputs {
            return Err(format!("gives a state output {worst_output}, but has {outputs}").into());
        }
        let mut present = vec![false; outputs];
        for id in output {
            present[id.index()] = true;
        }
        match present.iter().position(|&present| !present) {
            Some(missing) => Err(SystemError::OutputGap {
                missing,
                used: outputs - 1,
            }
            .into()),
            None => Ok(()),
        }
    }

    fn meaning(
        &self,
        outputs: usize,
        next: &[StateId],
        output: &[OutputId],
    ) -> Result<OutputMeaning, Wrong> {
        let mut meaning = OutputMeaning::default();
        if self.has(HAS_VALUES) {
            let width = self.header.width as usize;
            let count = outputs.saturating_mul(width);
            let values: Vec<f64> = self
                .elements(self.sections.values, count, u64::from_le)?
                .map(f64::from_bits)
                .collect();
            if let Some(entry) = values.iter().position(|value| value.is_nan()) {
                return Err(format!("has NaN as the value of output {}", entry / width).into());
            }
            meaning.values = Some(Vectors { width, values });
        }
        if self.has(HAS_ENABLED) {
            let actions = self.header.actions;
            let sets = self.sets(self.sections.enabled, outputs, self.header.enabled, actions)?;
            let enabled = Sets {
                bounds: sets.bounds,
                members: sets.members.into_iter().map(ActionId::new).collect(),
            };
            check_disabled(&enabled, next, output)?;
            meaning.enabled = Some(enabled);
        }
        if self.has(HAS_LABELS) {
            let (labels, members) = (self.header.labels, self.header.label_members);
            let sets = self.sets(self.sections.labels, outputs, members, labels)?;
            let names = self.names(
                self.sections.label_names,
                labels as usize,
                self.header.label_bytes,
            )?;
            meaning.labels = Some(Labels { names, sets });
        }
        check_distinct(&meaning, outputs)?;
        Ok(meaning)
    }

    fn has(&self, what: u32) -> bool {
        self.header.known & what != 0
    }

    fn table<T: Pod>(
        &self,
        start: u64,
        count: usize,
        swap: fn(T) -> T,
    ) -> Result<IdSlice<T>, Wrong> {
        let table = IdSlice::in_file(&self.bytes, start as usize, count, swap);
        table.ok_or_else(out_of_place)
    }

    /// Copies elements out of the file.
    fn elements<T: Pod>(
        &self,
        start: u64,
        count: usize,
        from_le: fn(T) -> T,
    ) -> Result<impl Iterator<Item = T>, Wrong> {
        let start = start as usize;
        let bytes = count
            .checked_mul(size_of::<T>())
            .and_then(|length| self.bytes.get(start..start.checked_add(length)?));
        let elements = bytes.and_then(|bytes| bytemuck::try_cast_slice::<u8, T>(bytes).ok());
        Ok(elements
            .ok_or_else(out_of_place)?
            .iter()
            .copied()
            .map(from_le))
    }

    /// Reads bounds, which must ascend from 0 to `total`.
    fn bounds(&self, start: u64, sets: usize, total: u64) -> Result<Vec<usize>, Wrong> {
        let bounds: Vec<usize> = self
            .elements(start, sets.saturating_add(1), u64::from_le)?
            .map(|bound| bound as usize)
            .collect();
        let ends = bounds.first() == Some(&0) && bounds.last() == Some(&(total as usize));
        if !ends || !bounds.is_sorted() {
            return Err("has bounds of sets or names that do not ascend"
                .to_owned()
                .into());
        }
        Ok(bounds)
    }

    fn sets(&self, start: u64, sets: usize, total: u64, ids: u64) -> Result<Sets<u32>, Wrong> {
        let bounds = self.bounds(start, sets, total)?;
        let start = start + size_of_val(&bounds[..]) as u64;
        let members: Vec<u32> = self
            .elements(start, total as usize, u32::from_le)?
            .collect();
        let sets = Sets { bounds, members };
        let is_set = |set: &[u32]| {
            set.is_sorted_by(|a, b| a < b) && set.last().is_none_or(|&id| u64::from(id) < ids)
        };
        let mut all = sets
            .bounds
            .windows(2)
            .map(|ends| &sets.members[ends[0]..ends[1]]);
        match all.position(|set| !is_set(set)) {
            Some(output) => Err(format!(
                "has a set of actions or labels that do not ascend, or do not exist, for output {output}"
            )
            .into()),
            None => Ok(sets),
        }
    }

    fn names(&self, start: u64, count: usize, total: u64) -> Result<Vec<String>, Wrong> {
        let bounds = self.bounds(start, count, total)?;
        let start = start as usize + size_of_val(&bounds[..]);
        let text = start
            .checked_add(total as usize)
            .and_then(|end| self.bytes.get(start..end))
            .ok_or_else(out_of_place)?;
        let name = |ends: &[usize]| str::from_utf8(&text[ends[0]..ends[1]]).map(str::to_owned);
        let names: Result<_, _> = bounds.windows(2).map(name).collect();
        names.map_err(|_| "has a name that is not valid UTF-8".to_owned().into())
    }
}

fn out_of_place() -> Wrong {
    "has a section beyond its end".to_owned().into()
}

fn swap_state(id: StateId) -> StateId {
    StateId::new(id.get().swap_bytes())
}

fn swap_output(id: OutputId) -> OutputId {
    OutputId::new(id.get().swap_bytes())
}

/// Returns the largest of the elements that begin within `bytes`, in a table that begins at byte
/// `start`.
fn largest_in<T: Copy + Ord + Default>(table: &[T], start: u64, bytes: &Range<usize>) -> T {
    let entry = |byte: usize| byte.saturating_sub(start as usize).div_ceil(size_of::<T>());
    let (from, to) = (entry(bytes.start), entry(bytes.end).min(table.len()));
    let within = table.get(from..to).unwrap_or_default();
    within.iter().copied().max().unwrap_or_default()
}
