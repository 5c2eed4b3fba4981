//! Checked input of an audit: latents and class labels.

use std::ops::Range;

use crate::AuditError;

/// Largest latent value whose squared distances fit into `f32`.
pub(crate) const LARGEST: f32 = 1e17;

/// Latents of `rows` observations, `[rows, width]` in row-major order, borrowed and checked.
///
/// Row `i` belongs to observation `i`. There is at least one row and one column, the number of
/// values fits the shape, and all values are finite. [`PreciseLatents`](crate::PreciseLatents) make
/// embeddings of `f64` values.
#[derive(Debug, Clone, Copy)]
pub struct Embeddings<'a> {
    values: &'a [f32],
    /// The latents as given where `f32` would round them. Then `values` are what is left of them
    /// without the mean.
    exact: Option<&'a [f64]>,
    rows: usize,
    width: usize,
}

impl<'a> Embeddings<'a> {
    /// Checks the shape and the values, in one pass without a copy.
    ///
    /// # Errors
    /// [`AuditError::Empty`], [`AuditError::Length`], or [`AuditError::NotFinite`] with the row.
    pub fn new(values: &'a [f32], rows: usize, width: usize) -> Result<Self, AuditError> {
        check_matrix("the embeddings", values, rows, width)?;
        Ok(Self {
            values,
            exact: None,
            rows,
            width,
        })
    }

    /// Joins latents in `f64` that were checked with what is left of them without their mean.
    pub(crate) fn of_checked(exact: &'a [f64], centered: &'a [f32], width: usize) -> Self {
        Self {
            values: centered,
            exact: Some(exact),
            rows: centered.len() / width,
            width,
        }
    }

    /// Number of observations, at least 1.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of latent dimensions, at least 1.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns all latents, `[rows, width]`; of latents in `f64` what [`Embeddings::row`] says.
    #[must_use]
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Returns the latent of observation `row`. Of latents in `f64` it is what is left without the
    /// mean latent, rounded: distances stay, up to rounding.
    ///
    /// # Panics
    /// If `row >= self.rows()`, as slices do.
    #[must_use]
    pub fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Returns the Euclidean distance of two latents as they were given, summed in f64. Of latents
    /// in `f64` it is 0 only where they are equal.
    ///
    /// # Panics
    /// If a row is out of range.
    #[must_use]
    pub fn distance(&self, a: usize, b: usize) -> f64 {
        match self.exact {
            None => squared_distance(self.row(a), self.row(b)).sqrt(),
            Some(exact) => {
                let [a, b] = [a, b].map(|row| &exact[row * self.width..(row + 1) * self.width]);
                exact_distance(a, b)
            }
        }
    }

    /// Returns the latents as they were given, `[rows, width]`, if they are in `f64`.
    pub(crate) fn exact(&self) -> Option<&'a [f64]> {
        self.exact
    }

    /// Returns one number of a latent as it was given.
    pub(crate) fn number(&self, row: usize, column: usize) -> f64 {
        let place = row * self.width + column;
        match self.exact {
            None => f64::from(self.values[place]),
            Some(exact) => exact[place],
        }
    }

    /// Appends some numbers of a latent as it was given.
    pub(crate) fn append(&self, row: usize, columns: Range<usize>, numbers: &mut Vec<f64>) {
        let places = row * self.width + columns.start..row * self.width + columns.end;
        match self.exact {
            None => numbers.extend(self.values[places].iter().map(|&value| f64::from(value))),
            Some(exact) => numbers.extend_from_slice(&exact[places]),
        }
    }

    /// Returns the mean Euclidean norm of the latents as they were given.
    #[must_use]
    pub fn mean_norm(&self) -> f64 {
        let sum: f64 = match self.exact {
            None => self.values.chunks_exact(self.width).map(norm).sum(),
            Some(exact) => exact.chunks_exact(self.width).map(norm).sum(),
        };
        sum / self.rows as f64
    }
}

/// True class of every observation, borrowed and checked. Classes may be empty.
#[derive(Debug, Clone, Copy)]
pub struct Classes<'a> {
    of_row: &'a [u32],
    count: usize,
}

impl<'a> Classes<'a> {
    /// Checks the labels: `of_row[i]` is the class of observation `i` and must be below `count`.
    ///
    /// # Errors
    /// [`AuditError::Class`] names the first row whose class is out of range.
    pub fn new(of_row: &'a [u32], count: usize) -> Result<Self, AuditError> {
        match of_row.iter().position(|&class| class as usize >= count) {
            Some(row) => Err(AuditError::Class {
                row,
                found: of_row[row],
                classes: count,
            }),
            None => Ok(Self { of_row, count }),
        }
    }

    /// Number of classes, including empty ones.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the class of observation `row`.
    ///
    /// # Panics
    /// If `row` is out of range.
    #[must_use]
    pub fn of(&self, row: usize) -> usize {
        self.of_row[row] as usize
    }

    /// Returns the class of every observation, as given.
    #[must_use]
    pub fn labels(&self) -> &'a [u32] {
        self.of_row
    }

    /// Returns the number of observations of each class, `[count]`.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        for &class in self.of_row {
            sizes[class as usize] += 1;
        }
        sizes
    }

    pub(crate) fn check_against(&self, embeddings: &Embeddings<'_>) -> Result<(), AuditError> {
        check_length("the class labels", self.of_row.len(), embeddings.rows())
    }
}

fn norm<T: Copy + Into<f64>>(latent: &[T]) -> f64 {
    let squares = latent.iter().map(|&value| value.into().powi(2));
    squares.sum::<f64>().sqrt()
}

/// Returns the squared Euclidean distance. Differences are taken in f64, so that collapsed latents
/// that differ in their last bits are not rounded to a tie. Eight lanes let the compiler vectorize.
pub(crate) fn squared_distance<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..8 {
            let difference = x[lane].into() - y[lane].into();
            lanes[lane] += difference * difference;
        }
    }
    let rest: f64 = a_rest
        .iter()
        .zip(b_rest)
        .map(|(&x, &y)| (x.into() - y.into()).powi(2))
        .sum();
    lanes.iter().sum::<f64>() + rest
}

/// Returns the distance of two latents in `f64`, also where its square would be rounded to zero.
fn exact_distance(a: &[f64], b: &[f64]) -> f64 {
    let squared = squared_distance(a, b);
    if squared >= f64::MIN_POSITIVE {
        return squared.sqrt();
    }
    let differences = || a.iter().zip(b).map(|(x, y)| (x - y).abs());
    let largest = differences().fold(0.0, f64::max);
    if largest == 0.0 {
        return 0.0;
    }
    let scaled: f64 = differences().map(|it| (it / largest).powi(2)).sum();
    largest * scaled.sqrt()
}

pub(crate) fn check_length(what: &str, found: usize, expected: usize) -> Result<(), AuditError> {
    if found == expected {
        Ok(())
    } else {
        Err(AuditError::Length {
            what: what.to_owned(),
            found,
            expected,
        })
    }
}

/// Checks that a `[rows, width]` matrix is non-empty, of the right length and finite.
pub(crate) fn check_matrix(
    what: &str,
    values: &[f32],
    rows: usize,
    width: usize,
) -> Result<(), AuditError> {
    check_numbers(what, values, rows, width, |value| value.is_finite())
}

/// Checks a matrix of numbers of any type.
pub(crate) fn check_numbers<T: Copy + std::fmt::Display>(
    what: &str,
    values: &[T],
    rows: usize,
    width: usize,
    is_finite: impl Fn(T) -> bool,
) -> Result<(), AuditError> {
    if rows == 0 || width == 0 {
        return Err(AuditError::Empty {
            what: what.to_owned(),
            rows,
            width,
        });
    }
    // A product that overflows cannot be the length of a slice; saturating keeps the message true.
    check_length(what, values.len(), rows.saturating_mul(width))?;
    match values.iter().position(|&value| !is_finite(value)) {
        Some(at) => Err(AuditError::NotFinite {
            what: what.to_owned(),
            row: at / width,
            column: at % width,
            value: values[at].to_string(),
        }),
        None => Ok(()),
    }
}
