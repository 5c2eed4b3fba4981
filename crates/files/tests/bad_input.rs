//! Tests of bad files: each gives an error that names the file, without a panic or huge memory.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tellapart_files::{
    Archive, ArchiveWriter, Array, ArrayProblem, FileError, PendingFile, Values, decode_npy,
    encode_npy, read_npy, write_atomically, write_npy,
};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs the whole reader over hostile bytes. It must not panic; the results do not matter.
fn read_everything(bytes: &[u8]) {
    let _ = decode_npy(bytes);
    if let Ok(mut archive) = Archive::from_bytes("memory.npz", bytes.to_vec()) {
        for name in archive.names().to_vec() {
            let _ = archive.describe(&name);
            let _ = archive.read(&name);
            let _ = archive.describe_strings(&name);
            let _ = archive.read_strings(&name, 100);
        }
    }
}

#[test]
fn missing_files_and_folders_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no.npy");
    assert!(matches!(
        read_npy(&missing),
        Err(FileError::NotFound { .. })
    ));
    assert!(matches!(
        Archive::open(&missing),
        Err(FileError::NotFound { .. })
    ));
    assert!(matches!(
        read_npy(folder.path()),
        Err(FileError::IsDirectory { .. })
    ));
    assert!(matches!(
        Archive::open(folder.path()),
        Err(FileError::IsDirectory { .. })
    ));
    assert!(matches!(
        ArchiveWriter::create(folder.path()),
        Err(FileError::IsDirectory { .. })
    ));
    let nowhere = folder.path().join("no-folder").join("x.npz");
    assert!(matches!(
        ArchiveWriter::create(nowhere),
        Err(FileError::NotFound { .. })
    ));
    #[cfg(unix)]
    assert!(matches!(
        read_npy("/dev/null"),
        Err(FileError::NotAFile { .. })
    ));
    #[cfg(unix)]
    assert!(matches!(
        ArchiveWriter::create("/dev/null"),
        Err(FileError::NotAFile { .. })
    ));
}

#[test]
fn the_wrong_kind_of_file_is_recognized() {
    let message = read_npy(data("savez.npz")).unwrap_err().to_string();
    assert!(message.contains("zip archive"), "{message}");
    let message = Archive::open(data("half.npy")).unwrap_err().to_string();
    assert!(message.contains("single array"), "{message}");
    let message = Archive::from_bytes("x", b"hello".to_vec())
        .unwrap_err()
        .to_string();
    assert!(message.contains("not a readable .npz"), "{message}");
    let message = Archive::from_bytes("x", Vec::new())
        .unwrap_err()
        .to_string();
    assert!(message.contains("empty"), "{message}");
    assert!(decode_npy(b"").unwrap_err().to_string().contains("empty"));
}

#[test]
fn a_missing_array_lists_those_present() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let mut writer = ArchiveWriter::create(&path).unwrap();
    for name in ["next", "output"] {
        writer
            .add(name, &Array::new(vec![1], Values::U8(vec![0])).unwrap())
            .unwrap();
    }
    writer.finish().unwrap();
    let message = Archive::open(&path)
        .unwrap()
        .read("nxt")
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("has no array `nxt`; it has `next`, `output`"),
        "{message}"
    );
}

#[test]
fn claims_beyond_the_file_are_refused_before_memory_is_taken() {
    let shapes = [
        "(1152921504606846976,)",
        "(4294967296, 4294967296)",
        "(9223372036854775807,)",
        "(1000000,)",
    ];
    for shape in shapes {
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&[0; 512]);
        let error = decode_npy(&bytes).unwrap_err();
        assert!(
            matches!(error, ArrayProblem::Truncated { found: 512, .. }),
            "{shape}: {error}"
        );
    }
    let header = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{";
    assert!(matches!(
        decode_npy(header),
        Err(ArrayProblem::BadHeader { .. })
    ));
}

/// The directory of an archive may claim any number of entries, too.
#[test]
fn a_directory_of_countless_entries_is_refused() {
    for claim in [1_u64 << 24, 1 << 40, u64::MAX / 64, u64::MAX] {
        for size in [46 * 4, 1 << 40, u64::MAX] {
            let mut bytes = b"PK\x03\x04".to_vec();
            bytes.resize(64, 0);
            let record = bytes.len() as u64;
            bytes.extend_from_slice(b"PK\x06\x06");
            bytes.extend_from_slice(&44_u64.to_le_bytes());
            bytes.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [claim, claim, size, claim] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            bytes.extend_from_slice(&record.to_le_bytes());
            bytes.extend_from_slice(&1_u32.to_le_bytes());
            bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
            bytes.extend_from_slice(&[255; 12]);
            bytes.extend_from_slice(&[0; 2]);
            assert!(
                Archive::from_bytes("x.npz", bytes).is_err(),
                "{claim} in {size} bytes"
            );
        }
    }
}

#[test]
fn every_truncation_of_an_array_is_an_error() {
    let whole = fs::read(data("fortran_f32.npy")).unwrap();
    assert!(decode_npy(&whole).is_ok());
    for length in 0..whole.len() {
        assert!(decode_npy(&whole[..length]).is_err(), "{length} bytes");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(matches!(
        decode_npy(&longer),
        Err(ArrayProblem::TrailingBytes)
    ));
}

#[test]
fn every_truncation_of_an_archive_is_an_error() {
    let whole = fs::read(data("savez_compressed.npz")).unwrap();
    for length in 0..whole.len() {
        let opened = Archive::from_bytes("x.npz", whole[..length].to_vec());
        assert!(opened.is_err(), "{length} bytes");
    }
}

#[test]
fn a_flipped_bit_in_stored_values_is_noticed() {
    let mut bytes = fs::read(data("savez.npz")).unwrap();
    // The two values of `uint32`: 0 and 2^32 - 1.
    let at = bytes
        .windows(8)
        .position(|w| w == [0, 0, 0, 0, 255, 255, 255, 255])
        .unwrap();
    bytes[at] ^= 1;
    let mut archive = Archive::from_bytes("x.npz", bytes).unwrap();
    let broken: Vec<_> = archive
        .names()
        .to_vec()
        .into_iter()
        .filter_map(|name| archive.read(&name).err())
        .map(|error| error.to_string())
        .collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert!(broken[0].starts_with("x.npz: array `uint"), "{broken:?}");
}

#[test]
fn bools_other_than_0_and_1_are_named() {
    let mut bytes = encode_npy(&Array::new(vec![3], Values::Bool(vec![true; 3])).unwrap()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] = 7;
    let error = decode_npy(&bytes).unwrap_err();
    assert!(
        matches!(error, ArrayProblem::BadBool { index: 2, found: 7 }),
        "{error}"
    );
}

#[test]
fn bad_arrays_and_names_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let wrong = Array {
        shape: vec![3],
        values: Values::U8(vec![1]),
    };
    let right = Array {
        shape: vec![1],
        values: Values::U8(vec![1]),
    };
    assert!(write_npy(folder.path().join("x.npy"), &wrong).is_err());
    let mut writer = ArchiveWriter::create(&path).unwrap();
    assert!(matches!(
        writer.add("a", &wrong),
        Err(FileError::Array { .. })
    ));
    writer.add("a", &right).unwrap();
    for name in ["a", "", "a/b"] {
        assert!(
            matches!(writer.add(name, &right), Err(FileError::BadName { .. })),
            "{name}"
        );
    }
    drop(writer);
    assert_eq!(files_in(folder.path()), [""; 0]);
}

#[test]
fn an_unfinished_writer_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    fs::write(&path, "old").unwrap();
    let mut writer = ArchiveWriter::create(&path).unwrap();
    writer
        .add("a", &Array::new(vec![1], Values::U8(vec![1])).unwrap())
        .unwrap();
    assert_eq!(files_in(folder.path()).len(), 2);
    drop(writer);
    assert_eq!(files_in(folder.path()), ["x.npz"]);
    assert_eq!(fs::read(&path).unwrap(), b"old");

    let failed = write_atomically(&path, |writer| {
        writer.write_all(b"new")?;
        Err(std::io::ErrorKind::StorageFull.into())
    });
    assert!(matches!(failed, Err(FileError::DiskFull { .. })));
    assert_eq!(files_in(folder.path()), ["x.npz"]);
    assert_eq!(fs::read(&path).unwrap(), b"old");

    write_atomically(&path, |writer| writer.write_all(b"new")).unwrap();
    assert_eq!(files_in(folder.path()), ["x.npz"]);
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    write_atomically(&link, |writer| writer.write_all(b"new")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), b"new");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

/// Of two members of one name, which one was meant?
#[test]
fn members_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.npz");
    let mut writer = ArchiveWriter::create(&path).unwrap();
    writer.add_slice("first", &[1], &[1_u8]).unwrap();
    writer.add_slice("later", &[1], &[2_u8]).unwrap();
    writer.finish().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    assert_eq!(
        Archive::from_bytes("x.npz", bytes.clone())
            .unwrap()
            .names()
            .len(),
        2
    );
    for at in 0..bytes.len() - 5 {
        if &bytes[at..at + 5] == b"later" {
            bytes[at..at + 5].copy_from_slice(b"first");
        }
    }
    let message = Archive::from_bytes("x.npz", bytes).unwrap_err().to_string();
    assert!(
        message.contains("two of its members have one name"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn a_pending_file_may_remove_what_it_replaces() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    let pending = PendingFile::write(&link, |writer| writer.write_all(b"new")).unwrap();
    assert_eq!(fs::read(&link).unwrap(), b"old");
    pending.remove_replaced().unwrap();
    pending.remove_replaced().unwrap();
    assert!(!file.exists());
    pending.finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), b"new");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
    // One that is given up leaves nothing.
    drop(PendingFile::write(&file, |writer| writer.write_all(b"newer")).unwrap());
    assert_eq!(files_in(folder.path()), ["file", "link"]);
    assert_eq!(fs::read(&file).unwrap(), b"new");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_everything(&bytes);
    }

    /// Damage to real files reaches deeper than random bytes do.
    #[test]
    fn damaged_files_never_panic(
        which in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let name = ["savez.npz", "savez_compressed.npz", "fortran_f32.npy", "structured.npy"][which];
        let mut bytes = fs::read(data(name)).unwrap();
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        read_everything(&bytes);
    }
}
