//! Metrics of a run: the rows of `metrics.csv`.

use std::fmt::Write as _;

/// Metrics after one update. Training values belong to the batch of that update. Validation values
/// exist only if the update was validated.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRecord {
    /// Number of updates done, this one included.
    pub update: u64,
    /// CPU time in seconds since the run began, on all threads of its pool, summed over resumed
    /// parts.
    pub cpu_seconds: f64,
    /// Dynamics loss `L_dyn`.
    pub loss_dynamics: f32,
    /// Auxiliary loss `L_p`.
    pub loss_auxiliary: f32,
    /// Weight of `L_dyn` in this update.
    pub dynamics_weight: f32,
    /// Learning rate of this update, before the factors of the networks.
    pub learning_rate: f64,
    /// Gradient norms before clipping: encoder, predictor, head.
    pub gradient_norms: [f32; 3],
    /// Root mean square of the latents about their mean.
    pub latent_spread: f32,
    /// Validation, if the update was validated.
    pub validation: Option<Validation>,
}

/// Losses and measures on the validation observations.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Dynamics loss `L_dyn`; `None` if there is no transition to validate on.
    pub loss_dynamics: Option<f32>,
    /// Auxiliary loss `L_p`; `None` if there is no observation to validate on.
    pub loss_auxiliary: Option<f32>,
    /// Measures, in the order of the names that the observer declared.
    pub measures: Vec<Option<f64>>,
}

/// Columns that every run has.
const COLUMNS: [&str; 12] = [
    "update",
    "cpu_seconds",
    "loss_dynamics",
    "loss_auxiliary",
    "dynamics_weight",
    "learning_rate",
    "gradient_norm_encoder",
    "gradient_norm_predictor",
    "gradient_norm_head",
    "latent_spread",
    "validation_loss_dynamics",
    "validation_loss_auxiliary",
];

/// Returns the header of `metrics.csv`, which is equal for all runs with equal measures.
pub fn csv_header(measures: &[&str]) -> String {
    let mut names = COLUMNS.to_vec();
    names.extend(measures);
    names.join(",")
}

fn push_cell(row: &mut String, value: Option<impl std::fmt::LowerExp>) {
    row.push(',');
    if let Some(value) = value {
        // Writing to a String cannot fail.
        let _ = write!(row, "{value:e}");
    }
}

impl MetricRecord {
    /// Formats the record as one line without a line end. Absent values are empty.
    pub fn csv_row(&self, measures: usize) -> String {
        let [encoder, predictor, head] = self.gradient_norms;
        let mut row = format!(
            "{},{:.3},{:e},{:e},{},{:e},{:e},{:e},{:e},{:e}",
            self.update,
            self.cpu_seconds,
            self.loss_dynamics,
            self.loss_auxiliary,
            self.dynamics_weight,
            self.learning_rate,
            encoder,
            predictor,
            head,
            self.latent_spread
        );
        match &self.validation {
            None => row.push_str(&",".repeat(2 + measures)),
            Some(validation) => {
                let losses = [validation.loss_dynamics, validation.loss_auxiliary];
                for loss in losses {
                    push_cell(&mut row, loss);
                }
                for index in 0..measures {
                    push_cell(&mut row, validation.measures.get(index).copied().flatten());
                }
            }
        }
        row
    }
}

impl MetricRecord {
    /// Reads a line that [`csv_row`](Self::csv_row) wrote; `None` if the line is not whole.
    pub fn from_csv(line: &str, measures: usize) -> Option<Self> {
        let fields: Vec<&str> = line.split(',').collect();
        if fields.len() != COLUMNS.len() + measures {
            return None;
        }
        let real = |index: usize| fields[index].parse::<f32>().ok();
        let validation = if fields[10..].iter().all(|field| field.is_empty()) {
            None
        } else {
            Some(Validation {
                loss_dynamics: real(10),
                loss_auxiliary: real(11),
                measures: fields[COLUMNS.len()..]
                    .iter()
                    .map(|text| text.parse().ok())
                    .collect(),
            })
        };
        Some(Self {
            update: fields[0].parse().ok()?,
            cpu_seconds: fields[1].parse().ok()?,
            loss_dynamics: real(2)?,
            loss_auxiliary: real(3)?,
            dynamics_weight: real(4)?,
            learning_rate: fields[5].parse().ok()?,
            gradient_norms: [real(6)?, real(7)?, real(8)?],
            latent_spread: real(9)?,
            validation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was_and_a_torn_one_does_not() {
        let mut record = MetricRecord {
            update: 40,
            cpu_seconds: 1.25,
            loss_dynamics: 0.1,
            loss_auxiliary: 1e-7,
            dynamics_weight: 0.25,
            learning_rate: 3e-3,
            gradient_norms: [1.0, 2.5, 0.0],
            latent_spread: 0.5,
            validation: None,
        };
        for validation in [
            None,
            Some(Validation {
                loss_dynamics: None,
                loss_auxiliary: Some(0.3),
                measures: vec![Some(0.5), None],
            }),
        ] {
            record.validation = validation;
            let row = record.csv_row(2);
            assert_eq!(
                row.split(',').count(),
                csv_header(&["a", "b"]).split(',').count()
            );
            assert_eq!(MetricRecord::from_csv(&row, 2).as_ref(), Some(&record));
            assert_eq!(MetricRecord::from_csv(&row[..row.len() / 2], 2), None);
        }
    }
}
