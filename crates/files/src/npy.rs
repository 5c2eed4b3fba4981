//! Reads and writes single arrays: `.npy` files, and the entries of `.npz` archives.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use half::f16;

use crate::array::{Array, Dtype, Values, for_each_dtype};
use crate::atomic::{self, write_atomically};
use crate::error::{ArrayProblem, FileError};
use crate::header::{NpyHeader, fill};

/// Size of the conversion buffer in bytes, a multiple of every value's size.
const BUFFER_BYTES: usize = 1 << 16;

/// Reads a `.npy` file as `numpy.save` writes it.
///
/// Memory: the values once, or twice while a Fortran-ordered array is brought into C order.
///
/// # Errors
/// A [`FileError`] that says what is wrong with the file.
pub fn read_npy(path: impl AsRef<Path>) -> Result<Array, FileError> {
    let path = path.as_ref();
    let (file, length) = atomic::open(path)?;
    let in_array = |problem| match problem {
        ArrayProblem::Io(source) => FileError::from_io(path, source),
        problem => FileError::in_array(path, None, problem),
    };
    read_array(&mut BufReader::with_capacity(BUFFER_BYTES, file), length).map_err(in_array)
}

/// Writes a `.npy` file (format 1.0, little-endian, C order) atomically.
///
/// # Errors
/// [`FileError::Array`] if the shape does not match the values, otherwise the error of the file
/// system.
pub fn write_npy(path: impl AsRef<Path>, array: &Array) -> Result<(), FileError> {
    let path = path.as_ref();
    array
        .check()
        .map_err(|problem| FileError::in_array(path, None, problem))?;
    let header = NpyHeader::bytes(array.dtype(), &array.shape)
        .map_err(|problem| FileError::in_array(path, None, problem))?;
    write_atomically(path, |writer| {
        writer.write_all(&header)?;
        write_values(writer, &array.values)
    })
}

/// Decodes the bytes of a `.npy` file.
///
/// # Errors
/// The problems that [`read_npy`] reports, without a path.
pub fn decode_npy(mut bytes: &[u8]) -> Result<Array, ArrayProblem> {
    let length = bytes.len() as u64;
    read_array(&mut bytes, length)
}

/// Encodes an array as the bytes of a `.npy` file (format 1.0, little-endian, C order).
///
/// # Errors
/// [`ArrayProblem::ShapeMismatch`] if the shape does not match the values.
pub fn encode_npy(array: &Array) -> Result<Vec<u8>, ArrayProblem> {
    array.check()?;
    let mut bytes = NpyHeader::bytes(array.dtype(), &array.shape)?;
    write_values(&mut bytes, &array.values)?;
    Ok(bytes)
}

/// Reads one array that must take up all of `reader`, which yields at most `available` bytes.
pub(crate) fn read_array(reader: &mut impl Read, available: u64) -> Result<Array, ArrayProblem> {
    let (header, header_bytes) = NpyHeader::read(reader)?;
    let available = available.saturating_sub(header_bytes as u64);
    let values = read_values(reader, &header, available)?;
    // Reading one byte more also makes an archive verify its checksum.
    if fill(reader, &mut [0])? != 0 {
        return Err(ArrayProblem::TrailingBytes);
    }
    let values = if header.fortran_order {
        to_c_order(values, &header.shape)
    } else {
        values
    };
    Array::new(header.shape, values)
}

mod sealed {
    /// Conversion between a value and its bytes on disk.
    pub trait Bytes: Copy + Default {
        /// Decodes the value in the first bytes of `bytes`.
        fn decode(bytes: &[u8], big_endian: bool) -> Self;
        fn encode(self, bytes: &mut Vec<u8>);
    }
}
use sealed::Bytes;

/// A type that arrays can hold: those of [`Dtype`], and no others.
pub trait Element: Bytes {
    /// The type as NumPy's dtype.
    const DTYPE: Dtype;
}

macro_rules! elements {
    ($(($variant:ident, $type:ty, $code:literal, $name:literal),)*) => {
        $(impl Element for $type {
            const DTYPE: Dtype = Dtype::$variant;
        })*
    };
}
for_each_dtype!(elements);

macro_rules! element_of_number {
    ($($type:ty)*) => {$(impl Bytes for $type {
        fn decode(bytes: &[u8], big_endian: bool) -> Self {
            let Some(bytes) = bytes.first_chunk() else { return Self::default() };
            if big_endian { Self::from_be_bytes(*bytes) } else { Self::from_le_bytes(*bytes) }
        }
        fn encode(self, bytes: &mut Vec<u8>) {
            bytes.extend_from_slice(&self.to_le_bytes());
        }
    })*};
}
element_of_number!(u8 i8 u16 i16 u32 i32 u64 i64 f16 f32 f64);

impl Bytes for bool {
    fn decode(bytes: &[u8], _: bool) -> Self {
        bytes.first().is_some_and(|&byte| byte != 0)
    }
    fn encode(self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(self));
    }
}

fn read_values(
    reader: &mut impl Read,
    header: &NpyHeader,
    available: u64,
) -> Result<Values, ArrayProblem> {
    macro_rules! by_dtype {
        ($(($variant:ident, $type:ty, $code:literal, $name:literal),)*) => {
            match header.dtype {
                $(Dtype::$variant => Values::$variant(read_elements(reader, header, available)?),)*
            }
        };
    }
    Ok(for_each_dtype!(by_dtype))
}

fn read_elements<T: Bytes>(
    reader: &mut impl Read,
    header: &NpyHeader,
    available: u64,
) -> Result<Vec<T>, ArrayProblem> {
    let size = header.dtype.bytes();
    let expected = header
        .count()
        .map_or(u64::MAX, |count| (count * size) as u64);
    let truncated = |found| ArrayProblem::Truncated {
        shape: header.shape.clone(),
        dtype: header.dtype,
        expected,
        found,
    };
    // Checked before anything is reserved: a header's claim alone must not cost memory.
    let count = match header.count() {
        Some(count) if expected <= available => count,
        _ => return Err(truncated(available)),
    };
    let mut values: Vec<T> = Vec::new();
    if values.try_reserve_exact(count).is_err() {
        return Err(ArrayProblem::OutOfMemory { bytes: expected });
    }
    let mut buffer = vec![0_u8; BUFFER_BYTES.min(count * size)];
    while values.len() < count {
        let wanted = buffer.len().min((count - values.len()) * size);
        let chunk = &mut buffer[..wanted];
        let got = fill(reader, chunk)?;
        if got < wanted {
            return Err(truncated((values.len() * size + got) as u64));
        }
        if header.dtype == Dtype::Bool
            && let Some(bad) = chunk.iter().position(|&byte| byte > 1)
        {
            return Err(ArrayProblem::BadBool {
                index: values.len() + bad,
                found: chunk[bad],
            });
        }
        values.extend(
            chunk
                .chunks_exact(size)
                .map(|bytes| T::decode(bytes, header.big_endian)),
        );
    }
    Ok(values)
}

/// Writes the values, little-endian, in their order in memory.
fn write_values<W: Write + ?Sized>(writer: &mut W, values: &Values) -> std::io::Result<()> {
    macro_rules! by_dtype {
        ($(($variant:ident, $type:ty, $code:literal, $name:literal),)*) => {
            match values { $(Values::$variant(values) => write_elements(writer, values),)* }
        };
    }
    for_each_dtype!(by_dtype)
}

pub(crate) fn write_elements<T: Bytes, W: Write + ?Sized>(
    writer: &mut W,
    values: &[T],
) -> std::io::Result<()> {
    let per_chunk = BUFFER_BYTES / size_of::<T>();
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    for chunk in values.chunks(per_chunk) {
        buffer.clear();
        chunk.iter().for_each(|value| value.encode(&mut buffer));
        writer.write_all(&buffer)?;
    }
    Ok(())
}

fn to_c_order(values: Values, shape: &[usize]) -> Values {
    macro_rules! by_dtype {
        ($(($variant:ident, $type:ty, $code:literal, $name:literal),)*) => {
            match values { $(Values::$variant(values) => Values::$variant(transpose(values, shape)),)* }
        };
    }
    for_each_dtype!(by_dtype)
}

/// Reorders values whose FIRST axis varies fastest so that the last one does.
fn transpose<T: Copy>(values: Vec<T>, shape: &[usize]) -> Vec<T> {
    if shape.len() < 2 || values.len() < 2 {
        return values;
    }
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &length in shape {
        strides.push(stride);
        stride *= length;
    }
    let mut reordered = Vec::with_capacity(values.len());
    let mut index = vec![0_usize; shape.len()];
    let mut from = 0;
    for _ in 0..values.len() {
        reordered.push(values[from]);
        // Counts like an odometer: the last axis turns first.
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    reordered
}

/// Reads the type and the shape from the header.
pub(crate) fn describe(file: &mut impl Read) -> Result<(Dtype, Vec<usize>), ArrayProblem> {
    let (header, _) = NpyHeader::read(file)?;
    Ok((header.dtype, header.shape))
}

/// Returns the type and the shape of a `.npy` file, without reading its values.
///
/// # Errors
/// The errors of [`read_npy`], except those about the values.
pub fn describe_npy(path: impl AsRef<Path>) -> Result<(Dtype, Vec<usize>), FileError> {
    let path = path.as_ref();
    let (mut file, _): (File, u64) = atomic::open(path)?;
    describe(&mut file).map_err(|problem| match problem {
        ArrayProblem::Io(source) => FileError::from_io(path, source),
        problem => FileError::in_array(path, None, problem),
    })
}
