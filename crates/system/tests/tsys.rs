//! Tests of the binary format: machines come back bit for bit, and nothing else is accepted.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::io::Cursor;
use std::path::Path;

use tellapart_files::FileBytes;
use tellapart_system::read::{self, tsys_bytes};
use tellapart_system::{MooreMachine, SystemError, generate, write};
use twox_hash::XxHash3_64;

fn bytes_of(machine: &MooreMachine) -> Vec<u8> {
    let mut bytes = Vec::new();
    write::tsys_to(machine, &mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<MooreMachine, SystemError> {
    tsys_bytes(FileBytes::copy(bytes), Path::new("test.tsys"))
}

fn aut(text: &str) -> MooreMachine {
    read::aut_from(Cursor::new(text), Path::new("test.aut"), 1 << 20).unwrap()
}

/// Makes machines that cover every kind of meaning except labels.
fn machines() -> Vec<MooreMachine> {
    let named = generate::counter(5).unwrap();
    let names = ["fewer", "more \u{1f980}"].map(str::to_owned).to_vec();
    let named = named.with_action_names(names).unwrap();
    let last = named.state(4).unwrap();
    let partial = "des (1, 4, 3)\n(0, \"a\", 1)\n(0, \"b\", 0)\n(1, \"b\", 2)\n(2, \"c d\", 2)\n";
    vec![
        generate::random(1, 17, 3, 4).unwrap(),
        generate::random(2, 1, 1, 1).unwrap(),
        generate::random(3, 300, 2, 300).unwrap(),
        named.with_initial(last).unwrap(),
        aut(partial),
    ]
}

#[test]
fn machines_come_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.tsys");
    for machine in machines() {
        write::tsys(&machine, &path).unwrap();
        let back = read::tsys(&path).unwrap();
        assert_eq!(back, machine);
        assert_eq!(back.initial(), machine.initial());
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes_of(&back), bytes);
        assert_eq!(read(&bytes).unwrap(), machine);
        assert_eq!(read::any(&path).unwrap(), machine);
    }
    for seed in 0..100 {
        let (n, a, o) = (
            1 + seed as usize % 40,
            1 + seed as usize % 5,
            1 + seed as usize % 7,
        );
        let machine = generate::random(seed, n, a, o).unwrap();
        assert_eq!(read(&bytes_of(&machine)).unwrap(), machine, "seed {seed}");
    }
}

#[test]
fn the_file_may_go_once_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.tsys");
    let machine = generate::random(1, 5000, 3, 4).unwrap();
    write::tsys(&machine, &path).unwrap();
    let open = read::tsys(&path).unwrap();
    write::tsys(&generate::counter(3).unwrap(), &path).unwrap();
    assert_eq!(open, machine);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open.clone(), machine);
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused() {
    for machine in machines() {
        let good = bytes_of(&machine);
        for at in 0..good.len() {
            let message = read(&good[..at]).unwrap_err().to_string();
            assert!(message.contains("truncated"), "cut at {at}: {message}");
            for mask in [1, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] ^= mask;
                assert!(read(&bytes).is_err(), "byte {at} xor {mask}");
            }
        }
        let longer = [&good[..], &[0]].concat();
        assert!(read(&longer).unwrap_err().to_string().contains("too long"));
    }
}

/// Malicious changes with a correct checksum give an error or a machine that keeps the rules, never
/// a panic.
#[test]
fn a_right_checksum_excuses_nothing() {
    let (mut accepted, mut refused) = (0, 0);
    for machine in machines() {
        if machine.states() > 100 {
            continue;
        }
        let good = bytes_of(&machine);
        let end = good.len() - 8;
        for at in 0..end {
            for value in [0, 1, 2, 0x7f, 0xff] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let checksum = XxHash3_64::oneshot(&bytes[..end]);
                bytes[end..].copy_from_slice(&checksum.to_le_bytes());
                let Ok(machine) = read(&bytes) else {
                    refused += 1;
                    continue;
                };
                accepted += usize::from(bytes != good);
                for state in machine.state_ids() {
                    let output = machine.output(state);
                    assert!(output.index() < machine.outputs());
                    for &target in machine.successors(state) {
                        assert!(target.index() < machine.states());
                    }
                    machine.output_value(output);
                    machine.output_labels(output).map(Iterator::count);
                }
                // Accepted bytes are the only encoding of their machine.
                assert_eq!(bytes_of(&machine), bytes, "byte {at} is {value}");
            }
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} {refused}");
}

#[test]
fn what_is_wrong_is_said() {
    let good = bytes_of(&generate::random(1, 4, 2, 2).unwrap());
    let end = good.len() - 8;
    let message = |at: usize, value: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        let checksum = XxHash3_64::oneshot(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum.to_le_bytes());
        read(&bytes).unwrap_err().to_string()
    };
    let cases = [
        (
            message(0, b"des "),
            "test.tsys: does not begin as a .tsys file does",
        ),
        (
            message(8, &[2]),
            "test.tsys: is of version 2 of the format, this program reads version 1; convert it again \
             with the program that wrote it, or update this one",
        ),
        (
            message(12, &[16]),
            "test.tsys: has a header that this version does not know",
        ),
        (
            message(16, &[0, 2]),
            "test.tsys: is truncated: it has 264 bytes, its header says 512; convert it again",
        ),
        (
            message(24, &[0]),
            "test.tsys: the system has no states; it needs at least one",
        ),
        (
            message(24, &[99]),
            "test.tsys: has sections that do not add up to its length",
        ),
        (
            message(40, &[5]),
            "test.tsys: claims 5 outputs for 4 states",
        ),
        (
            message(40, &[3]),
            "test.tsys: output 2 is given to no state though output 2 is; number outputs 0, 1, 2, ...",
        ),
        (
            message(48, &[4]),
            "test.tsys: state 4 does not exist: the states are 0 to 3",
        ),
        (
            message(128 + 4 * 5, &[4]),
            "test.tsys: state 2 under action 1 leads to 4, which is no state: the states are 0 to 3",
        ),
        (
            message(192, &[7]),
            "test.tsys: gives a state output 7, but has 2",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let mut bytes = good.clone();
    bytes[130] ^= 1;
    assert_eq!(
        read(&bytes).unwrap_err().to_string(),
        "test.tsys: is damaged: its checksum is not that of its content; convert it again"
    );
}
