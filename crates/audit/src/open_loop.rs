//! Open-loop errors: how well rollouts of the latent dynamics predict the auxiliary value.

use serde::{Deserialize, Serialize};

use crate::AuditError;
use crate::embeddings::{check_length, check_matrix};

/// Predictions of the auxiliary value after `k` latent steps, with the recorded values.
#[derive(Debug, Clone, Copy)]
pub struct StepValues<'a> {
    /// `P(T(...T(E(o), a_1)..., a_k))`, `[rows, width]`.
    pub predicted: &'a [f32],
    /// Recorded `p` at the same observations, `[rows, width]`.
    pub recorded: &'a [f32],
}

/// Open-loop errors of the auxiliary value, predicted by rolling the latent dynamics forward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenLoop {
    /// One record per step, `k = 1, 2, ...`.
    pub steps: Vec<OpenLoopStep>,
    /// The two values of `p`, low then high, if it is a scalar that takes exactly two values.
    pub two_values: Option<[f32; 2]>,
}

/// Open-loop error after `k` steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenLoopStep {
    /// Number of steps rolled forward, from 1.
    pub k: usize,
    /// Number of observations compared.
    pub rows: usize,
    /// Mean over rows and components of the squared error.
    pub mean_squared_error: f64,
    /// Variance of the recorded values of this step, averaged over components.
    pub variance: f64,
    /// Error over variance: a constant prediction reaches 1. `None` if `p` does not vary.
    pub error_over_variance: Option<f64>,
    /// Mean of the two recalls of a two-valued scalar `p`, by the threshold given to
    /// [`OpenLoop::measure`] (a prediction that equals it counts as high). Chance is 0.5. `None` if
    /// `p` is not two-valued, or only one value occurs at this step.
    pub balanced_accuracy: Option<f64>,
}

impl OpenLoop {
    /// Measures the errors. `steps[k - 1]` holds step `k`; steps may have different numbers of
    /// rows, since episodes end. `width` is the number of components of `p`. For a two-valued `p`,
    /// predictions from `threshold` up count as the greater value; `None` puts it midway between
    /// the two values.
    ///
    /// # Errors
    /// If a step is empty, arrays differ in length, or a recorded or predicted value is not finite.
    /// The message names the step.
    pub fn measure(
        steps: &[StepValues<'_>],
        width: usize,
        threshold: Option<f64>,
    ) -> Result<Self, AuditError> {
        for (index, step) in steps.iter().enumerate() {
            let rows = step.recorded.len() / width.max(1);
            let recorded = format!("the recorded values of step {}", index + 1);
            let predicted = format!("the predictions of step {}", index + 1);
            check_matrix(&recorded, step.recorded, rows, width)?;
            check_length(&predicted, step.predicted.len(), step.recorded.len())?;
            check_matrix(&predicted, step.predicted, rows, width)?;
        }
        let two_values = if width == 1 { two_values(steps) } else { None };
        let steps = steps
            .iter()
            .enumerate()
            .map(|(index, step)| measure_step(index + 1, step, width, two_values, threshold))
            .collect();
        Ok(Self { steps, two_values })
    }
}

fn measure_step(
    k: usize,
    step: &StepValues<'_>,
    width: usize,
    two_values: Option<[f32; 2]>,
    threshold: Option<f64>,
) -> OpenLoopStep {
    let rows = step.recorded.len() / width;
    let count = step.recorded.len() as f64;
    let mean_squared_error = step
        .predicted
        .iter()
        .zip(step.recorded)
        .map(|(&p, &r)| (f64::from(p) - f64::from(r)).powi(2))
        .sum::<f64>()
        / count;
    let mut variance = 0.0;
    for component in 0..width {
        let column = || {
            step.recorded[component..]
                .iter()
                .step_by(width)
                .map(|&v| f64::from(v))
        };
        let mean = column().sum::<f64>() / rows as f64;
        variance += column().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    }
    OpenLoopStep {
        k,
        rows,
        mean_squared_error,
        variance,
        error_over_variance: (variance > 0.0).then(|| mean_squared_error / variance),
        balanced_accuracy: two_values.and_then(|values| balanced_accuracy(step, values, threshold)),
    }
}

fn balanced_accuracy(
    step: &StepValues<'_>,
    [low, high]: [f32; 2],
    threshold: Option<f64>,
) -> Option<f64> {
    let threshold = threshold.unwrap_or_else(|| f64::midpoint(f64::from(low), f64::from(high)));
    // [value is high] -> (rows, rows predicted on the right side)
    let mut tally = [(0usize, 0usize); 2];
    for (&predicted, &recorded) in step.predicted.iter().zip(step.recorded) {
        let is_high = recorded == high;
        let says_high = f64::from(predicted) >= threshold;
        let (seen, right) = &mut tally[usize::from(is_high)];
        *seen += 1;
        *right += usize::from(is_high == says_high);
    }
    tally.iter().all(|(seen, _)| *seen > 0).then(|| {
        tally
            .iter()
            .map(|(seen, right)| *right as f64 / *seen as f64)
            .sum::<f64>()
            / 2.0
    })
}

/// Returns the threshold midway between the mean predictions at the lesser and at the greater of
/// two values of `p`. It should be calibrated on observations other than those that it then judges.
///
/// A head trained by squared error on a rare event predicts too low a value where the event
/// happens. A threshold midway between the values themselves would call that a miss. `None` unless
/// `recorded` takes exactly two values.
#[must_use]
pub fn calibrated_threshold(values: StepValues<'_>) -> Option<f64> {
    let [low, _] = two_values(&[values])?;
    let mut tally = [(0usize, 0.0f64); 2];
    for (&predicted, &recorded) in values.predicted.iter().zip(values.recorded) {
        let (seen, sum) = &mut tally[usize::from(recorded != low)];
        *seen += 1;
        *sum += f64::from(predicted);
    }
    let [low, high] = tally.map(|(seen, sum)| sum / seen as f64);
    Some(f64::midpoint(low, high))
}

/// Returns the two values, if the recorded values of all steps together take exactly two.
fn two_values(steps: &[StepValues<'_>]) -> Option<[f32; 2]> {
    let mut found: Vec<f32> = Vec::new();
    for &value in steps.iter().flat_map(|step| step.recorded) {
        if !found.contains(&value) {
            found.push(value);
        }
        if found.len() > 2 {
            return None;
        }
    }
    found.sort_by(f32::total_cmp);
    <[f32; 2]>::try_from(found).ok()
}
