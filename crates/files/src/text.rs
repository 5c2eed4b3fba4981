//! Reads and writes lists of strings: NumPy's text types, `U` (UTF-32) and `S` (bytes).

use std::io::Read;

use crate::error::ArrayProblem;
use crate::header::{RawHeader, encode_header, fill};

/// Type of the strings of an array: all take the same number of bytes, padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
struct TextType {
    encoding: Encoding,
    /// Bytes of one string; at least 1.
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    /// Four bytes for each character, in either byte order.
    Utf32 { big_endian: bool },
    /// Bytes, taken as UTF-8.
    Bytes,
}

impl TextType {
    /// Parses a type such as `<U5` or `|S8`.
    fn parse(descr: &str) -> Result<Self, ArrayProblem> {
        let not_text = || ArrayProblem::NotText {
            found: descr.escape_default().to_string(),
        };
        let code = descr.trim_start_matches(['<', '>', '|', '=']);
        let (encoding, width) = if let Some(width) = code.strip_prefix('U') {
            let big_endian = match descr.chars().next() {
                Some('<') => false,
                Some('>') => true,
                // "Whatever machine wrote it" cannot be read with certainty.
                _ => return Err(not_text()),
            };
            (Encoding::Utf32 { big_endian }, width)
        } else {
            let width = code.strip_prefix('S').or_else(|| code.strip_prefix('a'));
            (Encoding::Bytes, width.ok_or_else(not_text)?)
        };
        let width: usize = width.parse().map_err(|_| not_text())?;
        let per_character = match encoding {
            Encoding::Utf32 { .. } => 4,
            Encoding::Bytes => 1,
        };
        match width.checked_mul(per_character) {
            Some(bytes) if bytes > 0 => Ok(Self { encoding, bytes }),
            _ => Err(not_text()),
        }
    }

    fn decode(self, bytes: &[u8]) -> Result<String, String> {
        match self.encoding {
            Encoding::Utf32 { big_endian } => {
                let (units, _) = bytes.as_chunks();
                let unit = |&unit: &[u8; 4]| match big_endian {
                    true => u32::from_be_bytes(unit),
                    false => u32::from_le_bytes(unit),
                };
                let end = units.iter().rposition(|it| unit(it) != 0);
                units[..end.map_or(0, |last| last + 1)]
                    .iter()
                    .map(|it| {
                        let unit = unit(it);
                        char::from_u32(unit).ok_or(format!("{unit:#x} is no character"))
                    })
                    .collect()
            }
            Encoding::Bytes => {
                let end = bytes.iter().rposition(|&byte| byte != 0);
                let bytes = &bytes[..end.map_or(0, |last| last + 1)];
                let text = std::str::from_utf8(bytes);
                Ok(text.map_err(|error| error.to_string())?.to_owned())
            }
        }
    }
}

/// Reads a header of text. Returns the type, the number of strings, and the bytes of the header.
fn read_header(reader: &mut impl Read) -> Result<(TextType, usize, usize), ArrayProblem> {
    let (header, header_bytes) = RawHeader::read(reader)?;
    let text = TextType::parse(&header.descr)?;
    match header.shape[..] {
        [length] => Ok((text, length, header_bytes)),
        _ => Err(ArrayProblem::BadText {
            reason: format!(
                "its shape is {:?}, but a list of strings is expected",
                header.shape
            ),
        }),
    }
}

/// Reads the number of strings from the header.
pub(crate) fn describe(reader: &mut impl Read) -> Result<usize, ArrayProblem> {
    read_header(reader).map(|(_, length, _)| length)
}

/// Reads at most `most` strings that must take up all of `reader`, which yields at most `available`
/// bytes.
pub(crate) fn read_strings(
    reader: &mut impl Read,
    available: u64,
    most: usize,
) -> Result<Vec<String>, ArrayProblem> {
    let bad = |reason| ArrayProblem::BadText { reason };
    let (text, length, header_bytes) = read_header(reader)?;
    if length > most {
        return Err(bad(format!("{length} strings, but {most} are the most")));
    }
    let available = available.saturating_sub(header_bytes as u64);
    let expected = (length as u64).saturating_mul(text.bytes as u64);
    let truncated = || {
        bad(format!(
            "{length} strings of {} bytes each are not there; write the file again",
            text.bytes
        ))
    };
    // Checked before anything is reserved: a header's claim alone must not cost memory.
    if expected > available {
        return Err(truncated());
    }
    let mut strings = Vec::with_capacity(length);
    let mut buffer = Vec::new();
    if length > 0 {
        if buffer.try_reserve_exact(text.bytes).is_err() {
            return Err(ArrayProblem::OutOfMemory { bytes: expected });
        }
        buffer.resize(text.bytes, 0_u8);
    }
    for index in 0..length {
        if fill(reader, &mut buffer)? < buffer.len() {
            return Err(truncated());
        }
        let string = text.decode(&buffer);
        strings.push(string.map_err(|reason| bad(format!("string {index}: {reason}")))?);
    }
    // Reading one byte more also makes an archive verify its checksum.
    if fill(reader, &mut [0])? != 0 {
        return Err(ArrayProblem::TrailingBytes);
    }
    Ok(strings)
}

/// Encodes strings as the bytes of a `.npy` file of NumPy's type `U`.
pub(crate) fn encode_strings(strings: &[String]) -> Result<Vec<u8>, ArrayProblem> {
    let width = strings.iter().map(|string| string.chars().count()).max();
    let width = width.unwrap_or(0).max(1);
    if let Some(index) = strings.iter().position(|string| string.contains('\0')) {
        // NumPy pads with zeros, so one at the end would not come back.
        return Err(ArrayProblem::BadText {
            reason: format!("string {index} holds a zero character; leave it out"),
        });
    }
    let mut bytes = encode_header(&format!("<U{width}"), &[strings.len()])?;
    for string in strings {
        let units = string.chars().map(u32::from).chain(std::iter::repeat(0));
        bytes.extend(units.take(width).flat_map(u32::to_le_bytes));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, shape: &[usize], values: &[u8]) -> Vec<u8> {
        [encode_header(descr, shape).unwrap().as_slice(), values].concat()
    }

    fn read(bytes: &[u8]) -> Result<Vec<String>, ArrayProblem> {
        read_strings(&mut &bytes[..], bytes.len() as u64, 4)
    }

    #[test]
    fn strings_come_back_as_they_were_written() {
        for strings in [
            &[][..],
            &[""],
            &["up", "down"],
            &["", "left", "\u{2190}\u{1f3c3}"],
        ] {
            let strings: Vec<String> = strings.iter().map(|&it| it.to_owned()).collect();
            let bytes = encode_strings(&strings).unwrap();
            assert_eq!(read(&bytes).unwrap(), strings);
            assert_eq!(describe(&mut &bytes[..]).unwrap(), strings.len());
        }
    }

    #[test]
    fn both_types_and_either_byte_order_are_read() {
        let bytes = file(">U2", &[2], b"\0\0\0u\0\0\0p\0\0\0a\0\0\0\0");
        assert_eq!(read(&bytes).unwrap(), ["up", "a"]);
        for descr in ["|S3", "S3", "a3"] {
            let bytes = file(descr, &[2], b"up\0\xc3\xa9\0");
            assert_eq!(read(&bytes).unwrap(), ["up", "\u{e9}"]);
        }
    }

    #[test]
    fn bad_text_says_what_is_wrong() {
        let cases = [
            (file("<f4", &[1], &[0; 4]), "dtype=str"),
            (file("|O", &[1], &[0; 4]), "dtype=str"),
            (file("U2", &[1], &[0; 8]), "dtype=str"),
            (file("<U0", &[1], &[]), "dtype=str"),
            (file("<U", &[1], &[]), "dtype=str"),
            (file("<U99999999999999999999", &[1], &[]), "dtype=str"),
            (file("<U9223372036854775807", &[1], &[]), "dtype=str"),
            (file("<U1", &[], &[0; 4]), "list of strings"),
            (file("<U1", &[1, 1], &[0; 4]), "list of strings"),
            (file("<U1", &[5], &[0; 20]), "4 are the most"),
            (file("<U1", &[2], &[0; 7]), "not there"),
            (file("|S4000000000000", &[4], &[0; 7]), "not there"),
            (file("<U1", &[1], &[0; 5]), "bytes follow"),
            (file("<U1", &[1], b"\0\xd8\0\0"), "0xd800 is no character"),
            (file("|S1", &[1], b"\xff"), "string 0: invalid utf-8"),
        ];
        for (bytes, part) in cases {
            let message = read(&bytes).unwrap_err().to_string();
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(encode_strings(&["a\0".to_owned()]).is_err());
    }

    #[test]
    fn a_claim_of_long_strings_without_any_costs_no_memory() {
        assert!(
            read(&file("|S4000000000000", &[0], &[]))
                .unwrap()
                .is_empty()
        );
    }
}
