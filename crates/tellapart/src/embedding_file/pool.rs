//! How the tokens of a row become its latent.

use std::fmt;
use std::str::FromStr;

use super::Numbers;

/// How one latent is made of the tokens of a row: of `[rows, tokens, dimensions]` becomes
/// `[rows, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Mean of the tokens, computed in `f64`.
    Mean,
    /// All tokens, one after the other.
    Flatten,
    /// First token, such as the class token of a vision transformer.
    First,
}

impl Pool {
    /// Pools numbers of shape `[rows, tokens, dimensions]`. Returns the width of the latents.
    pub(super) fn apply(
        self,
        numbers: Numbers,
        tokens: usize,
        dimensions: usize,
    ) -> (Numbers, usize) {
        // Where there are no rows, they may claim to be of any size.
        let row = match tokens.checked_mul(dimensions) {
            Some(row) if row > 0 => row,
            _ => return (numbers, 0),
        };
        match self {
            Self::Flatten => (numbers, row),
            Self::First => {
                let first = match numbers {
                    Numbers::F32(values) => Numbers::F32(firsts(&values, row, dimensions)),
                    Numbers::F64(values) => Numbers::F64(firsts(&values, row, dimensions)),
                };
                (first, dimensions)
            }
            Self::Mean => {
                let means = match numbers {
                    Numbers::F32(values) => means(&values, row, dimensions),
                    Numbers::F64(values) => means(&values, row, dimensions),
                };
                (Numbers::F64(means), dimensions)
            }
        }
    }

    /// Says in a sentence what was done.
    pub(super) fn note(self, tokens: usize, dimensions: usize) -> String {
        let done = match self {
            Self::Mean => format!("the mean of the {tokens} tokens"),
            Self::Flatten => format!("the {tokens} tokens one after the other"),
            Self::First => format!("the first of the {tokens} tokens"),
        };
        format!("The latent of a row is {done} of {dimensions} dimensions each (--pool {self}).")
    }
}

fn firsts<T: Copy>(values: &[T], row: usize, dimensions: usize) -> Vec<T> {
    let rows = values.chunks_exact(row);
    rows.flat_map(|row| &row[..dimensions]).copied().collect()
}

fn means<T: Copy + Into<f64>>(values: &[T], row: usize, dimensions: usize) -> Vec<f64> {
    let mut means = vec![0.0; values.len() / row * dimensions];
    let rows = values.chunks_exact(row);
    for (mean, row) in means.chunks_exact_mut(dimensions).zip(rows) {
        for token in row.chunks_exact(dimensions) {
            for (sum, &value) in mean.iter_mut().zip(token) {
                *sum += value.into();
            }
        }
        let tokens = (row.len() / dimensions) as f64;
        mean.iter_mut().for_each(|sum| *sum /= tokens);
    }
    means
}

impl FromStr for Pool {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "mean" => Ok(Self::Mean),
            "flatten" => Ok(Self::Flatten),
            "first" => Ok(Self::First),
            _ => Err("expected mean, flatten or first".to_owned()),
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Flatten => "flatten",
            Self::First => "first",
        })
    }
}
