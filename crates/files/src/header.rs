//! Reads and writes the header of a `.npy` file: magic, version, and a Python dictionary of three
//! keys.
//!
//! Source: NumPy Enhancement Proposal 1 and `numpy.lib.format`. The dictionary has a fixed form, so
//! a reader of just that form is shorter, and easier to bound, than a parser of Python literals.

use std::io::Read;

use crate::array::{Dtype, element_count};
use crate::error::ArrayProblem;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header in bytes. Real ones take 64 or 128; NumPy itself refuses more than 10 000.
const MAX_HEADER_BYTES: usize = 10_000;
/// Largest number of axes, NumPy's own limit.
const MAX_AXES: usize = 64;

/// Header as written: the type is not interpreted yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawHeader {
    /// NumPy's description of the type, such as `<f4`.
    pub(crate) descr: String,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<usize>,
}

/// Parsed header: type, byte order, axis order and shape of the values that follow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NpyHeader {
    pub(crate) dtype: Dtype,
    pub(crate) big_endian: bool,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<usize>,
}

impl NpyHeader {
    /// Returns the number of values; `None` if their bytes exceed the address space.
    pub(crate) fn count(&self) -> Option<usize> {
        let count = element_count(&self.shape)?;
        count
            .checked_mul(self.dtype.bytes())
            .filter(|&bytes| isize::try_from(bytes).is_ok())?;
        Some(count)
    }

    /// Reads a header, leaving `reader` at the first value. Also returns the length of the header
    /// in bytes.
    pub(crate) fn read(reader: &mut impl Read) -> Result<(Self, usize), ArrayProblem> {
        let (header, bytes) = RawHeader::read(reader)?;
        Ok((Self::of(header)?, bytes))
    }

    fn of(header: RawHeader) -> Result<Self, ArrayProblem> {
        let (dtype, big_endian) = dtype(&header.descr)?;
        Ok(Self {
            dtype,
            big_endian,
            fortran_order: header.fortran_order,
            shape: header.shape,
        })
    }

    /// Encodes a header of version 1.0, padded so that the values start at a multiple of 64, as
    /// NumPy does.
    pub(crate) fn bytes(dtype: Dtype, shape: &[usize]) -> Result<Vec<u8>, ArrayProblem> {
        let order = if dtype.bytes() == 1 { '|' } else { '<' };
        encode_header(&format!("{order}{}", dtype.code()), shape)
    }
}

impl RawHeader {
    /// Reads a header, leaving `reader` at the first value. Also returns the length of the header
    /// in bytes.
    pub(crate) fn read(reader: &mut impl Read) -> Result<(Self, usize), ArrayProblem> {
        let mut start = [0_u8; 8];
        let got = fill(reader, &mut start)?;
        if got < start.len() || &start[..6] != MAGIC {
            return Err(not_npy(&start[..got]));
        }
        let (length, prefix) = match start[6] {
            1 => {
                let mut length = [0_u8; 2];
                fill_header(reader, &mut length)?;
                (usize::from(u16::from_le_bytes(length)), 10)
            }
            2 | 3 => {
                let mut length = [0_u8; 4];
                fill_header(reader, &mut length)?;
                (
                    usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX),
                    12,
                )
            }
            version => {
                return Err(bad(format!(
                    "version {version} is unknown; 1, 2 and 3 are read"
                )));
            }
        };
        if length > MAX_HEADER_BYTES {
            return Err(bad(format!(
                "it claims {length} bytes, more than {MAX_HEADER_BYTES}"
            )));
        }
        let mut text = vec![0_u8; length];
        fill_header(reader, &mut text)?;
        Ok((Parser { text: &text, at: 0 }.header()?, prefix + length))
    }
}

/// Encodes a header of version 1.0 with a type such as `<f4`, padded so that the values start at a
/// multiple of 64.
pub(crate) fn encode_header(descr: &str, shape: &[usize]) -> Result<Vec<u8>, ArrayProblem> {
    if shape.len() > MAX_AXES {
        return Err(bad(format!(
            "{} axes, but {MAX_AXES} are the most",
            shape.len()
        )));
    }
    let shape = match shape {
        [length] => format!("({length},)"),
        _ => {
            let lengths: Vec<_> = shape.iter().map(usize::to_string).collect();
            format!("({})", lengths.join(", "))
        }
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let unpadded = MAGIC.len() + 4 + text.len() + 1;
    let padding = unpadded.next_multiple_of(64) - unpadded;
    text.extend(std::iter::repeat_n(' ', padding));
    text.push('\n');
    // 64 axes of 20 digits stay far below 65 536.
    let length = u16::try_from(text.len()).map_err(|_| bad("it is too long".to_owned()))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    Ok(bytes)
}

/// Fills `buffer` as far as the input reaches, and returns the number of bytes filled.
pub(crate) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn fill_header(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), ArrayProblem> {
    let got = fill(reader, buffer)?;
    if got == buffer.len() {
        return Ok(());
    }
    Err(bad(format!(
        "it ends after {got} of {} bytes; write the file again",
        buffer.len()
    )))
}

fn bad(reason: String) -> ArrayProblem {
    ArrayProblem::BadHeader { reason }
}

fn not_npy(start: &[u8]) -> ArrayProblem {
    let reason = if start.is_empty() {
        "the file is empty".to_owned()
    } else if start.starts_with(b"PK") {
        "it is a zip archive; if it is an .npz file, read it as one".to_owned()
    } else {
        format!("it starts with the bytes {start:02x?}")
    };
    ArrayProblem::NotNpy { reason }
}

/// Parser of the dictionary `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn header(mut self) -> Result<RawHeader, ArrayProblem> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while self.peek() != Some(b'}') {
            let key = self.string()?;
            self.expect(b':')?;
            let repeated = match key.as_str() {
                "descr" => descr.replace(self.descr()?).is_some(),
                "fortran_order" => fortran_order.replace(self.boolean()?).is_some(),
                "shape" => shape.replace(self.shape()?).is_some(),
                _ => return Err(bad(format!("unknown key `{}`", key.escape_default()))),
            };
            if repeated {
                return Err(bad(format!("the key `{key}` is there twice")));
            }
            if !self.skip(b',') {
                break;
            }
        }
        self.expect(b'}')?;
        if self.peek().is_some() {
            return Err(bad("text follows the dictionary".to_owned()));
        }
        let missing = |key| bad(format!("the key `{key}` is missing"));
        let descr = descr.ok_or_else(|| missing("descr"))?;
        let fortran_order = fortran_order.ok_or_else(|| missing("fortran_order"))?;
        let shape = shape.ok_or_else(|| missing("shape"))?;
        Ok(RawHeader {
            descr,
            fortran_order,
            shape,
        })
    }

    fn descr(&mut self) -> Result<String, ArrayProblem> {
        match self.peek() {
            Some(b'\'' | b'"') => self.string(),
            _ => Err(ArrayProblem::UnsupportedDtype {
                found: "a structured type".to_owned(),
                hint: "save each field as an array of its own",
            }),
        }
    }

    fn string(&mut self) -> Result<String, ArrayProblem> {
        let Some(quote @ (b'\'' | b'"')) = self.peek() else {
            return Err(self.unexpected("a quoted string"));
        };
        let rest = &self.text[self.at + 1..];
        let Some(length) = rest.iter().position(|&byte| byte == quote) else {
            return Err(bad("a quoted string does not end".to_owned()));
        };
        self.at += length + 2;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn boolean(&mut self) -> Result<bool, ArrayProblem> {
        self.peek();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("True or False"))
    }

    fn shape(&mut self) -> Result<Vec<usize>, ArrayProblem> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while self.peek() != Some(b')') {
            if shape.len() == MAX_AXES {
                return Err(bad(format!("more than {MAX_AXES} axes")));
            }
            shape.push(self.length()?);
            if !self.skip(b',') {
                break;
            }
        }
        self.expect(b')')?;
        Ok(shape)
    }

    fn length(&mut self) -> Result<usize, ArrayProblem> {
        self.peek();
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&rest[..digits]).unwrap_or_default();
        let Ok(length) = number.parse() else {
            return Err(self.unexpected("the length of an axis, 0 or more,"));
        };
        self.at += digits;
        self.skip(b'L'); // written by Python 2
        Ok(length)
    }

    /// Returns the next byte that is not blank, without consuming it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), ArrayProblem> {
        if self.skip(byte) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{}`", char::from(byte))))
    }

    fn unexpected(&self, expected: &str) -> ArrayProblem {
        let end = self.text.len().min(self.at + 16);
        let found = String::from_utf8_lossy(&self.text[self.at..end]);
        bad(format!(
            "{expected} is expected where it says `{}`",
            found.escape_default()
        ))
    }
}

/// Parses a type such as `<f4`. Returns it, and whether the bytes are big-endian.
fn dtype(descr: &str) -> Result<(Dtype, bool), ArrayProblem> {
    let (order, code) = match descr.chars().next() {
        Some(order @ ('<' | '>' | '|' | '=')) => (order, &descr[1..]),
        _ => ('|', descr),
    };
    let unsupported = |hint| ArrayProblem::UnsupportedDtype {
        found: descr.escape_default().to_string(),
        hint,
    };
    let hint = match code.chars().next() {
        Some('f') => "save it with .astype('float64')",
        Some('V') => "NumPy saves bfloat16 as raw bytes; save it with .astype('float32')",
        Some('c') => "save its real and imaginary parts as float arrays",
        Some('O') => "objects are pickled Python; save it as a numeric array",
        Some('U' | 'S' | 'a') => "text has no numeric meaning; save ids instead",
        Some('M' | 'm') => "save times as int64 or float64",
        _ => "save it as bool, an integer type, float16, float32 or float64",
    };
    let dtype = Dtype::from_code(code).ok_or_else(|| unsupported(hint))?;
    // Wider values without a stated byte order ("whatever machine wrote it") cannot be read with
    // certainty.
    if dtype.bytes() > 1 && !matches!(order, '<' | '>') {
        return Err(unsupported(
            "its byte order is not stated; save it again with numpy.save",
        ));
    }
    Ok((dtype, order == '>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NpyHeader, ArrayProblem> {
        Parser {
            text: text.as_bytes(),
            at: 0,
        }
        .header()
        .and_then(NpyHeader::of)
    }

    #[test]
    fn every_written_header_is_read_back() {
        for dtype in [Dtype::Bool, Dtype::I8, Dtype::U16, Dtype::I64, Dtype::F32] {
            for shape in [
                vec![],
                vec![0],
                vec![7],
                vec![3, 0, 2],
                vec![usize::MAX; 64],
            ] {
                let bytes = NpyHeader::bytes(dtype, &shape).unwrap();
                assert_eq!(bytes.len() % 64, 0);
                let (header, length) = NpyHeader::read(&mut bytes.as_slice()).unwrap();
                assert_eq!(length, bytes.len());
                let expected = NpyHeader {
                    dtype,
                    big_endian: false,
                    fortran_order: false,
                    shape,
                };
                assert_eq!(header, expected);
            }
        }
    }

    #[test]
    fn old_and_odd_spellings_are_read() {
        let header = parse("{\"shape\":(3L,),'fortran_order':True,'descr':'>i8'}").unwrap();
        assert_eq!(header.shape, [3]);
        assert!(header.fortran_order && header.big_endian);
    }

    #[test]
    fn damaged_headers_say_what_is_wrong() {
        let cases = [
            ("", "`{` is expected"),
            (
                "{'descr': '<f4', 'fortran_order': False, }",
                "`shape` is missing",
            ),
            ("{'descr': '<f4', 'descr': '<f4'}", "twice"),
            ("{'descr': '<f4', 'fortran_order': 0}", "True or False"),
            ("{'shape': (-1,)}", "length of an axis"),
            ("{'shape': (99999999999999999999999,)}", "length of an axis"),
            ("{'shape': (1", "`)` is expected"),
            ("{'sha", "does not end"),
            ("{'color': 1}", "unknown key `color`"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
                "text follows",
            ),
            (
                "{'descr': '<f16', 'fortran_order': False, 'shape': ()}",
                "astype('float64')",
            ),
            (
                "{'descr': '|V2', 'fortran_order': False, 'shape': ()}",
                "astype('float32')",
            ),
            (
                "{'descr': '<c8', 'fortran_order': False, 'shape': ()}",
                "real and imaginary parts",
            ),
            (
                "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': ()}",
                "save times as int64",
            ),
            (
                "{'descr': '=f2', 'fortran_order': False, 'shape': ()}",
                "byte order",
            ),
            (
                "{'descr': '|O', 'fortran_order': False, 'shape': ()}",
                "pickled",
            ),
            (
                "{'descr': 'f4', 'fortran_order': False, 'shape': ()}",
                "byte order",
            ),
            (
                "{'descr': '', 'fortran_order': False, 'shape': ()}",
                "not supported",
            ),
            (
                "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': ()}",
                "structured",
            ),
        ];
        for (text, part) in cases {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
