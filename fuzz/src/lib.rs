//! What several targets share: archives that reach the readers whatever the bytes are.

use std::io::{Cursor, Write};

use tellapart_files::Archive;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Types that a short member may have: all that are read, and some that are refused.
const TYPES: [&str; 24] = [
    "|b1", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8", ">u2",
    ">i4", ">i8", ">u8", ">f2", ">f4", ">f8", "<U3", ">U2", "|S4", "<c8", "|O",
];

/// Most bytes of values that a short member gets without holding them.
const FILL: usize = 1 << 12;

/// Opens the bytes as an archive. Without the `PK` of a zip they are chunks, of which an archive is
/// made: mutated bytes of a zip hardly ever keep their checksums.
///
/// A chunk is a byte that chooses a name, two bytes of length, and that many bytes of a member. A
/// member is a `.npy` file, or short for one (see [`npy`]). The upper three bits of the first byte
/// say by 7 that the member is deflated: rarely, because that takes far longer than all else.
pub fn archive(bytes: &[u8], names: &[&str]) -> Option<Archive> {
    if bytes.starts_with(b"PK") {
        return Archive::from_bytes("fuzz.npz", bytes.to_vec()).ok();
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(2 * bytes.len() + 256)));
    let mut rest = bytes;
    while let [choice, low, high, after @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (member, left) = after.split_at(length);
        rest = left;
        let name = names[usize::from(choice & 0x1f) % names.len()];
        let method = match choice >> 5 {
            7 => CompressionMethod::Deflated,
            _ => CompressionMethod::Stored,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        // A name that is there already is refused.
        if zip.start_file(format!("{name}.npy"), options).is_ok() {
            zip.write_all(&npy(member)).ok()?;
        }
    }
    let bytes = zip.finish().ok()?.into_inner();
    Archive::from_bytes("fuzz.npz", bytes).ok()
}

/// Returns the `.npy` file that a member is or stands for. A short one has a byte for the type, one
/// for the number of axes (two bits) and their order (the next), and one for the length of each
/// axis. The rest are values: cut off, or filled up by repetition, to as many as the shape says.
fn npy(member: &[u8]) -> Vec<u8> {
    let [dtype, axes, rest @ ..] = member else {
        return member.to_vec();
    };
    if *dtype == 0x93 || rest.len() < usize::from(axes & 3) {
        return member.to_vec();
    }
    let code = TYPES[usize::from(*dtype) % TYPES.len()];
    let (lengths, values) = rest.split_at(usize::from(axes & 3));
    let order = if axes & 4 == 0 { "False" } else { "True" };
    let mut shape = String::new();
    for length in lengths {
        shape.push_str(&format!("{length},"));
    }
    let text = format!("{{'descr':'{code}','fortran_order':{order},'shape':({shape})}}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    let size: usize = code[2..].parse().unwrap_or(1) * if code.contains('U') { 4 } else { 1 };
    let wanted = lengths.iter().fold(size, |n, &of| n * usize::from(of));
    // The next bit leaves the values as they are.
    if axes & 8 != 0 || values.is_empty() || wanted > FILL {
        bytes.extend(values);
    } else {
        bytes.extend(values.iter().cycle().take(wanted));
    }
    bytes
}
