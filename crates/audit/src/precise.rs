//! Latents in `f64`, where `f32` would round away what keeps them apart.

use crate::embeddings::{LARGEST, check_numbers};
use crate::{AuditError, Embeddings};

/// Smallest deviation from the mean latent at which distances can still be measured.
const SMALLEST: f64 = 1e-30;

/// Latents in `f64`, owned and checked: the source of [`Embeddings`] without loss.
///
/// Rounded to `f32`, latents far from the origin would lose small distances. So what is rounded is
/// what is left of them without their mean, and distances and equality are those of the `f64`
/// values. That takes 12 bytes a value. [`Embeddings::new`] does for values that `f32` holds.
///
/// ```
/// use tellapart_audit::PreciseLatents;
///
/// // In f32 the two rows would be equal.
/// let latents = PreciseLatents::new(vec![1e6, 1e6 + 0.001], 2, 1)?;
/// assert!((latents.embeddings().distance(0, 1) - 0.001).abs() < 1e-9);
/// # Ok::<(), tellapart_audit::AuditError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PreciseLatents {
    exact: Vec<f64>,
    centered: Vec<f32>,
    width: usize,
}

impl PreciseLatents {
    /// Checks the shape and the values, `[rows, width]`, and subtracts the mean.
    ///
    /// # Errors
    /// Those of [`Embeddings::new`]; [`AuditError::TooLarge`] for a value beyond 1e17, and
    /// [`AuditError::TooNear`] for latents that differ by less than about 1e-30.
    pub fn new(values: Vec<f64>, rows: usize, width: usize) -> Result<Self, AuditError> {
        check_numbers("the embeddings", &values, rows, width, f64::is_finite)?;
        let is_large = |value: &f64| value.abs() > f64::from(LARGEST);
        if let Some(place) = values.iter().position(is_large) {
            return Err(AuditError::TooLarge {
                row: place / width,
                column: place % width,
                value: format!("{:e}", values[place]),
            });
        }
        let mut mean = vec![0.0; width];
        for row in values.chunks_exact(width) {
            for (sum, value) in mean.iter_mut().zip(row) {
                *sum += value;
            }
        }
        mean.iter_mut().for_each(|sum| *sum /= rows as f64);
        let mut centered = Vec::with_capacity(values.len());
        let mut farthest: f64 = 0.0;
        for row in values.chunks_exact(width) {
            centered.extend(row.iter().zip(&mean).map(|(value, mean)| {
                let deviation = value - mean;
                farthest = farthest.max(deviation.abs());
                deviation as f32
            }));
        }
        if farthest < SMALLEST
            && values
                .chunks_exact(width)
                .any(|row| row != &values[..width])
        {
            return Err(AuditError::TooNear { farthest });
        }
        Ok(Self {
            exact: values,
            centered,
            width,
        })
    }

    /// Returns the embeddings that are audited.
    #[must_use]
    pub fn embeddings(&self) -> Embeddings<'_> {
        Embeddings::of_checked(&self.exact, &self.centered, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_values_however_far_from_the_origin() {
        for offset in [0.0, 1.0, 1e6, -1e9] {
            let at = |step: i32| offset + f64::from(step) * 1e-3;
            let values: Vec<f64> = [0, 1, 2, 4, 4, 0].map(at).to_vec();
            let latents = PreciseLatents::new(values.clone(), 3, 2).unwrap();
            let embeddings = latents.embeddings();
            let expected = (values[0] - values[2]).hypot(values[1] - values[3]);
            let found = embeddings.distance(0, 1);
            assert!((found / expected - 1.0).abs() < 1e-12, "{offset}: {found}");
            let centered = embeddings.row(0)[1] - embeddings.row(1)[1];
            assert!((centered + 3e-3).abs() < 1e-6, "{offset}: {centered}");
            let norm = (0..3)
                .map(|row| values[2 * row].hypot(values[2 * row + 1]))
                .sum::<f64>();
            assert!((embeddings.mean_norm() - norm / 3.0).abs() <= 1e-12 * norm);
        }
    }

    #[test]
    fn only_equal_latents_have_no_distance() {
        // Equal in f32 with the mean and without; the difference of the last two has no square.
        let values = vec![-1e6, 1e6, 1e6 + 1e-9, 1e6, 0.0, 1e-200];
        let latents = PreciseLatents::new(values.clone(), 6, 1).unwrap();
        let embeddings = latents.embeddings();
        for i in 0..6 {
            for j in 0..6 {
                let difference = (values[i] - values[j]).abs();
                assert_eq!(embeddings.distance(i, j), difference, "{i} {j}");
            }
        }
        assert_eq!(embeddings.row(1), embeddings.row(2));
        assert_ne!(embeddings.distance(1, 2), 0.0);
    }

    #[test]
    fn what_cannot_be_measured_is_refused_by_place() {
        let error = |values: Vec<f64>| PreciseLatents::new(values, 2, 2).unwrap_err().to_string();
        let nan = error(vec![0.0, 1.0, 2.0, f64::NAN]);
        assert!(nan.contains("NaN in row 1, column 1"), "{nan}");
        let large = error(vec![0.0, 1.0, -1e300, 2.0]);
        assert!(large.contains("-1e300 in row 1, column 0"), "{large}");
        let near = error(vec![0.0, 0.0, 0.0, 1e-40]);
        assert!(near.contains("scale them up"), "{near}");
        assert!(error(vec![0.0]).contains("asks for 4"));
        assert!(PreciseLatents::new(vec![0.1; 4], 2, 2).is_ok());
    }
}
