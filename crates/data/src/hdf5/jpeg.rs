//! Observations of a dataset: numbers as they are stored, or images that are stored as JPEG.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tellapart_files::{Array, Values};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::file::{File, Node, at};
use crate::error::DataError;

/// First bytes of every JPEG image.
const JPEG: [u8; 3] = [0xFF, 0xD8, 0xFF];

/// Reads observations. Images that are stored as JPEG become `[rows, height, width, channels]`.
///
/// Minari stores images as lists of bytes, and as a matrix of bytes where all have one length.
pub(super) fn read_observations(file: &File, node: &Node) -> Result<Array, DataError> {
    if node.is_list_of_bytes() {
        let lists = file.read_lists(node)?;
        return decode_all(file, node, lists.iter().map(Vec::as_slice));
    }
    let array = file.read(node)?;
    match (&array.values, array.shape.as_slice()) {
        (Values::U8(bytes), &[rows, width]) if rows > 0 && width > JPEG.len() => {
            if bytes.chunks_exact(width).all(|row| row.starts_with(&JPEG)) {
                return decode_all(file, node, bytes.chunks_exact(width));
            }
            Ok(array)
        }
        _ => Ok(array),
    }
}

fn decode_all<'a>(
    file: &File,
    node: &Node,
    images: impl Iterator<Item = &'a [u8]>,
) -> Result<Array, DataError> {
    let (mut rows, mut shape, mut values) = (0, None, Vec::new());
    for (row, image) in images.enumerate() {
        let wrong = |found: String, expected: String| DataError::Value {
            array: node.path.clone(),
            row,
            found,
            expected,
        };
        let charge = |bytes| file.charge(&node.path, bytes, true);
        let decoded = decode(image, charge)?;
        let (found, pixels) =
            decoded.map_err(|problem| wrong(problem, "a JPEG image".to_owned()))?;
        let first = *shape.get_or_insert(found);
        if found != first {
            return Err(wrong(
                format!("an image of {found:?}"),
                format!("{first:?}"),
            ));
        }
        values.extend(pixels);
        rows += 1;
    }
    let Some([height, width, channels]) = shape else {
        return Err(at(&node.path, "it has no rows"));
    };
    Ok(Array {
        shape: vec![rows, height, width, channels],
        values: values.into(),
    })
}

/// Height, width and channels of an image, and its pixels.
type Image = ([usize; 3], Vec<u8>);

/// Decodes an image. `charge` is asked for the bytes that this takes. The inner error says what is
/// there instead of an image.
fn decode(
    bytes: &[u8],
    charge: impl Fn(u64) -> Result<(), DataError>,
) -> Result<Result<Image, String>, DataError> {
    if !bytes.starts_with(&JPEG) {
        return Ok(Err(format!("{} bytes of something else", bytes.len())));
    }
    // Damaged images make the decoder multiply too large numbers. It wraps them around, or panics
    // in builds that check for overflow. Nothing of it is used again afterwards.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_or_panic(bytes, charge)));
    decoded.unwrap_or_else(|_| Ok(Err("a damaged image (its decoder panicked)".to_owned())))
}

fn decode_or_panic(
    bytes: &[u8],
    charge: impl Fn(u64) -> Result<(), DataError>,
) -> Result<Result<Image, String>, DataError> {
    let damaged = |problem: String| Ok(Err(format!("a damaged image ({problem})")));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options(ColorSpace::RGB));
    if let Err(error) = decoder.decode_headers() {
        return damaged(error.to_string());
    }
    let is_gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    if is_gray {
        decoder.set_options(options(ColorSpace::Luma));
    }
    let Some(info) = decoder.info() else {
        return damaged("it has no size".to_owned());
    };
    let channels = if is_gray { 1 } else { 3 };
    let shape = [info.height.into(), info.width.into(), channels];
    let length: usize = shape.iter().product();
    charge(length as u64)?;
    match decoder.decode() {
        Ok(pixels) if pixels.len() == length => Ok(Ok((shape, pixels))),
        Ok(pixels) => damaged(format!("{} values", pixels.len())),
        Err(error) => damaged(error.to_string()),
    }
}

/// A strict decoder refuses images with missing data, instead of filling them up.
fn options(colors: ColorSpace) -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(colors)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by fuzzing: values of a block times those of its table are beyond 32 bits.
    #[test]
    fn an_image_that_makes_the_decoder_panic_is_refused() {
        let image = include_bytes!("../../tests/files/overflow.jpg");
        let decoded = decode(image, |_| Ok(())).unwrap();
        // Without checks for overflow it is an image of noise.
        if cfg!(debug_assertions) {
            let problem = decoded.unwrap_err();
            assert!(problem.contains("its decoder panicked"), "{problem}");
        }
    }
}
