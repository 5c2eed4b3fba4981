//! Fixed random function of the observation, as an auxiliary target.

use rand_chacha::ChaCha8Rng;
use tellapart_kernels::weighted_rows;
use tellapart_model::init::normal;

use crate::error::TrainError;

/// Fixed random linear map of the pixels, `R^(h*w*c) -> R^width`.
///
/// Entries are normal. One common scale makes the mean squared value 1 on the calibration frames,
/// so that losses compare across targets. By Johnson-Lindenstrauss the map keeps distances between
/// images. Predicting it takes most of what is in the image, nuisance included.
#[derive(Debug, Clone)]
pub struct RandomFunction {
    /// Entries `[pixels, width]`.
    weights: Vec<f32>,
    width: usize,
}

impl RandomFunction {
    /// Draws the map and scales it on `calibration`, which holds whole frames of `pixels` bytes.
    ///
    /// # Errors
    /// [`TrainError::BlackFrames`] if all of these frames are black: they set no scale.
    pub fn new(
        rng: &mut ChaCha8Rng,
        pixels: usize,
        width: usize,
        calibration: &[u8],
    ) -> Result<Self, TrainError> {
        let weights = (0..pixels * width).map(|_| normal(rng)).collect();
        let mut function = Self { weights, width };
        let values = function.evaluate(calibration);
        let squares: f64 = values
            .iter()
            .map(|&value| f64::from(value) * f64::from(value))
            .sum();
        let scale = (squares / values.len().max(1) as f64).sqrt();
        if scale == 0.0 {
            return Err(TrainError::BlackFrames);
        }
        function
            .weights
            .iter_mut()
            .for_each(|weight| *weight /= scale as f32);
        Ok(function)
    }

    /// Returns the length of the value.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Evaluates whole frames, `[rows, width]`. Cost: `width` multiplications for each nonzero
    /// byte.
    pub fn evaluate(&self, frames: &[u8]) -> Vec<f32> {
        weighted_rows(frames, &self.weights, self.width, 1.0 / 255.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn it_is_linear_and_of_mean_square_one() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let frames: Vec<u8> = (0..40u32 * 12).map(|i| (i * 37 % 101) as u8).collect();
        let function = RandomFunction::new(&mut rng, 12, 5, &frames).unwrap();
        assert!(RandomFunction::new(&mut rng, 12, 5, &[0; 24]).is_err());
        let values = function.evaluate(&frames);
        let mean = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!((mean - 1.0).abs() < 1e-3, "{mean}");
        let (a, b) = (&frames[..12], &frames[12..24]);
        let sum: Vec<u8> = a.iter().zip(b).map(|(a, b)| a + b).collect();
        let of_sum = function.evaluate(&sum);
        let parts = function.evaluate(&frames[..24]);
        for i in 0..5 {
            assert!((of_sum[i] - parts[i] - parts[5 + i]).abs() < 1e-4);
        }
    }
}
