//! Layout of `.tsys` files, whose tables have the layout of memory.
//!
//! All numbers are little-endian. The header takes 128 bytes, and each section begins at a multiple
//! of 64 bytes and is padded with zeros. The last eight bytes are the XXH3 checksum of all bytes
//! before them (64 bits, seed 0).
//!
//! | bytes | header |
//! | --- | --- |
//! | 0..8 | `\x89TSYS\r\n\n`: not text, and any conversion of line ends damages it |
//! | 8..12 | version, 1 |
//! | 12..16 | sum: 1 values of outputs, 2 enabled actions, 4 labels of states, 8 names of actions |
//! | 16..112 | twelve counts of 64 bits: see [`TsysHeader`] |
//! | 112..128 | zero |
//!
//! | section | elements | there if |
//! | --- | --- | --- |
//! | successors | u32 `[states, actions]` | always |
//! | outputs | u32 `[states]`, numbered without gaps | always |
//! | values | f64 `[outputs, width]` | 1 |
//! | enabled actions | u64 bounds `[outputs + 1]`, then u32 actions, ascending in each set | 2 |
//! | labels | u64 bounds `[outputs + 1]`, then u32 label numbers, ascending in each set | 4 |
//! | names of labels | u64 bounds `[labels + 1]` in bytes, then UTF-8 | 4 |
//! | names of actions | u64 bounds `[actions + 1]` in bytes, then UTF-8 | 8 |

use std::ops::Range;

/// First bytes of a `.tsys` file.
pub(crate) const MAGIC: [u8; 8] = *b"\x89TSYS\r\n\n";
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEADER_BYTES: usize = 128;
pub(crate) const CHECKSUM_BYTES: usize = 8;
const ALIGNMENT: u64 = 64;

pub(crate) const HAS_VALUES: u32 = 1;
pub(crate) const HAS_ENABLED: u32 = 2;
pub(crate) const HAS_LABELS: u32 = 4;
pub(crate) const HAS_ACTION_NAMES: u32 = 8;
const HAS_ALL: u32 = 15;

/// The header after magic and version; a count that belongs to an absent section is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TsysHeader {
    pub(crate) known: u32,
    /// Length of the file in bytes.
    pub(crate) bytes: u64,
    pub(crate) states: u64,
    pub(crate) actions: u64,
    pub(crate) outputs: u64,
    pub(crate) initial: u64,
    /// Number of elements of the value of an output.
    pub(crate) width: u64,
    /// Number of enabled actions, over all sets.
    pub(crate) enabled: u64,
    /// Number of distinct labels.
    pub(crate) labels: u64,
    /// Number of labels, over all sets.
    pub(crate) label_members: u64,
    pub(crate) label_bytes: u64,
    pub(crate) action_bytes: u64,
}

/// Positions of the sections, in the order of the file; `end` is that of the checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sections {
    pub(crate) next: u64,
    pub(crate) output: u64,
    pub(crate) values: u64,
    pub(crate) enabled: u64,
    pub(crate) labels: u64,
    pub(crate) label_names: u64,
    pub(crate) action_names: u64,
    pub(crate) end: u64,
    /// Ranges between the sections.
    pub(crate) padding: [Range<u64>; 7],
}

impl TsysHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.known.to_le_bytes());
        let counts = self.counts();
        for (field, count) in bytes[16..].chunks_exact_mut(8).zip(counts) {
            field.copy_from_slice(&count.to_le_bytes());
        }
        bytes
    }

    /// Decodes a header.
    ///
    /// # Errors
    /// The problem of the header, for a message about the file.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, String> {
        if bytes[..8] != MAGIC {
            return Err("does not begin as a .tsys file does".to_owned());
        }
        let word = |at: usize| {
            bytes[at..]
                .first_chunk()
                .map_or(0, |b| u32::from_le_bytes(*b))
        };
        if word(8) != VERSION {
            return Err(format!(
                "is of version {} of the format, this program reads version {VERSION}; convert it \
                 again with the program that wrote it, or update this one",
                word(8)
            ));
        }
        let long = |at: usize| {
            bytes[at..]
                .first_chunk()
                .map_or(0, |b| u64::from_le_bytes(*b))
        };
        let [
            bytes,
            states,
            actions,
            outputs,
            initial,
            width,
            enabled,
            labels,
            members,
            label_bytes,
            action_bytes,
            unused,
        ] = std::array::from_fn(|count| long(16 + 8 * count));
        let header = Self {
            known: word(12),
            bytes,
            states,
            actions,
            outputs,
            initial,
            width,
            enabled,
            labels,
            label_members: members,
            label_bytes,
            action_bytes,
        };
        let absent = [
            (HAS_VALUES, width),
            (HAS_ENABLED, enabled),
            (HAS_LABELS, labels | members | label_bytes),
            (HAS_ACTION_NAMES, action_bytes),
        ];
        let is_odd = absent
            .iter()
            .any(|&(what, count)| header.known & what == 0 && count != 0);
        let unused = unused | long(112) | long(120);
        if is_odd || header.known & !HAS_ALL != 0 || unused != 0 {
            return Err("has a header that this version does not know".to_owned());
        }
        Ok(header)
    }

    fn counts(&self) -> [u64; 11] {
        [
            self.bytes,
            self.states,
            self.actions,
            self.outputs,
            self.initial,
            self.width,
            self.enabled,
            self.labels,
            self.label_members,
            self.label_bytes,
            self.action_bytes,
        ]
    }

    /// Computes the positions of the sections; `None` if they are beyond 64 bits.
    pub(crate) fn sections(&self) -> Option<Sections> {
        let has = |what| self.known & what != 0;
        let bounds = |sets: u64| sets.checked_add(1)?.checked_mul(8);
        // Length of `sets + 1` bounds of 8 bytes and `count` elements of `size` bytes.
        let ragged = |what, sets, count: u64, size| match has(what) {
            true => bounds(sets)?.checked_add(count.checked_mul(size)?),
            false => Some(0),
        };
        let lengths = [
            self.states.checked_mul(self.actions)?.checked_mul(4)?,
            self.states.checked_mul(4)?,
            match has(HAS_VALUES) {
                true => self.outputs.checked_mul(self.width)?.checked_mul(8)?,
                false => 0,
            },
            ragged(HAS_ENABLED, self.outputs, self.enabled, 4)?,
            ragged(HAS_LABELS, self.outputs, self.label_members, 4)?,
            ragged(HAS_LABELS, self.labels, self.label_bytes, 1)?,
            ragged(HAS_ACTION_NAMES, self.actions, self.action_bytes, 1)?,
        ];
        let mut starts = [HEADER_BYTES as u64; 8];
        let mut padding = [const { 0..0 }; 7];
        for (section, length) in lengths.into_iter().enumerate() {
            let end = starts[section].checked_add(length)?;
            starts[section + 1] = end.checked_next_multiple_of(ALIGNMENT)?;
            padding[section] = end..starts[section + 1];
        }
        let [
            next,
            output,
            values,
            enabled,
            labels,
            label_names,
            action_names,
            end,
        ] = starts;
        Some(Sections {
            next,
            output,
            values,
            enabled,
            labels,
            label_names,
            action_names,
            end,
            padding,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back() {
        let header = TsysHeader {
            known: HAS_ALL,
            bytes: 1,
            states: 2,
            actions: 3,
            outputs: 4,
            initial: 5,
            width: 6,
            enabled: 7,
            labels: 8,
            label_members: 9,
            label_bytes: 10,
            action_bytes: u64::MAX,
        };
        assert_eq!(TsysHeader::decode(&header.encode()), Ok(header));
    }

    #[test]
    fn sections_are_aligned_and_lie_apart() {
        let header = TsysHeader {
            known: HAS_VALUES | HAS_ACTION_NAMES,
            states: 3,
            actions: 7,
            outputs: 2,
            width: 1,
            action_bytes: 5,
            ..TsysHeader::default()
        };
        let found = header.sections().unwrap();
        let expected = Sections {
            next: 128,
            output: 128 + 128,
            values: 256 + 64,
            enabled: 320 + 64,
            labels: 384,
            label_names: 384,
            action_names: 384,
            end: 384 + 128,
            padding: [
                212..256,
                268..320,
                336..384,
                384..384,
                384..384,
                384..384,
                453..512,
            ],
        };
        assert_eq!(found, expected);
        let huge = TsysHeader {
            states: u64::MAX / 8,
            ..header
        };
        assert_eq!(huge.sections(), None);
    }
}
