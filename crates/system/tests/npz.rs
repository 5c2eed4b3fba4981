//! Tests of NumPy tables: what is read, what is refused, and what is written.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

use std::path::PathBuf;

use tellapart_files::{ArchiveWriter, Array, Values, f16};
use tellapart_system::{MooreMachine, OutputId, StateId, SystemError, generate, read, write};
use tempfile::TempDir;

struct File(TempDir);

impl File {
    fn new(arrays: &[(&str, &[usize], Values)]) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        let mut archive = ArchiveWriter::create(file.0.path().join("system.npz")).unwrap();
        for (name, shape, values) in arrays {
            let array = Array {
                shape: shape.to_vec(),
                values: values.clone(),
            };
            archive.add(name, &array).unwrap();
        }
        archive.finish().unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("system.npz")
    }
}

fn load(next: (&[usize], Values), output: (&[usize], Values)) -> Result<MooreMachine, SystemError> {
    let file = File::new(&[("next", next.0, next.1), ("output", output.0, output.1)]);
    read::npz(file.path())
}

fn swap() -> (&'static [usize], Values) {
    (&[2, 1], Values::I64(vec![1, 0]))
}

#[test]
fn every_integer_type() {
    let tables = [
        Values::Bool(vec![true, false]),
        Values::U8(vec![1, 0]),
        Values::I8(vec![1, 0]),
        Values::U16(vec![1, 0]),
        Values::I16(vec![1, 0]),
        Values::U32(vec![1, 0]),
        Values::I32(vec![1, 0]),
        Values::U64(vec![1, 0]),
        Values::I64(vec![1, 0]),
    ];
    for values in tables {
        let machine = load((&[2, 1], values.clone()), (&[2], values)).unwrap();
        assert_eq!(machine.next_table(), [StateId::new(1), StateId::new(0)]);
        assert_eq!(machine.output_value(OutputId::new(0)), Some(&[1.0][..]));
        assert_eq!(machine.output_value(OutputId::new(1)), Some(&[0.0][..]));
    }
}

#[test]
fn outputs_are_grouped_exactly() {
    let next = || (&[4, 1][..], Values::U8(vec![0; 4]));
    let floats = Values::F32(vec![0.0, -0.0, f32::MIN_POSITIVE, f32::INFINITY]);
    let machine = load(next(), (&[4], floats)).unwrap();
    let outputs: Vec<u32> = machine
        .output_table()
        .iter()
        .map(|output| output.get())
        .collect();
    assert_eq!(outputs, [0, 0, 1, 2]);
    assert_eq!(
        machine.output_value(OutputId::new(2)),
        Some(&[f64::INFINITY][..])
    );

    let halves = Values::F16([0.5, -0.0, 0.0, 0.5].map(f16::from_f32).to_vec());
    let machine = load(next(), (&[4], halves)).unwrap();
    assert_eq!(machine.outputs(), 2);
    assert_eq!(machine.output_value(OutputId::new(0)), Some(&[0.5][..]));
    assert_eq!(machine.output_value(OutputId::new(1)), Some(&[0.0][..]));

    let vectors = Values::F64(vec![0.1, 1.0, 0.1, 1.0, 0.1 + f64::EPSILON, 1.0, 1.0, 0.1]);
    let machine = load(next(), (&[4, 2], vectors)).unwrap();
    assert_eq!(machine.outputs(), 3);
    assert_eq!(
        machine.output_value(OutputId::new(2)),
        Some(&[1.0, 0.1][..])
    );

    // f64 would round these four to one value, so they stay apart, without values.
    let big = (1_u64 << 53..)
        .take(4)
        .map(|value| value * 2 + 1 - 3)
        .collect();
    let machine = load(next(), (&[4], Values::U64(big))).unwrap();
    assert_eq!(machine.outputs(), 4);
    assert_eq!(machine.output_value(OutputId::new(0)), None);

    let negative = Values::I16(vec![-1, -1, 7, -1]);
    let machine = load(next(), (&[4], negative)).unwrap();
    assert_eq!(machine.output_value(OutputId::new(0)), Some(&[-1.0][..]));
}

#[test]
fn mistakes_are_named() {
    let output = || (&[2][..], Values::U8(vec![0, 1]));
    let cases = [
        (
            load((&[2], Values::U8(vec![0, 0])), output()),
            "[states, 1]",
        ),
        (load((&[2, 0], Values::U8(vec![])), output()), "no actions"),
        (
            load((&[0, 1], Values::U8(vec![])), (&[0], Values::U8(vec![]))),
            "no states",
        ),
        (
            load((&[1, 2], Values::I8(vec![0, -1])), output()),
            "state 0, action 1: -1 is no state",
        ),
        (
            load((&[2, 1], Values::F32(vec![0.0, 1.0])), output()),
            "array \"next\": state 0, action 0",
        ),
        (
            load((&[2, 1], Values::U8(vec![0, 2])), output()),
            "state 1 under action 0 leads to 2",
        ),
        (
            load(swap(), (&[3], Values::U8(vec![0; 3]))),
            "shape [3], expected [2] or [2, m]",
        ),
        (load(swap(), (&[2, 0], Values::U8(vec![]))), "m >= 1"),
        (
            load(
                swap(),
                (&[2, 2], Values::F64(vec![0.0, 1.0, 0.0, f64::NAN])),
            ),
            "output of state 1 is NaN in column 1",
        ),
    ];
    for (result, expected) in cases {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("system.npz"), "{message}");
    }
    let only_next = File::new(&[("next", &[1, 1], Values::U8(vec![0]))]);
    let message = read::npz(only_next.path()).unwrap_err().to_string();
    assert!(
        message.contains("output") && message.contains("next"),
        "{message}"
    );
}

#[test]
fn written_systems_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.npz");
    for seed in 0..50 {
        let n = 1 + seed as usize % 9;
        let machine = generate::random(seed, n, 1 + seed as usize % 3, 3).unwrap();
        write::npz(&machine, &path).unwrap();
        let back = read::npz(&path).unwrap();
        assert_eq!(back.next_table(), machine.next_table(), "seed {seed}");
        assert_eq!(back.output_table(), machine.output_table(), "seed {seed}");
    }
    let counter = generate::counter(9).unwrap();
    write::npz(&counter, &path).unwrap();
    assert_eq!(read::any(&path).unwrap(), counter);
}

#[test]
fn damaged_archives_never_panic() {
    let file = File::new(&[
        ("next", &[2, 1], Values::U8(vec![1, 0])),
        ("output", &[2], Values::F32(vec![0.0, 1.0])),
    ]);
    let good = std::fs::read(file.path()).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        let archive = tellapart_files::Archive::from_bytes("system.npz", bytes);
        let _ = archive.map(|mut archive| read::npz_archive(&mut archive));
        let cut = tellapart_files::Archive::from_bytes("system.npz", good[..at].to_vec());
        let _ = cut.map(|mut archive| read::npz_archive(&mut archive));
    }
}

#[test]
fn other_arrays_are_named_and_chance_is_refused() {
    let numbers = || Values::U8(vec![1, 0]);
    let with = |other| {
        File::new(&[
            ("next", &[2, 1], numbers()),
            ("output", &[2], numbers()),
            (other, &[2], numbers()),
        ])
    };
    let file = with("rewards");
    let found = read::any_with(file.path(), &read::RewardChoice::All).unwrap();
    assert_eq!(found.unread_arrays, ["rewards"]);
    assert_eq!(found.machine, read::npz(file.path()).unwrap());
    for name in ["prob", "count"] {
        let error = read::npz(with(name).path()).unwrap_err().to_string();
        let expected = format!("array \"{name}\": makes the system probabilistic, and only");
        assert!(error.contains(&expected), "{error}");
    }
}
