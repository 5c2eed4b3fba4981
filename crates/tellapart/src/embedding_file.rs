//! Reads embeddings from a file: `.npy`, one array of an `.npz`, or one tensor of a `.safetensors`.

use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use tellapart_files::{Archive, Array, FileError, Values, read_npy};

/// Latents of a recording's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingFile {
    /// Latents, `[rows, width]`; not checked for NaN.
    pub values: Vec<f32>,
    /// Number of rows.
    pub rows: usize,
    /// Number of latent dimensions.
    pub width: usize,
}

/// A file without usable embeddings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A name with another extension.
    #[error(
        "{path}: embeddings are read from .npy, .npz and .safetensors; save them as one of these", path = path.display()
    )]
    Format {
        /// Path of the file.
        path: PathBuf,
    },
    /// Several arrays to choose from, or no array of the requested name.
    #[error("{path}: {problem}; name one with --array: {present}", path = path.display(), present = present.join(", "))]
    Choose {
        /// Path of the file.
        path: PathBuf,
        /// Problem of the choice, in words.
        problem: String,
        /// Names of the arrays in the file.
        present: Vec<String>,
    },
    /// A file that is not `.safetensors`.
    #[error("{path}: not a .safetensors file: {problem}", path = path.display())]
    Safetensors {
        /// Path of the file.
        path: PathBuf,
        /// Problem of the file, in words.
        problem: String,
    },
    /// An array that is not a matrix.
    #[error(
        "{path}: the embeddings have shape {shape:?}, but [rows, dimensions] is expected, one row for \
         each observation; {advice}", path = path.display()
    )]
    Shape {
        /// Path of the file.
        path: PathBuf,
        /// Shape of the array.
        shape: Vec<usize>,
        /// Advice on how to reshape it.
        advice: &'static str,
    },
    /// Values of another type.
    #[error(
        "{path}: the embeddings have type {found}, but float32 or float64 is expected; convert them, \
         as with .astype(\"float32\")", path = path.display()
    )]
    Type {
        /// Path of the file.
        path: PathBuf,
        /// Type of the values.
        found: String,
    },
}

impl EmbeddingFile {
    /// Reads a file; float64 is rounded to float32. `array` chooses among several.
    ///
    /// # Errors
    /// An [`EmbeddingError`] that names the file and what was expected.
    pub fn read(path: &Path, array: Option<&str>) -> Result<Self, EmbeddingError> {
        if path.is_dir() {
            return Err(FileError::IsDirectory {
                path: path.to_owned(),
            }
            .into());
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npy") => matrix(path, read_npy(path)?),
            Some("npz") => {
                let mut archive = Archive::open(path)?;
                let name = choose(path, archive.names(), array)?;
                matrix(path, archive.read(&name)?)
            }
            Some("safetensors") => tensor(path, array),
            _ => Err(EmbeddingError::Format {
                path: path.to_owned(),
            }),
        }
    }
}

fn choose(path: &Path, present: &[String], wanted: Option<&str>) -> Result<String, EmbeddingError> {
    let problem = match (wanted, present) {
        (Some(name), _) if present.iter().any(|other| other == name) => {
            return Ok(name.to_owned());
        }
        (None, [only]) => return Ok(only.clone()),
        (Some(name), _) => format!("there is no array {name}"),
        (None, _) => format!("there are {} arrays", present.len()),
    };
    Err(EmbeddingError::Choose {
        path: path.to_owned(),
        problem,
        present: present.to_vec(),
    })
}

fn matrix(path: &Path, array: Array) -> Result<EmbeddingFile, EmbeddingError> {
    let [rows, width] = sides(path, &array.shape)?;
    let values = match array.values {
        Values::F32(values) => values,
        Values::F64(values) => values.into_iter().map(|value| value as f32).collect(),
        other => {
            return Err(EmbeddingError::Type {
                path: path.to_owned(),
                found: other.dtype().to_string(),
            });
        }
    };
    Ok(EmbeddingFile {
        values,
        rows,
        width,
    })
}

fn sides(path: &Path, shape: &[usize]) -> Result<[usize; 2], EmbeddingError> {
    let advice = match *shape {
        [rows, width] => return Ok([rows, width]),
        [] | [_] => "for one number each, use .reshape(-1, 1)",
        _ => "flatten each row, as with .reshape(len(z), -1)",
    };
    Err(EmbeddingError::Shape {
        path: path.to_owned(),
        shape: shape.to_vec(),
        advice,
    })
}

fn tensor(path: &Path, wanted: Option<&str>) -> Result<EmbeddingFile, EmbeddingError> {
    let bytes = std::fs::read(path).map_err(|source| FileError::from_io(path, source))?;
    let damaged = |problem: &dyn std::fmt::Display| EmbeddingError::Safetensors {
        path: path.to_owned(),
        problem: problem.to_string(),
    };
    let tensors = SafeTensors::deserialize(&bytes).map_err(|problem| damaged(&problem))?;
    let mut names: Vec<String> = tensors
        .names()
        .into_iter()
        .map(ToString::to_string)
        .collect();
    names.sort();
    let name = choose(path, &names, wanted)?;
    let tensor = tensors.tensor(&name).map_err(|problem| damaged(&problem))?;
    let [rows, width] = sides(path, tensor.shape())?;
    let values = match tensor.dtype() {
        Dtype::F32 => {
            let (numbers, _) = tensor.data().as_chunks::<4>();
            numbers
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect()
        }
        Dtype::F64 => {
            let (numbers, _) = tensor.data().as_chunks::<8>();
            numbers
                .iter()
                .map(|&bytes| f64::from_le_bytes(bytes) as f32)
                .collect()
        }
        other => {
            return Err(EmbeddingError::Type {
                path: path.to_owned(),
                found: format!("{other:?}"),
            });
        }
    };
    Ok(EmbeddingFile {
        values,
        rows,
        width,
    })
}
