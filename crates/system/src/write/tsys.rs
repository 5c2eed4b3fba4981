//! Writes the binary format `.tsys`, whose tables have the layout of memory.

use std::hash::Hasher as _;
use std::io::{self, Write};
use std::path::Path;

use tellapart_files::write_atomically;
use twox_hash::xxhash3_64::Hasher as Xxh3;

use crate::meaning::{OutputMeaning, Sets};
use crate::tsys::{
    CHECKSUM_BYTES, HAS_ACTION_NAMES, HAS_ENABLED, HAS_LABELS, HAS_VALUES, TsysHeader,
};
use crate::{MooreMachine, SystemError};

/// Writes the binary format of tellapart (`.tsys`), which [`crate::read::tsys`] opens without
/// parsing.
///
/// Only the tolerance of outputs is lost ([`MooreMachine::output_tolerance`]). Takes
/// `4 * states * (actions + 1)` bytes, and the known data of outputs and actions. The same machine
/// gives the same bytes.
///
/// # Errors
/// A file that cannot be written; then the file at `path` is untouched.
pub fn tsys(machine: &MooreMachine, path: impl AsRef<Path>) -> Result<(), SystemError> {
    Ok(write_atomically(path.as_ref(), |file| {
        tsys_to(machine, file)
    })?)
}

/// Writes the format of [`tsys`] to any writer.
///
/// # Errors
/// The error of the writer, or a file that would exceed 2^64 bytes.
pub fn tsys_to(machine: &MooreMachine, writer: &mut dyn Write) -> io::Result<()> {
    let too_large = || io::Error::other("the file would be larger than 2^64 bytes");
    let mut header = header(machine);
    let sections = header.sections().ok_or_else(too_large)?;
    header.bytes = sections.end + CHECKSUM_BYTES as u64;

    let mut out = Summed {
        writer,
        hasher: Xxh3::new(),
        position: 0,
    };
    out.write(&header.encode())?;
    out.elements(sections.next, machine.next_table(), |id| {
        id.get().to_le_bytes()
    })?;
    out.elements(sections.output, machine.output_table(), |id| {
        id.get().to_le_bytes()
    })?;
    let OutputMeaning {
        values,
        enabled,
        labels,
        tolerance: _,
    } = machine.meaning();
    if let Some(vectors) = values {
        out.elements(sections.values, &vectors.values, |value| {
            value.to_le_bytes()
        })?;
    }
    if let Some(sets) = enabled {
        out.sets(sections.enabled, sets, |action| action.get())?;
    }
    if let Some(labels) = labels {
        out.sets(sections.labels, &labels.sets, |&label| label)?;
        out.names(sections.label_names, &labels.names)?;
    }
    if !machine.action_names().is_empty() {
        out.names(sections.action_names, machine.action_names())?;
    }
    out.pad_to(sections.end)?;
    let checksum = out.hasher.finish();
    out.writer.write_all(&checksum.to_le_bytes())
}

fn header(machine: &MooreMachine) -> TsysHeader {
    let text_bytes = |names: &[String]| names.iter().map(|name| name.len() as u64).sum();
    let mut header = TsysHeader {
        states: machine.states() as u64,
        actions: machine.actions() as u64,
        outputs: machine.outputs() as u64,
        initial: u64::from(machine.initial().get()),
        ..TsysHeader::default()
    };
    let OutputMeaning {
        values,
        enabled,
        labels,
        tolerance: _,
    } = machine.meaning();
    if let Some(vectors) = values {
        header.known |= HAS_VALUES;
        header.width = vectors.width as u64;
    }
    if let Some(sets) = enabled {
        header.known |= HAS_ENABLED;
        header.enabled = sets.members.len() as u64;
    }
    if let Some(labels) = labels {
        header.known |= HAS_LABELS;
        header.labels = labels.names.len() as u64;
        header.label_members = labels.sets.members.len() as u64;
        header.label_bytes = text_bytes(&labels.names);
    }
    if !machine.action_names().is_empty() {
        header.known |= HAS_ACTION_NAMES;
        header.action_bytes = text_bytes(machine.action_names());
    }
    header
}

/// Writes bytes, counts them and adds them to the checksum.
struct Summed<'w> {
    writer: &'w mut dyn Write,
    hasher: Xxh3,
    position: u64,
}

impl Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.write(bytes);
        self.position += bytes.len() as u64;
        self.writer.write_all(bytes)
    }

    fn pad_to(&mut self, start: u64) -> io::Result<()> {
        let zeros = [0; 64];
        let missing = start.saturating_sub(self.position) as usize;
        self.write(&zeros[..missing.min(zeros.len())])
    }

    fn elements<T, const N: usize>(
        &mut self,
        start: u64,
        elements: &[T],
        encode: impl Fn(&T) -> [u8; N],
    ) -> io::Result<()> {
        self.pad_to(start)?;
        let mut buffer = Vec::with_capacity(1 << 16);
        for chunk in elements.chunks((1 << 16) / N) {
            buffer.clear();
            buffer.extend(chunk.iter().flat_map(&encode));
            self.write(&buffer)?;
        }
        Ok(())
    }

    fn sets<T>(&mut self, start: u64, sets: &Sets<T>, id: impl Fn(&T) -> u32) -> io::Result<()> {
        self.elements(start, &sets.bounds, |&bound| (bound as u64).to_le_bytes())?;
        self.elements(0, &sets.members, |member| id(member).to_le_bytes())
    }

    fn names(&mut self, start: u64, names: &[String]) -> io::Result<()> {
        let mut bounds = vec![0_u64];
        bounds.extend(names.iter().scan(0, |end, name| {
            *end += name.len() as u64;
            Some(*end)
        }));
        self.elements(start, &bounds, |bound| bound.to_le_bytes())?;
        names
            .iter()
            .try_for_each(|name| self.write(name.as_bytes()))
    }
}
