//! Tests that files written by NumPy 2.4.6 (`tests/data/make.py`) are read as NumPy reads them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic fails the test, as it should"
)]

use std::path::PathBuf;

use tellapart_files::{Archive, Array, Dtype, Values, describe_npy, encode_npy, f16, read_npy};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

#[test]
fn fortran_order_becomes_c_order() {
    let array = read_npy(data("fortran_f32.npy")).unwrap();
    let expected = (0..24_u8).map(f32::from).collect();
    assert_eq!(
        array,
        Array::new(vec![2, 3, 4], Values::F32(expected)).unwrap()
    );
}

#[test]
fn big_endian_values_are_swapped() {
    let array = read_npy(data("big_endian_i8.npy")).unwrap();
    let expected = Values::I64(vec![1, -2, 3, -(1 << 60)]);
    assert_eq!(array, Array::new(vec![2, 2], expected).unwrap());
}

#[test]
fn half_floats_are_read_in_either_byte_order() {
    let values = [0.0, 1.0, 2.0].map(f16::from_f32).to_vec();
    let expected = Array::new(vec![3], Values::F16(values)).unwrap();
    assert_eq!(read_npy(data("half.npy")).unwrap(), expected);
    // The smallest number above zero and the greatest one, among others, in Fortran order.
    let values = [1.5, -(2.0_f32.powi(-24)), f32::INFINITY, 65_504.0].map(f16::from_f32);
    let expected = Array::new(vec![2, 2], Values::F16(values.to_vec())).unwrap();
    assert_eq!(read_npy(data("big_endian_half.npy")).unwrap(), expected);
}

#[test]
fn single_values_and_empty_arrays_keep_their_shape() {
    let scalar = read_npy(data("scalar_f8.npy")).unwrap();
    assert_eq!(scalar, Array::new(vec![], Values::F64(vec![2.5])).unwrap());
    let empty = read_npy(data("empty_u2.npy")).unwrap();
    assert_eq!(empty, Array::new(vec![0, 3], Values::U16(vec![])).unwrap());
    let described = describe_npy(data("empty_u2.npy")).unwrap();
    assert_eq!(described, (Dtype::U16, vec![0, 3]));
}

#[test]
fn all_versions_of_the_format_are_read() {
    for name in ["version2_f4.npy", "version3_f4.npy"] {
        let array = read_npy(data(name)).unwrap();
        assert_eq!(
            array,
            Array::new(vec![3], Values::F32(vec![0.0, 1.0, 2.0])).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn unsupported_types_say_how_to_convert() {
    let cases = [
        ("complex.npy", "real and imaginary parts"),
        ("long_double.npy", "astype('float64')"),
        ("times.npy", "save times as int64"),
        ("objects.npy", "pickled"),
        ("text.npy", "text has no numeric meaning"),
        ("structured.npy", "each field"),
    ];
    for (name, part) in cases {
        let message = read_npy(data(name)).unwrap_err().to_string();
        assert!(
            message.contains(name) && message.contains(part),
            "{message}"
        );
    }
}

#[test]
fn archives_of_both_kinds_hold_every_type() {
    for file in ["savez.npz", "savez_compressed.npz"] {
        let mut archive = Archive::open(data(file)).unwrap();
        let names = archive.names().to_vec();
        assert_eq!(
            names.join(" "),
            "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64"
        );
        for name in &names {
            let (dtype, shape) = archive.describe(name).unwrap();
            assert_eq!((&dtype.to_string(), shape), (name, vec![2]));
        }
        let mut read = |name| archive.read(name).unwrap().values;
        assert_eq!(read("bool"), Values::Bool(vec![true, false]));
        assert_eq!(read("uint8"), Values::U8(vec![0, 255]));
        assert_eq!(read("int8"), Values::I8(vec![-128, 127]));
        assert_eq!(read("uint16"), Values::U16(vec![0, 65_535]));
        assert_eq!(read("int16"), Values::I16(vec![-32_768, 1]));
        assert_eq!(read("uint32"), Values::U32(vec![0, u32::MAX]));
        assert_eq!(read("int32"), Values::I32(vec![i32::MIN, 1]));
        assert_eq!(read("uint64"), Values::U64(vec![0, u64::MAX]));
        assert_eq!(read("int64"), Values::I64(vec![i64::MIN, 1]));
        let Values::F32(floats) = read("float32") else {
            panic!("float32")
        };
        assert!(floats[0] == 1.5 && floats[1].is_nan());
        let Values::F64(floats) = read("float64") else {
            panic!("float64")
        };
        assert!(floats[0].is_sign_negative() && floats[1] == f64::INFINITY);
    }
}

/// Written bytes equal NumPy's, byte for byte.
#[test]
fn written_bytes_are_numpys() {
    for name in ["scalar_f8.npy", "empty_u2.npy", "half.npy"] {
        let bytes = std::fs::read(data(name)).unwrap();
        assert_eq!(
            encode_npy(&read_npy(data(name)).unwrap()).unwrap(),
            bytes,
            "{name}"
        );
    }
}
