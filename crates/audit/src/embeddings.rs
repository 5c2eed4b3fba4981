//! Checked input of an audit: latents and class labels.

use crate::AuditError;

/// Latents of `rows` observations, `[rows, width]` in row-major order, borrowed and checked.
///
/// Row `i` belongs to observation `i`. There is at least one row and one column, the number of
/// values fits the shape, and all values are finite.
#[derive(Debug, Clone, Copy)]
pub struct Embeddings<'a> {
    values: &'a [f32],
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
            rows,
            width,
        })
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

    /// Returns all latents, `[rows, width]`.
    #[must_use]
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Returns the latent of observation `row`.
    ///
    /// # Panics
    /// If `row >= self.rows()`, as slices do.
    #[must_use]
    pub fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Returns the Euclidean distance of two latents, summed in f64.
    ///
    /// # Panics
    /// If a row is out of range.
    #[must_use]
    pub fn distance(&self, a: usize, b: usize) -> f64 {
        squared_distance(self.row(a), self.row(b)).sqrt()
    }

    /// Returns the mean Euclidean norm of the latents.
    #[must_use]
    pub fn mean_norm(&self) -> f64 {
        let sum: f64 = (0..self.rows)
            .map(|row| {
                self.row(row)
                    .iter()
                    .map(|&v| f64::from(v).powi(2))
                    .sum::<f64>()
                    .sqrt()
            })
            .sum();
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

/// Returns the squared Euclidean distance. Differences are taken in f64, so that collapsed latents
/// that differ in their last bits are not rounded to a tie. Eight lanes let the compiler vectorize.
pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..8 {
            let difference = f64::from(x[lane]) - f64::from(y[lane]);
            lanes[lane] += difference * difference;
        }
    }
    let rest: f64 = a_rest
        .iter()
        .zip(b_rest)
        .map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2))
        .sum();
    lanes.iter().sum::<f64>() + rest
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
    if rows == 0 || width == 0 {
        return Err(AuditError::Empty {
            what: what.to_owned(),
            rows,
            width,
        });
    }
    // A product that overflows cannot be the length of a slice; saturating keeps the message true.
    check_length(what, values.len(), rows.saturating_mul(width))?;
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(AuditError::NotFinite {
            what: what.to_owned(),
            row: at / width,
            column: at % width,
            value: values[at].to_string(),
        }),
        None => Ok(()),
    }
}
