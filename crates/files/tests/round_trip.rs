//! Tests that written arrays are read back bit for bit.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use proptest::prelude::*;
use tellapart_files::{
    Archive, ArchiveWriter, Array, Values, decode_npy, encode_npy, f16, read_npy, write_npy,
};

fn values(count: usize) -> impl Strategy<Value = Values> {
    let n = count;
    prop_oneof![
        prop::collection::vec(any::<bool>(), n).prop_map(Values::from),
        prop::collection::vec(any::<u8>(), n).prop_map(Values::from),
        prop::collection::vec(any::<i8>(), n).prop_map(Values::from),
        prop::collection::vec(any::<u16>(), n).prop_map(Values::from),
        prop::collection::vec(any::<i16>(), n).prop_map(Values::from),
        prop::collection::vec(any::<u32>(), n).prop_map(Values::from),
        prop::collection::vec(any::<i32>(), n).prop_map(Values::from),
        prop::collection::vec(any::<u64>(), n).prop_map(Values::from),
        prop::collection::vec(any::<i64>(), n).prop_map(Values::from),
        prop::collection::vec(any::<u16>().prop_map(f16::from_bits), n).prop_map(Values::from),
        prop::collection::vec(any::<u32>().prop_map(f32::from_bits), n).prop_map(Values::from),
        prop::collection::vec(any::<u64>().prop_map(f64::from_bits), n).prop_map(Values::from),
    ]
}

fn array() -> impl Strategy<Value = Array> {
    prop::collection::vec(0_usize..5, 0..4).prop_flat_map(|shape| {
        let count = shape.iter().product();
        values(count).prop_map(move |values| Array::new(shape.clone(), values).unwrap())
    })
}

/// Compares arrays by their bytes, so that NaNs count as equal only if all their bits are.
fn same(a: &Array, b: &Array) -> bool {
    encode_npy(a).unwrap() == encode_npy(b).unwrap()
}

/// Encodes the array as a file in Fortran order by a slow reference implementation, index by index.
fn fortran_bytes(array: &Array) -> Vec<u8> {
    let bytes = encode_npy(array).unwrap();
    let size = array.dtype().bytes();
    let start = bytes.len() - array.values.len() * size;
    let (header, data) = bytes.split_at(start);
    let header = String::from_utf8_lossy(&header[10..]).replace("False", "True ");
    let mut out = bytes[..10].to_vec();
    out.extend_from_slice(header.as_bytes());
    for position in 0..array.values.len() {
        // Takes the digits of `position`, first axis fastest, and recombines them with the last
        // axis fastest.
        let (mut rest, mut index, mut stride) = (position, 0, array.values.len());
        for &length in &array.shape {
            stride /= length;
            index += rest % length * stride;
            rest /= length;
        }
        out.extend_from_slice(&data[index * size..][..size]);
    }
    out
}

/// Turns a file into one of the other byte order, value by value.
fn big_endian_bytes(array: &Array) -> Vec<u8> {
    let bytes = encode_npy(array).unwrap();
    let size = array.dtype().bytes();
    let (header, data) = bytes.split_at(bytes.len() - array.values.len() * size);
    let mut out = header.to_vec();
    if size > 1 {
        let order = out.iter().position(|&byte| byte == b'<').unwrap();
        out[order] = b'>';
    }
    out.extend(data.chunks(size).flat_map(|value| value.iter().rev()));
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_of_an_array(array in array()) {
        prop_assert!(same(&decode_npy(&encode_npy(&array).unwrap()).unwrap(), &array));
    }

    #[test]
    fn fortran_order(array in array()) {
        prop_assert!(same(&decode_npy(&fortran_bytes(&array)).unwrap(), &array));
    }

    #[test]
    fn either_byte_order(array in array()) {
        prop_assert!(same(&decode_npy(&big_endian_bytes(&array)).unwrap(), &array));
    }

    #[test]
    fn conversions_keep_what_they_can_hold(numbers in prop::collection::vec(any::<u32>(), 0..20)) {
        let wide = Values::I64(numbers.iter().map(|&n| i64::from(n)).collect());
        prop_assert_eq!(wide.into_u32().unwrap(), numbers);
    }
}

proptest! {
    // Few cases, since each one waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn files(arrays in prop::collection::vec(array(), 0..4)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let mut writer = ArchiveWriter::create(&path).unwrap();
        for (index, array) in arrays.iter().enumerate() {
            writer.add(&format!("array {index}"), array).unwrap();
            let single = folder.path().join("x.npy");
            write_npy(&single, array).unwrap();
            prop_assert!(same(&read_npy(&single).unwrap(), array));
        }
        writer.finish().unwrap();
        let mut archive = Archive::open(&path).unwrap();
        prop_assert_eq!(archive.names().len(), arrays.len());
        for (index, array) in arrays.iter().enumerate() {
            let name = format!("array {index}");
            let described = archive.describe(&name).unwrap();
            prop_assert_eq!(described, (array.dtype(), array.shape.clone()));
            prop_assert!(same(&archive.read(&name).unwrap(), array));
        }
    }
}

#[test]
fn the_same_arrays_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let array = Array::new(
        vec![1000],
        Values::F32((0..1000_u16).map(f32::from).collect()),
    )
    .unwrap();
    let mut files = Vec::new();
    for name in ["a.npz", "b.npz"] {
        let mut writer = ArchiveWriter::create(folder.path().join(name)).unwrap();
        writer.add("x", &array).unwrap();
        writer.finish().unwrap();
        files.push(std::fs::read(folder.path().join(name)).unwrap());
    }
    assert_eq!(files[0], files[1]);
}

/// The value of a half float by its definition: sign, exponent and fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match bits >> 10 & 0x1f {
        0 => fraction * 2.0_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction) * 2.0_f64.powi(i32::from(exponent) - 15),
    }
}

#[test]
fn every_half_float_is_written_as_it_was_read_and_converted_exactly() {
    let all = || Values::F16((0..=u16::MAX).map(f16::from_bits).collect());
    let array = Array::new(vec![1 << 16], all()).unwrap();
    assert!(same(
        &decode_npy(&encode_npy(&array).unwrap()).unwrap(),
        &array
    ));
    let (wide, narrow) = (all().into_f64(), all().into_f32().unwrap());
    for bits in 0..=u16::MAX {
        let expected = half(bits);
        for found in [
            wide[usize::from(bits)],
            f64::from(narrow[usize::from(bits)]),
        ] {
            let is_nan = expected.is_nan() && found.is_nan();
            assert!(
                is_nan || found.to_bits() == expected.to_bits(),
                "{bits:#06x}: {found}"
            );
        }
    }
    assert!(Values::F16(vec![f16::ONE]).into_u32().is_err());
}

#[test]
fn conversions_refuse_what_would_be_lost() {
    let message = Values::I64(vec![3, -1]).into_u32().unwrap_err().to_string();
    assert!(
        message.starts_with("value 1 is -1 (int64), but a whole number from 0"),
        "{message}"
    );
    assert!(Values::F64(vec![1.0]).into_u32().is_err());
    assert!(
        Values::F64(vec![1e300])
            .into_f32()
            .unwrap_err()
            .to_string()
            .contains("float32")
    );
    assert_eq!(
        Values::F64(vec![f64::INFINITY]).into_f32().unwrap(),
        [f32::INFINITY]
    );
}
