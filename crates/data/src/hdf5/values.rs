//! Values of HDF5 types as typed values in memory, and how columns are made of them.

use hdf5_reader::Datatype;
use hdf5_reader::messages::datatype::VarLenKind;
use tellapart_files::{Array, Dtype, Values};

/// Returns the type of the values, if they are numbers of a type that is supported. An enum of
/// `FALSE` and `TRUE` is a bool, as `h5py` writes it; any other is its numbers.
pub(super) fn dtype_of(datatype: &Datatype) -> Option<Dtype> {
    match datatype {
        Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
            (1, false) => Some(Dtype::U8),
            (1, true) => Some(Dtype::I8),
            (2, false) => Some(Dtype::U16),
            (2, true) => Some(Dtype::I16),
            (4, false) => Some(Dtype::U32),
            (4, true) => Some(Dtype::I32),
            (8, false) => Some(Dtype::U64),
            (8, true) => Some(Dtype::I64),
            _ => None,
        },
        Datatype::FloatingPoint { size: 2, .. } => Some(Dtype::F16),
        Datatype::FloatingPoint { size: 4, .. } => Some(Dtype::F32),
        Datatype::FloatingPoint { size: 8, .. } => Some(Dtype::F64),
        Datatype::Enum { base, members } => {
            let is_bool = members.len() == 2
                && ["FALSE", "TRUE"]
                    .iter()
                    .all(|name| members.iter().any(|member| member.name == *name));
            match dtype_of(base)? {
                Dtype::I8 | Dtype::U8 if is_bool => Some(Dtype::Bool),
                dtype => Some(dtype),
            }
        }
        _ => None,
    }
}

/// Whether the stored description of floats of 2 bytes is that of IEEE 754, with 5 bits of exponent
/// and 10 of mantissa. Others, such as bfloat16, have the same class and size.
pub(super) fn is_half(description: &[u8]) -> bool {
    // After class and size: offset and precision in bits (2 bytes each), place and size of exponent
    // and of mantissa (a byte each), and bias.
    let expected = [0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0];
    description.get(8..20) == Some(&expected)
}

/// Whether each value is a list of bytes, of any length.
pub(super) fn is_list_of_bytes(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::VarLen { base, kind, .. } => {
            *kind == VarLenKind::Sequence && dtype_of(base) == Some(Dtype::U8)
        }
        _ => false,
    }
}

/// Names a type, for messages.
pub(super) fn describe(datatype: &Datatype) -> String {
    if let Some(dtype) = dtype_of(datatype) {
        return dtype.to_string();
    }
    match datatype {
        Datatype::FixedPoint { size, .. } => format!("integers of {size} bytes"),
        Datatype::FloatingPoint { size, .. } => format!("floats of {size} bytes"),
        Datatype::String { .. } => "text".to_owned(),
        Datatype::VarLen { .. } if is_list_of_bytes(datatype) => "lists of bytes".to_owned(),
        Datatype::VarLen { kind, .. } => match kind {
            VarLenKind::String => "text".to_owned(),
            _ => "lists of various lengths".to_owned(),
        },
        Datatype::Compound { .. } => "structures of several fields".to_owned(),
        Datatype::Array { .. } => "small arrays".to_owned(),
        Datatype::Enum { .. } => "names of an enumeration".to_owned(),
        Datatype::Opaque { .. } => "opaque bytes".to_owned(),
        Datatype::Reference { .. } => "references".to_owned(),
        Datatype::Bitfield { .. } => "bits".to_owned(),
    }
}

/// Reads values from bytes in the order of this machine. The error is a byte that stands for a bool
/// and is neither 0 nor 1, with its position.
pub(super) fn decode(bytes: Vec<u8>, dtype: Dtype) -> Result<Values, (usize, u8)> {
    macro_rules! numbers {
        ($type:ty) => {{
            let (chunks, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
            let numbers = chunks.iter().map(|bytes| <$type>::from_ne_bytes(*bytes));
            numbers.collect::<Vec<$type>>().into()
        }};
    }
    Ok(match dtype {
        Dtype::Bool => {
            let flag = |(index, byte): (usize, u8)| match byte {
                0 | 1 => Ok(byte == 1),
                _ => Err((index, byte)),
            };
            let flags: Result<Vec<bool>, _> = bytes.into_iter().enumerate().map(flag).collect();
            flags?.into()
        }
        Dtype::U8 => bytes.into(),
        Dtype::I8 => numbers!(i8),
        Dtype::U16 => numbers!(u16),
        Dtype::I16 => numbers!(i16),
        Dtype::U32 => numbers!(u32),
        Dtype::I32 => numbers!(i32),
        Dtype::U64 => numbers!(u64),
        Dtype::I64 => numbers!(i64),
        Dtype::F16 => numbers!(half::f16),
        Dtype::F32 => numbers!(f32),
        Dtype::F64 => numbers!(f64),
    })
}

/// Appends the rows of an array to another. Returns false, and appends nothing, if their types or
/// the shapes of their rows differ.
pub(super) fn append(to: &mut Array, from: Array) -> bool {
    let (Some((rows, shape)), Some((more, other))) =
        (to.shape.split_first(), from.shape.split_first())
    else {
        return false;
    };
    if shape != other {
        return false;
    }
    let rows = rows + more;
    macro_rules! append {
        ($($variant:ident)*) => {
            match (&mut to.values, from.values) {
                $((Values::$variant(to), Values::$variant(from)) => to.extend(from),)*
                _ => return false,
            }
        };
    }
    append!(Bool U8 I8 U16 I16 U32 I32 U64 I64 F16 F32 F64);
    to.shape[0] = rows;
    true
}

/// Returns these rows of an array; zeros where there is none.
///
/// # Panics
/// If the array has no such row.
pub(super) fn rows_or_zeros(array: &Array, rows: &[Option<usize>]) -> Array {
    let width = array.shape.iter().skip(1).product();
    macro_rules! take {
        ($($variant:ident)*) => {
            match &array.values {
                $(Values::$variant(values) => take(values, width, rows).into(),)*
            }
        };
    }
    let mut shape = array.shape.clone();
    if let Some(first) = shape.first_mut() {
        *first = rows.len();
    }
    let values = take!(Bool U8 I8 U16 I16 U32 I32 U64 I64 F16 F32 F64);
    Array { shape, values }
}

fn take<T: Copy + Default>(values: &[T], width: usize, rows: &[Option<usize>]) -> Vec<T> {
    let mut taken = Vec::with_capacity(width * rows.len());
    for row in rows {
        match row {
            Some(row) => taken.extend_from_slice(&values[row * width..][..width]),
            None => taken.extend(std::iter::repeat_n(T::default(), width)),
        }
    }
    taken
}

/// Returns these rows of an array of numbers, as floats: NaN where there is none. `None` if a
/// number is not exact in `f64`.
///
/// # Panics
/// If the array has no such row.
pub(super) fn rows_or_nan(array: &Array, rows: &[Option<usize>]) -> Option<Array> {
    let width: usize = array.shape.iter().skip(1).product();
    let mut shape = array.shape.clone();
    *shape.first_mut()? = rows.len();
    let mut taken = Vec::with_capacity(width * rows.len());
    for row in rows {
        let Some(row) = row else {
            taken.extend(std::iter::repeat_n(f64::NAN, width));
            continue;
        };
        for at in row * width..(row + 1) * width {
            let value = array.values.number(at);
            if array
                .values
                .integer(at)
                .is_some_and(|exact| exact != value as i128)
            {
                return None;
            }
            taken.push(value);
        }
    }
    Some(Array {
        shape,
        values: taken.into(),
    })
}

/// Whether row `i` of one array is row `j` of another, of the same type and shape.
///
/// # Panics
/// If there is no such row.
pub(super) fn row_equals(a: &Array, i: usize, b: &Array, j: usize) -> bool {
    let width: usize = a.shape.iter().skip(1).product();
    macro_rules! equal {
        ($($variant:ident)*) => {
            match (&a.values, &b.values) {
                $((Values::$variant(a), Values::$variant(b)) => {
                    a[i * width..][..width] == b[j * width..][..width]
                })*
                _ => false,
            }
        };
    }
    equal!(Bool U8 I8 U16 I16 U32 I32 U64 I64 F16 F32 F64)
}
