//! Reads embeddings from a file: `.npy`, one array of an `.npz`, or one tensor of a `.safetensors`.

mod error;
mod pool;
#[cfg(test)]
mod tests;

use std::path::Path;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use tellapart_audit::{AuditError, Embeddings, PreciseLatents};
use tellapart_files::{Archive, Array, FileBytes, FileError, Values, read_npy};

pub use error::EmbeddingError;
pub use pool::Pool;

/// Latents of a recording's rows, as exact as they are in the file.
///
/// float16, bfloat16 and float32 are kept in `f32`, which holds them all. float64 is, too, if that
/// loses nothing; otherwise it stays `f64`.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingFile {
    latents: Latents,
    rows: usize,
    width: usize,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Latents {
    Plain(Vec<f32>),
    Precise(PreciseLatents),
}

/// Numbers of a file.
#[derive(Debug, Clone, PartialEq)]
enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl EmbeddingFile {
    /// Reads a file. `array` chooses among several arrays. `pool` makes one latent of the tokens of
    /// a row, where the array has three axes, `[rows, tokens, dimensions]`.
    ///
    /// # Errors
    /// An [`EmbeddingError`] that names the file and what was expected.
    pub fn read(
        path: &Path,
        array: Option<&str>,
        pool: Option<Pool>,
    ) -> Result<Self, EmbeddingError> {
        if path.is_dir() {
            return Err(FileError::IsDirectory {
                path: path.to_owned(),
            }
            .into());
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npy") => Self::of(path, of_array(path, read_npy(path)?)?, pool),
            Some("npz") => {
                let mut archive = Archive::open(path)?;
                let name = choose(path, archive.names(), array)?;
                Self::of(path, of_array(path, archive.read(&name)?)?, pool)
            }
            Some("safetensors") => {
                let bytes = FileBytes::open(path)?;
                Self::from_safetensors_bytes(path, &bytes, array, pool)
            }
            _ => Err(EmbeddingError::Format {
                path: path.to_owned(),
            }),
        }
    }

    /// Reads the bytes of a `.safetensors` file, as [`EmbeddingFile::read`] does; `label` stands
    /// for the path in errors.
    ///
    /// # Errors
    /// The errors of [`EmbeddingFile::read`].
    pub fn from_safetensors_bytes(
        label: &Path,
        bytes: &[u8],
        array: Option<&str>,
        pool: Option<Pool>,
    ) -> Result<Self, EmbeddingError> {
        Self::of(label, of_tensor(label, bytes, array)?, pool)
    }

    /// Makes latents of the numbers of an array.
    fn of(
        path: &Path,
        (shape, numbers): (Vec<usize>, Numbers),
        pool: Option<Pool>,
    ) -> Result<Self, EmbeddingError> {
        let Axes {
            rows,
            width,
            tokens,
        } = Axes::of(path, &shape, pool)?;
        let (numbers, width, note) = match tokens {
            None => (numbers, width, None),
            Some((pool, tokens)) => {
                let note = pool.note(tokens, width);
                let (numbers, width) = pool.apply(numbers, tokens, width);
                (numbers, width, Some(note))
            }
        };
        let latents = numbers.latents(rows, width);
        let latents = latents.map_err(|problem| EmbeddingError::Values {
            path: path.to_owned(),
            problem,
        })?;
        Ok(Self {
            latents,
            rows,
            width,
            note,
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of latent dimensions.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Sentence on how the latents were made of the array, if they are not its rows.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Returns the latents, checked.
    ///
    /// # Errors
    /// An [`AuditError`] that names what cannot be audited, such as NaN, by row and column.
    pub fn embeddings(&self) -> Result<Embeddings<'_>, AuditError> {
        match &self.latents {
            Latents::Plain(values) => Embeddings::new(values, self.rows, self.width),
            Latents::Precise(latents) => Ok(latents.embeddings()),
        }
    }
}

impl Numbers {
    fn latents(self, rows: usize, width: usize) -> Result<Latents, AuditError> {
        match self {
            Self::F32(values) => Ok(Latents::Plain(values)),
            Self::F64(values) => {
                // NaN and the infinities are the same in both, and refused later.
                let is_kept = |&value: &f64| f64::from(value as f32) == value || !value.is_finite();
                if values.iter().all(is_kept) {
                    let rounded = values.into_iter().map(|value| value as f32);
                    return Ok(Latents::Plain(rounded.collect()));
                }
                PreciseLatents::new(values, rows, width).map(Latents::Precise)
            }
        }
    }
}

/// Axes of an array of embeddings.
struct Axes {
    rows: usize,
    /// Dimensions of a latent, or of a token.
    width: usize,
    /// How the tokens of a row are pooled, and their number.
    tokens: Option<(Pool, usize)>,
}

impl Axes {
    fn of(path: &Path, shape: &[usize], pool: Option<Pool>) -> Result<Self, EmbeddingError> {
        let (path, shape) = (|| path.to_owned(), shape.to_vec());
        match (&shape[..], pool) {
            (&[rows, width], None) => Ok(Self {
                rows,
                width,
                tokens: None,
            }),
            (&[rows, tokens, width], Some(pool)) => Ok(Self {
                rows,
                width,
                tokens: Some((pool, tokens)),
            }),
            (&[_, _], Some(_)) => Err(EmbeddingError::NoTokens {
                path: path(),
                shape,
            }),
            (&[_, _, _], None) => Err(EmbeddingError::Tokens {
                path: path(),
                shape,
            }),
            (&[] | &[_], _) => Err(EmbeddingError::Shape {
                path: path(),
                shape,
                advice: "for one number each, use .reshape(-1, 1)",
            }),
            _ => Err(EmbeddingError::Shape {
                path: path(),
                shape,
                advice: "flatten each row, as with .reshape(len(z), -1)",
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

fn of_array(path: &Path, array: Array) -> Result<(Vec<usize>, Numbers), EmbeddingError> {
    let numbers = match array.values {
        Values::F16(values) => Numbers::F32(values.into_iter().map(f32::from).collect()),
        Values::F32(values) => Numbers::F32(values),
        Values::F64(values) => Numbers::F64(values),
        other => {
            return Err(EmbeddingError::Type {
                path: path.to_owned(),
                found: other.dtype().to_string(),
            });
        }
    };
    Ok((array.shape, numbers))
}

fn of_tensor(
    path: &Path,
    bytes: &[u8],
    wanted: Option<&str>,
) -> Result<(Vec<usize>, Numbers), EmbeddingError> {
    let damaged = |problem: &dyn std::fmt::Display| EmbeddingError::Safetensors {
        path: path.to_owned(),
        problem: problem.to_string(),
    };
    let tensors = SafeTensors::deserialize(bytes).map_err(|problem| damaged(&problem))?;
    let mut names: Vec<String> = tensors
        .names()
        .into_iter()
        .map(ToString::to_string)
        .collect();
    names.sort();
    let name = choose(path, &names, wanted)?;
    let tensor = tensors.tensor(&name).map_err(|problem| damaged(&problem))?;
    let numbers = match tensor.dtype() {
        Dtype::F16 => Numbers::F32(decoded(tensor.data(), |it| f16::from_le_bytes(it).into())),
        Dtype::BF16 => Numbers::F32(decoded(tensor.data(), |it| bf16::from_le_bytes(it).into())),
        Dtype::F32 => Numbers::F32(decoded(tensor.data(), f32::from_le_bytes)),
        Dtype::F64 => Numbers::F64(decoded(tensor.data(), f64::from_le_bytes)),
        other => {
            return Err(EmbeddingError::Type {
                path: path.to_owned(),
                found: format!("{other:?}"),
            });
        }
    };
    Ok((tensor.shape().to_vec(), numbers))
}

fn decoded<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (numbers, _) = bytes.as_chunks::<N>();
    numbers.iter().map(|&bytes| number(bytes)).collect()
}
