use std::path::PathBuf;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView, serialize};
use tellapart_files::{ArchiveWriter, Array, Values, write_npy};

use super::{EmbeddingError, EmbeddingFile, Pool};

/// A folder with files of embeddings.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn npy(&self, shape: &[usize], values: impl Into<Values>) -> PathBuf {
        let path = self.0.path().join("z.npy");
        let array = Array::new(shape.to_vec(), values.into()).unwrap();
        write_npy(&path, &array).unwrap();
        path
    }

    fn npz(&self, shape: &[usize], values: impl Into<Values>) -> PathBuf {
        let path = self.0.path().join("z.npz");
        let array = Array::new(shape.to_vec(), values.into()).unwrap();
        let mut writer = ArchiveWriter::create(&path).unwrap();
        writer.add("z", &array).unwrap();
        writer.finish().unwrap();
        path
    }

    fn safetensors(&self, shape: &[usize], dtype: Dtype, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("z.safetensors");
        let tensor = TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
        std::fs::write(&path, serialize([("z", tensor)], None).unwrap()).unwrap();
        path
    }
}

fn read(path: PathBuf, pool: Option<Pool>) -> EmbeddingFile {
    EmbeddingFile::read(&path, None, pool).unwrap()
}

fn error(path: PathBuf, pool: Option<Pool>) -> String {
    EmbeddingFile::read(&path, None, pool)
        .unwrap_err()
        .to_string()
}

#[test]
fn every_type_of_float_is_read_exactly_from_every_kind_of_file() {
    let folder = Folder::new();
    let numbers = [0.5_f32, -1.25, 3.0, 0.0, 96.0, -0.125];
    let halves = numbers.map(f16::from_f32);
    let doubles = numbers.map(f64::from);
    let shape = &[3, 2];
    let read_back = |path: PathBuf| {
        let file = read(path, None);
        assert_eq!((file.rows(), file.width(), file.note()), (3, 2, None));
        assert_eq!(file.embeddings().unwrap().values(), numbers);
    };
    read_back(folder.npy(shape, halves.to_vec()));
    read_back(folder.npy(shape, numbers.to_vec()));
    read_back(folder.npy(shape, doubles.to_vec()));
    read_back(folder.npz(shape, halves.to_vec()));
    read_back(folder.npz(shape, numbers.to_vec()));
    read_back(folder.npz(shape, doubles.to_vec()));
    let bytes = halves.map(f16::to_le_bytes).concat();
    read_back(folder.safetensors(shape, Dtype::F16, &bytes));
    let bytes = numbers.map(|it| bf16::from_f32(it).to_le_bytes()).concat();
    read_back(folder.safetensors(shape, Dtype::BF16, &bytes));
    let bytes = numbers.map(f32::to_le_bytes).concat();
    read_back(folder.safetensors(shape, Dtype::F32, &bytes));
    let bytes = doubles.map(f64::to_le_bytes).concat();
    read_back(folder.safetensors(shape, Dtype::F64, &bytes));
}

/// Rounded to f32, the rows would be equal.
#[test]
fn float64_keeps_what_float32_would_round() {
    let folder = Folder::new();
    let values = [1e6, 1e6 + 1e-3, 1e6 + 3e-3];
    let bytes = values.map(f64::to_le_bytes).concat();
    for path in [
        folder.npy(&[3, 1], values.to_vec()),
        folder.npz(&[3, 1], values.to_vec()),
        folder.safetensors(&[3, 1], Dtype::F64, &bytes),
    ] {
        let file = read(path, None);
        let embeddings = file.embeddings().unwrap();
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            assert_eq!(embeddings.distance(i, j), values[j] - values[i]);
        }
    }
}

#[test]
fn tokens_are_pooled_as_asked() {
    let folder = Folder::new();
    // Two rows of three tokens of two dimensions.
    let tokens = [
        1.0, 2.0, 3.0, 5.0, 8.0, 9.5, -1.0, 0.0, -2.0, 0.0, -6.0, 3.0,
    ];
    let firsts = [1.0, 2.0, -1.0, 0.0];
    let means = [4.0, 5.5, -3.0, 1.0];
    let shape = &[2, 3, 2];
    let single = tokens.map(|it| it as f32);
    let half = tokens.map(f16::from_f64);
    let paths: [&dyn Fn() -> PathBuf; 3] = [
        &|| folder.npy(shape, half.to_vec()),
        &|| folder.npy(shape, single.to_vec()),
        &|| folder.npy(shape, tokens.to_vec()),
    ];
    for path in paths {
        for (pool, expected, said) in [
            (
                Pool::Mean,
                &means[..],
                "is the mean of the 3 tokens of 2 dimensions",
            ),
            (
                Pool::Flatten,
                &tokens[..],
                "is the 3 tokens one after the other",
            ),
            (Pool::First, &firsts[..], "is the first of the 3 tokens"),
        ] {
            let file = read(path(), Some(pool));
            let expected: Vec<f32> = expected.iter().map(|&it| it as f32).collect();
            assert_eq!(file.embeddings().unwrap().values(), expected, "{pool}");
            assert_eq!((file.rows(), file.width()), (2, expected.len() / 2));
            let note = file.note().unwrap();
            assert!(
                note.contains(said) && note.contains(&format!("--pool {pool}")),
                "{note}"
            );
            assert_eq!(pool.to_string().parse(), Ok(pool));
        }
    }
}

/// The mean of float32 tokens need not be a float32.
#[test]
fn means_are_not_rounded_where_that_would_lose() {
    let folder = Folder::new();
    let tokens = vec![1e6_f32, 1e6 + 0.0625, 1e6, 1e6, 1e6, 1e6, 1e6 + 0.0625, 1e6];
    let file = read(folder.npy(&[2, 4, 1], tokens), Some(Pool::Mean));
    assert_eq!(file.embeddings().unwrap().distance(0, 1), 0.0);
    let tokens = vec![1e6_f32, 1e6 + 0.0625, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6];
    let file = read(folder.npy(&[2, 4, 1], tokens), Some(Pool::Mean));
    assert_eq!(file.embeddings().unwrap().distance(0, 1), 0.015625);
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let folder = Folder::new();
    let zeros = |count: usize| vec![0.0_f32; count];
    let said = error(folder.npy(&[2, 3, 4], zeros(24)), None);
    for part in [
        "z.npy",
        "[2, 3, 4]",
        "--pool mean",
        "--pool flatten",
        "--pool first",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = error(folder.npy(&[6, 4], zeros(24)), Some(Pool::Mean));
    assert!(
        said.contains("[6, 4]") && said.contains("leave out --pool"),
        "{said}"
    );
    let said = error(folder.npy(&[24], zeros(24)), None);
    assert!(said.contains("reshape(-1, 1)"), "{said}");
    for pool in [None, Some(Pool::First)] {
        let said = error(folder.npy(&[2, 3, 2, 2], zeros(24)), pool);
        assert!(said.contains("reshape(len(z), -1)"), "{said}");
    }
    let said = error(folder.npy(&[2, 1], vec![1_i64, 2]), None);
    assert!(said.contains("int64") && said.contains("astype"), "{said}");
    let said = error(folder.safetensors(&[2, 1], Dtype::I8, &[1, 2]), None);
    assert!(said.contains("I8"), "{said}");
    let said = error(folder.npy(&[1, 2], vec![0.1, 1e300]), None);
    assert!(
        said.contains("z.npy") && said.contains("row 0, column 1"),
        "{said}"
    );
    assert!("middle".parse::<Pool>().is_err());
}

#[test]
fn empty_and_broken_arrays_are_refused_as_embeddings() {
    let folder = Folder::new();
    for (shape, pool) in [
        (vec![0, 3], None),
        (vec![3, 0], None),
        (vec![0, 3, 2], Some(Pool::Mean)),
        (vec![3, 0, 2], Some(Pool::Mean)),
        (vec![3, 2, 0], Some(Pool::First)),
        (vec![3, 0, 2], Some(Pool::Flatten)),
        // A row of more values than a memory has addresses.
        (vec![0, 1 << 33, 1 << 33], Some(Pool::Mean)),
        (vec![0, 1 << 33, 1 << 33], Some(Pool::First)),
    ] {
        let file = read(folder.npy(&shape, Vec::<f32>::new()), pool);
        let said = file.embeddings().unwrap_err().to_string();
        assert!(said.contains("empty"), "{shape:?}: {said}");
    }
    let tokens = vec![0.0, 1.0, f64::NAN, 1.0];
    let read = EmbeddingFile::read(&folder.npy(&[2, 2, 1], tokens), None, Some(Pool::Mean));
    let said = read.unwrap().embeddings().unwrap_err().to_string();
    assert!(said.contains("row 1, column 0"), "{said}");
    let path = folder.safetensors(&[2, 1], Dtype::I8, &[1, 2]);
    std::fs::write(&path, b"no tensors").unwrap();
    let damaged = EmbeddingFile::read(&path, None, None);
    assert!(matches!(damaged, Err(EmbeddingError::Safetensors { .. })));
}
